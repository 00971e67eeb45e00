/* A client that yields: what the server puts off comes back to the caller at once. */
#include "../cmocka_all.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "server.h"

static const char core_v1[] =
	"{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[{\"name\":"
	"\"configmaps\","
	"\"kind\":\"ConfigMap\",\"namespaced\":true,\"verbs\":[\"get\",\"patch\"]}]}";

typedef struct {
	Loop *loop;
	Server *server;
	KubeClient *client;
	/* the script: so many requests whose path ends so are answered so */
	const char *refuses, *retry_after;
	int status;
	size_t times;
} Site;

static Answered answer(void *arg, const Asked *asked)
{
	Site *site = arg;
	if (cstr_eq(asked->path, "/api/v1"))
		return (Answered){.take_body = mem_strdup(core_v1)};
	if (site->times && strstr(asked->path, site->refuses)) {
		site->times--;
		return (Answered){.status = site->status, .retry_after = site->retry_after};
	}
	return (Answered){.take_body = mem_strdup("{\"kind\":\"ConfigMap\"}")};
}

static int site_open(void **state)
{
	autoerror Error err = {0};
	Site *site = mem_zalloc(1, sizeof(*site));
	*site = (Site){.refuses = "/configmaps/", .status = 429, .retry_after = "1"};
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
	if (site->server)
		server_stop(site->server);
	loop_free(site->loop);
	free(site);
	return 0;
}

static json_t *get(Site *site, const char *name, Error *err)
{
	return kube_get(site->client, "v1", "ConfigMap", "apps", name, err);
}

static void a_429_is_waited_out_by_default(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	site->times = 1;
	autojson json_t *object = get(site, "a", &err);
	assert_non_null(object);
	const Asked *first = server_asked(site->server, "GET", "/configmaps/a", 0);
	const Asked *second = server_asked(site->server, "GET", "/configmaps/a", 1);
	assert_true(second->at_ms - first->at_ms >= 1000);
}

/* The date that it is in so many seconds, as HTTP writes it. */
static void http_date(int seconds, char out[static 64])
{
	time_t at = (time_t)(clock_wall_ms() / 1000) + seconds;
	struct tm tm;
	gmtime_r(&at, &tm);
	strftime(out, 64, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* Only a server that asks to come back says that it did nothing: then a create, too, is sent again.
 * Whatever else a server answers may come after it was done. */
static void a_create_is_repeated_only_when_asked_to(void **state)
{
	Site *site = *state;
	char date[64];
	http_date(2, date); /* of the first row: it is soon over */
	const struct {
		int status;
		const char *retry_after;
		bool repeated;
	} rows[] = {
		{503, date, true},  {429, "1", true},	{503, "1", true},   {429, NULL, false},
		{500, NULL, false}, {502, NULL, false}, {503, NULL, false}, {504, NULL, false},
		{503, "-1", false}, {503, "x", false},	{409, "25", false}, {400, "25", false},
	};
	autojson json_t *body = json_pack("{s:s,s:s,s:{s:s,s:s}}", "apiVersion", "v1", "kind",
					  "ConfigMap", "metadata", "name", "a", "namespace", "b");
	site->refuses = "/namespaces/b/configmaps";
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		size_t before = server_count(site->server, "POST", "");
		site->times = 1;
		site->status = rows[i].status;
		site->retry_after = rows[i].retry_after;
		int64_t started = clock_mono_ms();
		autojson json_t *made = kube_do(
			site->client, &(KubeRequest){.verb = KUBE_CREATE, .body = body}, &err);
		assert_int_equal(made != NULL, rows[i].repeated);
		assert_int_equal(server_count(site->server, "POST", "") - before,
				 1 + rows[i].repeated);
		/* A date has whole seconds. */
		int64_t took_ms = clock_mono_ms() - started;
		assert_true(rows[i].repeated ? took_ms >= 900 : took_ms < 20000);
		site->times = 0;
	}
}

static void each_identity_has_connections_of_its_own(void **state)
{
	enum { TIMES = 4 };
	Site *site = *state;
	autoerror Error err = {0};
	static const char *const users[] = {NULL, "alice", "bob"};
	site->refuses = "nothing";
	for (size_t i = 0; i < TIMES * COUNT(users); i++) {
		const char *user = users[i % COUNT(users)];
		KubeClient *client = user ? kube_client_as(site->client, user, &err) : site->client;
		assert_non_null(client);
		json_decref(kube_get(client, "v1", "ConfigMap", "apps", "a", &err));
	}
	for (size_t i = 0; i < TIMES * COUNT(users); i++) {
		const Asked *asked = server_asked(site->server, "GET", "/configmaps/a", i);
		size_t first = i % COUNT(users);
		for (size_t k = 0; k < COUNT(users); k++) {
			const Asked *other = server_asked(site->server, "GET", "/configmaps/a", k);
			assert_int_equal(asked->connection == other->connection, k == first);
		}
		assert_true(cstr_eq(asked->as_user, users[first]));
		assert_string_equal(asked->authorization, "Bearer secret-token");
	}
}

static void a_429_comes_back_at_once(void **state)
{
	Site *site = *state;
	kube_client_yield(site->client);
	site->times = 1;
	site->retry_after = "25";
	int64_t started = clock_mono_ms();
	autoerror Error err = {0}, none = {0};
	assert_null(get(site, "a", &err));
	assert_true(clock_mono_ms() - started < 20000);
	assert_true(err.not_yet);
	assert_int_equal(err.code, ERR_TOO_MANY);
	assert_int_equal(err.retry_after_ms, 25000);
	autojson json_t *object = get(site, "a", &none);
	assert_non_null(object);
	assert_false(none.not_yet);
}

static void the_same_holds_for_another_user(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	kube_client_yield(site->client);
	KubeClient *other = kube_client_as(site->client, "somebody", &err);
	site->times = 1;
	assert_null(kube_get(other, "v1", "ConfigMap", "apps", "a", &err));
	assert_true(err.not_yet);
}

static void a_refusal_is_no_wish_to_wait(void **state)
{
	Site *site = *state;
	kube_client_yield(site->client);
	static const int codes[] = {400, 403, 404, 409, 422, 500, 503};
	site->retry_after = NULL;
	for (size_t i = 0; i < COUNT(codes); i++) {
		autoerror Error err = {0};
		site->status = codes[i];
		site->times = 1;
		assert_null(get(site, "a", &err));
		assert_false(err.not_yet);
		assert_int_equal(site->times, 0);
	}
}

enum { MANY = 20 };

static size_t get_many(Site *site, KubeReply *replies)
{
	KubeRequest requests[MANY];
	char names[MANY][8];
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d", i);
		requests[i] = (KubeRequest){.verb = KUBE_GET,
					    .api_version = "v1",
					    .kind = "ConfigMap",
					    .ns = "apps",
					    .name = names[i]};
	}
	return kube_do_all(site->client, requests, replies, MANY);
}

