/* Request paths: what each part means, what is refused. */
#include "../cmocka_all.h"

#include "request.h"

typedef struct {
	const char *method, *path;
	bool watch;
	const char *verb, *group, *version, *ns, *plural, *name, *subresource;
} Case;

static const Case cases[] = {
	{"GET", "/api/v1/pods", false, "list", "", "v1", "", "pods", "", ""},
	{"GET", "/api/v1/pods", true, "watch", "", "v1", "", "pods", "", ""},
	{"GET", "/api/v1/namespaces", false, "list", "", "v1", "", "namespaces", "", ""},
	{"GET", "/api/v1/namespaces/x", false, "get", "", "v1", "", "namespaces", "x", ""},
	{"PUT", "/api/v1/namespaces/x/status", false, "update", "", "v1", "", "namespaces", "x",
	 "status"},
	{"PUT", "/api/v1/namespaces/x/finalize", false, "update", "", "v1", "", "namespaces", "x",
	 "finalize"},
	{"GET", "/api/v1/namespaces/x/pods", false, "list", "", "v1", "x", "pods", "", ""},
	{"POST", "/api/v1/namespaces/x/pods", false, "create", "", "v1", "x", "pods", "", ""},
	{"PATCH", "/apis/apps/v1/namespaces/x/deployments/d/scale", false, "patch", "apps", "v1",
	 "x", "deployments", "d", "scale"},
	{"DELETE", "/apis/a.b/v1/things/t", false, "delete", "a.b", "v1", "", "things", "t", ""},
	{"DELETE", "/apis/a.b/v1/things", false, "deletecollection", "a.b", "v1", "", "things", "",
	 ""},
	{"GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode", false, "get",
	 "rbac.authorization.k8s.io", "v1", "", "clusterroles", "system:node", ""},
};

static void resource_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const Case *c = &cases[i];
		autorequestpath RequestPath path = {0};
		assert_true(request_path_parse(c->method, c->path, c->watch, &path));
		assert_true(path.is_resource);
		assert_string_equal(path.verb, c->verb);
		assert_string_equal(path.group, c->group);
		assert_string_equal(path.version, c->version);
		assert_string_equal(path.ns, c->ns);
		assert_string_equal(path.plural, c->plural);
		assert_string_equal(path.name, c->name);
		assert_string_equal(path.subresource, c->subresource);
	}
}

static void other_paths(void **state)
{
	(void)state;
	static const char *const paths[] = {"/",
					    "/version",
					    "/api",
					    "/api/v1",
					    "/apis",
					    "/apis/apps",
					    "/apis/apps/v1",
					    "/openapi/v3/api/v1",
					    "/readyz",
					    "//",
					    ""};
	for (size_t i = 0; i < COUNT(paths); i++) {
		autorequestpath RequestPath path = {0};
		assert_true(request_path_parse("GET", paths[i], false, &path));
		assert_false(path.is_resource);
		assert_string_equal(path.verb, "get");
	}
}

static void bad_paths(void **state)
{
	(void)state;
	RequestPath path = {0};
	assert_false(request_path_parse("GET", "/a/b/c/d/e/f/g/h/i/j/k/l", false, &path));
	assert_false(request_path_parse("GET", "/api/v1/pods/%00", false, &path));
	assert_false(request_path_parse("GET", "/api/v1/pods/%zz", false, &path));
	assert_null(path.verb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resource_paths),
		cmocka_unit_test(other_paths),
		cmocka_unit_test(bad_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
