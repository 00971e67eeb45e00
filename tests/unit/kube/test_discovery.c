/* Which kinds a server has: what is asked for while definitions change. */
#include "../cmocka_all.h"

#include "base/mem.h"
#include "base/str.h"
#include "kube/client.h"
#include "server.h"

typedef struct {
	Loop *loop;
	Server *server;
	KubeClient *client;
	int invalidated;  /* so many replies more meet an invalidation on their way */
	int without_kind; /* so many replies more do not have the kind yet */
} Site;

/* Somebody else applies a CRD while this reply is on its way. */
static Answered answer(void *arg, const Asked *asked)
{
	Site *site = arg;
	if (!cstr_eq(asked->path, "/apis/apps/v1"))
		return (Answered){.status = 404};
	if (site->invalidated > 0) {
		site->invalidated--;
		kube_discovery_invalidate(site->client);
	}
	if (site->without_kind > 0) {
		site->without_kind--;
		return (Answered){0};
	}
	return (Answered){.take_body =
				  mem_strdup("{\"resources\":[{\"name\":\"deployments\","
					     "\"kind\":\"Deployment\",\"namespaced\":true}]}")};
}

static int site_open(void **state)
{
	autoerror Error err = {0};
	Site *site = mem_zalloc(1, sizeof(*site));
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

static bool finds(const Site *site, const char *kind)
{
	autoerror Error err = {0};
	KubeResource found;
	bool ok = kube_resource(site->client, "apps/v1", kind, &found, &err);
	assert_true(ok || err.code == ERR_NOT_FOUND);
	assert_true(!ok || (cstr_eq(found.plural, "deployments") && found.namespaced));
	return ok;
}

static void what_a_reply_says_holds_though_definitions_changed_meanwhile(void **state)
{
	Site *site = *state;
	site->invalidated = 1;
	assert_true(finds(site, "Deployment"));
	assert_int_equal(server_count(site->server, NULL, "/apis/apps/v1"), 1);
}

static void that_a_reply_lacks_a_kind_does_not_hold_then(void **state)
{
	Site *site = *state;
	site->invalidated = 1;
	site->without_kind = 1;
	assert_true(finds(site, "Deployment"));
	assert_int_equal(server_count(site->server, NULL, "/apis/apps/v1"), 2);
}

static void it_ends_though_definitions_change_all_the_time(void **state)
{
	Site *site = *state;
	site->invalidated = 1000;
	assert_false(finds(site, "Missing"));
	assert_true(server_count(site->server, NULL, "/apis/apps/v1") <= 3);
}

static void a_kind_that_is_not_there_is_asked_for_once(void **state)
{
	Site *site = *state;
	assert_false(finds(site, "Missing"));
	assert_false(finds(site, "Missing"));
	assert_true(finds(site, "Deployment"));
	assert_int_equal(server_count(site->server, NULL, "/apis/apps/v1"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_a_reply_says_holds_though_definitions_changed_meanwhile, site_open,
			site_close),
		cmocka_unit_test_setup_teardown(that_a_reply_lacks_a_kind_does_not_hold_then,
						site_open, site_close),
		cmocka_unit_test_setup_teardown(it_ends_though_definitions_change_all_the_time,
						site_open, site_close),
		cmocka_unit_test_setup_teardown(a_kind_that_is_not_there_is_asked_for_once,
						site_open, site_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
