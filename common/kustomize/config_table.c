#include "kustomize/config.h"

/* The built-in field specs (facts 7). */

#define APPS "apps"
#define BATCH "batch"
#define NETWORKING "networking.k8s.io"
#define TEMPLATE_LABELS "spec/template/metadata/labels"
#define TEMPLATE_ANNOTATIONS "spec/template/metadata/annotations"
#define MATCH_LABELS "spec/selector/matchLabels"
#define AFFINITY "spec/template/spec/affinity/"
#define PREFERRED "/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm"
#define REQUIRED "/requiredDuringSchedulingIgnoredDuringExecution"
#define LABEL_SELECTOR "/labelSelector/matchLabels"

static const FieldSpec name_rows[] = {{.path = "metadata/name"}};

static const FieldSpec namespace_rows[] = {
	{.kind = "Namespace", .path = "metadata/name", .create = true},
	{.group = "apiregistration.k8s.io",
	 .kind = "APIService",
	 .path = "spec/service/namespace",
	 .create = true},
	{.group = "apiextensions.k8s.io",
	 .kind = "CustomResourceDefinition",
	 .path = "spec/conversion/webhook/clientConfig/service/namespace"},
};

enum { TEMPLATE_LABEL_ROWS = 10 };

/* Labels of objects and templates, then selectors: `labels` without includeSelectors ends before
 * those. */
