"""The CRDs of deploy/crds refuse and accept what the contract says (S1, K2, K3, N88, I6, I57):
dry-run creations, with the field and the words that a user sees, equal on both API servers."""
import copy

import pytest

ABSENT = object()
DURATION = r"'^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$'"
TIMEOUT = r"'^([0-9]+(\.[0-9]+)?(ms|s|m))+$'"
REF = {"name": "x"}

# A spec of each kind that is accepted; the cases change it.
KINDS = {
    "GitRepository": ("source.toolkit.fluxcd.io/v1", "gitrepositories",
                      {"url": "https://git.example/app", "interval": "1m"}),
    "OCIRepository": ("source.toolkit.fluxcd.io/v1", "ocirepositories",
                      {"url": "oci://registry.example/app", "interval": "1m"}),
    "HelmRepository": ("source.toolkit.fluxcd.io/v1", "helmrepositories",
                       {"url": "https://charts.example"}),
    "HelmChart": ("source.toolkit.fluxcd.io/v1", "helmcharts",
                  {"chart": "app", "interval": "1m",
                   "sourceRef": {"kind": "HelmRepository", "name": "x"}}),
    "Bucket": ("source.toolkit.fluxcd.io/v1", "buckets",
               {"bucketName": "b", "endpoint": "s3.example", "interval": "1m"}),
    "ExternalArtifact": ("source.toolkit.fluxcd.io/v1", "externalartifacts", {}),
    "Kustomization": ("kustomize.toolkit.fluxcd.io/v1", "kustomizations",
                      {"interval": "1m", "prune": True,
                       "sourceRef": {"kind": "GitRepository", "name": "x"}}),
    "HelmRelease": ("helm.toolkit.fluxcd.io/v2", "helmreleases",
                    {"interval": "1m", "chartRef": {"kind": "OCIRepository", "name": "x"}}),
    "Provider": ("notification.toolkit.fluxcd.io/v1beta3", "providers", {"type": "slack"}),
    "Alert": ("notification.toolkit.fluxcd.io/v1beta3", "alerts",
              {"providerRef": REF, "eventSources": [{"kind": "Kustomization", "name": "*"}]}),
    "Receiver": ("notification.toolkit.fluxcd.io/v1", "receivers",
                 {"type": "github", "secretRef": REF,
                  "resources": [{"kind": "GitRepository", "name": "x"}]}),
    "ImageRepository": ("image.toolkit.fluxcd.io/v1", "imagerepositories",
                        {"image": "registry.example/app", "interval": "1m"}),
    "ImagePolicy": ("image.toolkit.fluxcd.io/v1", "imagepolicies",
                    {"imageRepositoryRef": REF, "policy": {"alphabetical": {}}}),
    "ImageUpdateAutomation": ("image.toolkit.fluxcd.io/v1", "imageupdateautomations",
                              {"interval": "1m", "sourceRef": REF}),
}

CHART = {"spec": {"chart": "app", "sourceRef": {"kind": "HelmRepository", "name": "x"}}}
OIDC = [{"issuerURL": "https://issuer.example", "validations": [
    {"expression": "true", "message": "m"}]}]
STS_AWS = {"provider": "aws", "endpoint": "https://sts.example"}
STS_LDAP = {"provider": "ldap", "endpoint": "https://sts.example"}
ONE_KUBECONFIG = ('spec.kubeConfig: Invalid value: "object": exactly one of '
                  'spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified')

