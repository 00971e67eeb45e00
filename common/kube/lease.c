/*
 * Leader election (kube-api.md 1.6). A thread of its own tries, so that renewing never waits behind other
 * work; times are measured by our own clock since we last saw the lease change, never by the times
 * in it, which another machine's clock wrote.
 */
#include "kube/lease.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"

enum { RELEASED_DURATION_S = 1, CALL_MS = 5000 };

static const char api_version[] = "coordination.k8s.io/v1";

struct LeaderElection {
	KubeClient *client;
	LeaderElectionConfig config;
	char *ns, *name, *identity;
	pthread_t thread;
	pthread_mutex_t lock; /* guards `stopped` */
	pthread_cond_t wake;
	bool stopped;

	/* the thread's own */
	char *seen;           /* holder, renew time and version as last seen */
	int64_t seen_since_ms; /* when that changed, by our clock */
	int64_t renewed_ms;
	bool leading;
};

typedef struct {
	LeaderElection *election;
	bool leading;
} Change;

static void tell(void *arg)
{
	const Change *change = arg;
	change->election->config.on_change(change->election->config.arg, change->leading);
}

static void set_leading(LeaderElection *election, bool leading)
{
	if (election->leading == leading)
		return;
	election->leading = leading;
	Change change = {election, leading};
	loop_call(kube_loop(election->client), tell, &change);
}

static json_t *lease_get(LeaderElection *election, Error *err)
{
	return kube_do(election->client,
		       &(KubeRequest){.verb = KUBE_GET,
				      .api_version = api_version,
				      .kind = "Lease",
				      .ns = election->ns,
				      .name = election->name,
				      .timeout_ms = CALL_MS},
		       err);
}

static json_t *lease_write(LeaderElection *election, KubeVerb verb, const json_t *lease, Error *err)
{
	return kube_do(election->client,
		       &(KubeRequest){.verb = verb, .body = lease, .timeout_ms = CALL_MS}, err);
}

/* The spec with us as holder, on top of what the lease says now. */
static void claim(const LeaderElection *election, json_t *lease)
{
	char now[CLOCK_TEXT_SIZE];
	clock_format_us(clock_wall_ns() / 1000, now);
	json_t *spec = json_make_at(lease, "spec", NULL);
	bool ours = cstr_eq(json_text(spec, "holderIdentity"), election->identity);
	if (!ours) {
		json_put_text(spec, "acquireTime", now);
		int64_t transitions = json_int(spec, "leaseTransitions", -1);
		json_object_set_new(spec, "leaseTransitions", json_integer(transitions + 1));
	}
	json_put_text(spec, "holderIdentity", election->identity);
	json_put_text(spec, "renewTime", now);
	json_object_set_new(spec, "leaseDurationSeconds",
			    json_integer(election->config.lease_ms / 1000));
}

static bool create(LeaderElection *election, Error *err)
{
	autojson json_t *lease = json_pack("{s:s,s:s,s:{s:s,s:s}}", "apiVersion", api_version,
					   "kind", "Lease", "metadata", "name", election->name,
					   "namespace", election->ns);
	claim(election, lease);
	autojson json_t *made = lease_write(election, KUBE_CREATE, lease, err);
	return made != NULL;
}

/* Whether somebody else holds the lease and has renewed it within its duration, by our clock. */
static bool is_held_by_other(LeaderElection *election, const json_t *lease)
{
	const json_t *spec = json_map(lease, "spec");
	const char *holder = json_text_or(spec, "holderIdentity", "");
	autofree char *state = mem_printf("%s %s %s", holder, json_text_or(spec, "renewTime", ""),
					  object_resource_version(lease));
	int64_t now = clock_mono_ms();
	if (!cstr_eq(state, election->seen)) {
		free(election->seen);
		election->seen = steal(&state);
		election->seen_since_ms = now;
	}
	if (!*holder || cstr_eq(holder, election->identity))
		return false;
	int64_t duration_ms =
		json_int(spec, "leaseDurationSeconds", election->config.lease_ms / 1000) * 1000;
	return now - election->seen_since_ms < duration_ms;
}

