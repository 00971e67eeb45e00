#include "kustomize/refs_table.h"

#include "base/arena.h"

/*
 * `@` in front of a path stands for the pod spec of each kind of its set; `%` for containers and
 * initContainers.
 */

typedef struct {
	const char *kind, *path;
	bool in_first, in_second; /* PS and PS2 of facts 4 */
} PodPlace;

static const PodPlace pod_places[] = {
	{"Pod", "spec", true, true},
	{"PodTemplate", "template/spec", true, false},
	{"Deployment", "spec/template/spec", true, true},
	{"ReplicaSet", "spec/template/spec", true, false},
	{"DaemonSet", "spec/template/spec", true, true},
	{"StatefulSet", "spec/template/spec", true, true},
	{"Job", "spec/template/spec", true, true},
	{"CronJob", "spec/jobTemplate/spec/template/spec", true, true},
	{"ReplicationController", "spec/template/spec", false, true},
};

typedef struct {
	const char *group, *version, *kind;
} Target;

typedef struct {
	const Target *target;
	const char *kind;  /* the referrer; "PS" and "PS2" for pod specs */
	const char *group; /* of the referrer */
	const char *path;
} Row;

#define RBAC "rbac.authorization.k8s.io"
#define NGINX "metadata/annotations/nginx.ingress.kubernetes.io\\/"
#define WEBHOOKS "webhooks/clientConfig/service"

static const Target deployment = {NULL, NULL, "Deployment"};
static const Target replication_controller = {NULL, NULL, "ReplicationController"};
static const Target replica_set = {NULL, NULL, "ReplicaSet"};
static const Target stateful_set = {NULL, NULL, "StatefulSet"};
static const Target config_map = {NULL, "v1", "ConfigMap"};
static const Target secret = {NULL, "v1", "Secret"};
static const Target service = {NULL, "v1", "Service"};
static const Target role = {RBAC, NULL, "Role"};
static const Target cluster_role = {RBAC, NULL, "ClusterRole"};
static const Target service_account = {NULL, "v1", "ServiceAccount"};
static const Target claim = {NULL, "v1", "PersistentVolumeClaim"};
static const Target volume = {NULL, "v1", "PersistentVolume"};
static const Target storage_class = {"storage.k8s.io", "v1", "StorageClass"};
static const Target priority_class = {"scheduling.k8s.io", "v1", "PriorityClass"};
/* A group that no kind has: the reference never matches [Q] (B34). */
static const Target ingress_class = {"networking.k8s.io/v1", "v1", "IngressClass"};
static const Target admission_policy = {"admissionregistration.k8s.io", NULL,
					"ValidatingAdmissionPolicy"};

