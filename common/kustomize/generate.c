#include "kustomize/generate.h"

#include "base/mem.h"
#include "data/written.h"
#include "kustomize/generate_data.h"
#include "kustomize/metadata.h"

/* Makes ConfigMaps and Secrets and brings them into the set by their behavior (B45..B54). */

/* An unknown word is the default, as upstream has it. */
static KBehavior parse_behavior(const char *text)
{
	if (cstr_eq(text, "merge"))
		return K_MERGE;
	return cstr_eq(text, "replace") ? K_REPLACE : K_CREATE;
}

/* Local over global pairs into metadata.`field`. */
static void put_metadata(json_t *object, const char *field, const json_t *local,
			 const json_t *global)
{
	autojson json_t *all = json_object();
	if (json_map(global, field))
		json_object_update(all, json_map(global, field));
	if (json_map(local, field))
		json_object_update(all, json_map(local, field));
	autojson json_t *own = json_deep_copy(all);
	if (json_object_size(own) > 0)
		json_object_update(json_make_at(object, "metadata", field, NULL), own);
}

static bool option(const json_t *local, const json_t *global, const char *name)
{
	return json_flag(local, name, false) || json_flag(global, name, false);
}

static KResource *make(const KTarget *target, const char *kind, const json_t *entry, Error *err)
{
	const char *name = json_text(entry, "name");
	if (cstr_empty(name))
		return err_null(err, ERR_INVALID, "a %s must have a name", kind);
	autojson json_t *object = json_object();
	json_put_text(object, "apiVersion", "v1");
	json_put_text(object, "kind", kind);
	json_t *metadata = json_make_at(object, "metadata", NULL);
	json_put_text(metadata, "name", name);
	const char *ns = json_text(entry, "namespace");
	json_put_text(metadata, "namespace", cstr_empty(ns) ? NULL : ns);
	const char *type = json_text(entry, "type");
	if (cstr_eq(kind, "Secret"))
		json_put_text(object, "type", cstr_empty(type) ? "Opaque" : type);
	if (!generate_data(target, entry, object, err))
		return err_wrap_null(err, "%s %s", kind, name);
	const json_t *local = json_map(entry, "options");
	const json_t *global = json_map(target->spec, "generatorOptions");
	put_metadata(object, "labels", local, global);
	put_metadata(object, "annotations", local, global);
	if (option(local, global, "immutable"))
		json_object_set_new(object, "immutable", json_true());
	KResource *res = kresource_new(steal(&object), "", 0);
	res->generated = true;
	res->needs_hash = !option(local, global, "disableNameSuffixHash");
	return res;
}

/* Old pairs below new ones; an empty result is no field. */
static void unite(json_t *into, const char *key, const json_t *old)
{
	const json_t *before = json_map(old, key);
	json_t *now = json_make_at(into, key, NULL);
	if (before)
		json_object_update_missing(now, json_borrow(before));
	if (json_object_size(now) == 0)
		json_object_del(into, key);
}

/* Upstream reads the data of both as strings: what is none is empty, and quotes are gone. */
static void unite_data(json_t *into, const char *key, const json_t *old)
{
	unite(into, key, old);
	json_t *map = json_map(into, key);
	const char *name;
	json_t *value;
	json_object_foreach(map, name, value)
	{
		if (json_is_null(value))
			json_object_set_new_nocheck(map, name, json_string(""));
		else if (!written_string(value) || written_is_quoted(value))
			json_object_set_new_nocheck(map, name, kresource_text_value(value));
	}
}

/* Facts 5: name, namespace and the past of the old; labels, annotations and, for merge, the data
 * of both; all else of the new. */
static void absorb(KResource *old, KResource *res)
{
	json_t *metadata = json_make_at(res->tree, "metadata", NULL);
	const json_t *before = json_map(old->tree, "metadata");
	unite(metadata, "labels", before);
	unite(metadata, "annotations", before);
	kresource_set_name(res, kresource_name(old));
	kresource_set_namespace(res, kresource_namespace(old));
	if (res->behavior == K_MERGE) {
		unite_data(res->tree, "data", old->tree);
		unite_data(res->tree, "binaryData", old->tree);
	}
	res->needs_hash = res->needs_hash && old->needs_hash;
	if (res->behavior == K_MERGE && old->origin) {
		json_decref(res->origin);
		res->origin = json_incref(old->origin);
	}
	json_decref(res->transformations);
	res->transformations = steal(&old->transformations);
	res->previous = old->previous;
	res->previous_len = old->previous_len;
	res->prefixes = old->prefixes;
	res->suffixes = old->suffixes;
	res->vars = old->vars;
	old->previous = NULL;
	old->previous_len = 0;
	old->prefixes = old->suffixes = old->vars = (Vec){0};
}

static bool absorb_into(KSet *set, KResource *take_res, Error *err)
{
	autokresource KResource *res = take_res;
	autovec Vec matches = {0};
	KPrevious id = kresource_current(res);
	kset_find_any(set, kresource_api_version(res), &id, &matches);
	autofree char *text = kresource_text(res);
	if (matches.len > 1)
		return err_set(err, ERR_INVALID,
			       "found multiple objects that could accept merge of %s", text);
	if (matches.len == 0) {
		if (res->behavior != K_CREATE)
			return err_set(err, ERR_INVALID,
				       "id %s does not exist; cannot merge or replace", text);
		if (!kset_add(set, res, err))
			return false;
		(void)steal(&res);
		return true;
	}
	if (res->behavior == K_CREATE)
		return err_set(err, ERR_INVALID, "id %s exists; behavior must be merge or replace",
			       text);
	absorb(matches.items[0], res);
	kset_replace(set, matches.items[0], steal(&res));
	return true;
}

bool generate_one(const KTarget *target, KAccumulator *acc, const char *field, const json_t *entry,
		  Error *err)
{
	bool secret = cstr_eq(field, "secretGenerator");
	autokresource KResource *res = make(target, secret ? "Secret" : "ConfigMap", entry, err);
	if (!res || !kbuild_count_object(target->build, err) ||
	    !kbuild_check_time(target->build, err))
		return err_wrap(err, "%s/%s: %s", target->dir, target->file, field);
	res->behavior = parse_behavior(json_text(entry, "behavior"));
	metadata_generated(target, secret ? "SecretGenerator" : "ConfigMapGenerator", res);
	return absorb_into(acc->set, steal(&res), err) ||
	       err_wrap(err, "%s/%s: merging from generator %s", target->dir, target->file, field);
}

bool generate_all(const KTarget *target, KAccumulator *acc, Error *err)
{
	static const char *const fields[] = {"configMapGenerator", "secretGenerator"};
	for (size_t i = 0; i < COUNT(fields); i++) {
		const json_t *list = json_list(target->spec, fields[i]);
		for (size_t j = 0; j < json_array_size(list); j++)
			if (!generate_one(target, acc, fields[i], json_array_get(list, j), err))
				return false;
	}
	if (json_array_size(json_list(target->spec, "helmCharts")) > 0 ||
	    json_array_size(json_list(target->spec, "helmChartInflationGenerator")) > 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s/%s: helmCharts: must specify --enable-helm", target->dir,
			       target->file);
	return true;
}
