#include "kustomize/transform.h"

/* replicas: counts of workloads that have or had a name (B82). */

static bool set_count(void *arg, const KSlot *slot, Error *err)
{
	(void)err;
	kslot_set(slot, json_incref(arg));
	return true;
}

static bool is_named(const KResource *res, const char *name, const FieldSpec *spec)
{
	const char *version = kresource_api_version(res);
	if (cstr_eq(kresource_name(res), name) &&
	    kgvk_selected(spec->group, spec->version, spec->kind, version, kresource_kind(res)))
		return true;
	for (size_t i = 0; i < res->previous_len; i++)
		if (cstr_eq(res->previous[i].name, name) &&
		    kgvk_selected(spec->group, spec->version, spec->kind, version,
				  res->previous[i].kind))
			return true;
	return false;
}

static bool apply_spec(const Vec *hints, const char *name, json_t *count, const FieldSpec *spec,
		       bool *found, Error *err)
{
	for (size_t i = 0; i < hints->len; i++) {
		KResource *res = hints->items[i];
		if (!res->tree || !is_named(res, name, spec))
			continue;
		*found = true;
		if (!fieldspec_apply(spec, res->tree, K_MAKE_TEXT, set_count, count, err))
			return false;
	}
	return true;
}

bool replicas_apply(KSet *set, const json_t *replica, const KSpecs *specs, Error *err)
{
	const char *name = json_text_or(replica, "name", "");
	autojson json_t *count = json_integer(json_int(replica, "count", 0));
	autovec Vec hints = {0};
	kset_find_named(set, name, &hints);
	bool found = false;
	for (size_t i = 0; i < kspecs_len(specs); i++)
		if (!apply_spec(&hints, name, count, kspecs_at(specs, i), &found, err))
			return false;
	return found || err_set(err, ERR_INVALID,
				"replicas: resource with name %s does not match a config with the "
				"kinds that have replicas",
				name);
}
