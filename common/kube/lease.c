/*
 * Leader election (kube-api.md 1.6), wholly on the loop's thread and with a timer of its own for
 * the renew deadline, so that neither a server that does not answer nor other work can make us lead
 * past it. The client is told the same deadline: a process that was stopped runs its threads again
 * in any order, and none of them may write before the timer has told. (What was being handed to the
 * kernel at the very moment of the stop no process can call back.) Times are measured by our own
 * clock since we last saw the lease change, never by the times in it, which another machine's clock
 * wrote.
 */
#include "kube/lease.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cond.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "kube/client_internal.h"

enum { RELEASED_DURATION_S = 1, CALL_MS = 5000, STOP_MS = 5000 };

static const char api_version[] = "coordination.k8s.io/v1";

struct LeaderElection {
	KubeClient *client;
	LeaderElectionConfig config; /* ns and name owned */
	char *collection, *item;     /* paths */
	char *identity;
	LoopTimer start; /* set once, before leader_election_start returns */

	/* the loop's thread only */
	KubeCall *call;
	LoopTimer retry, deadline;
	json_t *lease; /* a leader's, as written last: what the next renewal changes; or NULL */
	char *seen;    /* holder, renew time and version as last seen */
	int64_t seen_since_ms; /* when that changed, by our clock */
	int64_t asked_ms;      /* when the write under way began */
	int64_t asked_boot_ms; /* the same by clock_boot_ms() */
	bool leading;

	pthread_mutex_t lock; /* guards `released` */
	pthread_cond_t changed;
	bool released;
};

static void step(void *arg);
static void look(LeaderElection *election);

static bool is_ours(const LeaderElection *election, const json_t *lease)
{
	return cstr_eq(json_text_at(lease, "spec", "holderIdentity", NULL), election->identity);
}

/* --- ends of a try --- */

static void wait_for_next_try(LeaderElection *election)
{
	/* Jitter of client-go, so that waiting replicas do not try all at once. */
	int64_t retry_ms = election->config.retry_ms;
	int64_t extra_ms =
		election->leading ? 0 : (int64_t)rand_below((uint64_t)retry_ms * 12 / 10 + 1);
	election->retry =
		loop_after(kube_loop(election->client), retry_ms + extra_ms, step, election);
}

static void end(LeaderElection *election)
{
	Loop *loop = kube_loop(election->client);
	loop_cancel(loop, election->start);
	loop_cancel(loop, election->retry);
	loop_cancel(loop, election->deadline);
	if (election->call)
		kube_call_cancel(steal(&election->call));
}

static void lose(LeaderElection *election, const char *why)
{
	log_error(election->config.log, NULL, why, "lease", election->item, NULL);
	end(election);
	kube_client_act_until(election->client, 1);
	election->leading = false;
	election->config.on_change(election->config.arg, false);
}

static void on_deadline(void *arg)
{
	lose(arg, "the lease was not renewed in time");
}

/* The lease is ours as of the moment the write began. */
static void hold(LeaderElection *election, const json_t *lease)
{
	Loop *loop = kube_loop(election->client);
	json_decref(election->lease);
	election->lease = json_deep_copy(lease);
	loop_cancel(loop, election->deadline);
	int64_t left_ms = election->asked_ms + election->config.renew_ms - clock_mono_ms();
	kube_client_act_until(election->client,
			      election->asked_boot_ms + election->config.renew_ms);
	election->deadline = loop_after(loop, left_ms > 0 ? left_ms : 0, on_deadline, election);
	bool first = !election->leading;
	election->leading = true;
	wait_for_next_try(election);
	if (first)
		election->config.on_change(election->config.arg, true);
}

/* --- writing --- */

static void on_written(void *arg, json_t *lease, const Error *err)
{
	LeaderElection *election = arg;
	election->call = NULL;
	if (lease) {
		hold(election, lease);
		return;
	}
	bool was_optimistic = election->lease != NULL;
	json_decref(steal(&election->lease));
	/* Somebody else's write is no reason to stop: what does the lease say? */
	if (err->code == ERR_CONFLICT && was_optimistic)
		look(election);
	else
		wait_for_next_try(election);
}

static void write_lease(LeaderElection *election, const char *method, const json_t *lease,
			KubeCallDone *done)
{
	bool creates = cstr_eq(method, "POST");
	election->asked_ms = clock_mono_ms();
	election->asked_boot_ms = clock_boot_ms();
	election->call = kube_call_start(
		election->client,
		&(KubeCallSpec){.verb = method,
				.method = method,
				.path = creates ? election->collection : election->item,
				.content_type = "application/json",
				.body = lease,
				.timeout_ms = CALL_MS},
		done, election);
}

/* The spec with us as holder, on top of what the lease says now. */
static void claim(const LeaderElection *election, json_t *lease)
{
	char now[CLOCK_TEXT_SIZE];
	clock_format_us(clock_wall_ns() / 1000, now);
	json_t *spec = json_make_at(lease, "spec", NULL);
	if (!is_ours(election, lease)) {
		json_put_text(spec, "acquireTime", now);
		int64_t transitions = json_int(spec, "leaseTransitions", -1);
		json_object_set_new(spec, "leaseTransitions", json_integer(transitions + 1));
	}
	int64_t seconds = election->config.lease_ms / 1000;
	json_put_text(spec, "holderIdentity", election->identity);
	json_put_text(spec, "renewTime", now);
	json_object_set_new(spec, "leaseDurationSeconds", json_integer(seconds ? seconds : 1));
}

/* With the resourceVersion: of two that try at once one gets a conflict. */
static void take(LeaderElection *election, const json_t *lease)
{
	autojson json_t *claimed = json_deep_copy(lease);
	claim(election, claimed);
	write_lease(election, "PUT", claimed, on_written);
}

