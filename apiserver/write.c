/* The steps that create, update, patch and apply share. */
#include "write.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "admission.h"
#include "auth.h"
#include "convert.h"
#include "crd.h"
#include "defaults.h"
#include "managed.h"
#include "object.h"
#include "schema.h"
#include "server.h"
#include "strategy.h"
#include "validate.h"
#include "view.h"

enum { GENERATE_TRIES = 8 };

static json_t *schema_of(const Request *request)
{
	const Resource *resource = request->resource;
	if (resource->schema)
		return schema_with_metadata(resource->schema);
	return resource->definition ? schema_builtin_ref(resource->definition) : NULL;
}

void write_warn_twice(Request *request)
{
	for (size_t i = 0; i < json_array_size(request->twice); i++)
		if (strcmp(request->validation, "Warn") == 0)
			request_warn(request, json_string_value(json_array_get(request->twice, i)));
}

static bool report_unknown(Request *request, const json_t *unknown, Status *status)
{
	autobuf Buf text = {0};
	bool strict = strcmp(request->validation, "Strict") == 0;
	bool warn = strcmp(request->validation, "Warn") == 0;
	write_warn_twice(request);
	request_put_twice(request, &text);
	for (size_t i = 0; i < json_array_size(unknown); i++) {
		const char *path = json_string_value(json_array_get(unknown, i));
		autofree char *line = mem_printf("unknown field \"%s\"", path);
		if (warn)
			request_warn(request, line);
		buf_printf(&text, "%s%s", text.len ? ", " : "", line);
	}
	if (!strict || text.len == 0)
		return true;
	const Resource *resource = request->resource;
	return status_bad_request(status,
				  "%s in version \"%s\" cannot be handled as a %s: strict decoding "
				  "error: %s",
				  resource->kind, resource->version, resource->kind,
				  buf_text(&text));
}

/* A kind of ours has types all over, those of `definition`, a custom one in its metadata. */
static bool decode_types(Request *request, const char *definition, json_t *object, Status *status)
{
	const Resource *resource = request->resource;
	bool custom = resource_has(resource, KIND_CUSTOM);
	if (!custom && !definition)
		return true;
	autojson json_t *schema = schema_builtin_ref(custom ? SCHEMA_OBJECT_META : definition);
	json_t *part = custom ? json_map(object, "metadata") : object;
	autobreach TypeBreach breach = {0};
	if (!part ||
	    schema_decode(catalog_definitions(request->server->catalog), schema, part, &breach))
		return true;
	if (breach.text)
		return status_bad_request(
			status, "%s in version \"%s\" cannot be handled as a %s: %s",
			resource->kind, resource->version, resource->kind, breach.text);
	return status_bad_request(status,
				  "%s in version \"%s\" cannot be handled as a %s: json: cannot "
				  "unmarshal %s into Go struct field %s.%s of type %s",
				  resource->kind, resource->version, resource->kind, breach.got,
				  breach.owner ? breach.owner : resource->kind, breach.path,
				  breach.want);
}

/* Of an object as it is stored. */
static void set_defaults(const Request *request, json_t *object)
{
	const char *stored = request->resource->stored_definition;
	autojson json_t *schema = stored ? schema_builtin_ref(stored) : schema_of(request);
	if (schema)
		schema_default(catalog_definitions(request->server->catalog), schema, object);
	if (!resource_has(request->resource, KIND_CUSTOM))
		defaults_apply(request->resource, object);
	if (strcmp(request->resource->key, CRD_KEY) == 0)
		crd_default(object);
}

bool write_decode(Request *request, json_t *object, Status *status)
{
	autojson json_t *schema = schema_of(request);
	if (!schema)
		return true;
	autojson json_t *unknown = json_array();
	schema_prune(catalog_definitions(request->server->catalog), schema, object, unknown);
	if (!report_unknown(request, unknown, status) ||
	    !decode_types(request, request->resource->definition, object, status))
		return false;
	convert_to_stored(request->resource, object);
	set_defaults(request, object);
	return true;
}

