#include "kustomize/transform.h"

#include "base/mem.h"

/* The namespace transformer (facts 7; B21..B26). */

static bool is_binding(const char *kind)
{
	return cstr_eq(kind, "RoleBinding") || cstr_eq(kind, "ClusterRoleBinding");
}

static bool set_text(void *arg, const KSlot *slot, Error *err)
{
	const KNamespace *ns = arg;
	const json_t *value = kslot_get(slot);
	if (json_is_object(value) || json_is_array(value))
		return err_set(err, ERR_INVALID, "namespace field specs must target scalar nodes");
	const char *text = json_string_value(value);
	if (!ns->unset_only || !value || json_is_null(value) || (text && *text == '\0'))
		kslot_set_text(slot, ns->name);
	return true;
}

/* Only subjects called `default`, or all ServiceAccounts; others follow by reference (B23). */
static bool set_subjects(const KNamespace *ns, json_t *object, Error *err)
{
	if (cstr_eq(ns->subjects, "none"))
		return true;
	bool all = cstr_eq(ns->subjects, "allServiceAccounts");
	const json_t *subjects = json_object_get(object, "subjects");
	if (subjects && !json_is_array(subjects) && !json_is_null(subjects))
		return err_set(err, ERR_INVALID, "subjects is no list");
	for (size_t i = 0; i < json_array_size(subjects); i++) {
		json_t *subject = json_array_get(subjects, i);
		const json_t *name = json_object_get(subject, "name");
		if (!json_is_object(subject) || json_is_object(name) || json_is_array(name))
			return err_set(err, ERR_INVALID, "subjects[%zu] is no subject", i);
		bool hit = all ? cstr_eq(json_text(subject, "kind"), "ServiceAccount")
			       : cstr_eq(json_text(subject, "name"), "default");
		KSlot slot = {subject, "namespace", 0};
		if (hit && !set_text((void *)(uintptr_t)ns, &slot, err))
			return false;
	}
	return true;
}

static bool applies(const FieldSpec *spec, const KResource *res)
{
	if (cstr_eq(spec->path, "metadata/namespace"))
		return false;
	if (cstr_eq(spec->path, "metadata/name") && !cstr_eq(kresource_api_version(res), "v1"))
		return false;
	return !(is_binding(spec->kind) && cstr_eq(spec->path, "subjects/namespace"));
}

static bool apply_one(KResource *res, const KNamespace *ns, const KSpecs *specs, Error *err)
{
	static const FieldSpec own = {.path = "metadata/namespace", .create = true};
	void *arg = (void *)(uintptr_t)ns;
	if (!kgvk_is_cluster_scoped(kresource_api_version(res), kresource_kind(res)) &&
	    !fieldspec_walk(&own, res->tree, K_MAKE_TEXT, set_text, arg, err))
		return false;
	if (is_binding(kresource_kind(res)) && !set_subjects(ns, res->tree, err))
		return false;
	for (size_t i = 0; i < kspecs_len(specs); i++) {
		const FieldSpec *spec = kspecs_at(specs, i);
		if (applies(spec, res) &&
		    !fieldspec_apply(spec, res->tree, K_MAKE_TEXT, set_text, arg, err))
			return false;
	}
	return true;
}

bool namespace_apply(KSet *set, const KNamespace *ns, const KSpecs *specs, Error *err)
{
	if (!kbuild_check_name("namespace", ns->name, err))
		return false;
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		kresource_remember(res);
		if (!apply_one(res, ns, specs, err))
			return err_wrap(err, "namespace transformation failed");
		kset_reindex(set, res);
		KPrevious now = kresource_current(res);
		if (kset_count_current(set, kresource_api_version(res), &now) == 1)
			continue;
		autofree char *text = kresource_text(res);
		return err_set(err, ERR_INVALID,
			       "namespace transformation produces ID conflict: %s", text);
	}
	return true;
}
