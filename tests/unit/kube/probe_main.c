/*
 * The API client by hand: commands on stdin, one a line, what came of them on stdout. For tests
 *that put faults, other clients or many objects around it (tests/faults/test_http2_faults.py,
 * tests/faults/test_client_limits.py).
 *
 *	create NS PREFIX COUNT		one batch of creates of ConfigMaps PREFIX0...
 *	apply NS PREFIX COUNT VALUE	one batch of server-side applies
 *	watch NS			an informer of ConfigMaps that tells each event
 *	cache NS			one that keeps them and tells how many it has
 *	lead NS NAME IDENTITY [MS]	leader election; the leader applies ConfigMap NAME all the
 *time at-rest				gives free memory back
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/footprint.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/informer.h"
#include "kube/lease.h"
#include "net/loop.h"

enum { MAX_BATCH = 1000, LEASE_MS = 3000, RETRY_MS = 400, WRITE_EVERY_MS = 20 };

typedef struct {
	Loop *loop;
	KubeClient *client;
	Informer *informer;
	LeaderElection *election;
	char *ns, *name, *identity; /* of the election */
	pthread_t worker;
	atomic_bool leading, stopping;
} Probe;

static json_t *config_map(const char *ns, const char *name, const char *value)
{
	return json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
			 "metadata", "name", name, "namespace", ns, "data", "v", value);
}

static void send_batch(Probe *probe, KubeVerb verb, const char *ns, const char *prefix,
		       size_t count, const char *value)
{
	KubeRequest *requests = mem_zalloc(count, sizeof(*requests));
	KubeReply *replies = mem_zalloc(count, sizeof(*replies));
	for (size_t i = 0; i < count; i++) {
		autofree char *name = mem_printf("%s%zu", prefix, i);
		requests[i] = (KubeRequest){
			.verb = verb, .body = config_map(ns, name, value), .force = true};
	}
	kube_do_all(probe->client, requests, replies, count);
	for (size_t i = 0; i < count; i++) {
		const KubeReply *reply = &replies[i];
		printf("%s%zu %s %d %s\n", prefix, i, reply->object ? "ok" : "failed",
		       reply->status, err_text(&reply->err));
		kube_reply_dispose(&replies[i]);
		json_decref(json_borrow(requests[i].body));
	}
	free(requests);
	free(replies);
}

static void on_event(void *arg, InformerEvent event, const json_t *object)
{
	static const char *const names[] = {"added", "modified", "deleted", "synced"};
	(void)arg;
	if (object)
		printf("%s %s %s\n", names[event], json_text_at(object, "metadata", "name", NULL),
		       json_text_or(json_map(object, "data"), "v", ""));
	else
		puts(names[event]);
}

static void watch(Probe *probe, const char *ns, bool keep)
{
	probe->informer =
		informer_start(probe->client, &(InformerConfig){.api_version = "v1",
								.kind = "ConfigMap",
								.ns = ns,
								.keep_objects = keep,
								.on_event = keep ? NULL : on_event,
								.backoff_ms = 100});
	if (!informer_wait(probe->informer, 60000))
		puts("not synced");
}

static bool count_one(void *arg, const json_t *object)
{
	(void)object;
	++*(size_t *)arg;
	return true;
}

static void tell_cached(Probe *probe)
{
	size_t count = 0;
	informer_each(probe->informer, count_one, &count);
	printf("cached %zu\n", count);
}

/* --- leader election: what a leader does is seen at the server --- */

static void on_change(void *arg, bool leading)
{
	Probe *probe = arg;
	atomic_store(&probe->leading, leading);
	printf("%s %" PRId64 "\n", leading ? "leading" : "lost", clock_mono_ms());
}

