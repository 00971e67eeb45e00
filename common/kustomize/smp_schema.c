#include "kustomize/smp_schema.h"

#include "base/mem.h"
#include "base/str.h"

typedef enum {
	NOTHING,
	PLAIN, /* metadata only */
	POD,
	POD_TEMPLATE_KIND,
	WORKLOAD, /* spec.template */
	CRON_JOB,
	SERVICE,
	SERVICE_ACCOUNT,
	NODE,
	WEBHOOKS,
	CSI_NODE,
	CONDITIONS, /* status.conditions */
	OBJECT_META,
	POD_SPEC,
	POD_STATUS,
	POD_TEMPLATE,
	CONTAINER,
	EPHEMERAL_CONTAINER,
	WORKLOAD_SPEC,
	STATEFUL_SPEC,
	CRON_SPEC,
	JOB_TEMPLATE,
	SERVICE_SPEC,
	NODE_SPEC,
	NODE_STATUS,
	CSI_SPEC,
	CONDITION_STATUS,
	VOLUME_CLAIM,
	STATEFUL,
} Type;

typedef enum { IS_MAP, IS_KEYED, IS_SET } Shape;

struct KSchemaRow {
	Type owner;
	const char *field;
	Type child; /* of the map, or of the list's items */
	Shape shape;
	const char *key, *second_key;
};

static const KSchemaRow rows[] = {
	{OBJECT_META, "ownerReferences", NOTHING, IS_KEYED, "uid", NULL},
	{OBJECT_META, "finalizers", NOTHING, IS_SET, NULL, NULL},

	{POD, "spec", POD_SPEC, IS_MAP, NULL, NULL},
	{POD, "status", POD_STATUS, IS_MAP, NULL, NULL},
	{POD_TEMPLATE_KIND, "template", POD_TEMPLATE, IS_MAP, NULL, NULL},
	{POD_TEMPLATE, "metadata", OBJECT_META, IS_MAP, NULL, NULL},
	{POD_TEMPLATE, "spec", POD_SPEC, IS_MAP, NULL, NULL},
	{POD_STATUS, "conditions", NOTHING, IS_KEYED, "type", NULL},
	{POD_STATUS, "podIPs", NOTHING, IS_KEYED, "ip", NULL},

	{POD_SPEC, "containers", CONTAINER, IS_KEYED, "name", NULL},
	{POD_SPEC, "initContainers", CONTAINER, IS_KEYED, "name", NULL},
	{POD_SPEC, "ephemeralContainers", EPHEMERAL_CONTAINER, IS_KEYED, "name", NULL},
	{POD_SPEC, "volumes", NOTHING, IS_KEYED, "name", NULL},
	{POD_SPEC, "imagePullSecrets", NOTHING, IS_KEYED, "name", NULL},
	{POD_SPEC, "hostAliases", NOTHING, IS_KEYED, "ip", NULL},
	{POD_SPEC, "topologySpreadConstraints", NOTHING, IS_KEYED, "topologyKey",
	 "whenUnsatisfiable"},

	{CONTAINER, "env", NOTHING, IS_KEYED, "name", NULL},
	{CONTAINER, "ports", NOTHING, IS_KEYED, "containerPort", "protocol"},
	{CONTAINER, "volumeMounts", NOTHING, IS_KEYED, "mountPath", NULL},
	{CONTAINER, "volumeDevices", NOTHING, IS_KEYED, "devicePath", NULL},
	{EPHEMERAL_CONTAINER, "env", NOTHING, IS_KEYED, "name", NULL},
	{EPHEMERAL_CONTAINER, "volumeMounts", NOTHING, IS_KEYED, "mountPath", NULL},
	{EPHEMERAL_CONTAINER, "volumeDevices", NOTHING, IS_KEYED, "devicePath", NULL},

	{WORKLOAD, "spec", WORKLOAD_SPEC, IS_MAP, NULL, NULL},
	{WORKLOAD, "status", CONDITION_STATUS, IS_MAP, NULL, NULL},
	{WORKLOAD_SPEC, "template", POD_TEMPLATE, IS_MAP, NULL, NULL},
	{STATEFUL, "spec", STATEFUL_SPEC, IS_MAP, NULL, NULL},
	{STATEFUL, "status", CONDITION_STATUS, IS_MAP, NULL, NULL},
	{STATEFUL_SPEC, "template", POD_TEMPLATE, IS_MAP, NULL, NULL},
	{CRON_JOB, "spec", CRON_SPEC, IS_MAP, NULL, NULL},
	{CRON_SPEC, "jobTemplate", JOB_TEMPLATE, IS_MAP, NULL, NULL},
	{JOB_TEMPLATE, "metadata", OBJECT_META, IS_MAP, NULL, NULL},
	{JOB_TEMPLATE, "spec", WORKLOAD_SPEC, IS_MAP, NULL, NULL},

	{SERVICE, "spec", SERVICE_SPEC, IS_MAP, NULL, NULL},
	{SERVICE, "status", CONDITION_STATUS, IS_MAP, NULL, NULL},
	{SERVICE_SPEC, "ports", NOTHING, IS_KEYED, "port", "protocol"},
	{SERVICE_ACCOUNT, "secrets", NOTHING, IS_KEYED, "name", NULL},
	{NODE, "spec", NODE_SPEC, IS_MAP, NULL, NULL},
	{NODE, "status", NODE_STATUS, IS_MAP, NULL, NULL},
	{NODE_SPEC, "podCIDRs", NOTHING, IS_SET, NULL, NULL},
	{NODE_STATUS, "addresses", NOTHING, IS_KEYED, "type", NULL},
	{NODE_STATUS, "conditions", NOTHING, IS_KEYED, "type", NULL},
	{WEBHOOKS, "webhooks", NOTHING, IS_KEYED, "name", NULL},
	{CSI_NODE, "spec", CSI_SPEC, IS_MAP, NULL, NULL},
	{CSI_SPEC, "drivers", NOTHING, IS_KEYED, "name", NULL},
	{CONDITIONS, "status", CONDITION_STATUS, IS_MAP, NULL, NULL},
	{CONDITION_STATUS, "conditions", NOTHING, IS_KEYED, "type", NULL},
	{VOLUME_CLAIM, "status", CONDITION_STATUS, IS_MAP, NULL, NULL},
};

