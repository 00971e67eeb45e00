/*
 * A KubeRequest as an HTTP request (kube-api.md 1.2). A name is never empty where one is needed: a
 * GET would become a list, a DELETE would delete the whole collection.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "kube/client_internal.h"
#include "net/url.h"

typedef struct {
	const char *method, *verb, *content_type;
	bool named;	 /* the path ends in the object's name */
	bool writes;	 /* fieldManager, dryRun, fieldValidation make sense */
	bool repeatable; /* in general; see is_repeatable */
} VerbRow;

static const VerbRow verbs[] = {
	[KUBE_GET] = {"GET", "GET", NULL, true, false, true},
	[KUBE_LIST] = {"GET", "LIST", NULL, false, false, true},
	[KUBE_CREATE] = {"POST", "POST", "application/json", false, true, false},
	[KUBE_REPLACE] = {"PUT", "PUT", "application/json", true, true, false},
	[KUBE_JSON_PATCH] = {"PATCH", "PATCH", "application/json-patch+json", true, true, false},
	[KUBE_MERGE_PATCH] = {"PATCH", "PATCH", "application/merge-patch+json", true, true, true},
	[KUBE_STRATEGIC_PATCH] = {"PATCH", "PATCH", "application/strategic-merge-patch+json", true,
				  true, false},
	[KUBE_APPLY] = {"PATCH", "APPLY", "application/apply-patch+yaml", true, true, true},
	[KUBE_DELETE] = {"DELETE", "DELETE", "application/json", true, false, true},
};

void wire_dispose(Wire *wire)
{
	free(wire->url);
	free(wire->api_version);
	free(wire->kind);
	if (wire->headers)
		kube_headers_free(wire->headers);
	free(wire->body);
	*wire = (Wire){0};
}

/* --- path --- */

static void add_segment(Buf *path, const char *segment)
{
	autofree char *escaped = url_escape(segment, false);
	buf_putc(path, '/');
	buf_puts(path, escaped);
}

char *resource_path(const char *api_version, const KubeResource *resource, const char *ns,
		    const char *name, const char *subresource)
{
	autobuf Buf path = {0};
	autofree char *root = discovery_path(api_version);
	buf_puts(&path, root);
	if (resource->namespaced && !cstr_empty(ns)) {
		buf_puts(&path, "/namespaces");
		add_segment(&path, ns);
	}
	add_segment(&path, resource->plural);
	if (!cstr_empty(name))
		add_segment(&path, name);
	if (!cstr_empty(subresource))
		buf_printf(&path, "/%s", subresource);
	return buf_steal(&path);
}

/* The server's rule for path segments; "." and ".." would also be folded on the way. */
static bool check_segment(const char *what, const char *text, Error *err)
{
	if (cstr_eq(text, ".") || cstr_eq(text, "..") || strpbrk(text, "/%"))
		return err_set(err, ERR_INVALID,
			       "%s \"%s\" may not be \".\", \"..\" or hold / or %%", what, text);
	return true;
}

/* --- query --- */

void query_add(Buf *url, const char *key, const char *value)
{
	if (cstr_empty(value))
		return;
	autofree char *escaped = url_escape(value, false);
	bool first = str_find_char(buf_str(url), '?') < 0;
	buf_printf(url, "%c%s=%s", first ? '?' : '&', key, escaped);
}

/* An apply refuses unknown fields in any case. What the server's default adds to that is to parse
 * the patch once more, for a warning of keys that are given twice: a tree has none. */
static const char *field_validation_of(const KubeRequest *request)
{
	return request->verb == KUBE_APPLY && !request->field_validation
		       ? "Ignore"
		       : request->field_validation;
}

static void add_write_query(const KubeClient *client, const KubeRequest *request, Buf *url)
{
	query_add(url, "fieldManager",
		  request->field_manager ? request->field_manager : client->field_manager);
	query_add(url, "force", request->verb == KUBE_APPLY && request->force ? "true" : NULL);
	query_add(url, "fieldValidation", field_validation_of(request));
}

static void add_list_query(const KubeRequest *request, int limit, const char *continue_token,
			   Buf *url)
{
	char text[16];
	snprintf(text, sizeof(text), "%d", limit);
	query_add(url, "labelSelector", request->label_selector);
	query_add(url, "fieldSelector", request->field_selector);
	/* A limit would make it read its storage. */
	query_add(url, "limit", limit > 0 && !request->from_cache ? text : NULL);
	query_add(url, "resourceVersion", request->from_cache ? "0" : NULL);
	query_add(url, "continue", continue_token);
}

/* --- what the request leaves to its body --- */

static const char *or_else(const char *given, const char *from_body)
{
	return given ? given : from_body;
}

/* The request with what is NULL taken from the body, for verbs whose body is the object. */
static KubeRequest completed(const KubeRequest *request)
{
	KubeRequest out = *request;
	bool body_is_object = request->verb == KUBE_APPLY || request->verb == KUBE_CREATE ||
			      request->verb == KUBE_REPLACE;
	if (!body_is_object || !request->body)
		return out;
	out.api_version = or_else(request->api_version, object_api_version(request->body));
	out.kind = or_else(request->kind, object_kind(request->body));
	out.ns = or_else(request->ns, object_namespace(request->body));
	out.name = or_else(request->name, object_name(request->body));
	return out;
}

