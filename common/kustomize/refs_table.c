#include "kustomize/refs_table.h"

#define REF(target, kind, path)                                                                    \
	{                                                                                          \
		target,                                                                            \
		{                                                                                  \
			NULL, NULL, kind, path, false                                              \
		}                                                                                  \
	}
#define TEMPLATE "spec/template/spec"

/* A field of each kind with a pod spec: PS and PS2 of facts 4; containers stand in two lists. */
#define PS_BOTH(target, path)                                                                      \
	REF(target, "Pod", "spec" path), REF(target, "Deployment", TEMPLATE path),                 \
		REF(target, "DaemonSet", TEMPLATE path),                                           \
		REF(target, "StatefulSet", TEMPLATE path), REF(target, "Job", TEMPLATE path),      \
		REF(target, "CronJob", "spec/jobTemplate/" TEMPLATE path)
#define PS(target, path)                                                                           \
	PS_BOTH(target, path), REF(target, "PodTemplate", "template/spec" path),                   \
		REF(target, "ReplicaSet", TEMPLATE path)
#define PS_CONTAINERS(target, path)                                                                \
	PS(target, "/containers" path), PS(target, "/initContainers" path)
#define PS2(target, path) PS_BOTH(target, path), REF(target, "ReplicationController", TEMPLATE path)

#define RBAC "rbac.authorization.k8s.io"
#define NGINX "metadata/annotations/nginx.ingress.kubernetes.io\\/"
#define WEBHOOKS "webhooks/clientConfig/service"

static const RefTarget deployment = {NULL, NULL, "Deployment"};
static const RefTarget replication_controller = {NULL, NULL, "ReplicationController"};
static const RefTarget replica_set = {NULL, NULL, "ReplicaSet"};
static const RefTarget stateful_set = {NULL, NULL, "StatefulSet"};
static const RefTarget config_map = {NULL, "v1", "ConfigMap"};
static const RefTarget secret = {NULL, "v1", "Secret"};
static const RefTarget service = {NULL, "v1", "Service"};
static const RefTarget role = {RBAC, NULL, "Role"};
static const RefTarget cluster_role = {RBAC, NULL, "ClusterRole"};
static const RefTarget service_account = {NULL, "v1", "ServiceAccount"};
static const RefTarget claim = {NULL, "v1", "PersistentVolumeClaim"};
static const RefTarget volume = {NULL, "v1", "PersistentVolume"};
static const RefTarget storage_class = {"storage.k8s.io", "v1", "StorageClass"};
static const RefTarget priority_class = {"scheduling.k8s.io", "v1", "PriorityClass"};
/* A group that no kind has: the reference never matches [Q] (B34). */
static const RefTarget ingress_class = {"networking.k8s.io/v1", "v1", "IngressClass"};
static const RefTarget admission_policy = {"admissionregistration.k8s.io", NULL,
					   "ValidatingAdmissionPolicy"};