typedef struct {
	const char *group, *kind;
	Type type;
	const char *versions; /* separated by blanks */
} KindRow;

#define ADMISSION "admissionregistration.k8s.io"
#define FLOW "flowcontrol.apiserver.k8s.io"
#define RBAC "rbac.authorization.k8s.io"

/* The kinds of the embedded schema; others have none, their lists are replaced whole. */
static const KindRow kinds[] = {
	{"", "Binding", PLAIN, "v1"},
	{"", "ComponentStatus", PLAIN, "v1"},
	{"", "ConfigMap", PLAIN, "v1"},
	{"", "Endpoints", PLAIN, "v1"},
	{"", "Event", PLAIN, "v1"},
	{"", "LimitRange", PLAIN, "v1"},
	{"", "Namespace", CONDITIONS, "v1"},
	{"", "Node", NODE, "v1"},
	{"", "PersistentVolume", PLAIN, "v1"},
	{"", "PersistentVolumeClaim", VOLUME_CLAIM, "v1"},
	{"", "Pod", POD, "v1"},
	{"", "PodTemplate", POD_TEMPLATE_KIND, "v1"},
	{"", "ReplicationController", WORKLOAD, "v1"},
	{"", "ResourceQuota", PLAIN, "v1"},
	{"", "Secret", PLAIN, "v1"},
	{"", "Service", SERVICE, "v1"},
	{"", "ServiceAccount", SERVICE_ACCOUNT, "v1"},
	{"apps", "ControllerRevision", PLAIN, "v1"},
	{"apps", "DaemonSet", WORKLOAD, "v1"},
	{"apps", "Deployment", WORKLOAD, "v1"},
	{"apps", "ReplicaSet", WORKLOAD, "v1"},
	{"apps", "StatefulSet", STATEFUL, "v1"},
	{"autoscaling", "HorizontalPodAutoscaler", PLAIN, "v1 v2beta1 v2beta2"},
	{"batch", "Job", WORKLOAD, "v1"},
	{"batch", "CronJob", CRON_JOB, "v1 v1beta1"},
	{"certificates.k8s.io", "CertificateSigningRequest", PLAIN, "v1"},
	{"coordination.k8s.io", "Lease", PLAIN, "v1"},
	{"discovery.k8s.io", "EndpointSlice", PLAIN, "v1 v1beta1"},
	{"events.k8s.io", "Event", PLAIN, "v1 v1beta1"},
	{"extensions", "Ingress", PLAIN, "v1beta1"},
	{"networking.k8s.io", "Ingress", PLAIN, "v1 v1beta1"},
	{"networking.k8s.io", "IngressClass", PLAIN, "v1 v1beta1"},
	{"networking.k8s.io", "NetworkPolicy", PLAIN, "v1"},
	{"node.k8s.io", "RuntimeClass", PLAIN, "v1 v1beta1 v1alpha1"},
	{"policy", "PodDisruptionBudget", CONDITIONS, "v1"},
	{"policy", "PodDisruptionBudget", PLAIN, "v1beta1"},
	{"policy", "PodSecurityPolicy", PLAIN, "v1beta1"},
	{RBAC, "ClusterRole", PLAIN, "v1 v1beta1 v1alpha1"},
	{RBAC, "ClusterRoleBinding", PLAIN, "v1 v1beta1 v1alpha1"},
	{RBAC, "Role", PLAIN, "v1 v1beta1 v1alpha1"},
	{RBAC, "RoleBinding", PLAIN, "v1 v1beta1 v1alpha1"},
	{"scheduling.k8s.io", "PriorityClass", PLAIN, "v1 v1beta1 v1alpha1"},
	{"storage.k8s.io", "CSIDriver", PLAIN, "v1 v1beta1"},
	{"storage.k8s.io", "CSINode", CSI_NODE, "v1 v1beta1"},
	{"storage.k8s.io", "CSIStorageCapacity", PLAIN, "v1beta1 v1alpha1"},
	{"storage.k8s.io", "StorageClass", PLAIN, "v1 v1beta1"},
	{"storage.k8s.io", "VolumeAttachment", PLAIN, "v1 v1beta1 v1alpha1"},
	{ADMISSION, "MutatingWebhookConfiguration", WEBHOOKS, "v1 v1beta1"},
	{ADMISSION, "ValidatingWebhookConfiguration", WEBHOOKS, "v1 v1beta1"},
	{"apiextensions.k8s.io", "CustomResourceDefinition", PLAIN, "v1 v1beta1"},
	{"apiregistration.k8s.io", "APIService", CONDITIONS, "v1 v1beta1"},
	{FLOW, "FlowSchema", CONDITIONS, "v1beta1"},
	{FLOW, "PriorityLevelConfiguration", CONDITIONS, "v1beta1"},
};