# (kind, changes of the spec by path, a part of the refusal or None)
SOURCE_CASES = [
    ("GitRepository", {"interval": "5"},
     f'spec.interval: Invalid value: "5": spec.interval in body should match {DURATION}'),
    ("GitRepository", {"interval": ABSENT}, "spec.interval: Required value"),
    ("GitRepository", {"interval": 5},
     'spec.interval: Invalid value: "integer": spec.interval in body must be of type string'),
    ("GitRepository", {"interval": "1h30m0.5s"}, None),
    ("GitRepository", {"interval": ""}, "spec.interval: Invalid value"),
    ("GitRepository", {"interval": "-1m"}, "spec.interval: Invalid value"),
    ("GitRepository", {"timeout": "1h"},
     f'spec.timeout: Invalid value: "1h": spec.timeout in body should match {TIMEOUT}'),
    ("GitRepository", {"timeout": "90s"}, None),
    ("GitRepository", {"url": "git@git.example:app.git"},
     'spec.url: Invalid value: "git@git.example:app.git": spec.url in body should match '
     "'^(http|https|ssh)://.*$'"),
    ("GitRepository", {"url": "ssh://git@git.example/app.git"}, None),
    ("GitRepository", {"url": ABSENT}, "spec.url: Required value"),
    ("GitRepository", {"provider": "gitlab"}, 'spec.provider: Unsupported value: "gitlab": '
     'supported values: "generic", "aws", "azure", "github"'),
    ("GitRepository", {"serviceAccountName": "x"},
     'spec: Invalid value: "object": serviceAccountName can only be set when provider is'),
    ("GitRepository", {"serviceAccountName": "x", "provider": "github"},
     'spec: Invalid value: "object": serviceAccountName can only be set when provider is'),
    ("GitRepository", {"serviceAccountName": "x", "provider": "azure"}, None),
    ("GitRepository", {"verify.secretRef": REF, "verify.mode": "Head"},
     'spec.verify.mode: Unsupported value: "Head"'),
    ("GitRepository", {"verify.mode": "head"}, "spec.verify.secretRef: Required value"),
    ("GitRepository", {"include": [{"fromPath": "x"}]},
     "spec.include[0].repository: Required value"),
    ("GitRepository", {"secretRef": {}}, "spec.secretRef.name: Required value"),
    ("OCIRepository", {"url": "https://registry.example/app"},
     "spec.url: Invalid value: \"https://registry.example/app\": spec.url in body should match "
     "'^oci://.*$'"),
    ("OCIRepository", {"layerSelector.operation": "move"},
     'spec.layerSelector.operation: Unsupported value: "move"'),
    ("OCIRepository", {"verify.provider": "gpg"}, 'spec.verify.provider: Unsupported value'),
    ("OCIRepository", {"verify": {"matchOIDCIdentity": [{"issuer": "a"}]}},
     "spec.verify.matchOIDCIdentity[0].subject: Required value"),
    ("HelmRepository", {"url": "ftp://charts.example"}, "spec.url: Invalid value"),
    ("HelmRepository", {"type": "oci", "url": "oci://charts.example", "interval": "1m"}, None),
    ("HelmRepository", {"type": "git"}, 'spec.type: Unsupported value: "git"'),
    ("HelmRepository", {"timeout": "1h"}, "spec.timeout: Invalid value"),
    ("HelmChart", {"sourceRef.kind": "OCIRepository"},
     'spec.sourceRef.kind: Unsupported value: "OCIRepository"'),
    ("HelmChart", {"reconcileStrategy": "Always"}, "spec.reconcileStrategy: Unsupported value"),
    ("HelmChart", {"verify": {"provider": "cosign"}, "sourceRef.kind": "GitRepository"},
     'spec: Invalid value: "object": spec.verify is only supported when spec.sourceRef.kind is'),
    ("HelmChart", {"verify": {"provider": "cosign"}}, None),
    ("Bucket", {"bucketName": ABSENT}, "spec.bucketName: Required value"),
    ("Bucket", {"provider": "minio"}, "spec.provider: Unsupported value"),
    ("Bucket", {"provider": "gcp", "sts": STS_AWS},
     "STS configuration is only supported for the 'aws' and 'generic' Bucket providers"),
    ("Bucket", {"provider": "aws", "sts": STS_LDAP},
     "'aws' is the only supported STS provider for the 'aws' Bucket provider"),
    ("Bucket", {"sts": STS_AWS},
     "'ldap' is the only supported STS provider for the 'generic' Bucket provider"),
    ("Bucket", {"provider": "aws", "sts": dict(STS_AWS, secretRef=REF)},
     "spec.sts.secretRef is not required for the 'aws' STS provider"),
    ("Bucket", {"provider": "aws", "sts": dict(STS_AWS, certSecretRef=REF)},
     "spec.sts.certSecretRef is not required for the 'aws' STS provider"),
    ("Bucket", {"serviceAccountName": "x"},
     "ServiceAccountName is not supported for the 'generic' Bucket provider"),
    ("Bucket", {"provider": "aws", "serviceAccountName": "x", "secretRef": REF},
     "cannot set both .spec.secretRef and .spec.serviceAccountName"),
    ("Bucket", {"sts": dict(STS_LDAP, endpoint="sts.example")},
     'spec.sts.endpoint: Invalid value: "sts.example"'),
    ("Bucket", {"sts": dict(STS_LDAP, secretRef=REF, certSecretRef=REF)}, None),
    ("Bucket", {"provider": "aws", "sts": STS_AWS, "serviceAccountName": "x"}, None),
    ("ExternalArtifact", {"sourceRef": {"kind": "Thing"}}, "spec.sourceRef.name: Required value"),
]
INTERVAL_CASES = [
    ("Kustomization", {"interval": "60"},
     f'spec.interval: Invalid value: "60": spec.interval in body should match {DURATION}'),
    ("Kustomization", {"interval": 60}, "spec.interval in body must be of type string"),
    ("Kustomization", {"interval": "1m30s", "retryInterval": "1.5h"}, None),
    ("Kustomization", {"interval": "1.5h", "timeout": "1h"}, None),
    ("Kustomization", {"retryInterval": "1d"}, "spec.retryInterval: Invalid value"),
]
KUSTOMIZATION_CASES = [
    ("Kustomization", {"prune": ABSENT}, "spec.prune: Required value"),
    ("Kustomization", {"sourceRef.kind": "HelmRepository"},
     'spec.sourceRef.kind: Unsupported value: "HelmRepository"'),
    ("Kustomization", {"deletionPolicy": "Keep"}, "spec.deletionPolicy: Unsupported value"),
    ("Kustomization", {"targetNamespace": ""}, "spec.targetNamespace: Invalid value"),
    ("Kustomization", {"targetNamespace": "n" * 64}, "spec.targetNamespace: Too long"),
    ("Kustomization", {"targetNamespace": "n" * 63, "namePrefix": "p" * 200}, None),
    ("Kustomization", {"nameSuffix": "s" * 201}, "spec.nameSuffix: Too long"),
    ("Kustomization", {"postBuild.substitute": {"1a": "x"}}, None),
    ("Kustomization", {"postBuild.substitute": {"a": 1}},
     "spec.postBuild.substitute.a: Invalid value: \"integer\""),
    ("Kustomization", {"postBuild.substituteFrom": [{"kind": "Pod", "name": "x"}]},
     'spec.postBuild.substituteFrom[0].kind: Unsupported value: "Pod"'),
    ("Kustomization", {"postBuild.substituteFrom": [{"kind": "Secret", "name": ""}]},
     "spec.postBuild.substituteFrom[0].name: Invalid value"),
    ("Kustomization", {"decryption": {"provider": "vault"}},
     "spec.decryption.provider: Unsupported value"),
    ("Kustomization", {"healthCheckExprs": [{"apiVersion": "v1", "kind": "X"}]},
     "spec.healthCheckExprs[0].current: Required value"),
    ("Kustomization", {"patches": [{"target": {"kind": "X"}}]},
     "spec.patches[0].patch: Required value"),
    ("Kustomization", {"dependsOn": [{"namespace": "x"}]},
     "spec.dependsOn[0].name: Required value"),
    ("Kustomization", {"buildMetadata": ["origin"]}, "spec.buildMetadata[0]: Unsupported value"),
]
KUBECONFIG_CASES = [(kind, {"kubeConfig": value}, part)
                    for kind in ("Kustomization", "HelmRelease")
                    for value, part in (({}, ONE_KUBECONFIG),
                                        ({"secretRef": REF, "configMapRef": REF}, ONE_KUBECONFIG),
                                        ({"secretRef": dict(REF, key="k")}, None),
                                        ({"configMapRef": REF}, None),
                                        ({"secretRef": {}},
                                         "spec.kubeConfig.secretRef.name: Required value"))]
