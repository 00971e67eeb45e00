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

static const char namespaces[] =
	"{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[{\"name\":"
	"\"namespaces\",\"kind\":\"Namespace\",\"namespaced\":false}]}";

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

static Answered answer_locked(Site *site, const Asked *asked)
{
	if (site->refuse)
		return (Answered){.status = site->refuse};
	if (cstr_eq(asked->path, "/api/v1"))
		return (Answered){.take_body = mem_strdup(namespaces)};
	if (!strstr(asked->path, LEASES))
		return (Answered){.status = 200};
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

/* Connections have a thread each. */
static Answered answer(void *arg, const Asked *asked)
{
	Site *site = arg;
	pthread_mutex_lock(&site->lock);
	Answered answered = answer_locked(site, asked);
	pthread_mutex_unlock(&site->lock);
	return answered;
}

static void site_locks(Site *site)
{
	pthread_mutex_init(&site->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&site->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void site_unlocks(Site *site)
{
	pthread_cond_destroy(&site->changed);
	pthread_mutex_destroy(&site->lock);
}

static int site_open(void **state)
{
	autoerror Error err = {0};
	Site *site = mem_zalloc(1, sizeof(*site));
	site->leading = -1;
	site_locks(site);
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
	site_unlocks(site);
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

static const char *spec_text(const json_t *lease, const char *key)
{
	return json_text_or(json_map(lease, "spec"), key, "");
}

static bool is_held_by(Site *site, const char *identity)
{
	pthread_mutex_lock(&site->lock);
	bool held = cstr_eq(spec_text(site->lease, "holderIdentity"), identity);
	pthread_mutex_unlock(&site->lock);
	return held;
}

/* A write of the leader's, sent when it leads and not a moment later. */
static bool may_write(Site *site)
{
	autoerror Error err = {0};
	autojson json_t *patch = json_object();
	autojson json_t *done = kube_do(site->client,
					&(KubeRequest){.verb = KUBE_MERGE_PATCH,
						       .api_version = "v1",
						       .kind = "Namespace",
						       .name = "any",
						       .body = patch},
					&err);
	assert_true(done || err.code == ERR_CANCELLED);
	return done != NULL;
}

/* Somebody else leads for some renewals; meanwhile who lost must not even ask for the lease. */
static void assert_given_up(Site *site)
{
	autoerror Error err = {0};
	Site rival = {.leading = -1};
	site_locks(&rival);
	LeaderElectionConfig config = config_of(&rival);
	config.identity = "rival";
	config.release_on_stop = false;
	LeaderElection *other = leader_election_start(site->client, &config, &err);
	assert_true(wait_leading(&rival, true, WAIT_MS));
	size_t gets = server_count(site->server, "GET", LEASES);
	server_wait(site->server, "PUT", LEASES, server_count(site->server, "PUT", LEASES) + 6);
	assert_int_equal(server_count(site->server, "GET", LEASES), gets);
	leader_election_stop(other);
	site_unlocks(&rival);
	assert_true(is_held_by(site, "rival"));
}

static LeaderElection *run_with(Site *site, const LeaderElectionConfig *config)
{
	autoerror Error err = {0};
	LeaderElection *election = leader_election_start(site->client, config, &err);
	assert_non_null(election);
	return election;
}

static LeaderElection *run_for(Site *site)
{
	LeaderElectionConfig config = config_of(site);
	return run_with(site, &config);
}

/* Whose deadlines are far beyond WAIT_MS: what they would bring about does not come in a test. */
static LeaderElectionConfig patient_config_of(Site *site)
{
	LeaderElectionConfig config = config_of(site);
	config.lease_ms = 6 * WAIT_MS;
	config.renew_ms = 4 * WAIT_MS;
	return config;
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

/* Another replica writes; NULL: it only renews. */
static void write_lease(Site *site, const char *identity)
{
	pthread_mutex_lock(&site->lock);
	autofree char *version = mem_printf("%ld", ++site->version);
	if (identity)
		json_put_text(json_map(site->lease, "spec"), "holderIdentity", identity);
	json_put_text(json_map(site->lease, "metadata"), "resourceVersion", version);
	pthread_mutex_unlock(&site->lock);
}

static void refuse_all(Site *site, int status)
{
	pthread_mutex_lock(&site->lock);
	site->refuse = status;
	pthread_mutex_unlock(&site->lock);
}

static void an_absent_lease_is_made_renewed_and_released(void **state)
{
	Site *site = *state;
	LeaderElection *election = run_for(site);
	assert_true(wait_leading(site, true, WAIT_MS));
	server_wait(site->server, "PUT", LEASES "/tester", 3);
	leader_election_stop(election);
	assert_int_equal(server_count(site->server, "POST", LEASES), 1);
	assert_true(is_held_by(site, ""));
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
	json_t *spec = json_map(site->lease, "spec");
	json_put_text(spec, "holderIdentity", "");
	json_object_set_new(spec, "leaseDurationSeconds", json_integer(600));
	LeaderElection *election = run_for(site);
	assert_true(wait_leading(site, true, WAIT_MS));
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
		assert_true(is_held_by(site, "me"));
		leader_election_stop(election);
	}
}

/* A duration that nobody can mean is no invitation: it is held as long as ours would be. */
static void a_duration_without_sense_is_taken_for_ours(void **state)
{
	Site *site = *state;
	static const json_int_t durations[] = {0, -7, (json_int_t)1 << 40};
	for (size_t i = 0; i < COUNT(durations); i++) {
		json_decref(site->lease);
		site->lease = held_by_other("2026-01-01T00:00:00.000000Z");
		json_object_set_new(json_map(site->lease, "spec"), "leaseDurationSeconds",
				    json_integer(durations[i]));
		site->version = 0;
		site->leading = -1;
		int64_t started = clock_mono_ms();
		LeaderElection *election = run_for(site);
		assert_true(wait_leading(site, true, WAIT_MS));
		assert_true(site->changed_ms - started >= LEASE_MS);
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
		write_lease(site, NULL);
		server_gate(site->server, true);
	}
	assert_int_equal(site->leading, -1);
	assert_int_equal(server_count(site->server, "PUT", LEASES), 0);
	leader_election_stop(election);
	/* Nothing that is not ours was released. */
	assert_true(is_held_by(site, "other"));
}

/* When the holder began its last write that succeeded, by the clock of clock_mono_ms(). */
static int64_t last_write_ms(Site *site)
{
	pthread_mutex_lock(&site->lock);
	int64_t wall_ms = 0;
	assert_true(clock_parse(spec_text(site->lease, "renewTime"), &wall_ms));
	pthread_mutex_unlock(&site->lock);
	return wall_ms - (clock_wall_ms() - clock_mono_ms());
}

static void a_server_that_fails_or_is_silent_costs_the_lead_in_time(void **state)
{
	Site *site = *state;
	for (int silent = 0; silent <= 1; silent++) {
		json_decref(steal(&site->lease));
		site->leading = -1;
		LeaderElection *election = run_for(site);
		assert_true(wait_leading(site, true, WAIT_MS));
		if (silent)
			server_gate(site->server, false);
		else
			refuse_all(site, 503);
		assert_true(wait_leading(site, false, WAIT_MS));
		/* The deadline runs from the start of the last write that succeeded: before the
		 * lease's end whoever takes it can act. */
		assert_in_range(site->changed_ms - last_write_ms(site), RENEW_MS - 50,
				LEASE_MS - 1);
		refuse_all(site, 0);
		server_gate(site->server, true);
		assert_true(is_held_by(site, "me"));
		assert_given_up(site);
		site->leading = true;
		leader_election_stop(election);
		/* Nobody is told twice. */
		assert_int_equal(site->leading, true);
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
	assert_true(is_held_by(site, "me"));
	leader_election_stop(election);
}

static void a_stolen_lease_ends_the_lead(void **state)
{
	Site *site = *state;
	LeaderElectionConfig config = patient_config_of(site);
	LeaderElection *election = run_with(site, &config);
	assert_true(wait_leading(site, true, WAIT_MS));
	assert_true(may_write(site));
	server_gate(site->server, false);
	write_lease(site, "thief");
	server_gate(site->server, true);
	assert_true(wait_leading(site, false, WAIT_MS)); /* not only at the deadline */
	assert_false(may_write(site));
	leader_election_stop(election);
	assert_true(is_held_by(site, "thief"));
}

static void of_two_that_start_at_once_one_leads_and_the_other_follows_it(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	Site rival = {.leading = -1};
	site_locks(&rival);
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
	/* Released: no duration to wait for, which began with a renewal that it saw last. */
	assert_true(rival.changed_ms - stopped < LEASE_MS - 3 * RETRY_MS);
	leader_election_stop(other);
	site_unlocks(&rival);
}

/* The first conflict is looked into at once: our copy was old. One right after a look is another
 * writer at work, whom we let have the time between two tries. */
static void conflicts_do_not_make_a_leader_hurry(void **state)
{
	enum { LONG_RETRY_MS = 1000 };
	Site *site = *state;
	autoerror Error err = {0};
	LeaderElectionConfig config = config_of(site);
	config.lease_ms = 30 * LONG_RETRY_MS;
	config.renew_ms = 20 * LONG_RETRY_MS;
	config.retry_ms = LONG_RETRY_MS;
	LeaderElection *election = leader_election_start(site->client, &config, &err);
	assert_true(wait_leading(site, true, WAIT_MS));
	site->conflicts = 3;
	server_wait(site->server, "PUT", LEASES, 4);
	leader_election_stop(election);
	int64_t puts[4], gets[4];
	for (size_t i = 0; i < 4; i++) {
		puts[i] = server_asked(site->server, "PUT", LEASES, i)->at_ms;
		gets[i] = server_asked(site->server, "GET", LEASES, i)->at_ms;
	}
	assert_true(gets[1] - puts[0] < LONG_RETRY_MS * 9 / 10);
	for (size_t i = 1; i < 3; i++)
		assert_true(gets[i + 1] - puts[i] > LONG_RETRY_MS / 2);
}

/* A renewal that was under way when the leader stopped may reach the server after the look. */
static void a_conflict_does_not_keep_the_lease_from_being_released(void **state)
{
	Site *site = *state;
	LeaderElectionConfig config = patient_config_of(site);
	config.retry_ms = WAIT_MS; /* no renewal meanwhile */
	LeaderElection *election = run_with(site, &config);
	assert_true(wait_leading(site, true, WAIT_MS));
	site->conflicts = 1;
	leader_election_stop(election);
	assert_true(is_held_by(site, ""));
	assert_int_equal(server_count(site->server, "PUT", LEASES), 2);
}

/* Replicas that wait look a period after the last look or later, each at moments of its own. */
static void who_waits_looks_at_moments_of_their_own(void **state)
{
	enum { LOOKS = 12 };
	Site *site = *state;
	site->lease = held_by_other("2026-01-01T00:00:00.000000Z");
	json_object_set_new(json_map(site->lease, "spec"), "leaseDurationSeconds",
			    json_integer(600));
	LeaderElection *election = run_for(site);
	server_wait(site->server, "GET", LEASES, LOOKS);
	leader_election_stop(election);
	int64_t shortest = INT64_MAX, longest = 0;
	for (size_t i = 1; i < LOOKS; i++) {
		int64_t gap = server_asked(site->server, "GET", LEASES, i)->at_ms -
			      server_asked(site->server, "GET", LEASES, i - 1)->at_ms;
		shortest = gap < shortest ? gap : shortest;
		longest = gap > longest ? gap : longest;
	}
	assert_true(shortest > RETRY_MS * 6 / 10);
	assert_true(longest - shortest > RETRY_MS / 4);
}

typedef struct {
	Site *site;
	bool done;
} Brief;

static void start_and_stop(void *arg)
{
	Brief *brief = arg;
	leader_election_stop(run_for(brief->site));
	brief->done = true;
}

/* On the loop's thread, so that the first try is still to come. */
static void one_that_is_stopped_at_once_never_asks(void **state)
{
	Brief brief = {.site = *state};
	loop_call(brief.site->loop, start_and_stop, &brief);
	assert_true(brief.done);
	LeaderElection *election = run_for(brief.site);
	assert_true(wait_leading(brief.site, true, WAIT_MS));
	leader_election_stop(election);
	assert_int_equal(server_count(brief.site->server, "POST", LEASES), 1);
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
	assert_true(is_held_by(site, "me"));
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
		TEST(a_duration_without_sense_is_taken_for_ours),
		TEST(a_living_holder_keeps_the_lease),
		TEST(a_server_that_fails_or_is_silent_costs_the_lead_in_time),
		TEST(a_conflict_is_looked_into_and_no_reason_to_stop),
		TEST(a_stolen_lease_ends_the_lead),
		TEST(of_two_that_start_at_once_one_leads_and_the_other_follows_it),
		TEST(conflicts_do_not_make_a_leader_hurry),
		TEST(a_conflict_does_not_keep_the_lease_from_being_released),
		TEST(who_waits_looks_at_moments_of_their_own),
		TEST(one_that_is_stopped_at_once_never_asks),
		TEST(without_release_the_lease_stays_held),
		TEST(impossible_timings_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
