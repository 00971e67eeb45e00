/*
 * Role-based access (kube-api.md 2.8): the union of the rules of all roles bound to the user.
 * Bindings are read from the store at each question; members of system:masters are not asked.
 */
#include <string.h>

#include "base/mem.h"
#include "auth_internal.h"
#include "object.h"
#include "server.h"

/* Called for each rule that holds; true ends the walk. */
typedef bool RuleVisit(void *arg, const json_t *rule, bool cluster_wide);

typedef struct {
	ApiServer *server;
	const User *user;
	const char *ns; /* of the RoleBindings under way; "" for ClusterRoleBindings */
	RuleVisit *visit;
	void *arg;
	bool found;
} Walk;

static bool subject_is(const json_t *subject, const User *user, const char *ns)
{
	const char *kind = json_text_or(subject, "kind", "");
	const char *name = json_text_or(subject, "name", "");
	if (strcmp(kind, "User") == 0)
		return strcmp(name, user->name) == 0 || strcmp(name, "*") == 0;
	if (strcmp(kind, "Group") == 0)
		return user_in_group(user, name);
	if (strcmp(kind, "ServiceAccount") != 0)
		return false;
	autofree char *full = mem_printf("system:serviceaccount:%s:%s",
					 json_text_or(subject, "namespace", ns), name);
	return strcmp(full, user->name) == 0;
}

static bool binds(const json_t *binding, const User *user, const char *ns)
{
	json_t *subjects = json_list(binding, "subjects");
	for (size_t i = 0; i < json_array_size(subjects); i++)
		if (subject_is(json_array_get(subjects, i), user, ns))
			return true;
	return false;
}

static json_t *role_of(ApiServer *server, const json_t *binding, const char *ns)
{
	const json_t *ref = json_map(binding, "roleRef");
	bool cluster = cstr_eq(json_text(ref, "kind"), "ClusterRole");
	StoreKey key = {cluster ? "clusterroles.rbac.authorization.k8s.io"
				: "roles.rbac.authorization.k8s.io",
			cluster ? "" : ns, json_text_or(ref, "name", "")};
	autoerror Error ignored = {0};
	return store_get(server->store, &key, &ignored);
}

static bool collect_binding(void *arg, const char *ns, const char *name, const char *text,
			    size_t len)
{
	(void)ns;
	(void)name;
	autoerror Error ignored = {0};
	json_t *binding = json_parse(text, len, len, &ignored);
	if (binding)
		json_array_append_new(arg, binding);
	return true;
}

static void walk_binding(Walk *walk, const json_t *binding)
{
	if (!binds(binding, walk->user, walk->ns))
		return;
	autojson json_t *role = role_of(walk->server, binding, walk->ns);
	json_t *rules = json_list(role, "rules");
	for (size_t i = 0; i < json_array_size(rules) && !walk->found; i++)
		walk->found = walk->visit(walk->arg, json_array_get(rules, i), *walk->ns == '\0');
}

static void walk_bindings(Walk *walk, const char *resource, const char *ns)
{
	autojson json_t *bindings = json_array();
	autoerror Error ignored = {0};
	StoreQuery query = {.resource = resource, .ns = ns};
	if (!store_list(walk->server->store, &query, collect_binding, bindings, NULL, &ignored))
		return;
	walk->ns = ns;
	for (size_t i = 0; i < json_array_size(bindings) && !walk->found; i++)
		walk_binding(walk, json_array_get(bindings, i));
}

static bool walk_rules(ApiServer *server, const User *user, const char *ns, RuleVisit *visit,
		       void *arg)
{
	Walk walk = {server, user, "", visit, arg, false};
	walk_bindings(&walk, "clusterrolebindings.rbac.authorization.k8s.io", "");
	if (!walk.found && *ns)
		walk_bindings(&walk, "rolebindings.rbac.authorization.k8s.io", ns);
	return walk.found;
}

static bool list_has(const json_t *list, const char *wanted)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *item = json_string_value(json_array_get(list, i));
		if (item && (strcmp(item, "*") == 0 || strcmp(item, wanted) == 0))
			return true;
	}
	return false;
}