bool write_settle(Request *request, json_t *object, Status *status)
{
	if (!decode_types(request, request->resource->stored_definition, object, status))
		return false;
	set_defaults(request, object);
	return true;
}

/* Finalizers can only go while an object is being deleted (A65). */
static void check_finalizers(const json_t *live, const json_t *object, FieldErrors *errors)
{
	json_t *list = json_list(json_map(object, "metadata"), "finalizers");
	for (size_t i = 0; object_is_deleting(live) && i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		if (name && !object_has_finalizer(live, name))
			field_error(errors, "Forbidden", "metadata.finalizers",
				    "no new finalizers can be added if the object is being "
				    "deleted, found new finalizers []string{\"%s\"}",
				    name);
	}
}

static bool is_valid(Request *request, const json_t *object, const json_t *live, Status *status)
{
	const Resource *resource = request->resource;
	autofielderrors FieldErrors errors = {0};
	object_validate_meta(resource, object, &errors);
	if (live)
		check_finalizers(live, object, &errors);
	if (resource->schema)
		crd_validate_object(resource, object, live, &errors);
	strategy_validate(request, object, live, &errors);
	return field_errors_check(&errors, resource->kind, resource->group, object_name(object),
				  status);
}

static bool validate(Request *request, const json_t *object, const json_t *live, Status *status)
{
	if (!is_valid(request, object, live, status))
		return false;
	validate_warn(request, object, live);
	return true;
}

static bool refuse_existing(const Request *request, const char *name, Status *status)
{
	const Resource *resource = request->resource;
	autoerror Error ignored = {0};
	StoreKey key = {resource->store_key,
			resource_has(resource, KIND_NAMESPACED) ? request->path.ns : "", name};
	autojson json_t *live = store_get(request->server->store, &key, &ignored);
	status_exists(status, resource, name);
	if (!live || !object_is_deleting(live))
		return false;
	autofree char *text = mem_printf("object is being deleted: %s",
					 json_text_or(status->body, "message", ""));
	json_put_text(status->body, "message", text);
	return false;
}

static bool store_refused(const Request *request, const char *name, const Error *err,
			  Status *status)
{
	const Resource *resource = request->resource;
	if (err->code == ERR_EXISTS)
		return refuse_existing(request, name, status);
	if (err->code == ERR_CONFLICT)
		return status_conflict(status, resource, name, status_modified);
	if (err->code == ERR_NOT_FOUND)
		return status_not_found(status, resource, name);
	return status_internal(status, err);
}

static bool store_new(Request *request, json_t *object, char **out_text, Status *status)
{
	autoerror Error err = {0};
	StoreKey key = object_key(request->resource, object);
	if (store_create(request->server->store, &key, object, out_text, &err)) {
		strategy_stored(request->server, request->resource, object);
		return true;
	}
	return store_refused(request, key.name, &err, status);
}

/* The version is the one that was sent: none was given by a store that would replace it. */
static bool dry_create(Request *request, json_t *object, const char *sent_version, Status *status)
{
	autoerror Error err = {0};
	StoreKey key = object_key(request->resource, object);
	autojson json_t *live = store_get(request->server->store, &key, &err);
	if (live)
		return refuse_existing(request, key.name, status);
	json_put_text(json_map(object, "metadata"), "resourceVersion",
		      *sent_version ? sent_version : NULL);
	return true;
}

bool write_create(Request *request, json_t *object, bool managed, Written *out, Status *status)
{
	const Resource *resource = request->resource;
	if (resource_has(resource, KIND_ENDING))
		return status_forbidden(status, resource, object_name(object),
					"create not allowed while custom resource definition is "
					"terminating");
	if (!admission_namespace(request, object, status) ||
	    !write_check_body(request, object, status))
		return false;
	autofree char *sent_version = mem_strdup(object_meta(object, "resourceVersion"));
	object_init_meta(resource, object);
	if (resource_has(resource, KIND_STATUS))
		json_object_del(object, "status");
	autojson json_t *next = json_incref(object);
	if (!managed && !managed_update(request, NULL, &next, status))
		return false;
	object_init_meta(resource, next);
	json_put_text(next, "apiVersion", resource->storage_version);
	if (!strategy_create(request, next, status))
		return false;
	/* A dropped status shows its schema's default again (trap 4). */
	set_defaults(request, next);
	if (!validate(request, next, NULL, status) || !write_check_size(next, status) ||
	    !admission_create(request, next, status))
		return false;
	autofree char *text = NULL;
	bool done = request->dry_run ? dry_create(request, next, sent_version, status)
				     : store_new(request, next, &text, status);
	if (done)
		*out = (Written){steal(&next), true, false, steal(&text)};
	return done;
}

