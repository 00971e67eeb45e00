/* Leader election: who leads, until when by whose clock, and what a crash or a rival changes. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/lease.h"
#include "server.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/flux-system/leases"

enum { LEASE_MS = 2000, RENEW_MS = 1200, RETRY_MS = 100, WAIT_MS = 10000 };

typedef struct {
	Loop *loop;
	Server *server;
	KubeClient *client;
	json_t *lease; /* the server's; NULL: not there. One server thread at a time */
	long version;
	int refuse;	      /* status of all replies; 0: serves */
	size_t conflicts;     /* so many PUTs are answered 409 */
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	int leading; /* -1: not told yet */
	int64_t changed_ms;
} Site;

static json_t *stamp(Site *site, const Asked *asked)
{
	autoerror Error err = {0};
	json_t *lease = json_parse(asked->body, strlen(asked->body), 1 << 20, &err);
	assert_non_null(lease);
	autofree char *version = mem_printf("%ld", ++site->version);
	json_put_text(json_make_at(lease, "metadata", NULL), "resourceVersion", version);
	return lease;
}

static Answered put(Site *site, const Asked *asked)
{
	json_t *lease = stamp(site, asked);
	autofree char *have = mem_printf("%ld", site->version - 1);
	autoerror Error err = {0};
	autojson json_t *sent = json_parse(asked->body, strlen(asked->body), 1 << 20, &err);
	if (site->conflicts || !cstr_eq(object_resource_version(sent), have)) {
		site->conflicts -= site->conflicts > 0;
		site->version--;
		json_decref(lease);
		return (Answered){.status = 409};
	}
	json_decref(site->lease);
	site->lease = lease;
	return (Answered){.status = 200, .take_body = json_dump(lease)};
}

static Answered answer(void *arg, const Asked *asked)
{
	Site *site = arg;
	if (site->refuse)
		return (Answered){.status = site->refuse};
	if (cstr_eq(asked->method, "PUT"))
		return put(site, asked);
	if (cstr_eq(asked->method, "POST") && site->lease)
		return (Answered){.status = 409};
	if (cstr_eq(asked->method, "POST"))
		site->lease = stamp(site, asked);
	if (!site->lease)
		return (Answered){.status = 404};
	return (Answered){.status = 200, .take_body = json_dump(site->lease)};
}

