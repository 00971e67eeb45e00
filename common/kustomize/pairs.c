#include "kustomize/transform.h"
#include "data/written.h"

/* labels, commonLabels, commonAnnotations: string pairs in the maps that the specs name. */

static bool set_pairs(void *arg, const KSlot *slot, Error *err)
{
	json_t *pairs = arg;
	json_t *map = kslot_get(slot);
	if (json_is_null(map))
		return true;
	if (!json_is_object(map))
		return err_set(err, ERR_INVALID, "expected a map of strings");
	const char *key;
	json_t *value;
	json_object_foreach(pairs, key, value)
	{
		KSlot member = {map, key, 0};
		if (written_string(json_object_get(map, key)))
			kslot_set_text(&member, json_string_value(value));
		else
			kslot_set(&member, json_incref(value));
	}
	return true;
}

bool pairs_apply(KSet *set, const json_t *pairs, const KSpecs *specs, Error *err)
{
	if (json_object_size(pairs) == 0)
		return true;
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		/* All places of one object share a value, objects do not (kslot_set_text). */
		autojson json_t *own = json_deep_copy(pairs);
		for (size_t j = 0; j < kspecs_len(specs); j++)
			if (!fieldspec_apply(kspecs_at(specs, j), res->tree, K_MAKE_MAP, set_pairs,
					     own, err))
				return false;
	}
	return true;
}
