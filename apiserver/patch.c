/* JSON, merge and strategic merge patches; apply goes to apply.c (kube-api.md 1.2). */
#include <string.h>

#include "base/mem.h"
#include "convert.h"
#include "data/jsonpatch.h"
#include "object.h"
#include "server.h"
#include "strategic.h"
#include "write.h"

typedef enum { PATCH_JSON, PATCH_MERGE, PATCH_STRATEGIC, PATCH_APPLY } PatchType;

static const struct {
	const char *media;
	PatchType type;
} patch_types[] = {
	{"application/json-patch+json", PATCH_JSON},
	{"application/merge-patch+json", PATCH_MERGE},
	{"application/strategic-merge-patch+json", PATCH_STRATEGIC},
	{"application/apply-patch+yaml", PATCH_APPLY},
	{"application/apply-patch+json", PATCH_APPLY},
};

static bool patch_type(Request *request, PatchType *out, Status *status)
{
	Str media, rest;
	str_cut(str_of(httpd_header(request->http, "Content-Type")), ';', &media, &rest);
	media = str_trim(media);
	for (size_t i = 0; i < COUNT(patch_types); i++) {
		if (!str_eq(media, str_of(patch_types[i].media)))
			continue;
		*out = patch_types[i].type;
		bool custom = resource_has(request->resource, KIND_CUSTOM);
		if (custom && *out == PATCH_STRATEGIC)
			break;
		return true;
	}
	status_set(status, 415, "UnsupportedMediaType",
		   "the body of the request was in an unknown format - accepted media types "
		   "include: application/json-patch+json, application/merge-patch+json, "
		   "application/apply-patch+yaml");
	return false;
}

static bool json_patch(json_t **object, const json_t *patch, Status *status)
{
	autoerror Error err = {0};
	if (!json_is_array(patch))
		return status_bad_request(status, "a JSON patch must be an array");
	if (json_array_size(patch) > JSONPATCH_MAX_OPS)
		return status_set(status, 413, "RequestEntityTooLarge",
				  "The allowed maximum operations in a JSON patch is %d, got %zu",
				  JSONPATCH_MAX_OPS, json_array_size(patch));
	if (jsonpatch_apply(object, patch, true, &err))
		return true;
	/* The real server tells no more: the operation may quote a secret. */
	status_set(status, 422, "Invalid",
		   "the server rejected our request due to an error in our request");
	json_make_at(status->body, "details", NULL);
	return false;
}

static bool patched(Request *request, PatchType type, const json_t *live, const json_t *patch,
		    json_t **out, Status *status)
{
	autojson json_t *object = json_deep_copy(live);
	json_put_text(object, "apiVersion", request->resource->api_version);
	convert_from_stored(request->resource, object);
	if (type == PATCH_JSON) {
		if (!json_patch(&object, patch, status))
			return false;
	} else if (!json_is_object(patch)) {
		return status_bad_request(status, "the patch must be a JSON object");
	} else if (type == PATCH_MERGE) {
		json_merge_patch(&object, patch);
	} else if (!strategic_apply(catalog_definitions(request->server->catalog),
				    request->resource->definition, object, patch, status)) {
		return false;
	}
	*out = steal(&object);
	return true;
}

static bool check_lock(Request *request, const json_t *live, const json_t *object, Status *status)
{
	/* The live object has a version: a patch that leaves none has taken it away. */
	if (!write_check_versioned(request, object, status))
		return false;
	const char *given = object_meta(object, "resourceVersion");
	if (*given && strcmp(given, object_meta(live, "resourceVersion")) != 0)
		return status_conflict(status, request->resource, request->path.name,
				       status_modified);
	const char *uid = object_meta(object, "uid");
	if (*uid && strcmp(uid, object_meta(live, "uid")) != 0) {
		autofielderrors FieldErrors errors = {0};
		field_error(&errors, "Invalid value", "metadata.uid", "\"%s\": field is immutable",
			    uid);
		return field_errors_check(&errors, request->resource->kind,
					  request->resource->group, request->path.name, status);
	}
	return true;
}

static bool is_of_kind(const Request *request, const json_t *object, Status *status)
{
	const Resource *resource = request->resource;
	const char *kind = json_text_or(object, "kind", "");
	const char *version = json_text_or(object, "apiVersion", "");
	bool same = (!*kind || strcmp(kind, resource->kind) == 0) &&
		    (!*version || strcmp(version, resource->api_version) == 0);
	if (same || resource_has(resource, KIND_CUSTOM))
		return true;
	return status_bad_request(status, "the patch changed the kind of the object");
}

/* What a patch made is no object of the kind: an invalid patch, not a bad request. The real server
 * quotes the object here, which may hold secrets. */
static bool decode_patched(Request *request, json_t *object, Status *status)
{
	if (is_of_kind(request, object, status) && write_decode(request, object, status))
		return true;
	autostatus Status cause = *status;
	*status = (Status){0};
	autofielderrors FieldErrors errors = {0};
	field_error(&errors, "Invalid value", "patch", "\"\": %s",
		    json_text_or(cause.body, "message", ""));
	return field_errors_check(&errors, "", "", "", status);
}

static bool patch_once(Request *request, PatchType type, const json_t *patch, Written *out,
		       Status *status)
{
	autojson json_t *live = write_live(request, status);
	autojson json_t *object = NULL;
	if (!live || !patched(request, type, live, patch, &object, status))
		return false;
	return decode_patched(request, object, status) &&
	       write_check_name(request, object, status) &&
	       write_check_identity(request, object, status) &&
	       check_lock(request, live, object, status) &&
	       write_update(request, live, object, false, out, status);
}

/* A patch that names a version is a lock: losing then is an answer, not a race. */
static bool names_version(PatchType type, const json_t *patch)
{
	if (type != PATCH_JSON)
		return *object_meta(patch, "resourceVersion") != '\0';
	for (size_t i = 0; i < json_array_size(patch); i++) {
		const char *path = json_text(json_array_get(patch, i), "path");
		if (path && strcmp(path, "/metadata/resourceVersion") == 0)
			return true;
	}
	return false;
}

static bool refuse_force(Request *request, Status *status)
{
	if (!httpd_param(request->http, "force"))
		return true;
	autofielderrors FieldErrors errors = {0};
	field_error(&errors, "Forbidden", "force", "may not be specified for non-apply patch");
	return field_errors_check(&errors, "PatchOptions", "meta.k8s.io", "", status);
}

bool handle_patch(Request *request, Status *status)
{
	PatchType type;
	if (!patch_type(request, &type, status))
		return false;
	if (type == PATCH_APPLY)
		return apply_patch(request, status);
	if (!refuse_force(request, status))
		return false;
	autojson json_t *patch = request_body(request, status);
	if (!patch)
		return false;
	bool race = true;
	for (int tries = 0; race && tries < 10; tries++) {
		status_dispose(status);
		autowritten Written written = {0};
		if (patch_once(request, type, patch, &written, status)) {
			write_reply(request, 200, &written);
			return true;
		}
		race = write_lost_race(status) && !names_version(type, patch);
	}
	return false;
}
