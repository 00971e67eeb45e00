/* The scale subresource: autoscaling/v1 Scale over spec.replicas of the parent (A32). */
#include <string.h>

#include "base/mem.h"
#include "data/jsonpatch.h"
#include "data/selector.h"
#include "object.h"
#include "schema.h"
#include "server.h"
#include "write.h"

static json_t *at_dotted(json_t *object, const char *path, const char *fallback)
{
	Str rest = str_of(path ? path : fallback);
	Str piece;
	while (object && str_next(&rest, '.', &piece)) {
		autofree char *key = str_dup(piece);
		if (*key)
			object = json_object_get(object, key);
	}
	return object;
}

static char *selector_text(const json_t *selector)
{
	if (json_is_string(selector))
		return mem_strdup(json_string_value(selector));
	const json_t *labels = json_map(selector, "matchLabels");
	autobuf Buf out = {0};
	const char *key;
	json_t *value;
	json_t *members = (json_t *)(uintptr_t)(labels ? labels : selector);
	json_object_foreach(members, key, value)
	{
		if (json_is_string(value))
			buf_printf(&out, "%s%s=%s", out.len ? "," : "", key,
				   json_string_value(value));
	}
	return buf_steal(&out);
}

static json_t *scale_of(const Request *request, json_t *live)
{
	static const char *const shared[] = {"name", "namespace", "uid", "resourceVersion",
					     "creationTimestamp"};
	const json_t *paths = request->resource->scale;
	json_t *scale = json_pack("{s:s,s:s}", "kind", "Scale", "apiVersion", "autoscaling/v1");
	json_t *meta = json_make_at(scale, "metadata", NULL);
	for (size_t i = 0; i < COUNT(shared); i++)
		json_put_text(meta, shared[i], json_text(json_map(live, "metadata"), shared[i]));
	json_t *wanted = at_dotted(live, json_text(paths, "specReplicasPath"), "spec.replicas");
	const json_t *now =
		at_dotted(live, json_text(paths, "statusReplicasPath"), "status.replicas");
	const json_t *selector = at_dotted(live, json_text(paths, "labelSelectorPath"),
					   paths ? "none" : "spec.selector");
	autofree char *text = selector_text(selector);
	json_t *spec = json_make_at(scale, "spec", NULL);
	if (json_integer_value(wanted) != 0)
		json_object_set(spec, "replicas", wanted);
	json_t *status = json_make_at(scale, "status", NULL);
	json_object_set_new(status, "replicas", json_integer(json_integer_value(now)));
	if (*text)
		json_put_text(status, "selector", text);
	return scale;
}

/* A copy of live with the replicas of the Scale. */
static json_t *scaled(const Request *request, json_t *live, const json_t *scale)
{
	json_t *next = json_deep_copy(live);
	Str path = str_of(
		json_text_or(request->resource->scale, "specReplicasPath", ".spec.replicas"));
	Str rest = str_starts(path, STR(".")) ? str_slice(path, 1, path.len) : path;
	Str piece;
	json_t *parent = next;
	while (str_find_char(rest, '.') >= 0 && str_next(&rest, '.', &piece)) {
		autofree char *key = str_dup(piece);
		parent = json_make_at(parent, key, NULL);
	}
	autofree char *member = str_dup(rest);
	int64_t replicas = json_int(json_map(scale, "spec"), "replicas", 0);
	json_object_set_new(parent, member, json_integer(replicas));
	return next;
}

/* The Scale that the request wants, from a PUT or from a patch on the present one. */
static json_t *wanted_scale(Request *request, json_t *live, Status *status)
{
	autojson json_t *body = request_body(request, status);
	if (!body || strcmp(request->path.verb, "update") == 0)
		return steal(&body);
	autojson json_t *scale = scale_of(request, live);
	if (!json_is_array(body)) {
		json_merge_patch(&scale, body);
		return steal(&scale);
	}
	autoerror Error err = {0};
	if (jsonpatch_apply(&scale, body, true, &err))
		return steal(&scale);
	status_set(status, 422, "Invalid", "%s", err_text(&err));
	return NULL;
}

static bool check_replicas(const json_t *scale, Status *status)
{
	const json_t *replicas = json_object_get(json_map(scale, "spec"), "replicas");
	if (!replicas || json_is_integer(replicas))
		return true;
	autofielderrors FieldErrors errors = {0};
	field_error(
		&errors, "Invalid value", "patch",
		"\"\": json: cannot unmarshal %s into Go struct field ScaleSpec.spec.replicas of "
		"type int32",
		schema_type_name(replicas));
	return field_errors_check(&errors, "", "", "", status);
}

static bool store_scale(Request *request, json_t *live, Status *status)
{
	autojson json_t *scale = wanted_scale(request, live, status);
	if (!scale)
		return false;
	if (!check_replicas(scale, status))
		return false;
	const char *name = object_name(scale);
	if (*name && strcmp(name, request->path.name) != 0)
		return status_bad_request(
			status,
			"the name of the object (%s) does not match the name on the URL (%s)", name,
			request->path.name);
	const char *rv = object_meta(scale, "resourceVersion");
	if (*rv && strcmp(rv, object_meta(live, "resourceVersion")) != 0)
		return status_conflict(status, request->resource, request->path.name,
				       status_modified);
	int64_t replicas = json_int(json_map(scale, "spec"), "replicas", 0);
	/* A custom kind's own schema and its scale decide, below. */
	if (replicas < 0 && !resource_has(request->resource, KIND_CUSTOM)) {
		autofielderrors FieldErrors errors = {0};
		field_error(&errors, "Invalid value", "spec.replicas",
			    "%lld: must be greater than or equal to 0", (long long)replicas);
		return field_errors_check(&errors, "Scale", "autoscaling", request->path.name,
					  status);
	}
	autojson json_t *next = scaled(request, live, scale);
	autowritten Written written = {0};
	if (!write_update(request, live, next, false, &written, status))
		return false;
	autojson json_t *answer = scale_of(request, written.object);
	request->view.format = VIEW_PLAIN;
	request_reply_json(request, 200, answer);
	return true;
}

/* A custom kind may lack what its scale points at. */
static bool has_replicas(Request *request, json_t *live, Status *status)
{
	const char *path = json_text(request->resource->scale, "specReplicasPath");
	if (!path || at_dotted(live, path, ""))
		return true;
	autofree char *text = mem_printf("the spec replicas field \"%s\" does not exist", path);
	status_set(status, 500, "InternalError", "Internal error occurred: %s", text);
	status_cause(status, NULL, text, NULL);
	return false;
}

bool handle_scale(Request *request, Status *status)
{
	autojson json_t *live = write_live(request, status);
	if (!live)
		return false;
	if (strcmp(request->path.verb, "get") != 0)
		return store_scale(request, live, status);
	if (!has_replicas(request, live, status))
		return false;
	autojson json_t *scale = scale_of(request, live);
	request_reply_json(request, 200, scale);
	return true;
}