/* As a worker would: looks whether it may act, and does. */
static void *act(void *arg)
{
	Probe *probe = arg;
	const struct timespec rest = {.tv_nsec = WRITE_EVERY_MS * 1000000L};
	for (size_t i = 0; !atomic_load(&probe->stopping); i++) {
		nanosleep(&rest, NULL);
		if (!atomic_load(&probe->leading))
			continue;
		autofree char *value = mem_printf("%s %zu", probe->identity, i);
		autojson json_t *body = config_map(probe->ns, probe->name, value);
		autoerror Error err = {0};
		json_decref(kube_do(probe->client,
				    &(KubeRequest){.verb = KUBE_MERGE_PATCH,
						   .api_version = "v1",
						   .kind = "ConfigMap",
						   .ns = probe->ns,
						   .name = probe->name,
						   .body = body,
						   .timeout_ms = 1000},
				    &err));
	}
	return NULL;
}

static void lead(Probe *probe, const char *ns, const char *name, const char *identity,
		 const char *duration)
{
	autoerror Error err = {0};
	unsigned long long lease_ms = LEASE_MS;
	str_to_u64(str_of(duration), &lease_ms);
	probe->ns = mem_strdup(ns);
	probe->name = mem_strdup(name);
	probe->identity = mem_strdup(identity);
	probe->election =
		leader_election_start(probe->client,
				      &(LeaderElectionConfig){.ns = ns,
							      .name = name,
							      .identity = identity,
							      .lease_ms = (int64_t)lease_ms,
							      .renew_ms = (int64_t)lease_ms * 2 / 3,
							      .retry_ms = RETRY_MS,
							      .release_on_stop = true,
							      .on_change = on_change,
							      .arg = probe},
				      &err);
	if (!probe->election) {
		printf("failed %s\n", err_text(&err));
		return;
	}
	pthread_create(&probe->worker, NULL, act, probe);
}

/* --- commands --- */

static size_t number(Str text)
{
	unsigned long long value = 0;
	str_to_u64(text, &value);
	return value < MAX_BATCH ? (size_t)value : MAX_BATCH;
}

static void run(Probe *probe, Str line)
{
	enum { WORDS = 5 };
	char *words[WORDS] = {0};
	size_t count = 0;
	for (Str word; count < WORDS && str_next(&line, ' ', &word);)
		words[count++] = str_dup(word);
	for (size_t i = count; i < WORDS; i++)
		words[i] = mem_strdup("");
	if (cstr_eq(words[0], "create"))
		send_batch(probe, KUBE_CREATE, words[1], words[2], number(str_of(words[3])), "1");
	else if (cstr_eq(words[0], "apply"))
		send_batch(probe, KUBE_APPLY, words[1], words[2], number(str_of(words[3])),
			   words[4]);
	else if (cstr_eq(words[0], "watch") || cstr_eq(words[0], "cache"))
		watch(probe, words[1], cstr_eq(words[0], "cache"));
	else if (cstr_eq(words[0], "count"))
		tell_cached(probe);
	else if (cstr_eq(words[0], "lead"))
		lead(probe, words[1], words[2], words[3], words[4]);
	else if (cstr_eq(words[0], "at-rest"))
		footprint_shrink();
	for (size_t i = 0; i < WORDS; i++)
		free(words[i]);
	puts("done");
}

static void read_commands(Probe *probe)
{
	char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, stdin) > 0)
		run(probe, str_trim(str_of(line)));
	free(line);
}

int main(int argc, char **argv)
{
	autoerror Error err = {0};
	autokubeconfig KubeConfig config = {0};
	Probe probe = {.loop = loop_new(&err)};
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && probe.loop && kube_config_find(argv[1], NULL, &config, &err))
		probe.client = kube_client_new(probe.loop, &config, "probe", &err);
	if (!probe.client) {
		fprintf(stderr, "%s\n", err_text(&err));
		return 1;
	}
	read_commands(&probe);
	if (probe.election) {
		atomic_store(&probe.stopping, true);
		pthread_join(probe.worker, NULL);
		leader_election_stop(probe.election);
	}
	if (probe.informer)
		informer_stop(probe.informer);
	kube_client_free(probe.client);
	loop_free(probe.loop);
	free(probe.ns);
	free(probe.name);
	free(probe.identity);
	return 0;
}