static void create(LeaderElection *election)
{
	autojson json_t *lease = json_pack("{s:s,s:s,s:{s:s,s:s}}", "apiVersion", api_version,
					   "kind", "Lease", "metadata", "name",
					   election->config.name, "namespace", election->config.ns);
	claim(election, lease);
	write_lease(election, "POST", lease, on_written);
}

/* --- reading --- */

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
	if (!*holder || is_ours(election, lease))
		return false;
	int64_t seconds = json_int(spec, "leaseDurationSeconds", 0);
	bool is_sane = seconds > 0 && seconds < INT32_MAX;
	return now - election->seen_since_ms <
	       (is_sane ? seconds * 1000 : election->config.lease_ms);
}

static void on_lease(void *arg, json_t *lease, const Error *err)
{
	LeaderElection *election = arg;
	election->call = NULL;
	if (!lease && err->code == ERR_NOT_FOUND)
		create(election);
	else if (!lease)
		wait_for_next_try(election);
	else if (!is_held_by_other(election, lease))
		take(election, lease);
	else if (election->leading)
		lose(election, "somebody else took the lease");
	else
		wait_for_next_try(election);
}

static void get_lease(LeaderElection *election, KubeCallDone *done)
{
	election->call = kube_call_start(
		election->client,
		&(KubeCallSpec){.verb = "GET", .path = election->item, .timeout_ms = CALL_MS}, done,
		election);
}

static void look(LeaderElection *election)
{
	get_lease(election, on_lease);
}

/* One try. A leader renews what it wrote last without looking; others look first. */
static void step(void *arg)
{
	LeaderElection *election = arg;
	election->retry = 0;
	if (election->lease)
		take(election, election->lease);
	else
		look(election);
}

/* --- release --- */

static void released(LeaderElection *election)
{
	pthread_mutex_lock(&election->lock);
	election->released = true;
	pthread_cond_broadcast(&election->changed);
	pthread_mutex_unlock(&election->lock);
}

static void release(LeaderElection *election);

static void on_released(void *arg, json_t *lease, const Error *err)
{
	LeaderElection *election = arg;
	election->call = NULL;
	/* The renewal that end() broke off was written after we read. */
	if (!lease && err->code == ERR_CONFLICT)
		release(election);
	else
		released(election);
}

/* Without a holder the lease is free at once. */
static void on_lease_to_release(void *arg, json_t *lease, const Error *err)
{
	LeaderElection *election = arg;
	(void)err;
	election->call = NULL;
	if (!lease || !is_ours(election, lease)) {
		released(election);
		return;
	}
	json_t *spec = json_map(lease, "spec");
	json_put_text(spec, "holderIdentity", NULL);
	json_object_set_new(spec, "leaseDurationSeconds", json_integer(RELEASED_DURATION_S));
	write_lease(election, "PUT", lease, on_released);
}

/* Read first: a renewal broken off by end() may have been written or not. */
static void release(LeaderElection *election)
{
	get_lease(election, on_lease_to_release);
}

static void halt(void *arg)
{
	LeaderElection *election = arg;
	bool releases = election->leading && election->config.release_on_stop;
	end(election);
	if (releases)
		release(election);
	else
		released(election);
}

static void cancel_call(void *arg)
{
	LeaderElection *election = arg;
	if (election->call)
		kube_call_cancel(steal(&election->call));
}

static void wait_released(LeaderElection *election)
{
	int64_t until_ms = clock_mono_ms() + STOP_MS;
	pthread_mutex_lock(&election->lock);
	while (!election->released &&
	       cond_wait_until(&election->changed, &election->lock, until_ms))
		;
	pthread_mutex_unlock(&election->lock);
}

/* --- life --- */

static char *default_identity(void)
{
	char host[256] = "", id[37];
	gethostname(host, sizeof(host) - 1);
	rand_uuid(id);
	return mem_printf("%s_%s", host, id);
}

static void free_text(const char *owned)
{
	free((char *)(uintptr_t)owned);
}

LeaderElection *leader_election_start(KubeClient *client, const LeaderElectionConfig *config,
				      Error *err)
{
	if (config->lease_ms <= config->renew_ms || config->renew_ms * 10 <= config->retry_ms * 12)
		return err_null(err, ERR_INVALID,
				"leader election: the lease duration must be above the renew "
				"deadline, and that above 1.2 retry periods");
	if (cstr_empty(config->ns) || cstr_empty(config->name))
		return err_null(err, ERR_INVALID, "leader election: the lease has no name");
	LeaderElection *election = mem_zalloc(1, sizeof(*election));
	static const KubeResource leases = {"leases", true};
	election->client = client;
	election->config = *config;
	election->config.ns = mem_strdup(config->ns);
	election->config.name = mem_strdup(config->name);
	election->identity = config->identity ? mem_strdup(config->identity) : default_identity();
	election->collection = resource_path(api_version, &leases, config->ns, NULL, NULL);
	election->item = resource_path(api_version, &leases, config->ns, config->name, NULL);
	pthread_mutex_init(&election->lock, NULL);
	cond_init(&election->changed);
	election->start = loop_after(kube_loop(client), 0, step, election);
	return election;
}

void leader_election_stop(LeaderElection *election)
{
	if (!election)
		return;
	Loop *loop = kube_loop(election->client);
	loop_call(loop, halt, election);
	wait_released(election);
	loop_call(loop, cancel_call, election);
	pthread_cond_destroy(&election->changed);
	pthread_mutex_destroy(&election->lock);
	json_decref(election->lease);
	free_text(election->config.ns);
	free_text(election->config.name);
	free(election->collection);
	free(election->item);
	free(election->identity);
	free(election->seen);
	free(election);
}
