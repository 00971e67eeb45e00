#include "kustomize/config.h"

#include "base/mem.h"
#include "kustomize/refs_table.h"

static void free_back_ref(void *pointer)
{
	KBackRef *ref = pointer;
	vec_dispose(&ref->referrers);
	free(ref);
}

KConfig *kconfig_new(void)
{
	return mem_zalloc(1, sizeof(KConfig));
}

void kconfig_free(KConfig *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < K_CATEGORY_COUNT; i++)
		vec_dispose(&config->specs[i]);
	vec_dispose_with(&config->back_refs, free_back_ref);
	free(config);
}

static bool same_selector(const char *a, const char *b)
{
	return cstr_eq(a ? a : "", b ? b : "");
}

KBackRef *kconfig_back_ref(KConfig *config, const char *group, const char *version,
			   const char *kind)
{
	for (size_t i = 0; i < config->back_refs.len; i++) {
		KBackRef *ref = config->back_refs.items[i];
		if (same_selector(ref->group, group) && same_selector(ref->version, version) &&
		    same_selector(ref->kind, kind))
			return ref;
	}
	KBackRef *ref = mem_zalloc(1, sizeof(*ref));
	*ref = (KBackRef){.group = group, .version = version, .kind = kind};
	vec_push(&config->back_refs, ref);
	return ref;
}

/* The same field of the same kinds: an entry of `list` that equals spec but for `create`. */
static const FieldSpec *find_spec(const Vec *list, const FieldSpec *spec)
{
	for (size_t i = 0; list && i < list->len; i++) {
		const FieldSpec *have = list->items[i];
		if (same_selector(have->group, spec->group) &&
		    same_selector(have->version, spec->version) &&
		    same_selector(have->kind, spec->kind) && cstr_eq(have->path, spec->path))
			return have;
	}
	return NULL;
}

bool kconfig_add_spec(Vec *list, const Vec *builtin, const FieldSpec *spec, Error *err)
{
	const FieldSpec *have = find_spec(builtin, spec);
	if (!have)
		have = find_spec(list, spec);
	if (have && have->create != spec->create)
		return err_set(err, ERR_INVALID, "conflicting fieldspecs for path %s of kind %s",
			       spec->path, spec->kind ? spec->kind : "(any)");
	if (!have)
		vec_push(list, (FieldSpec *)(uintptr_t)spec);
	return true;
}

static const KBackRef *find_back_ref(const KConfig *config, const KBackRef *like)
{
	for (size_t i = 0; i < config->back_refs.len; i++) {
		const KBackRef *ref = config->back_refs.items[i];
		if (same_selector(ref->group, like->group) &&
		    same_selector(ref->version, like->version) &&
		    same_selector(ref->kind, like->kind))
			return ref;
	}
	return NULL;
}

static bool merge_specs(Vec *list, const Vec *builtin, const Vec *more, Error *err)
{
	for (size_t i = 0; i < more->len; i++)
		if (!kconfig_add_spec(list, builtin, more->items[i], err))
			return false;
	return true;
}

bool kconfig_merge(KConfig *config, const KConfig *builtin, const KConfig *more, Error *err)
{
	for (size_t i = 0; i < K_CATEGORY_COUNT; i++)
		if (!merge_specs(&config->specs[i], &builtin->specs[i], &more->specs[i], err))
			return false;
	for (size_t i = 0; i < more->back_refs.len; i++) {
		const KBackRef *ref = more->back_refs.items[i];
		const KBackRef *have = find_back_ref(builtin, ref);
		KBackRef *own = kconfig_back_ref(config, ref->group, ref->version, ref->kind);
		if (!merge_specs(&own->referrers, have ? &have->referrers : NULL, &ref->referrers,
				 err))
			return false;
	}
	return true;
}

static const char *copy_text(const json_t *object, const char *key, Arena *arena)
{
	return arena_strdup(arena, json_text(object, key));
}

bool kconfig_read_specs(const json_t *list, Arena *arena, Vec *out, Error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const char *path = copy_text(item, "path", arena);
		if (cstr_empty(path))
			return err_set(err, ERR_INVALID, "a fieldSpec needs a path");
		FieldSpec *spec = arena_alloc(arena, sizeof(*spec));
		*spec = (FieldSpec){.group = copy_text(item, "group", arena),
				    .version = copy_text(item, "version", arena),
				    .kind = copy_text(item, "kind", arena),
				    .path = path,
				    .create = json_flag(item, "create", false)};
		vec_push(out, spec);
	}
	return true;
}

static bool read_back_refs(KConfig *config, const json_t *list, Arena *arena, Error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		KBackRef *ref = kconfig_back_ref(config, copy_text(item, "group", arena),
						 copy_text(item, "version", arena),
						 copy_text(item, "kind", arena));
		if (!kconfig_read_specs(json_list(item, "fieldSpecs"), arena, &ref->referrers, err))
			return false;
	}
	return true;
}