static int site_open(void **state)
{
	autoerror Error err = {0};
	Site *site = mem_zalloc(1, sizeof(*site));
	site->leading = -1;
	pthread_mutex_init(&site->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&site->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
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
	json_decref(site->lease);
	pthread_cond_destroy(&site->changed);
	pthread_mutex_destroy(&site->lock);
	free(site);
	return 0;
}

static void on_change(void *arg, bool leading)
{
	Site *site = arg;
	pthread_mutex_lock(&site->lock);
	site->leading = leading;
	site->changed_ms = clock_mono_ms();
	pthread_cond_broadcast(&site->changed);
	pthread_mutex_unlock(&site->lock);
}

static bool wait_leading(Site *site, int leading, int64_t wait_ms)
{
	int64_t until = clock_mono_ms() + wait_ms;
	struct timespec at = {.tv_sec = until / 1000, .tv_nsec = (until % 1000) * 1000000};
	pthread_mutex_lock(&site->lock);
	while (site->leading != leading &&
	       pthread_cond_timedwait(&site->changed, &site->lock, &at) == 0)
		;
	bool is_so = site->leading == leading;
	pthread_mutex_unlock(&site->lock);
	return is_so;
}

static LeaderElectionConfig config_of(Site *site)
{
	return (LeaderElectionConfig){.ns = "flux-system",
				      .name = "tester",
				      .identity = "me",
				      .lease_ms = LEASE_MS,
				      .renew_ms = RENEW_MS,
				      .retry_ms = RETRY_MS,
				      .release_on_stop = true,
				      .on_change = on_change,
				      .arg = site};
}

static LeaderElection *run_for(Site *site)
{
	autoerror Error err = {0};
	LeaderElectionConfig config = config_of(site);
	LeaderElection *election = leader_election_start(site->client, &config, &err);
	assert_non_null(election);
	return election;
}

/* A lease that somebody else holds for a second; its times are of a clock of their own. */
static json_t *held_by_other(const char *renewed)
{
	return json_pack("{s:s,s:s,s:{s:s,s:s,s:s},s:{s:s,s:i,s:s,s:s,s:i}}", "apiVersion",
			 "coordination.k8s.io/v1", "kind", "Lease", "metadata", "namespace",
			 "flux-system", "name", "tester", "resourceVersion", "0", "spec",
			 "holderIdentity", "other", "leaseDurationSeconds", 1, "acquireTime",
			 renewed, "renewTime", renewed, "leaseTransitions", 4);
}

static const char *spec_text(const json_t *lease, const char *key)
{
	return json_text_or(json_map(lease, "spec"), key, "");
}

static void an_absent_lease_is_made_renewed_and_released(void **state)
{
	Site *site = *state;
	LeaderElection *election = run_for(site);
	assert_true(wait_leading(site, true, WAIT_MS));
	server_wait(site->server, "PUT", LEASES "/tester", 3);
	leader_election_stop(election);
	assert_int_equal(server_count(site->server, "POST", LEASES), 1);
	assert_string_equal(spec_text(site->lease, "holderIdentity"), "");
	assert_int_equal(json_int(json_map(site->lease, "spec"), "leaseDurationSeconds", 0), 1);
	assert_int_equal(json_int(json_map(site->lease, "spec"), "leaseTransitions", -1), 0);
	/* To lead and then to stop is nobody's loss. */
	assert_int_equal(site->leading, true);
}

static void a_renewal_moves_renew_time_alone(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	LeaderElection *election = run_for(site);
	server_wait(site->server, "PUT", LEASES, 2);
	leader_election_stop(election);
	const char *made = server_asked(site->server, "POST", LEASES, 0)->body;
	const char *again = server_asked(site->server, "PUT", LEASES, 1)->body;
	autojson json_t *first = json_parse(made, strlen(made), 1 << 20, &err);
	autojson json_t *renewed = json_parse(again, strlen(again), 1 << 20, &err);
	assert_string_equal(spec_text(first, "acquireTime"), spec_text(renewed, "acquireTime"));
	assert_true(strcmp(spec_text(first, "renewTime"), spec_text(renewed, "renewTime")) < 0);
	assert_int_equal(strlen(spec_text(renewed, "renewTime")),
			 strlen("2026-01-01T00:00:00.000000Z"));
	assert_int_equal(json_int(json_map(renewed, "spec"), "leaseDurationSeconds", 0), 2);
}

static void a_free_lease_is_taken_at_once(void **state)
{
	Site *site = *state;
	site->lease = held_by_other("2026-01-01T00:00:00.000000Z");
	json_put_text(json_map(site->lease, "spec"), "holderIdentity", "");
	int64_t started = clock_mono_ms();
	LeaderElection *election = run_for(site);
	assert_true(wait_leading(site, true, WAIT_MS));
	assert_true(clock_mono_ms() - started < 900);
	assert_int_equal(json_int(json_map(site->lease, "spec"), "leaseTransitions", 0), 5);
	leader_election_stop(election);
}

/* The other machine's clock may be a day slow or fast: only how long we saw no change counts. */
static void a_dead_holders_lease_is_taken_after_its_duration_by_our_clock(void **state)
{
	Site *site = *state;
	static const char *const clocks[] = {"2020-01-01T00:00:00.000000Z",
					     "2099-01-01T00:00:00.000000Z"};
	for (size_t i = 0; i < COUNT(clocks); i++) {
		json_decref(site->lease);
		site->lease = held_by_other(clocks[i]);
		site->version = 0;
		site->leading = -1;
		int64_t started = clock_mono_ms();
		LeaderElection *election = run_for(site);
		assert_true(wait_leading(site, true, WAIT_MS));
		assert_true(site->changed_ms - started >= 1000);
		assert_true(site->changed_ms - started < 4000);
		assert_string_equal(spec_text(site->lease, "holderIdentity"), "me");
		leader_election_stop(election);
	}
}

static void a_living_holder_keeps_the_lease(void **state)
{
	Site *site = *state;
	site->lease = held_by_other("2020-01-01T00:00:00.000000Z");
	LeaderElection *election = run_for(site);
	/* It renews under our eyes for longer than its duration. */
	for (int i = 0; i < 8; i++) {
		size_t seen = server_count(site->server, "GET", LEASES);
		server_wait(site->server, "GET", LEASES, seen + 2);
		server_gate(site->server, false);
		autofree char *version = mem_printf("%ld", ++site->version);
		json_put_text(json_map(site->lease, "metadata"), "resourceVersion", version);
		server_gate(site->server, true);
	}
	assert_int_equal(site->leading, -1);
	assert_int_equal(server_count(site->server, "PUT", LEASES), 0);
	leader_election_stop(election);
	/* Nothing that is not ours was released. */
	assert_string_equal(spec_text(site->lease, "holderIdentity"), "other");
}

static void a_server_that_fails_or_is_silent_costs_the_lead_in_time(void **state)
{
	Site *site = *state;
	for (int silent = 0; silent <= 1; silent++) {
		json_decref(steal(&site->lease));
		site->leading = -1;
		LeaderElection *election = run_for(site);
		assert_true(wait_leading(site, true, WAIT_MS));
		int64_t broken = clock_mono_ms();
		if (silent)
			server_gate(site->server, false);
		else
			site->refuse = 503;
		assert_true(wait_leading(site, false, WAIT_MS));
		int64_t took = site->changed_ms - broken;
		/* The deadline runs from the start of the last write that succeeded: before the
		 * lease's end whoever takes it can act. */
		assert_true(took <= RENEW_MS + 150);
		assert_true(took >= RENEW_MS - 3 * RETRY_MS - 150);
		site->refuse = 0;
		server_gate(site->server, true);
		leader_election_stop(election);
	}
}

static void a_conflict_is_looked_into_and_no_reason_to_stop(void **state)
{
	Site *site = *state;
	LeaderElection *election = run_for(site);
	assert_true(wait_leading(site, true, WAIT_MS));
	site->conflicts = 1;
	size_t gets = server_count(site->server, "GET", LEASES);
	size_t puts = server_count(site->server, "PUT", LEASES);
	server_wait(site->server, "GET", LEASES, gets + 1);
	server_wait(site->server, "PUT", LEASES, puts + 4);
	assert_int_equal(site->leading, true);
	assert_string_equal(spec_text(site->lease, "holderIdentity"), "me");
	leader_election_stop(election);
}

static void a_stolen_lease_ends_the_lead(void **state)
{
	Site *site = *state;
	LeaderElection *election = run_for(site);
	assert_true(wait_leading(site, true, WAIT_MS));
	server_gate(site->server, false);
	json_put_text(json_map(site->lease, "spec"), "holderIdentity", "thief");
	autofree char *version = mem_printf("%ld", ++site->version);
	json_put_text(json_map(site->lease, "metadata"), "resourceVersion", version);
	server_gate(site->server, true);
	int64_t stolen = clock_mono_ms();
	assert_true(wait_leading(site, false, WAIT_MS));
	assert_true(site->changed_ms - stolen < RENEW_MS / 2); /* not only at the deadline */
	leader_election_stop(election);
	assert_string_equal(spec_text(site->lease, "holderIdentity"), "thief");
}

static void of_two_that_start_at_once_one_leads_and_the_other_follows_it(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	Site rival = {.leading = -1};
	pthread_mutex_init(&rival.lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&rival.changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	LeaderElectionConfig config = config_of(&rival);
	config.identity = "rival";
	LeaderElection *mine = run_for(site);
	assert_true(wait_leading(site, true, WAIT_MS));
	LeaderElection *other = leader_election_start(site->client, &config, &err);
	assert_non_null(other);
	assert_false(wait_leading(&rival, true, LEASE_MS + 500));
	int64_t stopped = clock_mono_ms();
	leader_election_stop(mine);
	assert_true(wait_leading(&rival, true, WAIT_MS));
	assert_true(rival.changed_ms - stopped < 1000); /* released: no duration to wait for */
	leader_election_stop(other);
	pthread_cond_destroy(&rival.changed);
	pthread_mutex_destroy(&rival.lock);
}

static void without_release_the_lease_stays_held(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	LeaderElectionConfig config = config_of(site);
	config.release_on_stop = false;
	LeaderElection *election = leader_election_start(site->client, &config, &err);
	assert_true(wait_leading(site, true, WAIT_MS));
	leader_election_stop(election);
	assert_string_equal(spec_text(site->lease, "holderIdentity"), "me");
}

static void impossible_timings_are_refused(void **state)
{
	Site *site = *state;
	static const int64_t bad[][3] = {
		{1000, 1000, 100}, {1000, 2000, 100}, {2000, 1000, 1000}, {2000, 1200, 1000}};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error err = {0};
		LeaderElectionConfig config = config_of(site);
		config.lease_ms = bad[i][0];
		config.renew_ms = bad[i][1];
		config.retry_ms = bad[i][2];
		assert_null(leader_election_start(site->client, &config, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, site_open, site_close)
	const struct CMUnitTest tests[] = {
		TEST(an_absent_lease_is_made_renewed_and_released),
		TEST(a_renewal_moves_renew_time_alone),
		TEST(a_free_lease_is_taken_at_once),
		TEST(a_dead_holders_lease_is_taken_after_its_duration_by_our_clock),
		TEST(a_living_holder_keeps_the_lease),
		TEST(a_server_that_fails_or_is_silent_costs_the_lead_in_time),
		TEST(a_conflict_is_looked_into_and_no_reason_to_stop),
		TEST(a_stolen_lease_ends_the_lead),
		TEST(of_two_that_start_at_once_one_leads_and_the_other_follows_it),
		TEST(without_release_the_lease_stays_held),
		TEST(impossible_timings_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