static bool is_status_write(const Request *request)
{
	return strcmp(request->path.subresource, "status") == 0;
}

/* Metadata that a write to /status gives: the new one, but for a Deployment's labels. */
static json_t *status_metadata(const Resource *resource, const json_t *live, const json_t *object)
{
	json_t *labels = json_object_get(json_map(live, "metadata"), "labels");
	json_t *meta = json_copy(json_map(object, "metadata"));
	if (strcmp(resource->key, "deployments.apps") != 0)
		return meta;
	json_object_del(meta, "labels");
	if (labels)
		json_object_set(meta, "labels", labels);
	return meta;
}

/* Of a custom kind a write to /status changes no metadata, although ownership of it follows the
 * body: so does the real server. */
static void drop_status_metadata(const Request *request, const json_t *live, json_t *object)
{
	if (!is_status_write(request) || !resource_has(request->resource, KIND_CUSTOM))
		return;
	json_t *fields = json_object_get(json_map(object, "metadata"), "managedFields");
	json_t *meta = json_copy(json_map(live, "metadata"));
	if (fields)
		json_object_set(meta, "managedFields", fields);
	else
		json_object_del(meta, "managedFields");
	json_object_set_new(object, "metadata", meta);
}

/* The main path ignores status, /status everything else (2.1). */
static json_t *merge_by_path(const Request *request, const json_t *live, json_t *object)
{
	const Resource *resource = request->resource;
	bool to_status = is_status_write(request);
	json_t *next = json_copy(to_status ? (json_t *)(uintptr_t)live : object);
	if (!to_status && !resource_has(resource, KIND_STATUS))
		return next;
	json_t *status = json_object_get(to_status ? object : live, "status");
	if (status)
		json_object_set(next, "status", status);
	else
		json_object_del(next, "status");
	if (!to_status)
		return next;
	json_object_set_new(next, "metadata", status_metadata(resource, live, object));
	return next;
}

static bool is_finished(const Resource *resource, const json_t *object)
{
	if (!object_is_deleting(object) || object_finalizer_count(object) > 0)
		return false;
	bool namespace = strcmp(resource->key, "namespaces") == 0;
	return !namespace || json_array_size(json_at(object, "spec", "finalizers", NULL)) == 0;
}

static bool commit_update(Request *request, json_t *live, json_t *next, Written *out,
			  Status *status)
{
	autoerror Error err = {0};
	StoreKey key = object_key(request->resource, live);
	bool finished = is_finished(request->resource, next);
	*out = (Written){json_incref(next), false, finished, NULL};
	if (request->dry_run)
		return true;
	bool done =
		finished ? store_delete(request->server->store, &key, next, live, &err)
			 : store_update(request->server->store, &key, next, live, &out->text, &err);
	if (!done) {
		written_dispose(out);
		return store_refused(request, key.name, &err, status);
	}
	if (finished) {
		/* The reply tells the version of before; that of the deletion is for watches. */
		json_t *meta = json_copy(json_map(next, "metadata"));
		json_put_text(meta, "resourceVersion", object_meta(live, "resourceVersion"));
		json_decref(out->object);
		out->object = json_copy(next);
		json_object_set_new(out->object, "metadata", meta);
		strategy_gone(request->server, request->resource, live);
	} else
		strategy_stored(request->server, request->resource, next);
	return true;
}