/* One try: true when the lease is ours now. */
static bool try_once(LeaderElection *election, Error *err)
{
	autoerror Error cause = {0};
	autojson json_t *lease = lease_get(election, &cause);
	if (!lease && cause.code == ERR_NOT_FOUND)
		return create(election, err);
	if (!lease)
		return err_move(err, &cause);
	if (is_held_by_other(election, lease))
		return err_set(err, ERR_CONFLICT, "held by %s",
			       json_text_at(lease, "spec", "holderIdentity", NULL));
	claim(election, lease);
	/* With the resourceVersion: of two that try at once one gets a conflict. */
	autojson json_t *written = lease_write(election, KUBE_REPLACE, lease, err);
	return written != NULL;
}

/* Waits for the next try; false when stopped. */
static bool pause_between(LeaderElection *election, int64_t ms)
{
	int64_t deadline = clock_wall_ms() + ms;
	struct timespec at = {.tv_sec = deadline / 1000, .tv_nsec = (deadline % 1000) * 1000000};
	pthread_mutex_lock(&election->lock);
	if (!election->stopped)
		pthread_cond_timedwait(&election->wake, &election->lock, &at);
	bool goes_on = !election->stopped;
	pthread_mutex_unlock(&election->lock);
	return goes_on;
}

static bool is_stopped(LeaderElection *election)
{
	pthread_mutex_lock(&election->lock);
	bool stopped = election->stopped;
	pthread_mutex_unlock(&election->lock);
	return stopped;
}

static void *run(void *arg)
{
	LeaderElection *election = arg;
	int64_t retry_ms = election->config.retry_ms;
	while (!is_stopped(election)) {
		autoerror Error err = {0};
		if (try_once(election, &err)) {
			election->renewed_ms = clock_mono_ms();
			set_leading(election, true);
		} else if (election->leading &&
			   clock_mono_ms() - election->renewed_ms >= election->config.renew_ms) {
			log_error(election->config.log, &err, "the lease was not renewed in time",
				  NULL);
			set_leading(election, false);
		}
		/* Jitter, so that waiting replicas do not try all at once. */
		int64_t extra = election->leading ? 0 : (int64_t)rand_below((uint64_t)retry_ms);
		pause_between(election, retry_ms + extra);
	}
	return NULL;
}

static char *default_identity(void)
{
	char host[256] = "", id[37];
	gethostname(host, sizeof(host) - 1);
	rand_uuid(id);
	return mem_printf("%s_%s", host, id);
}

LeaderElection *leader_election_start(KubeClient *client, const LeaderElectionConfig *config,
				      Error *err)
{
	if (config->lease_ms <= config->renew_ms || config->renew_ms * 10 <= config->retry_ms * 12)
		return err_null(err, ERR_INVALID,
				"leader election: the lease duration must be above the renew "
				"deadline, and that above 1.2 retry periods");
	LeaderElection *election = mem_zalloc(1, sizeof(*election));
	election->client = client;
	election->config = *config;
	election->ns = mem_strdup(config->ns);
	election->name = mem_strdup(config->name);
	election->identity = config->identity ? mem_strdup(config->identity) : default_identity();
	pthread_mutex_init(&election->lock, NULL);
	pthread_cond_init(&election->wake, NULL);
	pthread_create(&election->thread, NULL, run, election);
	return election;
}

/* Gives the lease up, so that another replica need not wait for it to run out. */
static void release(LeaderElection *election)
{
	autoerror Error ignored = {0};
	autojson json_t *lease = lease_get(election, &ignored);
	if (!lease || !cstr_eq(json_text_at(lease, "spec", "holderIdentity", NULL),
			       election->identity))
		return;
	json_t *spec = json_map(lease, "spec");
	json_put_text(spec, "holderIdentity", NULL);
	json_object_set_new(spec, "leaseDurationSeconds", json_integer(RELEASED_DURATION_S));
	autojson json_t *written = lease_write(election, KUBE_REPLACE, lease, &ignored);
}

void leader_election_stop(LeaderElection *election)
{
	pthread_mutex_lock(&election->lock);
	election->stopped = true;
	pthread_cond_broadcast(&election->wake);
	pthread_mutex_unlock(&election->lock);
	pthread_join(election->thread, NULL);
	if (election->leading && election->config.release_on_stop)
		release(election);
	pthread_cond_destroy(&election->wake);
	pthread_mutex_destroy(&election->lock);
	free(election->ns);
	free(election->name);
	free(election->identity);
	free(election->seen);
	free(election);
}
