/*
 * After a CRD got a version with new defaulted fields, entries of managedFields that still name the
 * old one make the server refuse an apply. Behind a gate, because it costs a GET for each object.
 */
#include "apply.h"

/* A patch that gives every entry the version, whoever owns it; NULL when all have it. */
static json_t *migration_patch(const json_t *live, const char *api_version)
{
	autojson json_t *entries = json_deep_copy(json_at(live, "metadata", "managedFields", NULL));
	bool changed = false;
	size_t i;
	json_t *entry;
	json_array_foreach(entries, i, entry)
	{
		changed = changed || !cstr_eq(json_text(entry, "apiVersion"), api_version);
		json_put_text(entry, "apiVersion", api_version);
	}
	if (!changed)
		return NULL;
	return json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:O}]", "op", "test", "path",
			 "/metadata/resourceVersion", "value", object_resource_version(live), "op",
			 "replace", "path", "/metadata/managedFields", "value", entries);
}

bool apply_migrate_version(const ApplyRun *apply, const Item *item, Error *err)
{
	const char *api_version = object_api_version(item->object);
	const char *kind = object_kind(item->object), *ns = object_namespace(item->object);
	const char *name = object_name(item->object);
	autoerror Error absent = {0};
	autojson json_t *live = kube_get(apply->client, api_version, kind, ns, name, &absent);
	if (!live)
		return absent.code == ERR_NOT_FOUND || err_move(err, &absent);
	autojson json_t *patch = object_is_exempt(live) ? NULL : migration_patch(live, api_version);
	if (!patch)
		return true;
	autojson json_t *done = kube_do(apply->client,
					&(KubeRequest){.verb = KUBE_JSON_PATCH,
						       .api_version = api_version,
						       .kind = kind,
						       .ns = ns,
						       .name = name,
						       .body = patch,
						       .field_manager = KS_FIELD_MANAGER},
					err);
	return done != NULL;
}
