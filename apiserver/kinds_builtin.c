/* The built-in kinds (kube-api.md 4), one row each. Bounds: no conversion between versions. */
#include "kinds.h"

#define N KIND_NAMESPACED
#define S KIND_STATUS
#define A KIND_ALL
#define G KIND_GENERATION
#define RBAC (KIND_ANY_NAME | KIND_PUT_CREATES)
#define REVIEW KIND_CREATE_ONLY
#define EXT KIND_EXTENSION
#define HOOK (EXT | G | KIND_NEEDS_RV)
#define OBJ KIND_DELETE_OBJECT

static const char pod_subresources[] =
	"attach:create+get,binding:create,ephemeralcontainers:get+patch+update,eviction:create,"
	"exec:create+get,log:get,portforward:create+get,resize:get+patch+update";

/* clang-format off */
const KindRow builtin_kinds[] = {
	{"", "v1", "Binding", "bindings", "", N | REVIEW, NULL},
	{"", "v1", "ComponentStatus", "componentstatuses", "cs", KIND_READ_ONLY, NULL},
	{"", "v1", "ConfigMap", "configmaps", "cm", N, NULL},
	{"", "v1", "Endpoints", "endpoints", "ep", N | KIND_PUT_CREATES, NULL},
	{"", "v1", "Event", "events", "ev", N | KIND_PUT_CREATES, NULL},
	{"", "v1", "LimitRange", "limitranges", "limits", N | KIND_PUT_CREATES, NULL},
	{"", "v1", "Namespace", "namespaces", "ns", S | OBJ | KIND_LABEL_NAME | KIND_NO_COLLECTION, "finalize:update"},
	{"", "v1", "Node", "nodes", "no", S, NULL},
	{"", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", N | S | OBJ, NULL},
	{"", "v1", "PersistentVolume", "persistentvolumes", "pv", S | OBJ, NULL},
	{"", "v1", "Pod", "pods", "po", N | S | A | G | OBJ, pod_subresources},
	{"", "v1", "PodTemplate", "podtemplates", "", N | G, NULL},
	{"", "v1", "ReplicationController", "replicationcontrollers", "rc", N | S | KIND_SCALE | A | G, NULL},
	{"", "v1", "ResourceQuota", "resourcequotas", "quota", N | S | OBJ, NULL},
	{"", "v1", "Secret", "secrets", "", N, NULL},
	{"", "v1", "ServiceAccount", "serviceaccounts", "sa", N | OBJ, "token:create"},
	{"", "v1", "Service", "services", "svc", N | S | A | OBJ | KIND_PUT_CREATES | KIND_LABEL_NAME, NULL},
	{"admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "", HOOK, NULL},
	{"admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", "", HOOK | S, NULL},
	{"admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", "", HOOK, NULL},
	{"admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "", HOOK, NULL},
	{"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", "crd,crds", EXT | S | G | KIND_NEEDS_RV, NULL},
	{"apiregistration.k8s.io", "v1", "APIService", "apiservices", "", EXT | S, NULL},
	{"apps", "v1", "ControllerRevision", "controllerrevisions", "", N, NULL},
	{"apps", "v1", "DaemonSet", "daemonsets", "ds", N | S | A | G, NULL},
	{"apps", "v1", "Deployment", "deployments", "deploy", N | S | KIND_SCALE | A | G, NULL},
	{"apps", "v1", "ReplicaSet", "replicasets", "rs", N | S | KIND_SCALE | A | G, NULL},
	{"apps", "v1", "StatefulSet", "statefulsets", "sts", N | S | KIND_SCALE | A | G, NULL},
	{"authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", "", REVIEW, NULL},
	{"authentication.k8s.io", "v1", "TokenReview", "tokenreviews", "", REVIEW, NULL},
	{"authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", "", N | REVIEW, NULL},
	{"authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", "", REVIEW, NULL},
	{"authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", "", REVIEW, NULL},
	{"authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", "", REVIEW, NULL},
	{"autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", N | S | A, NULL},
	{"autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", N | S | A, NULL},
	{"batch", "v1", "CronJob", "cronjobs", "cj", N | S | A | G, NULL},
	{"batch", "v1", "Job", "jobs", "", N | S | A | G, NULL},
	{"certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", "csr", S | KIND_ANY_NAME, "approval:get+patch+update"},
	{"coordination.k8s.io", "v1", "Lease", "leases", "", N | KIND_PUT_CREATES | KIND_NEEDS_RV, NULL},
	{"discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "", N | G, NULL},
	{"events.k8s.io", "v1", "Event", "events", "ev", N | KIND_PUT_CREATES, NULL},
	{"flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas", "", S | G, NULL},
	{"flowcontrol.apiserver.k8s.io", "v1", "PriorityLevelConfiguration", "prioritylevelconfigurations", "", S | G, NULL},
	{"networking.k8s.io", "v1", "IngressClass", "ingressclasses", "", G, NULL},
	{"networking.k8s.io", "v1", "Ingress", "ingresses", "ing", N | S | G, NULL},
	{"networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", "netpol", N | G, NULL},
	{"node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", "", KIND_PUT_CREATES | KIND_NEEDS_RV, NULL},
	{"policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", N | S | G | KIND_NEEDS_RV, NULL},
	{"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", "", RBAC, NULL},
	{"rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", "", RBAC, NULL},
	{"rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", "", N | RBAC, NULL},
	{"rbac.authorization.k8s.io", "v1", "Role", "roles", "", N | RBAC, NULL},
	{"scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "pc", 0, NULL},
	{"storage.k8s.io", "v1", "CSIDriver", "csidrivers", "", KIND_NEEDS_RV, NULL},
	{"storage.k8s.io", "v1", "CSINode", "csinodes", "", KIND_NEEDS_RV, NULL},
	{"storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities", "", N | KIND_NEEDS_RV, NULL},
	{"storage.k8s.io", "v1", "StorageClass", "storageclasses", "sc", OBJ, NULL},
	{"storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", "", S | KIND_NEEDS_RV, NULL},
};
/* clang-format on */

const size_t builtin_kind_count = COUNT(builtin_kinds);
