/* Deletion, one and many: preconditions, propagation, finalizers (kube-api.md 2.2). */
#include <string.h>

#include "base/mem.h"
#include "admission.h"
#include "crd.h"
#include "object.h"
#include "server.h"
#include "strategy.h"
#include "write.h"

/* Here the real server names the kind, not the resource. */
static bool refuse_precondition(const Request *request, const json_t *live, const char *rest,
				Status *status)
{
	const Resource *resource = request->resource;
	bool grouped = !cstr_empty(resource->group);
	autofree char *key =
		mem_printf("%s%s%s", resource->kind, grouped ? "." : "", resource->group);
	Resource named = {.key = key,
			  .plural = resource->kind,
			  .kind = resource->kind,
			  .group = resource->group};
	return status_conflict(status, &named, object_name(live), rest);
}

static bool check_preconditions(const Request *request, const json_t *live, const json_t *options,
				Status *status)
{
	const json_t *wanted = json_map(options, "preconditions");
	const char *uid = json_text(wanted, "uid");
	const char *rv = json_text(wanted, "resourceVersion");
	if (uid && strcmp(uid, object_meta(live, "uid")) != 0) {
		autofree char *rest =
			mem_printf("the UID in the precondition (%s) does not match the UID in "
				   "record (%s). The "
				   "object might have been deleted and then recreated",
				   uid, object_meta(live, "uid"));
		return refuse_precondition(request, live, rest, status);
	}
	if (rv && strcmp(rv, object_meta(live, "resourceVersion")) != 0) {
		autofree char *rest = mem_printf(
			"the ResourceVersion in the precondition (%s) does not match the "
			"ResourceVersion in record (%s). The object might have been modified",
			rv, object_meta(live, "resourceVersion"));
		return refuse_precondition(request, live, rest, status);
	}
	return true;
}

/* Background, Foreground or Orphan. */
static const char *policy_of(const Resource *resource, const json_t *options)
{
	const char *policy = json_text(options, "propagationPolicy");
	if (policy)
		return policy;
	const json_t *orphan = json_object_get(options, "orphanDependents");
	if (json_is_boolean(orphan))
		return json_is_true(orphan) ? "Orphan" : "Background";
	return strcmp(resource->key, "jobs.batch") == 0 ? "Orphan" : "";
}

static bool check_policy(const json_t *options, Status *status)
{
	const char *policy = json_text(options, "propagationPolicy");
	autofielderrors FieldErrors errors = {0};
	if (policy && json_is_boolean(json_object_get(options, "orphanDependents")))
		field_error(&errors, "Invalid value", "propagationPolicy",
			    "\"%s\": orphanDependents and deletionPropagation cannot be both set",
			    policy);
	else if (policy && strcmp(policy, "Background") != 0 && strcmp(policy, "Foreground") != 0 &&
		 strcmp(policy, "Orphan") != 0)
		field_error(&errors, "Unsupported value", "propagationPolicy",
			    "\"%s\": supported values: \"Foreground\", \"Background\", \"Orphan\", "
			    "\"nil\"",
			    policy);
	return field_errors_check(&errors, "DeleteOptions", "meta.k8s.io", "", status);
}

/* What cannot be read deletes nothing; the real server says 500, too. */
static bool check_types(const json_t *options, Status *status)
{
	static const struct {
		const char *member;
		json_type type, other;
	} members[] = {
		{"preconditions", JSON_OBJECT, JSON_NULL},
		{"gracePeriodSeconds", JSON_INTEGER, JSON_NULL},
		{"propagationPolicy", JSON_STRING, JSON_NULL},
		{"dryRun", JSON_ARRAY, JSON_NULL},
		{"orphanDependents", JSON_TRUE, JSON_FALSE},
	};
	if (!json_is_object(options))
		return status_set(status, 500, NULL, "DeleteOptions must be an object");
	const char *kind = json_text_or(options, "kind", "DeleteOptions");
	if (strcmp(kind, "DeleteOptions") != 0)
		return status_set(status, 500, NULL, "no kind \"%.63s\" is registered", kind);
	for (size_t i = 0; i < COUNT(members); i++) {
		const json_t *value = json_object_get(options, members[i].member);
		bool fits = !value || json_is_null(value) ||
			    json_typeof(value) == members[i].type ||
			    json_typeof(value) == members[i].other;
		if (!fits)
			return status_set(status, 500, NULL,
					  "json: cannot unmarshal into Go struct field "
					  "DeleteOptions.%s",
					  members[i].member);
	}
	return true;
}