bool write_update(Request *request, json_t *live, json_t *object, bool managed, Written *out,
		  Status *status)
{
	const Resource *resource = request->resource;
	if (!write_check_body(request, object, status))
		return false;
	autojson json_t *next = merge_by_path(request, live, object);
	json_t *meta = json_copy(json_map(next, "metadata"));
	json_object_set_new(next, "metadata", meta ? meta : json_object());
	object_keep_meta(next, live);
	json_put_text(next, "apiVersion", resource->storage_version);
	/* Ownership is that of the object as it was sent: what the server keeps or adds is
	 * nobody's. */
	if (!managed && !managed_update(request, live, &next, status))
		return false;
	drop_status_metadata(request, live, next);
	strategy_update(request, next, live);
	object_keep_meta(next, live);
	if (!is_status_write(request))
		object_bump_generation(resource, next, live);
	if (resource_has(resource, KIND_CUSTOM))
		set_defaults(request, next);
	/* Ownership alone may have changed: times in it do not count (trap 5). */
	if (smd_restore_times(live, next) && !is_finished(resource, next)) {
		validate_warn(request, live, live);
		*out = (Written){json_incref(live), false, false, NULL};
		return true;
	}
	return validate(request, next, live, status) && write_check_size(next, status) &&
	       admission_update(request, next, status) &&
	       commit_update(request, live, next, out, status);
}

json_t *write_live(Request *request, Status *status)
{
	autoerror Error err = {0};
	StoreKey key = {request->resource->store_key,
			resource_has(request->resource, KIND_NAMESPACED) ? request->path.ns : "",
			request->path.name};
	json_t *live = store_get(request->server->store, &key, &err);
	if (live)
		return live;
	if (err.code == ERR_NOT_FOUND)
		status_not_found(status, request->resource, request->path.name);
	else
		status_internal(status, &err);
	return NULL;
}

bool write_lost_race(const Status *status)
{
	const char *message = json_text_or(status->body, "message", "");
	return status->code == 409 && strstr(message, status_modified) != NULL;
}

void write_inner_request(ApiServer *server, Resource *resource, const char *ns, const char *name,
			 Request *out)
{
	*out = (Request){.server = server,
			 .resource = resource_ref(resource),
			 .validation = "Ignore",
			 .manager = "sluice-apiserver"};
	out->path = (RequestPath){true,
				  mem_strdup("update"),
				  mem_strdup(resource->group),
				  mem_strdup(resource->version),
				  mem_strdup(ns),
				  mem_strdup(resource->plural),
				  mem_strdup(name),
				  mem_strdup("")};
}

void write_inner_dispose(Request *request)
{
	request_path_dispose(&request->path);
	if (request->resource)
		resource_unref(request->resource);
}

bool write_inner_ensure(ApiServer *server, const char *api_version, const char *kind,
			json_t *object, Status *status)
{
	Str group, version;
	if (!str_cut(str_of(api_version), '/', &group, &version)) {
		version = group;
		group = STR("");
	}
	autofree char *group_text = str_dup(group);
	autofree char *version_text = str_dup(version);
	autoresource Resource *resource =
		catalog_find_kind(server->catalog, group_text, version_text, kind);
	if (!resource)
		return status_no_resource(status);
	autoinner Request request = {0};
	write_inner_request(server, resource, object_ns(object), object_name(object), &request);
	autoerror Error err = {0};
	StoreKey key = object_key(resource, object);
	autojson json_t *live = store_get(server->store, &key, &err);
	if (live)
		return true;
	autowritten Written written = {0};
	return write_check_identity(&request, object, status) &&
	       write_decode(&request, object, status) &&
	       write_create(&request, object, false, &written, status);
}

void write_reply(Request *request, int code, Written *written)
{
	const View *view = &request->view;
	if (!written->text || view->yaml || view->pretty ||
	    !view_is_stored(view, request->resource)) {
		request_reply_object(request, code, written->object);
		return;
	}
	size_t len = strlen(written->text);
	httpd_reply_take(request->http, code, "application/json", steal(&written->text), len);
}