/* "pods", "pods/log", "*", "*" "/scale" */
static bool resource_matches(const json_t *list, const Access *access)
{
	if (!*access->subresource)
		return list_has(list, access->resource);
	autofree char *full = mem_printf("%s/%s", access->resource, access->subresource);
	autofree char *any = mem_printf("*/%s", access->subresource);
	return list_has(list, full) || list_has(list, any);
}

static bool path_matches(const json_t *list, const char *path)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *item = json_string_value(json_array_get(list, i));
		size_t len = item ? strlen(item) : 0;
		bool open = len > 0 && item[len - 1] == '*';
		if (item &&
		    (strcmp(item, path) == 0 || (open && strncmp(path, item, len - 1) == 0)))
			return true;
	}
	return false;
}

static bool rule_allows(void *arg, const json_t *rule, bool cluster_wide)
{
	const Access *access = arg;
	if (!list_has(json_list(rule, "verbs"), access->verb))
		return false;
	if (access->path)
		return cluster_wide &&
		       path_matches(json_list(rule, "nonResourceURLs"), access->path);
	if (!list_has(json_list(rule, "apiGroups"), access->group) ||
	    !resource_matches(json_list(rule, "resources"), access))
		return false;
	const json_t *names = json_list(rule, "resourceNames");
	if (json_array_size(names) == 0)
		return true;
	return *access->name && list_has(names, access->name);
}

bool auth_allows(ApiServer *server, const User *user, const Access *access)
{
	if (user_in_group(user, "system:masters"))
		return true;
	Access copy = *access;
	return walk_rules(server, user, access->ns, rule_allows, &copy);
}

static bool keep_rule(void *arg, const json_t *rule, bool cluster_wide)
{
	json_t *shared = (json_t *)(uintptr_t)rule;
	bool path = json_list(rule, "nonResourceURLs") != NULL;
	if (!path || cluster_wide)
		json_array_append(json_list(arg, path ? "path" : "resource"), shared);
	return false;
}

json_t *auth_rules(ApiServer *server, const User *user, const char *ns)
{
	json_t *out = json_pack("{s:[],s:[]}", "resource", "path");
	if (user_in_group(user, "system:masters")) {
		json_array_append_new(json_list(out, "resource"),
				      json_pack("{s:[s],s:[s],s:[s]}", "verbs", "*", "apiGroups",
						"*", "resources", "*"));
		json_array_append_new(
			json_list(out, "path"),
			json_pack("{s:[s],s:[s]}", "verbs", "*", "nonResourceURLs", "*"));
		return out;
	}
	walk_rules(server, user, ns, keep_rule, out);
	return out;
}

/* A namespace is in itself: rights there cover it. */
static bool is_namespace(const RequestPath *path)
{
	return path->is_resource && strcmp(path->plural, "namespaces") == 0 && !*path->group;
}

static char *denial(const Request *request, const char *verb)
{
	const RequestPath *path = &request->path;
	autofree char *what = *path->subresource
				      ? mem_printf("%s/%s", path->plural, path->subresource)
				      : mem_strdup(path->plural);
	const char *ns = is_namespace(path) ? path->name : path->ns;
	autofree char *where = *ns ? mem_printf("in the namespace \"%s\"", ns)
				   : mem_strdup("at the cluster scope");
	return mem_printf("User \"%s\" cannot %s resource \"%s\" in API group \"%s\" %s",
			  request->user.name, verb, what, path->group, where);
}

static bool authorize(Request *request, const char *verb, Status *status)
{
	const RequestPath *path = &request->path;
	Access access = {verb,
			 path->group,
			 path->plural,
			 path->subresource,
			 path->ns,
			 path->name,
			 path->is_resource ? NULL : httpd_path(request->http)};
	if (is_namespace(path))
		access.ns = path->name;
	if (auth_allows(request->server, &request->user, &access))
		return true;
	if (!path->is_resource) {
		status_set(status, 403, "Forbidden", "forbidden: User \"%s\" cannot %s path \"%s\"",
			   request->user.name, verb, httpd_path(request->http));
		json_make_at(status->body, "details", NULL);
		return false;
	}
	autofree char *key = *path->group ? mem_printf("%s.%s", path->plural, path->group)
					  : mem_strdup(path->plural);
	Resource kind = {.key = key, .plural = path->plural, .group = path->group};
	autofree char *why = denial(request, verb);
	return status_forbidden(status, &kind, path->name, why);
}