static bool check_dry_run(const json_t *options, Status *status)
{
	const json_t *list = json_list(options, "dryRun");
	const char *word = json_string_value(json_array_get(list, 0));
	if (json_array_size(list) == 0 || (json_array_size(list) == 1 && cstr_eq(word, "All")))
		return true;
	autofree char *text = json_dump(list);
	autofielderrors FieldErrors errors = {0};
	field_error(&errors, "Unsupported value", "dryRun", "%s: supported values: \"All\"", text);
	return field_errors_check(&errors, "DeleteOptions", "meta.k8s.io", "", status);
}

static void set_policy_finalizers(const Resource *resource, json_t *object, const json_t *options)
{
	const char *policy = policy_of(resource, options);
	if (!*policy || strcmp(resource->store_key, "events") == 0)
		return;
	object_set_finalizer(object, "orphan", strcmp(policy, "Orphan") == 0);
	object_set_finalizer(object, "foregroundDeletion", strcmp(policy, "Foreground") == 0);
}

static void terminate_namespace(json_t *object)
{
	json_t *state = json_copy(json_map(object, "status"));
	json_object_set_new(object, "status", state ? state : json_object());
	json_put_text(json_map(object, "status"), "phase", "Terminating");
}

static bool must_wait(const Resource *resource, const json_t *object)
{
	if (object_finalizer_count(object) > 0)
		return true;
	return strcmp(resource->key, "namespaces") == 0 &&
	       json_array_size(json_at(object, "spec", "finalizers", NULL)) > 0;
}

static bool lost(const Request *request, const char *name, const Error *err, Status *status)
{
	if (err->code == ERR_CONFLICT)
		return status_conflict(status, request->resource, name, status_modified);
	if (err->code == ERR_NOT_FOUND)
		return status_not_found(status, request->resource, name);
	return status_internal(status, err);
}

bool write_delete(Request *request, json_t *live, const json_t *options, json_t **out,
		  Status *status)
{
	const Resource *resource = request->resource;
	if (!check_preconditions(request, live, options, status) ||
	    !admission_delete(request, live, status))
		return false;
	autojson json_t *next = json_copy(live);
	json_object_set_new(next, "metadata", json_copy(json_map(live, "metadata")));
	set_policy_finalizers(resource, next, options);
	object_set_finalizer(next, CLAIM_PROTECTION, false);
	object_set_finalizer(next, VOLUME_PROTECTION, false);
	/* Its objects go first (A73). */
	if (strcmp(resource->key, CRD_KEY) == 0 && !object_is_deleting(live))
		object_set_finalizer(next, CRD_CLEANUP, true);
	StoreKey key = object_key(resource, live);
	Store *store = request->server->store;
	autoerror Error err = {0};
	bool done = true;
	bool waits = must_wait(resource, next);
	if (waits) {
		object_mark_deleting(resource, next);
		if (strcmp(resource->key, "namespaces") == 0)
			terminate_namespace(next);
		if (!request->dry_run && object_differs(live, next))
			done = store_update(store, &key, next, live, NULL, &err);
		if (done && !request->dry_run)
			strategy_stored(request->server, resource, next);
	} else if (strcmp(resource->key, "pods") == 0) {
		object_mark_deleting(resource, next); /* with no time left: no node runs it */
	}
	if (!waits && !request->dry_run) {
		done = store_delete(store, &key, next, live, &err);
	}
	if (!done)
		return lost(request, key.name, &err, status);
	bool whole = waits || resource_has(resource, KIND_DELETE_OBJECT);
	*out = whole ? json_incref(next)
		     : status_success(resource, key.name, object_meta(live, "uid"));
	return true;
}

static void warn_of_orphans(Request *request, const json_t *options)
{
	if (strcmp(request->resource->key, "jobs.batch") == 0 &&
	    !json_object_get(options, "propagationPolicy") &&
	    !json_object_get(options, "orphanDependents"))
		request_warn(request,
			     "child pods are preserved by default when jobs are deleted; set "
			     "propagationPolicy=Background to remove them or set "
			     "propagationPolicy=Orphan to suppress this warning");
}

/* What the real server cannot read here is its own failure. */
static void unread_options(Status *status)
{
	autostatus Status cause = *status;
	*status = (Status){0};
	status_set(status, 500, NULL, "couldn't get version/kind; json parse error: %s",
		   json_text_or(cause.body, "message", ""));
}

