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

/* The same field of the same kinds: what equals spec but for `create`. */
static bool is_same(const FieldSpec *have, const FieldSpec *spec)
{
	return same_selector(have->group, spec->group) &&
	       same_selector(have->version, spec->version) &&
	       same_selector(have->kind, spec->kind) && cstr_eq(have->path, spec->path);
}

static const FieldSpec *find_spec(const Vec *list, const FieldSpec *spec)
{
	for (size_t i = 0; i < list->len; i++)
		if (is_same(list->items[i], spec))
			return list->items[i];
	return NULL;
}

/* `have`: what the built-in tables hold of the field, or NULL. */
static bool add_spec(Vec *list, const FieldSpec *have, const FieldSpec *spec, Error *err)
{
	if (!have)
		have = find_spec(list, spec);
	if (have && have->create != spec->create)
		return err_set(err, ERR_INVALID, "conflicting fieldspecs for path %s of kind %s",
			       spec->path, spec->kind ? spec->kind : "(any)");
	if (!have)
		vec_push(list, (FieldSpec *)(uintptr_t)spec);
	return true;
}

bool kconfig_add_spec(Vec *list, const FieldSpec *spec, Error *err)
{
	return add_spec(list, NULL, spec, err);
}

static const FieldSpec *find_builtin(KCategory category, const FieldSpec *spec)
{
	FieldSpecs builtin = kconfig_builtin(category);
	for (size_t i = 0; i < builtin.len; i++)
		if (is_same(&builtin.rows[i], spec))
			return &builtin.rows[i];
	return NULL;
}

static const FieldSpec *find_builtin_ref(const KBackRef *target, const FieldSpec *spec)
{
	size_t len;
	const RefRow *rows = refs_table(&len);
	for (size_t i = 0; i < len; i++)
		if (same_selector(rows[i].target->group, target->group) &&
		    same_selector(rows[i].target->version, target->version) &&
		    same_selector(rows[i].target->kind, target->kind) &&
		    is_same(&rows[i].field, spec))
			return &rows[i].field;
	return NULL;
}

bool kconfig_merge(KConfig *config, const KConfig *more, Error *err)
{
	for (KCategory i = 0; i < K_CATEGORY_COUNT; i++)
		for (size_t j = 0; j < more->specs[i].len; j++) {
			const FieldSpec *spec = more->specs[i].items[j];
			if (!add_spec(&config->specs[i], find_builtin(i, spec), spec, err))
				return false;
		}
	for (size_t i = 0; i < more->back_refs.len; i++) {
		const KBackRef *ref = more->back_refs.items[i];
		KBackRef *own = kconfig_back_ref(config, ref->group, ref->version, ref->kind);
		for (size_t j = 0; j < ref->referrers.len; j++) {
			const FieldSpec *spec = ref->referrers.items[j];
			if (!add_spec(&own->referrers, find_builtin_ref(ref, spec), spec, err))
				return false;
		}
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
