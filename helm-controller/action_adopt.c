/*
 * Objects that are there already though the old manifest has none of them (E86). Taken over as a
 * whole, server-side apply needs no look at them: it takes their fields by force.
 */
#include "action_internal.h"
#include "controller.h"

#include "base/mem.h"

static const char managed_by[] = "app.kubernetes.io/managed-by";
static const char release_name[] = "meta.helm.sh/release-name";
static const char release_namespace[] = "meta.helm.sh/release-namespace";

static void check_value(Buf *out, const char *what, const char *key, const char *is,
			const char *wanted)
{
	if (cstr_eq(is, wanted))
		return;
	buf_printf(out, "%s%s validation error: ", out->len ? "; " : "", what);
	if (is)
		buf_printf(out, "key \"%s\" must equal \"%s\": current value is \"%s\"", key,
			   wanted, is);
	else
		buf_printf(out, "missing key \"%s\": must be set to \"%s\"", key, wanted);
}

bool release_owner_check(const json_t *live, const char *release, const char *ns, Error *err)
{
	autobuf Buf text = {0};
	check_value(&text, "label", managed_by, object_label(live, managed_by), "Helm");
	check_value(&text, "annotation", release_name, object_annotation(live, release_name),
		    release);
	check_value(&text, "annotation", release_namespace,
		    object_annotation(live, release_namespace), ns);
	if (!text.len)
		return true;
	return err_set(err, ERR_EXISTS,
		       "%s \"%s\" in namespace \"%s\" exists and cannot be imported into the "
		       "current release: invalid ownership metadata; %s",
		       object_kind(live), object_name(live), object_namespace(live),
		       buf_text(&text));
}

static bool check_owner(const Action *action, const Resource *resource, Error *err)
{
	return release_owner_check(resource->live, action->input.release, action->input.ns, err) ||
	       action_name_file(err, resource->path);
}

static bool is_known(const Action *action, const json_t *object)
{
	const Resource *old = resources_find(&action->present, object);
	return old && cstr_eq(object_api_version(old->object), object_api_version(object));
}

static bool check_new(Action *action, Error *err)
{
	autoresources Resources fresh = {0};
	for (size_t i = 0; i < action->wanted.len; i++) {
		const Resource *resource = &action->wanted.items[i];
		if (!is_known(action, resource->object))
			resources_add(&fresh, json_incref(resource->object), resource->path);
	}
	if (!resources_look(action, &fresh, 0, fresh.len, err))
		return err_wrap(err, "could not get information about the resource");
	for (size_t i = 0; i < fresh.len; i++)
		if (fresh.items[i].live && !check_owner(action, &fresh.items[i], err))
			return false;
	return true;
}

StepResult step_adopt(Action *action, Error *err)
{
	if (action->input.options.take_ownership || check_new(action, err))
		return STEP_NEXT;
	err_wrap(err, "unable to continue with %s",
		 action->input.kind == ACTION_INSTALL ? "install" : "update");
	return STEP_FAIL;
}
