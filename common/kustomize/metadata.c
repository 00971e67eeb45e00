#include "kustomize/metadata.h"

#include "base/mem.h"
#include "base/path.h"
#include "data/yaml.h"
#include "kustomize/transform.h"

#define ORIGIN "config.kubernetes.io/origin"
#define TRANSFORMATIONS "alpha.config.kubernetes.io/transformations"
#define MANAGED_BY "app.kubernetes.io/managed-by"
/* The version of the contract, which the label shows as upstream's does (facts 7). */
#define KUSTOMIZE_VERSION "kustomize-v5.8.1"

char *metadata_join(const KTarget *target, const char *entry)
{
	autofree char *joined = path_join(target->origin, entry);
	return path_clean(joined);
}

void metadata_from_file(const KTarget *target, const char *entry, KResource *res)
{
	if (!target->build->origins)
		return;
	autofree char *path = metadata_join(target, entry);
	json_decref(res->origin);
	res->origin = json_object();
	json_put_text(res->origin, "path", path);
}

static json_t *configured_in(const KTarget *target, const char *file)
{
	autofree char *path = metadata_join(target, file);
	json_t *origin = json_object();
	json_put_text(origin, "configuredIn", path);
	return origin;
}

static json_t *builtin_origin(const KTarget *target, const char *kind)
{
	json_t *origin = configured_in(target, target->file);
	json_t *by = json_make_at(origin, "configuredBy", NULL);
	json_put_text(by, "apiVersion", "builtin");
	json_put_text(by, "kind", kind);
	return origin;
}

void metadata_generated(const KTarget *target, const char *kind, KResource *res)
{
	if (target->build->origins && !res->origin)
		res->origin = builtin_origin(target, kind);
}

/* Upstream writes its note into the annotations, all of them anew: what they share with another
 * place of the object is shared no more (kslot_set_text). */
static void separate_annotations(KResource *res)
{
	json_t *annotations = json_at(res->tree, "metadata", "annotations", NULL);
	const char *key;
	json_t *value;
	json_object_foreach(annotations, key, value)
	{
		json_object_set_new_nocheck(annotations, key, json_deep_copy(value));
	}
}

static void record(KSet *set, json_t *origin)
{
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		separate_annotations(res);
		if (!res->origin) {
			res->origin = json_incref(origin);
			continue;
		}
		if (!res->transformations)
			res->transformations = json_array();
		json_array_append(res->transformations, origin);
	}
}

void metadata_transformed(const KTarget *target, const char *kind, KSet *set)
{
	if (!target->build->origins)
		return;
	autojson json_t *origin = builtin_origin(target, kind);
	record(set, origin);
}

/* "configuredBy" names a config object and not only its kind. */
static void put_plugin_name(json_t *by, const KResource *plugin)
{
	const char *ns = kresource_namespace(plugin);
	json_put_text(by, "name", kresource_name(plugin));
	json_put_text(by, "namespace", *ns ? ns : NULL);
}

void metadata_plugin_generated(const KResource *plugin, KSet *set, size_t from)
{
	for (size_t i = from; i < set->items.len; i++) {
		json_t *origin = kset_at(set, i)->origin;
		json_t *by = json_map(origin, "configuredBy");
		if (!by)
			continue;
		json_put_text(origin, "configuredIn", json_text(plugin->origin, "path"));
		put_plugin_name(by, plugin);
	}
}

void metadata_plugin(const KTarget *target, const KResource *plugin, KSet *set)
{
	if (!target->build->origins || !plugin->origin)
		return;
	autojson json_t *origin = json_object();
	json_put_text(origin, "configuredIn", json_text(plugin->origin, "path"));
	json_t *by = json_make_at(origin, "configuredBy", NULL);
	json_put_text(by, "apiVersion", kresource_api_version(plugin));
	json_put_text(by, "kind", kresource_kind(plugin));
	put_plugin_name(by, plugin);
	record(set, origin);
}

/* A plain scalar of a small YAML text, quoted where it needs to be. */
static void put_scalar(Buf *out, const char *key, const char *value)
{
	autojson json_t *pair = json_object();
	json_put_text(pair, key, value);
	yaml_emit(pair, out);
}

static void put_origin(const json_t *origin, const char *first, const char *rest, Buf *out)
{
	static const char *const keys[] = {"path", "repo", "ref", "configuredIn"};
	static const char *const by_keys[] = {"apiVersion", "kind", "name", "namespace"};
	const char *lead = first;
	for (size_t i = 0; i < COUNT(keys); i++) {
		const char *value = json_text(origin, keys[i]);
		if (!value)
			continue;
		buf_puts(out, lead);
		put_scalar(out, keys[i], value);
		lead = rest;
	}
	const json_t *by = json_map(origin, "configuredBy");
	if (!by)
		return;
	buf_printf(out, "%sconfiguredBy:\n", lead);
	for (size_t i = 0; i < COUNT(by_keys); i++) {
		const char *value = json_text(by, by_keys[i]);
		if (!value)
			continue;
		buf_printf(out, "%s  ", rest);
		put_scalar(out, by_keys[i], value);
	}
}

static void put_annotation(KResource *res, const char *key, const Buf *text)
{
	json_t *annotations = json_make_at(res->tree, "metadata", "annotations", NULL);
	json_put_text(annotations, key, buf_text(text));
}

static bool wants(const json_t *options, const char *name)
{
	for (size_t i = 0; i < json_array_size(options); i++)
		if (cstr_eq(json_string_value(json_array_get(options, i)), name))
			return true;
	return false;
}

static void put_transformations(KResource *res)
{
	autobuf Buf text = {0};
	for (size_t i = 0; i < json_array_size(res->transformations); i++)
		put_origin(json_array_get(res->transformations, i), "- ", "  ", &text);
	put_annotation(res, TRANSFORMATIONS, &text);
}

static bool put_managed(KSet *set, Error *err)
{
	static const FieldSpec labels = {.path = "metadata/labels", .create = true};
	KSpecs specs = {.builtin = {&labels, 1}};
	autojson json_t *pairs = json_object();
	json_put_text(pairs, MANAGED_BY, KUSTOMIZE_VERSION);
	return pairs_apply(set, pairs, &specs, err);
}

bool metadata_finish(KSet *set, const json_t *options, bool managed, Error *err)
{
	bool origins = wants(options, "originAnnotations");
	bool transformations = wants(options, "transformerAnnotations");
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		autobuf Buf text = {0};
		if (origins && res->origin) {
			put_origin(res->origin, "", "", &text);
			put_annotation(res, ORIGIN, &text);
		}
		if (transformations && res->transformations)
			put_transformations(res);
	}
	return (!managed && !wants(options, "managedByLabel")) || put_managed(set, err);
}