void kschema_dispose(KSchema *schema)
{
	json_decref(schema->custom);
	map_free(schema->custom_kinds);
	*schema = (KSchema){0};
}

static void index_definition(KSchema *schema, json_t *definition)
{
	const json_t *list = json_list(definition, "x-kubernetes-group-version-kind");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *gvk = json_array_get(list, i);
		const char *group = json_text_or(gvk, "group", "");
		autofree char *key =
			mem_printf("%s%s%s %s", group, *group ? "/" : "",
				   json_text_or(gvk, "version", ""), json_text_or(gvk, "kind", ""));
		map_put(schema->custom_kinds, key, definition);
	}
}

bool kschema_set_custom(KSchema *schema, json_t *take_document, Error *err)
{
	autojson json_t *document = take_document;
	const json_t *definitions = json_map(document, "definitions");
	if (!definitions)
		return err_set(err, ERR_INVALID, "openapi: the schema has no definitions");
	schema->custom_kinds = map_new(NULL);
	const char *name;
	json_t *definition;
	json_object_foreach(json_borrow(definitions), name, definition)
	{
		index_definition(schema, definition);
	}
	schema->custom = steal(&document);
	return true;
}

/* Follows references, which a document could make into a circle. */
static const json_t *resolve(const KSchema *schema, const json_t *node)
{
	static const char prefix[] = "#/definitions/";
	for (int hops = 0; hops < 16; hops++) {
		const char *ref = json_text(node, "$ref");
		if (!ref || !cstr_starts(ref, prefix))
			return node;
		node = json_object_get(json_map(schema->custom, "definitions"),
				       ref + sizeof(prefix) - 1);
	}
	return NULL;
}