NOTIFICATION_CASES = [
    ("Provider", {"type": "pigeon"}, 'spec.type: Unsupported value: "pigeon"'),
    ("Provider", {"commitStatusExpr": "'x'"},
     "spec.commitStatusExpr is only supported for the 'github'"),
    ("Provider", {"type": "azuredevops", "commitStatusExpr": "'x'"}, None),
    ("Provider", {"address": "a" * 2049},
     "spec.address: Too long: may not be more than 2048 bytes"),
    ("Provider", {"address": "not a URL"}, None),
    ("Provider", {"proxy": "socks5://p.example"}, "spec.proxy: Invalid value"),
    ("Provider", {"timeout": "1h"}, "spec.timeout: Invalid value"),
    ("Alert", {"eventSources": ABSENT}, "spec.eventSources: Required value"),
    ("Alert", {"eventSources": [{"kind": "Pod", "name": "*"}]},
     'spec.eventSources[0].kind: Unsupported value: "Pod"'),
    ("Alert", {"eventSources": [{"kind": "Bucket", "name": "n" * 254}]},
     "spec.eventSources[0].name: Too long"),
    ("Alert", {"eventSeverity": "warn"}, "spec.eventSeverity: Unsupported value"),
    ("Alert", {"summary": "s" * 256}, "spec.summary: Too long"),
    ("Receiver", {"type": "gitea"}, 'spec.type: Unsupported value: "gitea"'),
    ("Receiver", {"interval": "10"}, "spec.interval: Invalid value"),
    ("Receiver", {"resources": ABSENT}, "spec.resources: Required value"),
]
OIDC_CASES = [
    ("Receiver", {"secretRef": ABSENT}, "secretRef is required when type is not generic-oidc"),
    ("Receiver", {"type": "generic-oidc", "oidcProviders": OIDC},
     "secretRef cannot be set when type is generic-oidc"),
    ("Receiver", {"type": "generic-oidc", "secretRef": ABSENT},
     "generic-oidc receivers must define at least one oidcProvider"),
    ("Receiver", {"type": "generic-oidc", "secretRef": ABSENT, "oidcProviders": []},
     "generic-oidc receivers must define at least one oidcProvider"),
    ("Receiver", {"oidcProviders": OIDC},
     "oidcProviders can only be set when type is generic-oidc"),
    ("Receiver", {"type": "generic-oidc", "secretRef": ABSENT, "oidcProviders": OIDC}, None),
    ("Receiver", {"type": "generic-oidc", "secretRef": ABSENT, "oidcProviders": OIDC + OIDC},
     'spec.oidcProviders[1]: Duplicate value: {"issuerURL":"https://issuer.example"}'),
    ("Receiver", {"type": "generic-oidc", "secretRef": ABSENT,
                  "oidcProviders": [dict(OIDC[0], validations=[])]},
     "spec.oidcProviders[0].validations: Invalid value"),
    ("Receiver", {"type": "generic-oidc", "secretRef": ABSENT,
                  "oidcProviders": [dict(OIDC[0], issuerURL="issuer.example")]},
     'spec.oidcProviders[0].issuerURL: Invalid value: "issuer.example"'),
]
HELM_CASES = [
    ("HelmRelease", {"chartRef": ABSENT}, "either chart or chartRef must be set"),
    ("HelmRelease", {"chart": CHART}, "either chart or chartRef must be set"),
    ("HelmRelease", {"chart": CHART, "chartRef": ABSENT}, None),
    ("HelmRelease", {"chartRef.kind": "Bucket"}, "spec.chartRef.kind: Unsupported value"),
    ("HelmRelease", {"install.strategy": {"name": "RemediateOnFailure", "retryInterval": "1m"}},
     ".retryInterval cannot be set when .name is 'RemediateOnFailure'"),
    ("HelmRelease", {"upgrade.strategy": {"name": "RemediateOnFailure", "retryInterval": "1m"}},
     ".retryInterval can only be set when .name is 'RetryOnFailure'"),
    ("HelmRelease", {"upgrade.strategy": {"name": "RetryOnFailure", "retryInterval": "1m"}}, None),
    ("HelmRelease", {"releaseName": "r" * 54}, "spec.releaseName: Too long"),
    ("HelmRelease", {"valuesFrom": [{"kind": "Secret", "name": "x", "valuesKey": "a/b"}]},
     "spec.valuesFrom[0].valuesKey: Invalid value"),
    ("HelmRelease", {"valuesFrom": [{"kind": "Secret", "name": "x", "targetPath": "a[0].b"}]},
     None),
    ("HelmRelease", {"valuesFrom": [{"kind": "Secret", "name": "x", "targetPath": "a b"}]},
     "spec.valuesFrom[0].targetPath: Invalid value"),
    ("HelmRelease", {"values": {"any": [1, {"deep": None}]}}, None),
    ("HelmRelease", {"values": "text"}, None),
]
IMAGE_CASES = [
    ("ImageRepository", {"timeout": "1h"}, "spec.timeout: Invalid value"),
    ("ImageRepository", {"provider": "github"}, "spec.provider: Unsupported value"),
    ("ImageRepository", {"accessFrom": {}},
     "spec.accessFrom.namespaceSelectors: Required value"),
    ("ImageRepository", {"exclusionList": ["x"] * 25}, None),
    ("ImageRepository", {"exclusionList": ["x"] * 26},
     "spec.exclusionList: Too many: 26: must have at most 25 items"),
    ("ImageUpdateAutomation", {"sourceRef.kind": "Bucket"},
     "spec.sourceRef.kind: Unsupported value"),
    ("ImageUpdateAutomation", {"git": {"commit": {"author": {"name": "x"}}}},
     "spec.git.commit.author.email: Required value"),
    ("ImageUpdateAutomation", {"git": {"commit": {"author": {"email": "x"}},
                                       "push": {"refspec": "+a:b"}}},
     "spec.git.push.refspec: Invalid value"),
    ("ImageUpdateAutomation", {"update": {"strategy": "Yq"}},
     "spec.update.strategy: Unsupported value"),
]
INTERVAL_OF_POLICY = ("spec.interval is only accepted when spec.digestReflectionPolicy is set to "
                      "'Always'")
