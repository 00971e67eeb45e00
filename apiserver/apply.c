/* Server-side apply: checks around managed_apply (kube-api.md 1.2, 3.4). */
#include <string.h>

#include "base/mem.h"
#include "auth.h"
#include "convert.h"
#include "managed.h"
#include "object.h"
#include "schema.h"
#include "server.h"
#include "validate.h"
#include "write.h"

static bool options_refused(const char *field, const char *type, const char *text, Status *status)
{
	autofielderrors FieldErrors errors = {0};
	field_error(&errors, type, field, "%s", text);
	return field_errors_check(&errors, "PatchOptions", "meta.k8s.io", "", status);
}

static bool check_config(Request *request, json_t *config, Status *status)
{
	if (!json_is_object(config))
		return status_bad_request(status, "the patch must be an object");
	if (!json_text(config, "apiVersion") || !json_text(config, "kind"))
		return status_bad_request(
			status, "invalid object type: %s%s, Kind=%s",
			strchr(json_text_or(config, "apiVersion", ""), '/') ? "" : "/",
			json_text_or(config, "apiVersion", ""), json_text_or(config, "kind", ""));
	bool in_namespace = *object_ns(config) != '\0';
	if (!write_check_identity(request, config, status))
		return false;
	/* Messages name the configuration as it was sent; the object gets its namespace later. */
	if (!in_namespace)
		json_object_del(json_map(config, "metadata"), "namespace");
	if (json_list(json_map(config, "metadata"), "managedFields"))
		return status_bad_request(status, "metadata.managedFields must be nil");
	json_object_del(json_map(config, "metadata"), "managedFields");
	convert_to_stored(request->resource, config);
	return true;
}

/* The merged object in the server's types. What structured merge cannot know, such as a time's
 * form, is refused here; the configuration itself stays as it was sent: an empty map is a wish, and
 * 0.5 is not 500m to those who own 500m. */
static bool settle(Request *request, json_t *object, Status *status)
{
	autostatus Status cause = {0};
	if (write_settle(request, object, &cause))
		return true;
	const Resource *resource = request->resource;
	const char *slash = *resource->group ? "" : "/";
	const char *message = json_text_or(cause.body, "message", "");
	const char *rest = strstr(message, "cannot be handled as a ");
	rest = rest ? strstr(rest, ": ") : NULL;
	return status_set(status, 500, NULL,
			  "failed to convert new object (/%s; %s%s, Kind=%s) to proper version: "
			  "unable to convert unstructured object to %s%s, Kind=%s%s",
			  object_name(object), slash, resource->api_version, resource->kind, slash,
			  resource->api_version, resource->kind, rest ? rest : "");
}

static bool apply_new(Request *request, const json_t *config, bool force, Written *out,
		      Status *status)
{
	if (*request->path.subresource)
		return status_not_found(status, request->resource, request->path.name);
	const char *uid = object_meta(config, "uid");
	if (*uid) {
		autofree char *rest =
			mem_printf("uid mismatch: the provided object specified uid %s, and no "
				   "existing object was found",
				   uid);
		return status_conflict(status, request->resource, request->path.name, rest);
	}
	bool changed = true;
	autojson json_t *object = managed_apply(request, NULL, config, force, &changed, status);
	return object && write_check_identity(request, object, status) &&
	       settle(request, object, status) && auth_authorize_create(request, status) &&
	       write_create(request, object, true, out, status);
}

static bool refuse_uid(const Request *request, const json_t *live, const char *uid, Status *status)
{
	autofielderrors FieldErrors errors = {0};
	field_error(&errors, "Invalid value", "metadata.uid", "\"%s\": field is immutable", uid);
	return field_errors_check(&errors, request->resource->kind, request->resource->group,
				  object_name(live), status);
}

static bool apply_existing(Request *request, json_t *live, const json_t *config, bool force,
			   Written *out, Status *status)
{
	const char *given = object_meta(config, "resourceVersion");
	if (*given && strcmp(given, object_meta(live, "resourceVersion")) != 0)
		return status_conflict(status, request->resource, request->path.name,
				       status_modified);
	const char *uid = object_meta(config, "uid");
	if (*uid && strcmp(uid, object_meta(live, "uid")) != 0)
		return refuse_uid(request, live, uid, status);
	bool changed = true;
	autojson json_t *object = managed_apply(request, live, config, force, &changed, status);
	if (!object)
		return false;
	if (!changed) {
		validate_warn(request, live, live);
		*out = (Written){json_incref(live), false, false, NULL};
		return true;
	}
	return settle(request, object, status) &&
	       write_update(request, live, object, true, out, status);
}

static bool apply_once(Request *request, const json_t *config, bool force, Written *out,
		       Status *status)
{
	autostatus Status absent = {0};
	autojson json_t *live = write_live(request, &absent);
	if (live)
		return apply_existing(request, live, config, force, out, status);
	if (absent.code == 404)
		return apply_new(request, config, force, out, status);
	status->code = absent.code;
	status->body = steal(&absent.body);
	return false;
}

/* Here the real server reads all as YAML, JSON too. */
static bool check_twice(Request *request, Status *status)
{
	autobuf Buf text = {0};
	write_warn_twice(request);
	request_put_twice(request, &text);
	if (text.len == 0 || strcmp(request->validation, "Strict") != 0)
		return true;
	return status_bad_request(status,
				  "error strict decoding YAML: error converting YAML to JSON: %s",
				  buf_text(&text));
}

bool apply_patch(Request *request, Status *status)
{
	const char *manager = httpd_param(request->http, "fieldManager");
	if (!manager || !*manager)
		return options_refused("fieldManager", "Required value",
				       "is required for apply patch", status);
	autojson json_t *config = request_body(request, status);
	if (!config || !check_twice(request, status) || !check_config(request, config, status))
		return false;
	bool force = request_flag(request, "force");
	bool race = true;
	for (int tries = 0; race && tries < 10; tries++) {
		status_dispose(status);
		autowritten Written written = {0};
		if (apply_once(request, config, force, &written, status)) {
			write_reply(request, written.created ? 201 : 200, &written);
			return true;
		}
		bool made_meanwhile = cstr_eq(json_text(status->body, "reason"), "AlreadyExists");
		race = (write_lost_race(status) && !*object_meta(config, "resourceVersion")) ||
		       made_meanwhile;
	}
	return false;
}
