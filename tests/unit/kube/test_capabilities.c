/* What a cluster can do: from one that aggregates discovery, from one that does not, and shared. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "kube/capabilities.h"
#include "server.h"

typedef struct {
	const char *path, *body;
} Page;

static const Page aggregated[] = {
	{"/version", "{\"gitVersion\":\"v1.34.4-x\"}"},
	{"/api", "{\"kind\":\"APIGroupDiscoveryList\",\"items\":[{\"metadata\":{},\"versions\":["
		 "{\"version\":\"v1\",\"resources\":[{\"responseKind\":{\"kind\":\"Pod\"},"
		 "\"subresources\":[{\"responseKind\":{\"kind\":\"Eviction\"}}]}]}]}]}"},
	{"/apis", "{\"items\":[{\"metadata\":{\"name\":\"apps\"},\"versions\":[{\"version\":\"v1\","
		  "\"resources\":[{\"responseKind\":{\"kind\":\"Deployment\"}},"
		  "{\"responseKind\":{\"kind\":\"Deployment\"}},{\"responseKind\":7},3]}]},"
		  "{\"metadata\":{\"name\":\"away.example.com\"},\"versions\":[]}]}"},
};

static const Page plain[] = {
	{"/version", "{\"gitVersion\":\"v1.25.0\"}"},
	{"/api", "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}"},
	{"/api/v1", "{\"resources\":[{\"name\":\"pods\",\"kind\":\"Pod\"},"
		    "{\"name\":\"pods/eviction\",\"kind\":\"Eviction\"}]}"},
	{"/apis", "{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"apps\",\"versions\":["
		  "{\"groupVersion\":\"apps/v1\"}]}]}"},
	{"/apis/apps/v1", "{\"resources\":[{\"name\":\"deployments\",\"kind\":\"Deployment\"}]}"},
};

typedef struct {
	Loop *loop;
	Server *server;
	KubeClient *client;
	const Page *pages;
	size_t count;
} Site;

static Answered answer(void *arg, const Asked *asked)
{
	const Site *site = arg;
	for (size_t i = 0; i < site->count; i++)
		if (cstr_eq(asked->path, site->pages[i].path))
			return (Answered){.take_body = mem_strdup(site->pages[i].body)};
	return (Answered){.status = 403};
}

static int site_open(void **state)
{
	autoerror Error err = {0};
	Site *site = mem_zalloc(1, sizeof(*site));
	site->pages = aggregated;
	site->count = COUNT(aggregated);
	site->loop = loop_new(&err);
	site->server = server_start(answer, site);
	site->client = server_client(site->server, site->loop);
	*state = site;
	return 0;
}

static int site_close(void **state)
{
	Site *site = *state;
	kube_client_free(site->client);
	server_stop(site->server);
	loop_free(site->loop);
	free(site);
	return 0;
}

static bool has(const KubeCapabilities *capabilities, const char *text)
{
	const Vec *apis = kube_capabilities_apis(capabilities);
	size_t count = 0;
	for (size_t i = 0; i < apis->len; i++)
		count += cstr_eq(apis->items[i], text);
	assert_true(count <= 1);
	return count == 1;
}

static KubeCapabilities *ask(const Site *site)
{
	autoerror Error err = {0};
	KubeCapabilities *capabilities = kube_capabilities(site->client, &err);
	if (!capabilities)
		fail_msg("%s", err_text(&err));
	return capabilities;
}

static void check(const KubeCapabilities *capabilities)
{
	static const char *const texts[] = {"v1", "v1/Pod", "v1/Eviction", "apps/v1",
					    "apps/v1/Deployment"};
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_true(has(capabilities, texts[i]));
	assert_int_equal(kube_capabilities_apis(capabilities)->len, COUNT(texts));
}

static void E67_aggregated_discovery_takes_three_requests(void **state)
{
	Site *site = *state;
	autokubecapabilities KubeCapabilities *capabilities = ask(site);
	assert_string_equal(kube_capabilities_version(capabilities), "v1.34.4-x");
	check(capabilities);
	assert_int_equal(server_count(site->server, NULL, "/"), 3);
}

static void E67_older_servers_are_asked_version_by_version(void **state)
{
	Site *site = *state;
	site->pages = plain;
	site->count = COUNT(plain);
	autokubecapabilities KubeCapabilities *capabilities = ask(site);
	assert_string_equal(kube_capabilities_version(capabilities), "v1.25.0");
	check(capabilities);
}

static void they_are_shared_until_definitions_change(void **state)
{
	Site *site = *state;
	autokubecapabilities KubeCapabilities *first = ask(site);
	autokubecapabilities KubeCapabilities *second = ask(site);
	assert_ptr_equal(first, second);
	kube_discovery_invalidate(site->client);
	autokubecapabilities KubeCapabilities *third = ask(site);
	assert_ptr_not_equal(first, third);
	check(first);
	assert_int_equal(server_count(site->server, NULL, "/version"), 2);
}

static void a_server_that_refuses_is_an_error(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	site->count = 2;
	assert_null(kube_capabilities(site->client, &err));
	assert_int_equal(err.code, ERR_FORBIDDEN);
	assert_non_null(strstr(err_text(&err), "could not get apiVersions from Kubernetes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(E67_aggregated_discovery_takes_three_requests,
						site_open, site_close),
		cmocka_unit_test_setup_teardown(E67_older_servers_are_asked_version_by_version,
						site_open, site_close),
		cmocka_unit_test_setup_teardown(they_are_shared_until_definitions_change, site_open,
						site_close),
		cmocka_unit_test_setup_teardown(a_server_that_refuses_is_an_error, site_open,
						site_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