static const char *const category_names[K_CATEGORY_COUNT] = {
	[K_NAME_PREFIX] = "namePrefix",
	[K_NAME_SUFFIX] = "nameSuffix",
	[K_NAMESPACE] = "namespace",
	[K_COMMON_LABELS] = "commonLabels",
	[K_LABELS] = "labels",
	[K_TEMPLATE_LABELS] = "templateLabels",
	[K_COMMON_ANNOTATIONS] = "commonAnnotations",
	[K_IMAGES] = "images",
	[K_REPLICAS] = "replicas",
	[K_VAR_REFERENCE] = "varReference",
};

bool kconfig_read(KConfig *config, const json_t *document, Arena *arena, Error *err)
{
	for (size_t i = 0; i < K_CATEGORY_COUNT; i++)
		if (!kconfig_read_specs(json_list(document, category_names[i]), arena,
					&config->specs[i], err))
			return err_wrap(err, "%s", category_names[i]);
	return read_back_refs(config, json_list(document, "nameReference"), arena, err) ||
	       err_wrap(err, "nameReference");
}

/* The built-in tables. */

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

static const FieldSpec template_label_rows[] = {
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
};

static const FieldSpec selector_rows[] = {
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

static void add_rows(KConfig *config, KCategory category, const FieldSpec *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		vec_push(&config->specs[category], (FieldSpec *)(uintptr_t)&rows[i]);
}

static void add_var_row(KConfig *config, Arena *arena, const char *kind, const char *path)
{
	FieldSpec *spec = arena_alloc(arena, sizeof(*spec));
	*spec = (FieldSpec){.kind = kind, .path = path};
	vec_push(&config->specs[K_VAR_REFERENCE], spec);
}

/* Where `$(NAME)` is replaced (facts 7, vars). */
static void add_var_rows(KConfig *config, Arena *arena)
{
	static const char *const pods[][2] = {
		{"Pod", "spec"},
		{"Deployment", "spec/template/spec"},
		{"ReplicaSet", "spec/template/spec"},
		{"DaemonSet", "spec/template/spec"},
		{"StatefulSet", "spec/template/spec"},
		{"Job", "spec/template/spec"},
		{"CronJob", "spec/jobTemplate/spec/template/spec"},
	};
	static const char *const lists[] = {"containers", "initContainers"};
	static const char *const fields[] = {"args", "command", "env/value",
					     "volumeMounts/mountPath"};
	static const char *const others[][2] = {
		{"Deployment", TEMPLATE_ANNOTATIONS},
		{"Ingress", "spec/rules/host"},
		{"Ingress", "spec/tls/hosts"},
		{"Ingress", "spec/tls/secretName"},
		{"Service", "spec/ports/port"},
		{"Service", "spec/ports/targetPort"},
		{"PersistentVolume", "spec/nfs/server"},
		{NULL, "metadata/labels"},
		{NULL, "metadata/annotations"},
		{"StatefulSet", "spec/volumeClaimTemplates/spec/nfs/server"},
	};
	for (size_t i = 0; i < COUNT(pods); i++) {
		add_var_row(config, arena, pods[i][0],
			    arena_printf(arena, "%s/volumes/nfs/server", pods[i][1]));
		for (size_t j = 0; j < COUNT(lists) * COUNT(fields); j++)
			add_var_row(config, arena, pods[i][0],
				    arena_printf(arena, "%s/%s/%s", pods[i][1],
						 lists[j / COUNT(fields)],
						 fields[j % COUNT(fields)]));
	}
	for (size_t i = 0; i < COUNT(others); i++)
		add_var_row(config, arena, others[i][0], others[i][1]);
}

KConfig *kconfig_builtin(Arena *arena)
{
	KConfig *config = kconfig_new();
	add_rows(config, K_NAME_PREFIX, name_rows, COUNT(name_rows));
	add_rows(config, K_NAME_SUFFIX, name_rows, COUNT(name_rows));
	add_rows(config, K_NAMESPACE, namespace_rows, COUNT(namespace_rows));
	add_rows(config, K_TEMPLATE_LABELS, template_label_rows, COUNT(template_label_rows));
	add_rows(config, K_COMMON_LABELS, template_label_rows, COUNT(template_label_rows));
	add_rows(config, K_COMMON_LABELS, selector_rows, COUNT(selector_rows));
	add_rows(config, K_COMMON_ANNOTATIONS, annotation_rows, COUNT(annotation_rows));
	add_rows(config, K_IMAGES, image_rows, COUNT(image_rows));
	add_rows(config, K_REPLICAS, replica_rows, COUNT(replica_rows));
	add_var_rows(config, arena);
	refs_table_add(config, arena);
	return config;
}