static bool create_named(Request *request, json_t *body, Written *written, Status *status)
{
	bool generated = *object_name(body) == '\0';
	for (int tries = 1;; tries++) {
		autojson json_t *object = json_deep_copy(body);
		if (write_create(request, object, false, written, status))
			return true;
		if (!generated || status->code != 409 || tries == GENERATE_TRIES)
			return false;
		status_dispose(status);
	}
}

bool handle_create(Request *request, Status *status)
{
	autojson json_t *object = request_body(request, status);
	if (!object || !write_check_identity(request, object, status) ||
	    !write_decode(request, object, status))
		return false;
	autowritten Written written = {0};
	if (!create_named(request, object, &written, status))
		return false;
	write_reply(request, 201, &written);
	return true;
}

bool write_check_versioned(const Request *request, const json_t *object, Status *status)
{
	const Resource *resource = request->resource;
	bool needed = resource_has(resource, KIND_NEEDS_RV) || resource_has(resource, KIND_CUSTOM);
	if (!needed || *object_meta(object, "resourceVersion"))
		return true;
	autofielderrors FieldErrors errors = {0};
	field_error(&errors, "Invalid value", "metadata.resourceVersion",
		    "0: must be specified for an update");
	/* Here the real server names the resource. */
	return field_errors_check(&errors, resource->plural, resource->group, request->path.name,
				  status);
}

/* What is asked of an object is not done to its namesake. */
static bool check_uid(const Request *request, const json_t *object, const char *live_uid,
		      Status *status)
{
	const char *uid = object_meta(object, "uid");
	if (!*uid || strcmp(uid, live_uid) == 0)
		return true;
	autofree char *rest =
		mem_printf("Precondition failed: UID in precondition: %s, UID in object meta: %s",
			   uid, live_uid);
	return status_conflict(status, request->resource, request->path.name, rest);
}

static bool check_version(Request *request, const json_t *live, const json_t *object,
			  Status *status)
{
	const char *given = object_meta(object, "resourceVersion");
	const Resource *resource = request->resource;
	/* Before all else: a namesake's version says nothing. */
	if (!check_uid(request, object, object_meta(live, "uid"), status))
		return false;
	if (strcmp(request->path.verb, "update") == 0 &&
	    !write_check_versioned(request, object, status))
		return false;
	unsigned long long number;
	if (*given && !str_to_u64(str_of(given), &number))
		return status_set(status, 500, NULL,
				  "strconv.ParseUint: parsing \"%s\": invalid syntax", given);
	/* Zero is any version. */
	if (*given && strcmp(given, "0") != 0 &&
	    strcmp(given, object_meta(live, "resourceVersion")) != 0)
		return status_conflict(status, resource, object_name(live), status_modified);
	return true;
}

static bool put_absent(Request *request, json_t *object, Status *status)
{
	if (!resource_has(request->resource, KIND_PUT_CREATES) || *request->path.subresource)
		return status_not_found(status, request->resource, request->path.name);
	if (!check_uid(request, object, "", status))
		return false;
	autowritten Written written = {0};
	if (!auth_authorize_create(request, status) ||
	    !write_create(request, object, false, &written, status))
		return false;
	write_reply(request, 201, &written);
	return true;
}

bool handle_update(Request *request, Status *status)
{
	autojson json_t *object = request_body(request, status);
	if (!object || !write_check_identity(request, object, status) ||
	    !write_decode(request, object, status))
		return false;
	bool race = false;
	for (int tries = 0; tries == 0 || (race && tries < 5); tries++) {
		status_dispose(status);
		autostatus Status absent = {0};
		autojson json_t *live = write_live(request, &absent);
		if (!live && absent.code == 404)
			return put_absent(request, object, status);
		autowritten Written written = {0};
		if (live && check_version(request, live, object, status) &&
		    write_update(request, live, object, false, &written, status)) {
			write_reply(request, 200, &written);
			return true;
		}
		race = write_lost_race(status) && !*object_meta(object, "resourceVersion");
	}
	return false;
}