static const Row rows[] = {
	{&deployment, "HorizontalPodAutoscaler", NULL, "spec/scaleTargetRef/name"},
	{&replication_controller, "HorizontalPodAutoscaler", NULL, "spec/scaleTargetRef/name"},
	{&replica_set, "HorizontalPodAutoscaler", NULL, "spec/scaleTargetRef/name"},
	{&stateful_set, "HorizontalPodAutoscaler", NULL, "spec/scaleTargetRef/name"},

	{&config_map, "PS", NULL, "@/volumes/configMap/name"},
	{&config_map, "PS", NULL, "@/volumes/projected/sources/configMap/name"},
	{&config_map, "PS", NULL, "@/%/env/valueFrom/configMapKeyRef/name"},
	{&config_map, "PS", NULL, "@/%/envFrom/configMapRef/name"},
	{&config_map, "Node", NULL, "spec/configSource/configMap"},
	{&config_map, "Role", NULL, "rules/resourceNames"},
	{&config_map, "ClusterRole", NULL, "rules/resourceNames"},
	{&config_map, "Ingress", NULL, NGINX "fastcgi-params-configmap"},

	{&secret, "PS", NULL, "@/volumes/secret/secretName"},
	{&secret, "PS", NULL, "@/volumes/projected/sources/secret/name"},
	{&secret, "PS", NULL, "@/%/env/valueFrom/secretKeyRef/name"},
	{&secret, "PS", NULL, "@/%/envFrom/secretRef/name"},
	{&secret, "PS", NULL, "@/imagePullSecrets/name"},
	{&secret, "Ingress", NULL, "spec/tls/secretName"},
	{&secret, "Ingress", NULL, "metadata/annotations/ingress.kubernetes.io\\/auth-secret"},
	{&secret, "Ingress", NULL, NGINX "auth-secret"},
	{&secret, "Ingress", NULL, NGINX "auth-tls-secret"},
	{&secret, "ServiceAccount", NULL, "imagePullSecrets/name"},
	{&secret, "StorageClass", NULL, "parameters/secretName"},
	{&secret, "StorageClass", NULL, "parameters/adminSecretName"},
	{&secret, "StorageClass", NULL, "parameters/userSecretName"},
	{&secret, "StorageClass", NULL, "parameters/secretRef"},
	{&secret, "Role", NULL, "rules/resourceNames"},
	{&secret, "ClusterRole", NULL, "rules/resourceNames"},
	{&secret, "Service", "serving.knative.dev",
	 "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"},
	{&secret, "PersistentVolume", NULL, "spec/azureFile/secretName"},

	{&service, "StatefulSet", "apps", "spec/serviceName"},
	{&service, "Ingress", NULL, "spec/rules/http/paths/backend/serviceName"},
	{&service, "Ingress", NULL, "spec/backend/serviceName"},
	{&service, "Ingress", NULL, "spec/rules/http/paths/backend/service/name"},
	{&service, "Ingress", NULL, "spec/defaultBackend/service/name"},
	{&service, "APIService", "apiregistration.k8s.io", "spec/service/name"},
	{&service, "ValidatingWebhookConfiguration", "admissionregistration.k8s.io", WEBHOOKS},
	{&service, "MutatingWebhookConfiguration", "admissionregistration.k8s.io", WEBHOOKS},

	{&role, "RoleBinding", RBAC, "roleRef/name"},
	{&cluster_role, "RoleBinding", RBAC, "roleRef/name"},
	{&cluster_role, "ClusterRoleBinding", RBAC, "roleRef/name"},

	{&service_account, "RoleBinding", RBAC, "subjects"},
	{&service_account, "ClusterRoleBinding", RBAC, "subjects"},
	{&service_account, "PS2", NULL, "@/serviceAccountName"},

	{&claim, "PS2", NULL, "@/volumes/persistentVolumeClaim/claimName"},

	{&volume, "PersistentVolumeClaim", NULL, "spec/volumeName"},
	{&volume, "ClusterRole", NULL, "rules/resourceNames"},

	{&storage_class, "PersistentVolume", NULL, "spec/storageClassName"},
	{&storage_class, "PersistentVolumeClaim", NULL, "spec/storageClassName"},
	{&storage_class, "StatefulSet", NULL, "spec/volumeClaimTemplates/spec/storageClassName"},

	{&priority_class, "PS2", NULL, "@/priorityClassName"},
	{&ingress_class, "Ingress", NULL, "spec/ingressClassName"},
	{&admission_policy, "ValidatingAdmissionPolicyBinding", "admissionregistration.k8s.io",
	 "spec/policyName"},
};

static void add_one(KBackRef *ref, Arena *arena, const Row *row, const char *kind, const char *path)
{
	FieldSpec *spec = arena_alloc(arena, sizeof(*spec));
	*spec = (FieldSpec){.group = row->group, .kind = kind, .path = path};
	vec_push(&ref->referrers, spec);
}

static void add_pod(KBackRef *ref, Arena *arena, const Row *row, const PodPlace *place)
{
	static const char *const lists[] = {"containers", "initContainers"};
	const char *rest = row->path + 1;
	bool containers = cstr_starts(rest, "/%");
	for (size_t i = 0; i < (containers ? COUNT(lists) : 1); i++) {
		const char *path =
			containers ? arena_printf(arena, "%s/%s%s", place->path, lists[i], rest + 2)
				   : arena_printf(arena, "%s%s", place->path, rest);
		add_one(ref, arena, row, place->kind, path);
	}
}

void refs_table_add(KConfig *config, Arena *arena)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const Row *row = &rows[i];
		KBackRef *ref = kconfig_back_ref(config, row->target->group, row->target->version,
						 row->target->kind);
		if (*row->path != '@') {
			add_one(ref, arena, row, row->kind, row->path);
			continue;
		}
		bool second = cstr_eq(row->kind, "PS2");
		for (size_t j = 0; j < COUNT(pod_places); j++)
			if (second ? pod_places[j].in_second : pod_places[j].in_first)
				add_pod(ref, arena, row, &pod_places[j]);
	}
}