static void dispose_all(KubeReply *replies)
{
	for (int i = 0; i < MANY; i++)
		kube_reply_dispose(&replies[i]);
}

/* A stage of a thousand objects would else never get through a server that refuses some each time.
 */
static void a_batch_of_which_the_server_takes_a_part_goes_on(void **state)
{
	Site *site = *state;
	KubeReply replies[MANY] = {0};
	kube_client_yield(site->client);
	site->times = 5;
	assert_int_equal(get_many(site, replies), MANY);
	assert_int_equal(server_count(site->server, "GET", "/configmaps/"), MANY + 5);
	dispose_all(replies);
}

static void a_batch_that_must_wait_long_comes_back(void **state)
{
	Site *site = *state;
	KubeReply replies[MANY] = {0};
	kube_client_yield(site->client);
	site->refuses = "/configmaps/n7";
	site->retry_after = "25";
	site->times = 1;
	int64_t started = clock_mono_ms();
	assert_int_equal(get_many(site, replies), MANY - 1);
	assert_true(clock_mono_ms() - started < 20000);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(replies[i].err.not_yet, i == 7);
	dispose_all(replies);
}

static void a_server_that_is_gone_comes_back_soon(void **state)
{
	Site *site = *state;
	autoerror Error err = {0}, none = {0};
	kube_client_yield(site->client);
	autojson json_t *object = get(site, "a", &none);
	assert_non_null(object);
	server_stop(steal(&site->server));
	int64_t started = clock_mono_ms();
	assert_null(get(site, "a", &err));
	assert_true(clock_mono_ms() - started < 2000);
	assert_true(err.not_yet && err.retry_after_ms > 0);
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, site_open, site_close)
	const struct CMUnitTest tests[] = {
		TEST(a_429_is_waited_out_by_default),
		TEST(a_create_is_repeated_only_when_asked_to),
		TEST(each_identity_has_connections_of_its_own),
		TEST(a_429_comes_back_at_once),
		TEST(the_same_holds_for_another_user),
		TEST(a_refusal_is_no_wish_to_wait),
		TEST(a_batch_of_which_the_server_takes_a_part_goes_on),
		TEST(a_batch_that_must_wait_long_comes_back),
		TEST(a_server_that_is_gone_comes_back_soon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
