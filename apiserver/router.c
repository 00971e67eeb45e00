/* Authentication, routing, authorization, then the verb's handler. Every refusal leaves as a
 * Status. */
#include "router.h"

#include <string.h>

#include "base/mem.h"
#include "discovery.h"
#include "discovery_verbs.h"
#include "read.h"
#include "server.h"
#include "write.h"

static bool not_allowed(Status *status)
{
	status_set(status, 405, "MethodNotAllowed",
		   "the server does not allow this method on the requested resource");
	json_make_at(status->body, "details", NULL);
	return false;
}

typedef bool Handler(Request *request, Status *status);

static const struct {
	const char *verb;
	Handler *handler;
} verb_handlers[] = {
	{"get", handle_get},	   {"list", handle_list},
	{"watch", handle_watch},   {"create", handle_create},
	{"update", handle_update}, {"patch", handle_patch},
	{"delete", handle_delete}, {"deletecollection", handle_delete_collection},
};

static bool page_not_found(Request *request)
{
	static const char text[] = "404 page not found\n";
	httpd_reply(request->http, 404, "text/plain; charset=utf-8", text, strlen(text));
	return true;
}

/* Of groups that it does not know, and of kinds that their definitions do not have, the real server
 * says less. */
static bool no_resource(Request *request, const char *group, Status *status)
{
	if (kinds_have_group(group))
		return status_no_resource(status);
	status_dispose(status);
	return page_not_found(request);
}

static bool not_simulated(Request *request, Status *status)
{
	return status_set(status, 501, "NotImplemented", "%s is not simulated",
			  request->path.subresource);
}

/* Subresources that are not the object itself. */
static const struct {
	const char *name;
	Handler *handler;
} part_handlers[] = {
	{"scale", handle_scale},    {"token", handle_token_request}, {"log", not_simulated},
	{"exec", not_simulated},    {"attach", not_simulated},	     {"portforward", not_simulated},
	{"binding", not_simulated}, {"eviction", not_simulated},
};

static Handler *handler_of(const Request *request)
{
	const RequestPath *path = &request->path;
	for (size_t i = 0; i < COUNT(part_handlers); i++)
		if (strcmp(part_handlers[i].name, path->subresource) == 0)
			return part_handlers[i].handler;
	if (resource_has(request->resource, KIND_CREATE_ONLY))
		return handle_review;
	for (size_t i = 0; i < COUNT(verb_handlers); i++)
		if (strcmp(verb_handlers[i].verb, path->verb) == 0)
			return verb_handlers[i].handler;
	return NULL;
}

/* Whether the verb fits a path with or without a name. */
static bool fits_name(const RequestPath *path)
{
	static const char *const named_verbs[] = {"get", "update", "patch", "delete"};
	for (size_t i = 0; i < COUNT(named_verbs); i++)
		if (strcmp(named_verbs[i], path->verb) == 0)
			return *path->name != '\0';
	bool create = strcmp(path->verb, "create") == 0;
	return !create || !*path->name || *path->subresource;
}

static bool check_scope(const Request *request, Status *status)
{
	const RequestPath *path = &request->path;
	if (!fits_name(path))
		return not_allowed(status);
	bool everywhere = !*path->ns && resource_has(request->resource, KIND_NAMESPACED);
	if (everywhere && strcmp(path->verb, "deletecollection") == 0)
		return not_allowed(status); /* of one namespace only */
	bool namespaced = resource_has(request->resource, KIND_NAMESPACED);
	bool many = strcmp(path->verb, "list") == 0 || strcmp(path->verb, "watch") == 0 ||
		    strcmp(path->verb, "deletecollection") == 0;
	if (*path->ns && !namespaced)
		return status_no_resource(status);
	if (!*path->ns && namespaced && !many)
		return *path->name || strcmp(path->verb, "create") != 0 ? status_no_resource(status)
									: not_allowed(status);
	return true;
}

/* A part that is there for other verbs, or that a custom kind lacks; else nothing is known of it.
 */