static const FieldSpec label_rows[] = {
	{.path = "metadata/labels", .create = true},
	{NULL, "v1", "ReplicationController", TEMPLATE_LABELS, true},
	{NULL, NULL, "Deployment", TEMPLATE_LABELS, true},
	{NULL, NULL, "ReplicaSet", TEMPLATE_LABELS, true},
	{NULL, NULL, "DaemonSet", TEMPLATE_LABELS, true},
	{APPS, NULL, "StatefulSet", TEMPLATE_LABELS, true},
	{APPS, NULL, "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true},
	{BATCH, NULL, "Job", TEMPLATE_LABELS, true},
	{BATCH, NULL, "CronJob", "spec/jobTemplate/metadata/labels", true},
	{BATCH, NULL, "CronJob", "spec/jobTemplate/spec/template/metadata/labels", true},
	{NULL, "v1", "Service", "spec/selector", true},
	{NULL, "v1", "ReplicationController", "spec/selector", true},
	{NULL, NULL, "Deployment", MATCH_LABELS, true},
	{NULL, NULL, "ReplicaSet", MATCH_LABELS, true},
	{NULL, NULL, "DaemonSet", MATCH_LABELS, true},
	{APPS, NULL, "StatefulSet", MATCH_LABELS, true},
	{BATCH, NULL, "Job", MATCH_LABELS, false},
	{BATCH, NULL, "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false},
	{"policy", NULL, "PodDisruptionBudget", MATCH_LABELS, false},
	{NETWORKING, NULL, "NetworkPolicy", "spec/podSelector/matchLabels", false},
	{NETWORKING, NULL, "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false},
	{NETWORKING, NULL, "NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false},
	{APPS, NULL, "Deployment", AFFINITY "podAffinity" PREFERRED LABEL_SELECTOR, false},
	{APPS, NULL, "Deployment", AFFINITY "podAffinity" REQUIRED LABEL_SELECTOR, false},
	{APPS, NULL, "Deployment", AFFINITY "podAntiAffinity" PREFERRED LABEL_SELECTOR, false},
	{APPS, NULL, "Deployment", AFFINITY "podAntiAffinity" REQUIRED LABEL_SELECTOR, false},
	{APPS, NULL, "Deployment", "spec/template/spec/topologySpreadConstraints" LABEL_SELECTOR,
	 false},
	{APPS, NULL, "StatefulSet", AFFINITY "podAffinity" PREFERRED LABEL_SELECTOR, false},
	{APPS, NULL, "StatefulSet", AFFINITY "podAffinity" REQUIRED LABEL_SELECTOR, false},
	{APPS, NULL, "StatefulSet", AFFINITY "podAntiAffinity" PREFERRED LABEL_SELECTOR, false},
	{APPS, NULL, "StatefulSet", AFFINITY "podAntiAffinity" REQUIRED LABEL_SELECTOR, false},
	{APPS, NULL, "StatefulSet", "spec/template/spec/topologySpreadConstraints" LABEL_SELECTOR,
	 false},
};

static const FieldSpec annotation_rows[] = {
	{.path = "metadata/annotations", .create = true},
	{NULL, "v1", "ReplicationController", TEMPLATE_ANNOTATIONS, true},
	{NULL, NULL, "Deployment", TEMPLATE_ANNOTATIONS, true},
	{NULL, NULL, "ReplicaSet", TEMPLATE_ANNOTATIONS, true},
	{NULL, NULL, "DaemonSet", TEMPLATE_ANNOTATIONS, true},
	{NULL, NULL, "StatefulSet", TEMPLATE_ANNOTATIONS, true},
	{BATCH, NULL, "Job", TEMPLATE_ANNOTATIONS, true},
	{BATCH, NULL, "CronJob", "spec/jobTemplate/metadata/annotations", true},
	{BATCH, NULL, "CronJob", "spec/jobTemplate/spec/template/metadata/annotations", true},
};

static const FieldSpec image_rows[] = {
	{.path = "spec/containers[]/image", .create = true},
	{.path = "spec/initContainers[]/image", .create = true},
	{.path = "spec/volumes[]/image/reference", .create = true},
	{.path = "spec/template/spec/containers[]/image", .create = true},
	{.path = "spec/template/spec/initContainers[]/image", .create = true},
	{.path = "spec/template/spec/volumes[]/image/reference", .create = true},
};

static const FieldSpec replica_rows[] = {
	{.kind = "Deployment", .path = "spec/replicas", .create = true},
	{.kind = "ReplicationController", .path = "spec/replicas", .create = true},
	{.kind = "ReplicaSet", .path = "spec/replicas", .create = true},
	{.kind = "StatefulSet", .path = "spec/replicas", .create = true},
};

/* Where `$(NAME)` is replaced (facts 7, vars), of a kind with pods. */
#define VAR(kind, path)                                                                            \
	{                                                                                          \
		NULL, NULL, kind, path, false                                                      \
	}
#define CONTAINER_VARS(kind, path)                                                                 \
	VAR(kind, path "/args"), VAR(kind, path "/command"), VAR(kind, path "/env/value"),         \
		VAR(kind, path "/volumeMounts/mountPath")
#define POD_VARS(kind, spec)                                                                       \
	VAR(kind, spec "/volumes/nfs/server"), CONTAINER_VARS(kind, spec "/containers"),           \
		CONTAINER_VARS(kind, spec "/initContainers")

static const FieldSpec var_rows[] = {
	POD_VARS("Pod", "spec"),
	POD_VARS("Deployment", "spec/template/spec"),
	POD_VARS("ReplicaSet", "spec/template/spec"),
	POD_VARS("DaemonSet", "spec/template/spec"),
	POD_VARS("StatefulSet", "spec/template/spec"),
	POD_VARS("Job", "spec/template/spec"),
	POD_VARS("CronJob", "spec/jobTemplate/spec/template/spec"),
	{.kind = "Deployment", .path = TEMPLATE_ANNOTATIONS},
	{.kind = "Ingress", .path = "spec/rules/host"},
	{.kind = "Ingress", .path = "spec/tls/hosts"},
	{.kind = "Ingress", .path = "spec/tls/secretName"},
	{.kind = "Service", .path = "spec/ports/port"},
	{.kind = "Service", .path = "spec/ports/targetPort"},
	{.kind = "PersistentVolume", .path = "spec/nfs/server"},
	{.path = "metadata/labels"},
	{.path = "metadata/annotations"},
	{.kind = "StatefulSet", .path = "spec/volumeClaimTemplates/spec/nfs/server"},
};

FieldSpecs kconfig_builtin(KCategory category)
{
	static const FieldSpecs tables[K_CATEGORY_COUNT] = {
		[K_NAME_PREFIX] = {name_rows, COUNT(name_rows)},
		[K_NAME_SUFFIX] = {name_rows, COUNT(name_rows)},
		[K_NAMESPACE] = {namespace_rows, COUNT(namespace_rows)},
		[K_TEMPLATE_LABELS] = {label_rows, TEMPLATE_LABEL_ROWS},
		[K_COMMON_LABELS] = {label_rows, COUNT(label_rows)},
		[K_COMMON_ANNOTATIONS] = {annotation_rows, COUNT(annotation_rows)},
		[K_IMAGES] = {image_rows, COUNT(image_rows)},
		[K_REPLICAS] = {replica_rows, COUNT(replica_rows)},
		[K_VAR_REFERENCE] = {var_rows, COUNT(var_rows)},
	};
	return tables[category];
}
