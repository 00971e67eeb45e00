"""What kubectl reads of /openapi/v3 before it sends anything, on both API servers."""
import pytest

from tests.lib.net import wait_until

SPEC = {"apps/v1": "deployments", "kustomize.toolkit.fluxcd.io/v1": "kustomizations"}


def path_of(api, version, path):
    """The path in the document of the version, or None: definitions are published in their time."""
    document = api.rest.get("/openapi/v3")["paths"].get(f"apis/{version}")
    return document and api.rest.get(document["serverRelativeURL"])["paths"].get(path)


@pytest.mark.parametrize("version", SPEC, ids=SPEC.get)
def test_A81_A82_what_a_patch_may_be(api, version):
    """Strategic merge for built-in kinds alone: kubectl picks its patch by it (A81), and asks for
    dry runs only where they are told of (A82)."""
    path = f"/apis/{version}/namespaces/{{namespace}}/{SPEC[version]}/{{name}}"
    patch = wait_until(lambda: path_of(api, version, path), f"openapi of {version}")["patch"]
    assert patch["x-kubernetes-group-version-kind"]["version"] == "v1"
    assert {p["name"] for p in patch["parameters"]} >= {"dryRun", "fieldManager", "fieldValidation",
                                                        "force"}
    media = set(patch["requestBody"]["content"])
    assert media >= {"application/apply-patch+yaml", "application/json-patch+json",
                     "application/merge-patch+json"}
    assert ("application/strategic-merge-patch+json" in media) is (version == "apps/v1")