static bool check_request(const KubeRequest *request, const KubeResource *resource, Error *err)
{
	const VerbRow *row = &verbs[request->verb];
	bool is_list = request->verb == KUBE_LIST;
	if (row->named && cstr_empty(request->name))
		return err_set(err, ERR_INVALID, "%s: the name is missing", request->kind);
	if (resource->namespaced && !is_list && cstr_empty(request->ns))
		return err_set(err, ERR_INVALID, "%s/%s: namespace not specified", request->kind,
			       request->name ? request->name : "");
	if (row->writes && !request->body)
		return err_set(err, ERR_INVALID, "%s/%s: no body to %s", request->kind,
			       request->name ? request->name : "", row->method);
	return check_segment("name", request->name ? request->name : "", err) &&
	       check_segment("namespace", request->ns ? request->ns : "", err);
}

/* --- body, headers --- */

static char *delete_options(const KubeRequest *request)
{
	autojson json_t *options = json_object();
	json_put_text(options, "apiVersion", "v1");
	json_put_text(options, "kind", "DeleteOptions");
	if (!cstr_empty(request->propagation))
		json_put_text(options, "propagationPolicy", request->propagation);
	if (!cstr_empty(request->precondition_uid))
		json_put_text(json_make_at(options, "preconditions", NULL), "uid",
			      request->precondition_uid);
	return json_dump(options);
}

/* An apply that carries a resourceVersion conflicts with any other version of a live object, and is
 * ignored where there is none. No stored object has version 1: etcd's first write is its second
 * revision. */
static char *create_only_body(const KubeRequest *request)
{
	autojson json_t *body = json_copy(json_borrow(request->body));
	autojson json_t *meta = json_copy(json_borrow(json_map(request->body, "metadata")));
	json_put_text(meta, "resourceVersion", "1");
	json_object_set(body, "metadata", meta);
	return json_dump(body);
}

static char *body_of(const KubeRequest *request)
{
	if (request->verb == KUBE_DELETE)
		return delete_options(request);
	if (request->verb == KUBE_APPLY && request->create_only)
		return create_only_body(request);
	return verbs[request->verb].writes ? json_dump(request->body) : NULL;
}

static const char *accept_of(const KubeRequest *request)
{
	if (!request->metadata_only || request->verb == KUBE_DELETE)
		return "application/json";
	return request->verb == KUBE_LIST
		       ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
			 "application/json"
		       : "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
			 "application/json";
}

/* A merge patch with a resourceVersion is a lock: its repetition would conflict with itself. */
static bool is_repeatable(const KubeRequest *request)
{
	if (request->dry_run)
		return true;
	if (request->verb == KUBE_MERGE_PATCH)
		return !object_resource_version(request->body)[0];
	return verbs[request->verb].repeatable;
}

void wire_renew_headers(KubeClient *client, const KubeRequest *request, Wire *wire)
{
	if (wire->headers)
		kube_headers_free(wire->headers);
	wire->headers = kube_headers(client, accept_of(request), verbs[request->verb].content_type);
}

static char *url_of(const KubeClient *client, const KubeRequest *request, const char *path,
		    int limit, const char *continue_token)
{
	autobuf Buf url = {0};
	buf_printf(&url, "%s%s", client->server, path);
	if (verbs[request->verb].writes)
		add_write_query(client, request, &url);
	if (request->dry_run)
		query_add(&url, "dryRun", "All");
	if (request->verb == KUBE_LIST)
		add_list_query(request, limit, continue_token, &url);
	return buf_steal(&url);
}

bool wire_make(KubeClient *client, const KubeRequest *given, int limit, const char *continue_token,
	       Wire *out, Error *err)
{
	KubeRequest request = completed(given);
	KubeResource resource;
	if (cstr_empty(request.api_version) || cstr_empty(request.kind))
		return err_set(err, ERR_INVALID, "the request has no apiVersion or kind");
	if (!discovery_resource(client, request.api_version, request.kind, request.timeout_ms,
				&resource, err) ||
	    !check_request(&request, &resource, err))
		return false;
	const VerbRow *row = &verbs[request.verb];
	/* A subresource is created below its object. */
	bool named = row->named || (request.verb == KUBE_CREATE && request.subresource);
	autofree char *path = resource_path(request.api_version, &resource, request.ns,
					    named ? request.name : NULL, request.subresource);
	Wire wire = {.method = row->method,
		     .verb = row->verb,
		     .url = url_of(client, &request, path, limit, continue_token),
		     .api_version = mem_strdup(request.api_version),
		     .kind = request.subresource ? NULL : mem_strdup(request.kind),
		     .body = body_of(&request),
		     .repeatable = is_repeatable(&request)};
	wire_renew_headers(client, &request, &wire);
	*out = wire;
	return true;
}