/* DeleteOptions from body and query; an owned object. */
static json_t *read_options(Request *request, Status *status)
{
	/* A body stands for all options: those of the query are not looked at then. */
	bool body = httpd_body(request->http).len > 0;
	json_t *options = body ? request_body(request, status) : json_object();
	if (!options && status->code == 400)
		unread_options(status);
	if (!options)
		return NULL;
	const char *policy = httpd_param(request->http, "propagationPolicy");
	if (!body && policy && *policy)
		json_put_text(options, "propagationPolicy", policy);
	if (body)
		request->dry_run = json_array_size(json_list(options, "dryRun")) > 0;
	if (check_types(options, status) && check_dry_run(options, status) &&
	    check_policy(options, status)) {
		warn_of_orphans(request, options);
		return options;
	}
	json_decref(options);
	return NULL;
}

static bool delete_once(Request *request, const json_t *options, json_t **out, Status *status)
{
	autojson json_t *live = write_live(request, status);
	return live && write_delete(request, live, options, out, status);
}

bool handle_delete(Request *request, Status *status)
{
	autojson json_t *options = read_options(request, status);
	if (!options)
		return false;
	bool race = true;
	for (int tries = 0; race && tries < 10; tries++) {
		status_dispose(status);
		autojson json_t *out = NULL;
		if (delete_once(request, options, &out, status)) {
			request_reply_object(request, 200, out);
			return true;
		}
		race = write_lost_race(status);
	}
	return false;
}

typedef struct {
	const FieldSelector *fields;
	const Selector *labels;
	json_t *found;
} Selection;

static bool select_item(void *arg, const char *ns, const char *name, const char *text, size_t len)
{
	(void)ns;
	(void)name;
	Selection *selection = arg;
	autoerror Error ignored = {0};
	autojson json_t *object = json_parse(text, len, len, &ignored);
	bool match = object != NULL;
	if (match && selection->labels)
		match = selector_matches(selection->labels,
					 json_at(object, "metadata", "labels", NULL));
	if (match && selection->fields)
		match = field_selector_matches(selection->fields, object);
	if (match)
		json_array_append(selection->found, object);
	return true;
}

static bool find_selected(Request *request, json_t *found, Status *status)
{
	const char *labels = httpd_param(request->http, "labelSelector");
	const char *fields = httpd_param(request->http, "fieldSelector");
	autoerror Error err = {0};
	Selection selection = {.found = found};
	autoselector Selector *label_selector = NULL;
	if (labels && *labels) {
		label_selector = selector_parse(labels, &err);
		if (!label_selector)
			return status_bad_request(status, "unable to parse requirement: %s",
						  err_text(&err));
		selection.labels = label_selector;
	}
	FieldSelector *field_selector = NULL;
	if (fields && *fields) {
		field_selector = field_selector_parse(request->resource, fields, status);
		if (!field_selector)
			return false;
		selection.fields = field_selector;
	}
	StoreQuery query = {.resource = request->resource->store_key,
			    .ns = *request->path.ns ? request->path.ns : NULL};
	bool done = store_list(request->server->store, &query, select_item, &selection, NULL, &err);
	field_selector_free(field_selector);
	return done || status_internal(status, &err);
}

bool handle_delete_collection(Request *request, Status *status)
{
	autojson json_t *options = read_options(request, status);
	autojson json_t *found = json_array();
	if (!options || !find_selected(request, found, status))
		return false;
	autojson json_t *items = json_array();
	for (size_t i = 0; i < json_array_size(found); i++) {
		autostatus Status one = {0};
		autojson json_t *out = NULL;
		json_t *live = json_array_get(found, i);
		if (write_delete(request, live, options, &out, &one))
			json_array_append(items, live);
	}
	autojson json_t *list = json_object();
	json_put_text(list, "kind", request->resource->list_kind);
	json_put_text(list, "apiVersion", request->resource->api_version);
	autofree char *rv =
		mem_printf("%llu", (unsigned long long)store_rv(request->server->store));
	json_t *meta = json_make_at(list, "metadata", NULL);
	json_put_text(meta, "resourceVersion", rv);
	if (resource_has(request->resource, KIND_CUSTOM))
		json_put_text(meta, "continue", "");
	json_object_set(list, "items", items);
	request_reply_json(request, 200, list);
	return true;
}