POLICY_CASES = [
    ("ImagePolicy", {"interval": "1m"}, INTERVAL_OF_POLICY),
    ("ImagePolicy", {"interval": "1m", "digestReflectionPolicy": "IfNotPresent"},
     INTERVAL_OF_POLICY),
    ("ImagePolicy", {"digestReflectionPolicy": "Always"},
     "spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'"),
    ("ImagePolicy", {"interval": "1m", "digestReflectionPolicy": "Always"}, None),
    ("ImagePolicy", {"policy": {"semver": {}}}, "spec.policy.semver.range: Required value"),
    ("ImagePolicy", {"policy": {"numerical": {"order": "up"}}},
     "spec.policy.numerical.order: Unsupported value"),
]


def changed(spec, changes):
    spec = copy.deepcopy(spec)
    for path, value in changes.items():
        *parents, last = path.split(".")
        at = spec
        for name in parents:
            at = at.setdefault(name, {})
        if value is ABSENT:
            del at[last]
        else:
            at[last] = value
    return spec


def create(api, kind, spec):
    """Status and body of the reply to a dry-run creation."""
    version, plural, _ = KINDS[kind]
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    return api.rest.call("POST", f"/apis/{version}/namespaces/default/{plural}?dryRun=All", body)


def check(api, case):
    kind, changes, part = case
    status, body = create(api, kind, changed(KINDS[kind][2], changes))
    if part is None:
        assert status == 201, body
        return
    assert status == 422 and body["reason"] == "Invalid", body
    assert part in body["message"]


