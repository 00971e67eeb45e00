/*
 * Status objects. Texts are part of the contract: clients (Flux, kubectl, Helm) match on parts of
 * them, so they are those of a real server.
 */
#include "status_error.h"

#include <stdarg.h>
#include <string.h>

#include "base/mem.h"

enum { FIELD_ERRORS_MAX = 100 };

const char status_modified[] =
	"the object has been modified; please apply your changes to the latest "
	"version and try again";

void status_dispose(Status *status)
{
	json_decref(status->body);
	*status = (Status){0};
}

static json_t *status_object(const char *result, const char *message, const char *reason, int code)
{
	json_t *body = json_object();
	json_object_set_new(body, "kind", json_string("Status"));
	json_object_set_new(body, "apiVersion", json_string("v1"));
	json_object_set_new(body, "metadata", json_object());
	json_object_set_new(body, "status", json_string(result));
	if (message)
		json_put_text(body, "message", message);
	if (reason)
		json_put_text(body, "reason", reason);
	if (code)
		json_object_set_new(body, "code", json_integer(code));
	return body;
}

bool status_set(Status *status, int code, const char *reason, const char *format, ...)
{
	if (status_is_set(status))
		return false;
	va_list args;
	va_start(args, format);
	autofree char *message = mem_vprintf(format, args);
	va_end(args);
	status->code = code;
	status->body = status_object("Failure", message, reason, code);
	return false;
}

bool status_details(Status *status, const Resource *resource, const char *name)
{
	json_t *details = json_make_at(status->body, "details", NULL);
	if (!cstr_empty(name))
		json_put_text(details, "name", name);
	if (!cstr_empty(resource->group))
		json_put_text(details, "group", resource->group);
	json_put_text(details, "kind", resource->plural);
	return false;
}

void status_cause(Status *status, const char *reason, const char *message, const char *field)
{
	json_t *details = json_make_at(status->body, "details", NULL);
	json_t *causes = json_list(details, "causes");
	if (!causes) {
		json_object_set_new(details, "causes", json_array());
		causes = json_list(details, "causes");
	}
	json_t *cause = json_object();
	json_put_text(cause, "reason", reason);
	json_put_text(cause, "message", message);
	json_put_text(cause, "field", field);
	json_array_append_new(causes, cause);
}

bool status_not_found(Status *status, const Resource *resource, const char *name)
{
	status_set(status, 404, "NotFound", "%s \"%s\" not found", resource->key, name);
	return status_details(status, resource, name);
}

bool status_no_resource(Status *status)
{
	status_set(status, 404, "NotFound", "the server could not find the requested resource");
	json_make_at(status->body, "details", NULL);
	return false;
}

bool status_exists(Status *status, const Resource *resource, const char *name)
{
	status_set(status, 409, "AlreadyExists", "%s \"%s\" already exists", resource->key, name);
	return status_details(status, resource, name);
}

bool status_conflict(Status *status, const Resource *resource, const char *name, const char *rest)
{
	status_set(status, 409, "Conflict", "Operation cannot be fulfilled on %s \"%s\": %s",
		   resource->key, name, rest);
	return status_details(status, resource, name);
}

bool status_bad_request(Status *status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *message = mem_vprintf(format, args);
	va_end(args);
	return status_set(status, 400, "BadRequest", "%s", message);
}

bool status_forbidden(Status *status, const Resource *resource, const char *name, const char *why)
{
	if (cstr_empty(name))
		status_set(status, 403, "Forbidden", "%s is forbidden: %s", resource->key, why);
	else
		status_set(status, 403, "Forbidden", "%s \"%s\" is forbidden: %s", resource->key,
			   name, why);
	return status_details(status, resource, name);
}

bool status_expired(Status *status, const char *message)
{
	return status_set(status, 410, "Expired", "%s", message);
}

void status_set_continue(Status *status, const char *token)
{
	json_put_text(json_map(status->body, "metadata"), "continue", token);
}

bool status_internal(Status *status, const Error *err)
{
	return status_set(status, 500, "InternalError", "%s", err_text(err));
}

json_t *status_success(const Resource *resource, const char *name, const char *uid)
{
	json_t *body = status_object("Success", NULL, NULL, 0);
	Status status = {.body = body};
	status_details(&status, resource, name);
	if (uid)
		json_put_text(json_map(body, "details"), "uid", uid);
	return body;
}

void field_errors_dispose(FieldErrors *errors)
{
	json_decref(errors->causes);
	errors->causes = NULL;
}

static const struct {
	const char *type, *reason;
} cause_reasons[] = {
	{"Invalid value", "FieldValueInvalid"},	    {"Required value", "FieldValueRequired"},
	{"Forbidden", "FieldValueForbidden"},	    {"Unsupported value", "FieldValueNotSupported"},
	{"Duplicate value", "FieldValueDuplicate"}, {"Too long", "FieldValueTooLong"},
	{"Too many", "FieldValueTooMany"},	    {"Not found", "FieldValueNotFound"},
};

static const char *cause_reason(const char *type)
{
	for (size_t i = 0; i < COUNT(cause_reasons); i++)
		if (strcmp(type, cause_reasons[i].type) == 0)
			return cause_reasons[i].reason;
	return "FieldValueInvalid";
}

void field_error_add(FieldErrors *errors, json_t *cause)
{
	if (!errors->causes)
		errors->causes = json_array();
	if (json_array_size(errors->causes) < FIELD_ERRORS_MAX)
		json_array_append(errors->causes, cause);
}

void field_error(FieldErrors *errors, const char *type, const char *path, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *text = mem_vprintf(format, args);
	va_end(args);
	autofree char *message = mem_printf("%s%s%s", type, *text ? ": " : "", text);
	json_t *cause = json_object();
	json_put_text(cause, "reason", cause_reason(type));
	json_object_set_new(cause, "message", json_stringn_nocheck(message, strlen(message)));
	json_put_text(cause, "field", path);
	field_error_add(errors, cause);
	json_decref(cause);
}

bool field_errors_check(const FieldErrors *errors, const char *kind, const char *group,
			const char *name, Status *status)
{
	if (json_array_size(errors->causes) == 0)
		return true;
	autobuf Buf text = {0};
	size_t count = json_array_size(errors->causes);
	for (size_t i = 0; i < count; i++) {
		const json_t *cause = json_array_get(errors->causes, i);
		buf_printf(&text, "%s%s: %s", i ? ", " : "", json_text_or(cause, "field", ""),
			   json_text_or(cause, "message", ""));
	}
	bool grouped = !cstr_empty(group);
	status_set(status, 422, "Invalid", "%s%s%s \"%s\" is invalid: %s%s%s", kind,
		   grouped ? "." : "", grouped ? group : "", name ? name : "", count > 1 ? "[" : "",
		   buf_text(&text), count > 1 ? "]" : "");
	json_t *details = json_make_at(status->body, "details", NULL);
	json_put_text(details, "name", cstr_empty(name) ? NULL : name);
	json_put_text(details, "group", grouped ? group : NULL);
	json_put_text(details, "kind", cstr_empty(kind) ? NULL : kind);
	json_object_set(details, "causes", errors->causes);
	return false;
}
