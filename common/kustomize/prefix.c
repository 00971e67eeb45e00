#include "kustomize/transform.h"

#include "base/mem.h"
#include "data/written.h"

/* namePrefix and nameSuffix (facts 7; B27): kinds whose names other things know are left alone. */

typedef struct {
	const char *before, *behind;
} Affix;

static bool is_skipped(const char *api_version, const char *kind)
{
	return cstr_eq(kind, "CustomResourceDefinition") || cstr_eq(kind, "Namespace") ||
	       kgvk_selected("apiregistration.k8s.io", NULL, "APIService", api_version, kind);
}

static bool set_text(void *arg, const KSlot *slot, Error *err)
{
	const Affix *affix = arg;
	const char *old = written_string(kslot_get(slot));
	if (!old)
		return err_set(err, ERR_INVALID, "a name must be a string");
	autofree char *text = mem_printf("%s%s%s", affix->before, old, affix->behind);
	kslot_set_text(slot, text);
	return true;
}

static bool apply_spec(KResource *res, const Affix *affix, const FieldSpec *spec, Error *err)
{
	if (cstr_eq(spec->path, "metadata/name")) {
		if (*affix->before)
			vec_push(&res->prefixes, mem_strdup(affix->before));
		else
			vec_push(&res->suffixes, mem_strdup(affix->behind));
		kresource_remember(res);
	}
	return fieldspec_apply(spec, res->tree, K_MAKE_NOTHING, set_text, (void *)(uintptr_t)affix,
			       err);
}

static bool apply(KSet *set, const Affix *affix, const KSpecs *specs, Error *err)
{
	if (!*affix->before && !*affix->behind)
		return true;
	if (!kbuild_check_name("namePrefix", affix->before, err) ||
	    !kbuild_check_name("nameSuffix", affix->behind, err))
		return false;
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		autofree char *kind = mem_strdup(kresource_original(res).kind);
		const char *version = kresource_api_version(res);
		if (is_skipped(version, kind))
			continue;
		for (size_t j = 0; j < kspecs_len(specs); j++) {
			const FieldSpec *spec = kspecs_at(specs, j);
			if (kgvk_selected(spec->group, spec->version, spec->kind, version, kind) &&
			    !apply_spec(res, affix, spec, err))
				return false;
		}
		kset_reindex(set, res);
	}
	return true;
}

bool prefix_apply(KSet *set, const char *prefix, const KSpecs *specs, Error *err)
{
	Affix affix = {prefix, ""};
	return apply(set, &affix, specs, err);
}

bool suffix_apply(KSet *set, const char *suffix, const KSpecs *specs, Error *err)
{
	Affix affix = {"", suffix};
	return apply(set, &affix, specs, err);
}
