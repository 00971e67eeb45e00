/* What a body must say of itself, and how large an object may be (kube-api.md 2.1). */
#include <string.h>

#include "base/mem.h"
#include "object.h"
#include "write.h"

enum { OBJECT_MAX = 1536 * 1024 };

static bool check_text(json_t *object, const char *key, const char *want, const char *what,
		       Status *status)
{
	const char *given = json_text_or(object, key, "");
	if (!*given) {
		json_put_text(object, key, want);
		return true;
	}
	if (strcmp(given, want) == 0)
		return true;
	return status_bad_request(status,
				  "the %s in the data (%s) does not match the expected %s (%s)",
				  what, given, what, want);
}

static bool check_namespace(const Request *request, json_t *object, Status *status)
{
	json_t *meta = json_make_at(object, "metadata", NULL);
	const char *given = json_text_or(meta, "namespace", "");
	if (!resource_has(request->resource, KIND_NAMESPACED)) {
		json_object_del(meta, "namespace");
		return true;
	}
	if (*given && strcmp(given, request->path.ns) != 0)
		return status_bad_request(status,
					  "the namespace of the provided object does not match the "
					  "namespace sent on the request");
	json_put_text(meta, "namespace", request->path.ns);
	return true;
}

bool write_check_identity(Request *request, json_t *object, Status *status)
{
	const Resource *resource = request->resource;
	if (!json_is_object(object))
		return status_bad_request(status, "the object provided is no JSON object");
	if (!check_text(object, "apiVersion", resource->api_version, "API version", status) ||
	    !check_text(object, "kind", resource->kind, "kind", status) ||
	    !check_namespace(request, object, status))
		return false;
	const char *name = object_name(object);
	if (!*request->path.name || strcmp(request->path.name, name) == 0)
		return true;
	if (*name)
		return status_bad_request(
			status,
			"the name of the object (%s) does not match the name on the URL (%s)", name,
			request->path.name);
	json_put_text(json_map(object, "metadata"), "name", request->path.name);
	return true;
}

bool write_check_name(const Request *request, const json_t *object, Status *status)
{
	if (*object_name(object))
		return true;
	return status_bad_request(status,
				  "the name of the object (%s based on URL) was undeterminable: "
				  "name must be provided",
				  request->path.name);
}

/* Bytes that the text has at most: every one of a string may need six. */
static size_t most_bytes(const json_t *value)
{
	enum { SCALAR = 32, ESCAPED = 6 };
	size_t sum = SCALAR + ESCAPED * json_string_length(value);
	for (size_t i = 0; i < json_array_size(value); i++)
		sum += most_bytes(json_array_get(value, i));
	json_t *members = json_borrow(value);
	for (void *i = json_object_iter(members); i; i = json_object_iter_next(members, i))
		sum += SCALAR + ESCAPED * json_object_iter_key_len(i) +
		       most_bytes(json_object_iter_value(i));
	return sum;
}

bool write_check_size(const json_t *object, Status *status)
{
	if (most_bytes(object) <= OBJECT_MAX)
		return true;
	autofree char *text = json_dump(object);
	if (strlen(text) <= OBJECT_MAX)
		return true;
	return status_set(status, 413, "RequestEntityTooLarge",
			  "Request entity too large: limit is %d", OBJECT_MAX);
}

bool write_check_body(const Request *request, const json_t *object, Status *status)
{
	return !request->http || httpd_body(request->http).len < OBJECT_MAX / 2 ||
	       write_check_size(object, status);
}
