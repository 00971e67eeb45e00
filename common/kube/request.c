/* A KubeRequest as HTTP (kube-api.md 1.2). */
#include <string.h>

#include "base/mem.h"
#include "kube/client_internal.h"
#include "net/url.h"

static const struct {
	const char *method, *verb, *content_type;
	bool repeatable;
} verbs[] = {
	[KUBE_GET] = {"GET", "GET", NULL, true},
	[KUBE_LIST] = {"GET", "LIST", NULL, true},
	[KUBE_CREATE] = {"POST", "POST", "application/json", false},
	[KUBE_REPLACE] = {"PUT", "PUT", "application/json", false},
	[KUBE_JSON_PATCH] = {"PATCH", "PATCH", "application/json-patch+json", false},
	[KUBE_MERGE_PATCH] = {"PATCH", "PATCH", "application/merge-patch+json", true},
	[KUBE_STRATEGIC_PATCH] = {"PATCH", "PATCH", "application/strategic-merge-patch+json", false},
	[KUBE_APPLY] = {"PATCH", "APPLY", "application/apply-patch+yaml", true},
	[KUBE_DELETE] = {"DELETE", "DELETE", "application/json", true},
};

void built_request_dispose(BuiltRequest *built)
{
	free(built->url);
	free(built->body);
	kube_headers_free(built->headers);
	*built = (BuiltRequest){0};
}

static void add_param(Buf *query, const char *name, const char *value)
{
	if (cstr_empty(value))
		return;
	autofree char *escaped = url_escape(value, false);
	buf_printf(query, "%c%s=%s", query->len ? '&' : '?', name, escaped);
}

static void add_params(KubeClient *client, const KubeRequest *request, Buf *query)
{
	bool writes = request->verb != KUBE_GET && request->verb != KUBE_LIST;
	if (writes && request->verb != KUBE_DELETE)
		add_param(query, "fieldManager",
			  request->field_manager ? request->field_manager : client->field_manager);
	if (request->dry_run)
		add_param(query, "dryRun", "All");
	if (request->verb == KUBE_APPLY && request->force)
		add_param(query, "force", "true");
	add_param(query, "fieldValidation", request->field_validation);
	add_param(query, "labelSelector", request->label_selector);
	add_param(query, "fieldSelector", request->field_selector);
	if (request->verb == KUBE_LIST)
		add_param(query, "limit", "500");
}

static char *delete_options(const KubeRequest *request)
{
	autojson json_t *options = json_object();
	json_put_text(options, "kind", "DeleteOptions");
	json_put_text(options, "apiVersion", "v1");
	json_put_text(options, "propagationPolicy", request->propagation);
	if (!cstr_empty(request->precondition_uid))
		json_put_text(json_make_at(options, "preconditions", NULL), "uid",
			      request->precondition_uid);
	return json_dump(options);
}

static const char *accept_of(const KubeRequest *request)
{
	if (!request->metadata_only)
		return "application/json";
	return request->verb == KUBE_LIST
		       ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
		       : "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
}

static const char *or_body(const char *value, const char *from_body)
{
	return value ? value : from_body;
}

bool request_build(KubeClient *client, const KubeRequest *request, BuiltRequest *out, Error *err)
{
	const json_t *body = request->body;
	bool whole = request->verb == KUBE_APPLY || request->verb == KUBE_CREATE ||
		     request->verb == KUBE_REPLACE;
	const char *version = request->api_version, *kind = request->kind;
	const char *ns = request->ns, *name = request->name;
	if (whole && body) {
		version = or_body(version, object_api_version(body));
		kind = or_body(kind, object_kind(body));
		ns = or_body(ns, object_namespace(body));
		name = or_body(name, object_name(body));
	}
	/* An empty name would turn a get into a list and a delete into a delete of all. */
	bool needs_name = request->verb != KUBE_LIST && request->verb != KUBE_CREATE;
	if (needs_name && cstr_empty(name))
		return err_set(err, ERR_INVALID, "%s: resource name may not be empty", kind);
	autofree char *path = kube_path(client, version ? version : "", kind ? kind : "", ns,
					request->verb == KUBE_CREATE ? NULL : name,
					request->subresource, err);
	if (!path)
		return false;
	autobuf Buf query = {0};
	add_params(client, request, &query);
	out->method = verbs[request->verb].method;
	out->verb = verbs[request->verb].verb;
	out->repeatable = verbs[request->verb].repeatable;
	out->url = mem_printf("%s%s%s", client->server, path, buf_text(&query));
	out->headers = kube_headers(client, accept_of(request), verbs[request->verb].content_type);
	if (request->verb == KUBE_DELETE)
		out->body = delete_options(request);
	else if (body)
		out->body = json_dump(body);
	return true;
}
