/*
 * A server that was away and is back: whoever waits to try again is told by the first who is
 * answered, and no more often than that makes sense.
 */
#include "../cmocka_all.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "kube/client_internal.h"
#include "watch_server.h"

enum { WAIT_MS = 30000, AWAY_MS = 1500, AT_ONCE_MS = 1500, SLEEPERS = 12, LOOK_US = 5000 };

static bool wait_count(WatchServer *server, const char *part, size_t count, int64_t ms)
{
	int64_t until_ms = clock_mono_ms() + ms;
	while (watch_server_count(server, part) < count && clock_mono_ms() < until_ms)
		usleep(LOOK_US);
	return watch_server_count(server, part) >= count;
}

static Informer *watch(KubeClient *client, int64_t backoff_ms)
{
	Informer *informer = informer_start(client, &(InformerConfig){.api_version = "v1",
								      .kind = "ConfigMap",
								      .backoff_ms = backoff_ms});
	assert_true(informer_wait(informer, WAIT_MS));
	return informer;
}

static void one_who_is_answered_wakes_all_who_wait(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoloop Loop *loop = loop_new(&err);
	WatchServer *server = watch_server_start(NULL, NULL);
	autokubeclient KubeClient *client = watch_server_client(server, loop);
	KubeClient *other = kube_client_as(client, "somebody", &err);
	Informer *sleepers[SLEEPERS];
	watch_server_put(server, 0);
	for (size_t i = 0; i < SLEEPERS; i++) /* of both identities; they wait longer than we do */
		sleepers[i] = watch(i % 2 ? client : other, WAIT_MS);
	Informer *scout = watch(client, 100);
	watch_server_down(server);
	int64_t up_ms = clock_mono_ms() + AWAY_MS;
	while (clock_mono_ms() < up_ms)
		usleep(LOOK_US);
	size_t before = watch_server_count(server, "watch=true");
	watch_server_up(server);
	assert_true(wait_count(server, "watch=true", before + 1, WAIT_MS));
	assert_true(wait_count(server, "watch=true", before + 1 + SLEEPERS, AT_ONCE_MS));
	for (size_t i = 0; i < SLEEPERS; i++)
		informer_stop(sleepers[i]);
	informer_stop(scout);
	kube_client_free(steal(&client));
	watch_server_stop(server);
}

static Fault nobody(void *arg, const char *target)
{
	const atomic_bool *away = arg;
	(void)target;
	return (Fault){.drop = atomic_load(away)};
}

/* A connection that is taken and dropped, as by a load balancer with nobody behind it. */
static void one_alone_asks_every_few_seconds(void **state)
{
	enum { ABSENCE_MS = 10000, SLACK_MS = 2000 };
	(void)state;
	autoerror Error err = {0};
	atomic_bool away = false;
	autoloop Loop *loop = loop_new(&err);
	WatchServer *server = watch_server_start(nobody, &away);
	autokubeclient KubeClient *client = watch_server_client(server, loop);
	Informer *informer = watch(client, WAIT_MS);
	atomic_store(&away, true);
	size_t before = watch_server_count(server, "watch=true");
	reach_lost(client);
	watch_server_down(server);
	watch_server_up(server);
	assert_true(wait_count(server, "watch=true", before + 1, ABSENCE_MS + SLACK_MS));
	informer_stop(informer);
	kube_client_free(steal(&client));
	watch_server_stop(server);
}

static void count(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void pass(void *arg)
{
	(void)arg;
}

typedef struct {
	KubeClient *client;
	int64_t woken_ms;
} Sleeper;

static void *sleep_long(void *arg)
{
	Sleeper *sleeper = arg;
	reach_wait(sleeper->client, WAIT_MS);
	sleeper->woken_ms = clock_mono_ms();
	return NULL;
}

static void be_away(KubeClient *client, int64_t ms)
{
	int64_t until_ms = clock_mono_ms() + ms;
	reach_lost(client);
	while (clock_mono_ms() < until_ms)
		usleep(LOOK_US);
}

static void only_an_absence_is_told_of_and_seldom(void **state)
{
	enum { SHORT_MS = 50 };
	(void)state;
	autoerror Error err = {0};
	atomic_int told = 0;
	autoloop Loop *loop = loop_new(&err);
	WatchServer *server = watch_server_start(NULL, NULL);
	autokubeclient KubeClient *client = watch_server_client(server, loop);
	kube_client_on_return(client, count, &told);
	const Error refused = {.code = ERR_UNAVAILABLE}, ours = {.code = ERR_CANCELLED};
	reach_note(client, 200, NULL);
	reach_note(client, 0, &ours);
	assert_false(kube_client_is_away(client));
	reach_note(client, 0, &refused);
	assert_true(kube_client_is_away(client));
	be_away(client, SHORT_MS);
	reach_note(client, 200, NULL); /* a hiccup */
	assert_false(kube_client_is_away(client));

	Sleeper sleeper = {.client = client};
	pthread_t thread;
	pthread_create(&thread, NULL, sleep_long, &sleeper);
	be_away(client, AWAY_MS);
	reach_note(client, 503, NULL); /* not well yet */
	assert_true(kube_client_is_away(client));
	int64_t back_ms = clock_mono_ms();
	reach_note(client, 404, NULL);
	pthread_join(thread, NULL);
	assert_in_range(sleeper.woken_ms - back_ms, 0, WAIT_MS / 2);
	loop_call(loop, pass, NULL);
	be_away(client, AWAY_MS);
	reach_note(client, 200, NULL); /* again, so soon */
	loop_call(loop, pass, NULL);
	assert_int_equal(atomic_load(&told), 1);
	kube_client_off_return(client, count, &told);
	kube_client_free(steal(&client));
	watch_server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_who_is_answered_wakes_all_who_wait),
		cmocka_unit_test(one_alone_asks_every_few_seconds),
		cmocka_unit_test(only_an_absence_is_told_of_and_seldom),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