static bool refuse_subresource(const Request *request, Status *status)
{
	static const char *const served[] = {"get", "create", "update"};
	const RequestPath *path = &request->path;
	for (size_t i = 0; i < COUNT(served); i++)
		if (discovery_serves(request->resource, path->subresource, served[i]))
			return not_allowed(status);
	bool usual =
		strcmp(path->subresource, "status") == 0 || strcmp(path->subresource, "scale") == 0;
	if (usual && resource_has(request->resource, KIND_CUSTOM))
		return status_not_found(status, request->resource, path->name);
	return status_no_resource(status);
}

static bool route_resource(Request *request, Status *status)
{
	RequestPath *path = &request->path;
	request->resource =
		catalog_find(request->server->catalog, path->group, path->version, path->plural);
	/* Authorization comes before existence: no oracle for the unauthorized. */
	if (!auth_authorize(request, status))
		return false;
	if (!request->resource)
		return no_resource(request, path->group, status);
	if (*path->subresource) {
		if (!discovery_serves(request->resource, path->subresource, path->verb))
			return refuse_subresource(request, status);
	} else if (!discovery_serves(request->resource, "", path->verb)) {
		return not_allowed(status);
	}
	Handler *handler = handler_of(request);
	if (!handler)
		return not_allowed(status);
	if (request->resource->deprecation)
		request_warn(request, request->resource->deprecation);
	return check_scope(request, status) && request_negotiate(request, status) &&
	       request_read_options(request, status) && handler(request, status);
}

static bool reply_version(Request *request, Status *status)
{
	(void)status;
	autojson json_t *version =
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "major", "1", "minor", "34",
			  "gitVersion", "v1.34.4+sluice-" SLUICE_VERSION, "gitCommit", "",
			  "gitTreeState", "clean", "buildDate", "1970-01-01T00:00:00Z", "goVersion",
			  "none", "compiler", "cc", "platform", "linux/amd64");
	request_reply_json(request, 200, version);
	return true;
}

static bool reply_health(Request *request, Status *status)
{
	(void)status;
	bool ready = __atomic_load_n(&request->server->ready, __ATOMIC_SEQ_CST) != 0;
	bool only_ready = cstr_starts(httpd_path(request->http), "/readyz");
	bool fine = ready || !only_ready;
	bool verbose = httpd_param(request->http, "verbose") != NULL;
	const char *text = !fine     ? "[-]boot failed: not ready yet\nreadyz check failed\n"
			   : verbose ? "[+]ping ok\n[+]store ok\n[+]boot ok\nreadyz check passed\n"
				     : "ok";
	httpd_reply(request->http, fine ? 200 : 500, "text/plain; charset=utf-8", text,
		    strlen(text));
	return true;
}

static bool reply_jwks(Request *request, Status *status)
{
	(void)status;
	autojson json_t *keys = auth_jwks(request->server->auth);
	request_reply_json(request, 200, keys);
	return true;
}

static bool reply_openid(Request *request, Status *status)
{
	(void)status;
	autofree char *uri = mem_printf("%s/openid/v1/jwks", request->server->url);
	autojson json_t *document = json_pack(
		"{s:s,s:s,s:[s],s:[s],s:[s]}", "issuer", "https://kubernetes.default.svc",
		"jwks_uri", uri, "response_types_supported", "id_token", "subject_types_supported",
		"public", "id_token_signing_alg_values_supported", "ES256");
	request_reply_json(request, 200, document);
	return true;
}

static bool reply_core_root(Request *request, Status *status)
{
	(void)status;
	discovery_reply_root(request, true);
	return true;
}

static bool reply_groups_root(Request *request, Status *status)
{
	(void)status;
	discovery_reply_root(request, false);
	return true;
}

static bool reply_openapi_index(Request *request, Status *status)
{
	(void)status;
	openapi_reply_index(request);
	return true;
}

static bool reply_openapi_v2(Request *request, Status *status)
{
	(void)status;
	openapi_reply_v2(request);
	return true;
}

static bool reply_metrics(Request *request, Status *status)
{
	(void)status;
	autofree char *text = mem_printf("# TYPE sluice_apiserver_resource_version gauge\n"
					 "sluice_apiserver_resource_version %llu\n",
					 (unsigned long long)store_rv(request->server->store));
	httpd_reply(request->http, 200, "text/plain; version=0.0.4", text, strlen(text));
	return true;
}