static bool has_word(const char *words, Str word)
{
	Str rest = str_of(words), piece;
	while (str_next(&rest, ' ', &piece))
		if (str_eq(piece, word))
			return true;
	return false;
}

static Type builtin_type(const char *api_version, const char *kind)
{
	Str group = {"", 0}, version = str_of(api_version), head, tail;
	if (str_cut(version, '/', &head, &tail)) {
		group = head;
		version = tail;
	}
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (cstr_eq(kinds[i].kind, kind) && str_eq(str_of(kinds[i].group), group) &&
		    has_word(kinds[i].versions, version))
			return kinds[i].type;
	return NOTHING;
}

KSchemaAt kschema_of(const KSchema *schema, const char *api_version, const char *kind)
{
	KSchemaAt at = {0};
	if (schema->custom_kinds) {
		autofree char *key = mem_printf("%s %s", api_version, kind);
		at.node = map_get(schema->custom_kinds, key);
	}
	if (!at.node && !schema->no_builtin)
		at.type = (int)builtin_type(api_version, kind);
	return at;
}

static bool is_kind(int type)
{
	return (type > NOTHING && type < OBJECT_META) || type == STATEFUL || type == VOLUME_CLAIM;
}

KSchemaAt kschema_field(const KSchema *schema, KSchemaAt at, const char *name)
{
	KSchemaAt found = {0};
	if (at.node) {
		found.node = resolve(schema, json_at(at.node, "properties", name, NULL));
		if (!found.node)
			found.node = resolve(schema, json_map(at.node, "additionalProperties"));
		return found;
	}
	if (is_kind(at.type) && cstr_eq(name, "metadata")) {
		found.type = OBJECT_META;
		return found;
	}
	for (size_t i = 0; at.type != NOTHING && i < COUNT(rows); i++) {
		if ((int)rows[i].owner != at.type || !cstr_eq(rows[i].field, name))
			continue;
		found.type = (int)rows[i].child;
		found.list = rows[i].shape == IS_MAP ? NULL : &rows[i];
		return found;
	}
	return found;
}

KSchemaAt kschema_items(const KSchema *schema, KSchemaAt at)
{
	if (at.node)
		return (KSchemaAt){.node = resolve(schema, json_map(at.node, "items"))};
	return (KSchemaAt){.type = at.type};
}

bool kschema_is_plain(KSchemaAt at)
{
	return at.type == NOTHING && !at.list && !at.node;
}

static bool custom_keys(const json_t *node, const char *keys[K_MERGE_KEYS_MAX], size_t *out_len)
{
	const char *strategy = json_text_or(node, "x-kubernetes-patch-strategy", "");
	Str rest = str_of(strategy), word;
	bool merge = false;
	while (str_next(&rest, ',', &word))
		merge = merge || str_eq(word, STR("merge"));
	*out_len = 0;
	const json_t *list = json_list(node, "x-kubernetes-list-map-keys");
	for (size_t i = 0; i < json_array_size(list) && *out_len < K_MERGE_KEYS_MAX; i++)
		if (json_is_string(json_array_get(list, i)))
			keys[(*out_len)++] = json_string_value(json_array_get(list, i));
	const char *key = json_text(node, "x-kubernetes-patch-merge-key");
	if (*out_len == 0 && key)
		keys[(*out_len)++] = key;
	return merge;
}

bool kschema_merge_keys(KSchemaAt at, const char *keys[K_MERGE_KEYS_MAX], size_t *out_len)
{
	*out_len = 0;
	if (at.node)
		return custom_keys(at.node, keys, out_len);
	if (!at.list)
		return false;
	if (at.list->key)
		keys[(*out_len)++] = at.list->key;
	if (at.list->second_key)
		keys[(*out_len)++] = at.list->second_key;
	return true;
}
