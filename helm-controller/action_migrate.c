/*
 * From client-side to server-side apply: fields that this manager has from its updates become ones
 * that it applied, and the object is applied again, so that what the manifest no longer has goes.
 * The reply to the first apply tells whether there are such fields, so that others cost nothing.
 */
#include "action_internal.h"

#include "base/mem.h"
#include "kube/fieldset.h"

enum { TRIES = 5 };

static json_t *migration_of(const json_t *live)
{
	static const char *const nobody_else[] = {NULL};
	return fieldset_takeover_patch(live, HR_FIELD_MANAGER, nobody_else);
}

static json_t *patch(Action *action, const json_t *live, const json_t *body, Error *err)
{
	return kube_do(action->target->client,
		       &(KubeRequest){.verb = KUBE_JSON_PATCH,
				      .api_version = object_api_version(live),
				      .kind = object_kind(live),
				      .ns = object_namespace(live),
				      .name = object_name(live),
				      .body = body,
				      .field_manager = HR_FIELD_MANAGER},
		       err);
}

static json_t *look(Action *action, const json_t *object, Error *err)
{
	return kube_get(action->target->client, object_api_version(object), object_kind(object),
			object_namespace(object), object_name(object), err);
}

/* Written by somebody else between look and patch: looked at again. */
static bool migrate(Action *action, const json_t *reply, Error *err)
{
	autojson json_t *live = json_incref(json_borrow(reply));
	for (int i = 0; i < TRIES; i++) {
		error_dispose(err);
		autojson json_t *body = migration_of(live);
		if (!body)
			return true;
		autojson json_t *done = patch(action, live, body, err);
		if (done || (err->code != ERR_CONFLICT && err->code != ERR_INVALID))
			return done != NULL;
		autoerror Error gone = {0};
		json_t *again = look(action, reply, &gone);
		json_decref(live);
		live = again ? again : json_object();
	}
	return false;
}

bool apply_migrated(Action *action, const Resource *resource, KubeReply *reply, Error *err)
{
	autojson json_t *body = migration_of(reply->object);
	if (!body)
		return true;
	if (!migrate(action, reply->object, err))
		return err_wrap(err, "failed to patch object to upgrade CSA field manager");
	json_t *again = kube_do(action->target->client,
				&(KubeRequest){.verb = KUBE_APPLY,
					       .body = resource->object,
					       .force = true,
					       .field_manager = HR_FIELD_MANAGER,
					       .field_validation = "Strict"},
				err);
	if (!again)
		return false;
	json_decref(reply->object);
	reply->object = again;
	return true;
}