bool auth_authorize(Request *request, Status *status)
{
	return authorize(request, request->path.verb, status);
}

bool auth_authorize_create(Request *request, Status *status)
{
	return authorize(request, "create", status);
}

/* A list's text; an odd item is a name that nobody holds. */
static const char *text_at(const json_t *list, size_t i)
{
	const char *text = json_string_value(json_array_get(list, i));
	return text ? text : "";
}

static bool holds_access(Request *request, const json_t *verbs, Access access)
{
	for (size_t v = 0; v < json_array_size(verbs); v++) {
		access.verb = text_at(verbs, v);
		if (!auth_allows(request->server, &request->user, &access))
			return false;
	}
	return true;
}

static bool holds_resource(Request *request, const json_t *rule, const char *group,
			   const char *resource, const char *ns)
{
	const json_t *verbs = json_list(rule, "verbs");
	const json_t *names = json_list(rule, "resourceNames");
	Access access = {"", group, resource, "", ns, "", NULL};
	if (json_array_size(names) == 0)
		return holds_access(request, verbs, access);
	for (size_t i = 0; i < json_array_size(names); i++) {
		access.name = text_at(names, i);
		if (!holds_access(request, verbs, access))
			return false;
	}
	return true;
}

static bool holds_rule(Request *request, const json_t *rule, const char *ns)
{
	const json_t *groups = json_list(rule, "apiGroups");
	const json_t *resources = json_list(rule, "resources");
	const json_t *paths = json_list(rule, "nonResourceURLs");
	for (size_t g = 0; g < json_array_size(groups); g++)
		for (size_t r = 0; r < json_array_size(resources); r++)
			if (!holds_resource(request, rule, text_at(groups, g),
					    text_at(resources, r), ns))
				return false;
	for (size_t p = 0; p < json_array_size(paths); p++) {
		Access access = {"", "", "", "", "", "", text_at(paths, p)};
		if (!holds_access(request, json_list(rule, "verbs"), access))
			return false;
	}
	return true;
}

/* Who sets an aggregationRule gives away rules that nobody knows yet: only who holds all may. */
static bool holds_everything(Request *request)
{
	Access kinds = {"*", "*", "*", "", "", "", NULL};
	Access paths = {"*", "", "", "", "", "", "*"};
	return auth_allows(request->server, &request->user, &kinds) &&
	       auth_allows(request->server, &request->user, &paths);
}

static bool holds_all(Request *request, const json_t *role, const char *ns)
{
	json_t *rules = json_list(role, "rules");
	for (size_t i = 0; i < json_array_size(rules); i++)
		if (!holds_rule(request, json_array_get(rules, i), ns))
			return false;
	return !json_map(role, "aggregationRule") || holds_everything(request);
}

bool auth_check_escalation(Request *request, const json_t *object, Status *status)
{
	const Resource *resource = request->resource;
	if (strcmp(resource->group, "rbac.authorization.k8s.io") != 0 ||
	    user_in_group(&request->user, "system:masters"))
		return true;
	const char *ns = request->path.ns;
	bool binding = json_map(object, "roleRef") != NULL;
	Access right = {
		binding ? "bind" : "escalate",
		resource->group,
		binding ? (cstr_eq(json_text(json_map(object, "roleRef"), "kind"), "ClusterRole")
				   ? "clusterroles"
				   : "roles")
			: resource->plural,
		"",
		ns,
		binding ? json_text_or(json_map(object, "roleRef"), "name", "")
			: object_name(object),
		NULL};
	autojson json_t *role = binding ? role_of(request->server, object, ns) : NULL;
	if (auth_allows(request->server, &request->user, &right) ||
	    ((!binding || role) && holds_all(request, binding ? role : object, ns)))
		return true;
	autofree char *why = mem_printf("user \"%s\" is attempting to grant RBAC permissions not "
					"currently held",
					request->user.name);
	return status_forbidden(status, resource, object_name(object), why);
}