static bool reply_root(Request *request, Status *status)
{
	(void)status;
	autojson json_t *paths =
		json_pack("{s:[s,s,s,s,s,s,s,s,s]}", "paths", "/api", "/apis", "/healthz", "/livez",
			  "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version");
	request_reply_json(request, 200, paths);
	return true;
}

static const struct {
	const char *path;
	Handler *handler;
} fixed_paths[] = {
	{"/", reply_root},
	{"/version", reply_version},
	{"/healthz", reply_health},
	{"/livez", reply_health},
	{"/readyz", reply_health},
	{"/metrics", reply_metrics},
	{"/api", reply_core_root},
	{"/apis", reply_groups_root},
	{"/openapi/v2", reply_openapi_v2},
	{"/openapi/v3", reply_openapi_index},
	{"/openid/v1/jwks", reply_jwks},
	{"/.well-known/openid-configuration", reply_openid},
};

/* /readyz/CHECK, for the checks that there are. */
static bool is_check(const char *path)
{
	static const char *const checks[] = {"ping", "store", "boot"};
	const char *name = strrchr(path, '/') + 1;
	bool below = cstr_starts(path, "/readyz/") || cstr_starts(path, "/livez/") ||
		     cstr_starts(path, "/healthz/");
	for (size_t i = 0; below && i < COUNT(checks); i++)
		if (strcmp(checks[i], name) == 0)
			return true;
	return false;
}

/* /api/v1, /apis/GROUP, /apis/GROUP/VERSION, /openapi/v3/..., /readyz/CHECK */
static bool route_prefix(Request *request, const char *path, Status *status)
{
	static const char openapi[] = "/openapi/v3/";
	if (cstr_starts(path, openapi))
		return openapi_reply_group_version(request, path + strlen(openapi), status);
	if (is_check(path))
		return reply_health(request, status);
	if (cstr_starts(path, "/api/"))
		return discovery_reply_version(request, "", path + strlen("/api/"), status);
	if (!cstr_starts(path, "/apis/"))
		return page_not_found(request);
	Str group, version;
	bool two = str_cut(str_of(path + strlen("/apis/")), '/', &group, &version);
	autofree char *group_text = str_dup(group);
	autofree char *version_text = str_dup(version);
	bool found = two ? discovery_reply_version(request, group_text, version_text, status)
			 : discovery_reply_group(request, group_text, status);
	return found || no_resource(request, group_text, status);
}

static bool route_path(Request *request, Status *status)
{
	autofree char *path = mem_strdup(httpd_path(request->http));
	size_t len = strlen(path);
	if (len > 1 && path[len - 1] == '/')
		path[len - 1] = '\0';
	if (!auth_authorize(request, status))
		return false;
	if (strcmp(request->path.verb, "get") != 0 && strcmp(request->path.verb, "head") != 0)
		return not_allowed(status);
	autostatus Status ignored = {0};
	request_negotiate(request, &ignored);
	for (size_t i = 0; i < COUNT(fixed_paths); i++)
		if (strcmp(fixed_paths[i].path, path) == 0)
			return fixed_paths[i].handler(request, status);
	return route_prefix(request, path, status);
}

static bool route(Request *request, Status *status)
{
	bool watch = request_flag(request, "watch");
	if (!request_path_parse(httpd_method(request->http), httpd_path(request->http), watch,
				&request->path))
		return status_no_resource(status);
	if (!auth_identify(request->server, request->http, &request->user, status))
		return false;
	return request->path.is_resource ? route_resource(request, status)
					 : route_path(request, status);
}

void router_handle(void *arg, HttpdRequest *http)
{
	Request request = {.server = arg, .http = http, .validation = "Warn"};
	autostatus Status status = {0};
	httpd_set_header(http, "Cache-Control", "no-cache, private");
	if (!route(&request, &status)) {
		if (!status_is_set(&status))
			status_set(&status, 500, "InternalError", "the request was not answered");
		if (json_object_get(json_map(status.body, "details"), "retryAfterSeconds"))
			httpd_set_header(http, "Retry-After", "1");
		request_reply_status(&request, &status);
	}
	json_decref(request.twice);
	user_dispose(&request.user);
	request_path_dispose(&request.path);
	if (request.resource)
		resource_unref(request.resource);
}