def label(value):
    if not isinstance(value, tuple):
        return None
    kind, changes, part = value
    return "-".join([kind, *changes, "refused" if part else "accepted"])


@pytest.mark.parametrize("kind", KINDS)
def test_S1_the_least_spec_is_accepted(api, kind):
    status, body = create(api, kind, KINDS[kind][2])
    assert status == 201, body


@pytest.mark.parametrize("case", SOURCE_CASES, ids=label)
def test_S1_source(api, case):
    check(api, case)


@pytest.mark.parametrize("case", INTERVAL_CASES, ids=label)
def test_K2_interval(api, case):
    check(api, case)


@pytest.mark.parametrize("case", KUSTOMIZATION_CASES, ids=label)
def test_kustomization(api, case):
    check(api, case)


@pytest.mark.parametrize("case", KUBECONFIG_CASES, ids=label)
def test_K3_one_kubeconfig(api, case):
    check(api, case)


@pytest.mark.parametrize("case", NOTIFICATION_CASES, ids=label)
def test_notification(api, case):
    check(api, case)


@pytest.mark.parametrize("case", OIDC_CASES, ids=label)
def test_N88_oidc_or_a_secret(api, case):
    check(api, case)


@pytest.mark.parametrize("case", HELM_CASES, ids=label)
def test_helm(api, case):
    check(api, case)


@pytest.mark.parametrize("case", IMAGE_CASES, ids=label)
def test_I6_image(api, case):
    check(api, case)


@pytest.mark.parametrize("case", POLICY_CASES, ids=label)
def test_I57_interval_of_a_policy(api, case):
    check(api, case)