static const RefRow rows[] = {
	{&deployment, {NULL, NULL, "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false}},
	{&replication_controller,
	 {NULL, NULL, "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false}},
	{&replica_set, {NULL, NULL, "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false}},
	{&stateful_set, {NULL, NULL, "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false}},

	PS(&config_map, "/volumes/configMap/name"),
	PS(&config_map, "/volumes/projected/sources/configMap/name"),
	PS_CONTAINERS(&config_map, "/env/valueFrom/configMapKeyRef/name"),
	PS_CONTAINERS(&config_map, "/envFrom/configMapRef/name"),
	{&config_map, {NULL, NULL, "Node", "spec/configSource/configMap", false}},
	{&config_map, {NULL, NULL, "Role", "rules/resourceNames", false}},
	{&config_map, {NULL, NULL, "ClusterRole", "rules/resourceNames", false}},
	{&config_map, {NULL, NULL, "Ingress", NGINX "fastcgi-params-configmap", false}},

	PS(&secret, "/volumes/secret/secretName"),
	PS(&secret, "/volumes/projected/sources/secret/name"),
	PS_CONTAINERS(&secret, "/env/valueFrom/secretKeyRef/name"),
	PS_CONTAINERS(&secret, "/envFrom/secretRef/name"),
	PS(&secret, "/imagePullSecrets/name"),
	{&secret, {NULL, NULL, "Ingress", "spec/tls/secretName", false}},
	{&secret,
	 {NULL, NULL, "Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret",
	  false}},
	{&secret, {NULL, NULL, "Ingress", NGINX "auth-secret", false}},
	{&secret, {NULL, NULL, "Ingress", NGINX "auth-tls-secret", false}},
	{&secret, {NULL, NULL, "ServiceAccount", "imagePullSecrets/name", false}},
	{&secret, {NULL, NULL, "StorageClass", "parameters/secretName", false}},
	{&secret, {NULL, NULL, "StorageClass", "parameters/adminSecretName", false}},
	{&secret, {NULL, NULL, "StorageClass", "parameters/userSecretName", false}},
	{&secret, {NULL, NULL, "StorageClass", "parameters/secretRef", false}},
	{&secret, {NULL, NULL, "Role", "rules/resourceNames", false}},
	{&secret, {NULL, NULL, "ClusterRole", "rules/resourceNames", false}},
	{&secret,
	 {"serving.knative.dev", NULL, "Service",
	  "spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false}},
	{&secret, {NULL, NULL, "PersistentVolume", "spec/azureFile/secretName", false}},

	{&service, {"apps", NULL, "StatefulSet", "spec/serviceName", false}},
	{&service, {NULL, NULL, "Ingress", "spec/rules/http/paths/backend/serviceName", false}},
	{&service, {NULL, NULL, "Ingress", "spec/backend/serviceName", false}},
	{&service, {NULL, NULL, "Ingress", "spec/rules/http/paths/backend/service/name", false}},
	{&service, {NULL, NULL, "Ingress", "spec/defaultBackend/service/name", false}},
	{&service, {"apiregistration.k8s.io", NULL, "APIService", "spec/service/name", false}},
	{&service,
	 {"admissionregistration.k8s.io", NULL, "ValidatingWebhookConfiguration", WEBHOOKS, false}},
	{&service,
	 {"admissionregistration.k8s.io", NULL, "MutatingWebhookConfiguration", WEBHOOKS, false}},

	{&role, {RBAC, NULL, "RoleBinding", "roleRef/name", false}},
	{&cluster_role, {RBAC, NULL, "RoleBinding", "roleRef/name", false}},
	{&cluster_role, {RBAC, NULL, "ClusterRoleBinding", "roleRef/name", false}},

	{&service_account, {RBAC, NULL, "RoleBinding", "subjects", false}},
	{&service_account, {RBAC, NULL, "ClusterRoleBinding", "subjects", false}},
	PS2(&service_account, "/serviceAccountName"),

	PS2(&claim, "/volumes/persistentVolumeClaim/claimName"),

	{&volume, {NULL, NULL, "PersistentVolumeClaim", "spec/volumeName", false}},
	{&volume, {NULL, NULL, "ClusterRole", "rules/resourceNames", false}},

	{&storage_class, {NULL, NULL, "PersistentVolume", "spec/storageClassName", false}},
	{&storage_class, {NULL, NULL, "PersistentVolumeClaim", "spec/storageClassName", false}},
	{&storage_class,
	 {NULL, NULL, "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName", false}},

	PS2(&priority_class, "/priorityClassName"),
	{&ingress_class, {NULL, NULL, "Ingress", "spec/ingressClassName", false}},
	{&admission_policy,
	 {"admissionregistration.k8s.io", NULL, "ValidatingAdmissionPolicyBinding",
	  "spec/policyName", false}},
};

const RefRow *refs_table(size_t *out_len)
{
	*out_len = COUNT(rows);
	return rows;
}
