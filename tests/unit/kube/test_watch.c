/*
 * Watches that survive: a server with a known history, everything that can go wrong between it and
 * an informer, and what the informer told beside what it had to tell.
 */
#include "../cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/informer_internal.h"
#include "watch_server.h"

enum { WAIT_MS = 30000, MAX_TOLD = 40000 };

/* A server, an informer of it, and what that told. */
typedef struct {
	WatchServer *server;
	Loop *loop;
	KubeClient *client;
	Informer *informer;
	uint64_t seed;
	bool with_gone, no_watch_list;
	size_t cut_after; /* of the cuts at each byte */
	bool cut_resumed, has_cut;

	pthread_mutex_t lock; /* guards all above that the server's threads use, and all below */
	pthread_cond_t changed;
	Change told[MAX_TOLD];
	size_t count;
} Scene;

static void on_event(void *arg, InformerEvent event, const json_t *object)
{
	Scene *scene = arg;
	if (!object)
		return;
	const char *version = object_resource_version(object);
	pthread_mutex_lock(&scene->lock);
	assert_true(scene->count < MAX_TOLD);
	scene->told[scene->count++] =
		(Change){.version = version[0] ? strtol(version, NULL, 10) : 0,
			 .what = event,
			 .name = (int)strtol(object_name(object) + strlen("map-"), NULL, 10)};
	pthread_cond_broadcast(&scene->changed);
	pthread_mutex_unlock(&scene->lock);
}

static void open_scene(Scene *scene, FaultFn *fault)
{
	autoerror Error err = {0};
	pthread_mutex_init(&scene->lock, NULL);
	cond_init(&scene->changed);
	scene->server = watch_server_start(fault, scene);
	scene->loop = loop_new(&err);
	scene->client = watch_server_client(scene->server, scene->loop);
}

static void start_informer(Scene *scene)
{
	scene->count = 0;
	scene->informer = informer_start(scene->client, &(InformerConfig){.api_version = "v1",
									  .kind = "ConfigMap",
									  .keep_objects = true,
									  .on_event = on_event,
									  .arg = scene,
									  .backoff_ms = 1});
}

static void close_scene(Scene *scene)
{
	informer_stop(scene->informer);
	kube_client_free(scene->client);
	watch_server_stop(scene->server);
	loop_free(scene->loop);
	pthread_cond_destroy(&scene->changed);
	pthread_mutex_destroy(&scene->lock);
	free(scene);
}

static bool has_told(const Scene *scene, long version)
{
	for (size_t i = scene->count; i > 0; i--)
		if (scene->told[i - 1].version == version)
			return true;
	return false;
}

static void wait_told(Scene *scene, long version)
{
	int64_t until_ms = clock_mono_ms() + WAIT_MS;
	pthread_mutex_lock(&scene->lock);
	while (!has_told(scene, version) &&
	       cond_wait_until(&scene->changed, &scene->lock, until_ms))
		;
	bool ok = has_told(scene, version);
	size_t count = scene->count;
	pthread_mutex_unlock(&scene->lock);
	if (!ok)
		fail_msg("version %ld was not told among %zu, seed %llu", version, count,
			 (unsigned long long)scene->seed);
}

/* The store is the server's state. */
static void check_store(Scene *scene)
{
	size_t count;
	const Change *history = watch_server_history(scene->server, &count);
	for (int name = 0; name < NAMES; name++) {
		autofree char *text = mem_printf("map-%d", name);
		autojson json_t *object = informer_get(scene->informer, "apps", text);
		const Change *last = NULL;
		for (size_t i = 0; i < count; i++)
			if (history[i].name == name)
				last = &history[i];
		bool there = last && last->what != INFORMER_DELETED;
		assert_int_equal(object != NULL, there);
		if (there)
			assert_int_equal(strtol(object_resource_version(object), NULL, 10),
					 last->version);
	}
}

/* From `version` on each change was told, once, in order, as what it was. */
static void check_each_told_once(Scene *scene, size_t from, long version)
{
	size_t count, at = from;
	const Change *history = watch_server_history(scene->server, &count);
	pthread_mutex_lock(&scene->lock);
	for (size_t i = 0; i < count; i++) {
		if (history[i].version <= version)
			continue;
		const Change *told = &scene->told[at++];
		if (at > scene->count || memcmp(told, &history[i], sizeof(*told)) != 0)
			fail_msg("%ld (map-%d, %d) was told as %ld (map-%d, %d), seed %llu",
				 history[i].version, history[i].name, (int)history[i].what,
				 told->version, told->name, (int)told->what,
				 (unsigned long long)scene->seed);
	}
	assert_int_equal(at, scene->count);
	pthread_mutex_unlock(&scene->lock);
}

/* For each object what was told is a life: added, changed to ever newer versions that it had,
 * deleted; a listing may have skipped some. Without the lock. */
static void check_lives(Scene *scene)
{
	long last[NAMES] = {0};
	bool there[NAMES] = {false};
	size_t count;
	const Change *history = watch_server_history(scene->server, &count);
	for (size_t i = 0; i < scene->count; i++) {
		const Change *told = &scene->told[i];
		bool known = told->what == INFORMER_DELETED;
		for (size_t h = 0; h < count && !known; h++)
			known = history[h].version == told->version &&
				history[h].name == told->name;
		bool newer = told->version > last[told->name] || told->what == INFORMER_DELETED;
		if (!known || !newer || there[told->name] != (told->what != INFORMER_ADDED))
			fail_msg("%ld of map-%d told as %d after %ld, seed %llu", told->version,
				 told->name, (int)told->what, last[told->name],
				 (unsigned long long)scene->seed);
		there[told->name] = told->what != INFORMER_DELETED;
		if (there[told->name])
			last[told->name] = told->version;
	}
	for (int name = 0; name < NAMES; name++)
		assert_int_equal(there[name], watch_server_has(scene->server, name));
}

static uint64_t draw(uint64_t *seed, uint64_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % below;
}

static void change_at_random(Scene *scene, uint64_t *seed)
{
	enum { DELETES = 4, SKIPS = 10, BOOKMARKS = 12 };
	int name = (int)draw(seed, NAMES - 1); /* the last one is the test's own */
	if (watch_server_has(scene->server, name) && draw(seed, DELETES) == 0)
		watch_server_delete(scene->server, name);
	else
		watch_server_put(scene->server, name);
	if (draw(seed, SKIPS) == 0)
		watch_server_skip(scene->server, (long)draw(seed, SKIPS));
	if (draw(seed, BOOKMARKS) == 0)
		watch_server_bookmark(scene->server);
}

/* --- cut at each byte --- */

/* The first watch, or the first that is taken up at a version, ends after so many bytes. */
static Fault cut_once(void *arg, const char *target)
{
	Scene *scene = arg;
	bool is_watch = strstr(target, "watch=true"), resumed = strstr(target, "resourceVersion=");
	Fault fault = {.is_state_only = scene->cut_resumed};
	pthread_mutex_lock(&scene->lock);
	if (is_watch && resumed == scene->cut_resumed && !scene->has_cut) {
		fault = (Fault){.is_cut = true, .cut_after = scene->cut_after};
		scene->has_cut = true;
	}
	pthread_mutex_unlock(&scene->lock);
	return fault;
}

/* One life of an informer; false when its stream was shorter than where the cut was to be. */
static bool cut_at(Scene *scene, size_t at)
{
	pthread_mutex_lock(&scene->lock);
	scene->cut_after = at;
	scene->has_cut = false;
	pthread_mutex_unlock(&scene->lock);
	size_t cuts = watch_server_cuts(scene->server) + scene->cut_resumed;
	start_informer(scene);
	assert_true(informer_wait(scene->informer, WAIT_MS));
	size_t from = scene->count, count;
	long version = watch_server_history(scene->server, &count)[count - 1].version;
	watch_server_put(scene->server, 2);
	watch_server_put(scene->server, 0);
	watch_server_delete(scene->server, 2);
	wait_told(scene, watch_server_put(scene->server, 1));
	check_each_told_once(scene, from, version);
	check_store(scene);
	informer_stop(steal(&scene->informer));
	return watch_server_cuts(scene->server) > cuts;
}

static void cut_everywhere(bool resumed)
{
	enum { LEAST = 600 };
	Scene *scene = mem_zalloc(1, sizeof(*scene));
	scene->cut_resumed = resumed;
	open_scene(scene, cut_once);
	watch_server_put(scene->server, 0);
	watch_server_put(scene->server, 1);
	size_t at = 0;
	while (cut_at(scene, at))
		at++;
	assert_true(at > LEAST);
	close_scene(scene);
}

static void a_first_watch_cut_at_each_byte_loses_nothing(void **state)
{
	(void)state;
	cut_everywhere(false);
}

static void a_watch_taken_up_and_cut_at_each_byte_loses_nothing(void **state)
{
	(void)state;
	cut_everywhere(true);
}

/* --- anything, at random --- */

static Fault trouble(void *arg, const char *target)
{
	enum { KINDS = 8, MOST_BYTES = 8000, MOST_PIECE = 300, MOST_COPIES = 4, CLEAN = 60 };
	static const int statuses[] = {429, 500, 503, 504};
	Scene *scene = arg;
	pthread_mutex_lock(&scene->lock);
	uint64_t *seed = &scene->seed;
	/* A long-lived stream would meet no more of it. */
	Fault fault = {.is_cut = strstr(target, "watch=true") || draw(seed, KINDS) == 0,
		       .cut_after = draw(seed, MOST_BYTES)};
	switch (draw(seed, KINDS)) {
	case 0:
		fault.drop = true;
		break;
	case 1:
		fault.status = statuses[draw(seed, COUNT(statuses))];
		fault.text = "later";
		break;
	case 2:
		fault.piece = 1 + draw(seed, MOST_PIECE);
		break;
	case 3:
		fault.copies = (int)draw(seed, MOST_COPIES);
		break;
	case 4:
		fault.is_clean = draw(seed, CLEAN) == 0;
		break;
	case 5:
		fault.gone = scene->with_gone;
		fault.as_event = draw(seed, 2);
		break;
	default:
		break;
	}
	if (scene->no_watch_list && strstr(target, "sendInitialEvents"))
		fault = (Fault){.status = 400, .text = "sendInitialEvents is forbidden"};
	pthread_mutex_unlock(&scene->lock);
	return fault;
}

/* A server with a life of its own. */
static Scene *random_scene(uint64_t seed, bool with_gone)
{
	Scene *scene = mem_zalloc(1, sizeof(*scene));
	*scene = (Scene){.seed = seed, .with_gone = with_gone, .no_watch_list = seed % 2};
	open_scene(scene, trouble);
	for (int name = 0; name < NAMES; name += 2)
		watch_server_put(scene->server, name);
	start_informer(scene);
	if (!informer_wait(scene->informer, WAIT_MS))
		fail_msg("not synced, seed %llu", (unsigned long long)seed);
	return scene;
}

enum { ROUNDS = 16, CHANGES = 150, CATCH_UP = 5 };

static void whatever_happens_each_change_is_told_once_and_in_order(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		Scene *scene = random_scene(round, false);
		uint64_t seed = round * 77;
		size_t from = scene->count, count;
		long version = watch_server_history(scene->server, &count)[count - 1].version;
		for (int i = 0; i < CHANGES; i++) {
			change_at_random(scene, &seed);
			if (draw(&seed, CATCH_UP) == 0)
				wait_told(scene,
					  watch_server_history(scene->server, &count)[count - 1]
						  .version);
		}
		wait_told(scene, watch_server_put(scene->server, NAMES - 1));
		check_each_told_once(scene, from, version);
		check_store(scene);
		close_scene(scene);
	}
}

/* With the lock: what was told adds up to what is there. */
static bool adds_up(const Scene *scene)
{
	bool there[NAMES] = {false};
	for (size_t i = 0; i < scene->count; i++)
		there[scene->told[i].name] = scene->told[i].what != INFORMER_DELETED;
	for (int name = 0; name < NAMES; name++)
		if (there[name] != watch_server_has(scene->server, name))
			return false;
	return true;
}

static void wait_until_it_adds_up(Scene *scene)
{
	int64_t until_ms = clock_mono_ms() + WAIT_MS;
	pthread_mutex_lock(&scene->lock);
	while (!adds_up(scene) && cond_wait_until(&scene->changed, &scene->lock, until_ms))
		;
	pthread_mutex_unlock(&scene->lock);
}

static void whatever_is_compacted_each_object_has_a_life_that_was(void **state)
{
	enum { COMPACT = 15 };
	(void)state;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		Scene *scene = random_scene(round, true);
		uint64_t seed = round * 99;
		for (int i = 0; i < CHANGES; i++) {
			change_at_random(scene, &seed);
			if (draw(&seed, COMPACT) == 0)
				watch_server_compact(scene->server);
			if (draw(&seed, CATCH_UP) == 0)
				wait_told(scene, watch_server_put(scene->server, NAMES - 1));
		}
		wait_told(scene, watch_server_put(scene->server, NAMES - 1));
		wait_until_it_adds_up(scene);
		check_lives(scene);
		check_store(scene);
		close_scene(scene);
	}
}

/* --- one thing at a time --- */

typedef struct {
	Scene *scene;
	char *version;
} Reading;

static void read_version(void *arg)
{
	Reading *reading = arg;
	free(reading->version);
	reading->version = mem_strdup(reading->scene->informer->resource_version);
}

/* Until it is where the server is, by a bookmark: nothing is told of that. */
static void wait_version(Scene *scene, long version)
{
	autofree char *want = mem_printf("%ld", version);
	Reading reading = {.scene = scene};
	int64_t until_ms = clock_mono_ms() + WAIT_MS;
	do
		loop_call(scene->loop, read_version, &reading);
	while (!cstr_eq(reading.version, want) && clock_mono_ms() < until_ms);
	assert_string_equal(reading.version, want);
	free(reading.version);
}

static Scene *synced_scene(FaultFn *fault)
{
	Scene *scene = mem_zalloc(1, sizeof(*scene));
	open_scene(scene, fault);
	watch_server_put(scene->server, 0);
	watch_server_put(scene->server, 1);
	start_informer(scene);
	assert_true(informer_wait(scene->informer, WAIT_MS));
	return scene;
}

static void a_bookmark_saves_a_listing(void **state)
{
	enum { OTHERS = 1000 };
	(void)state;
	Scene *scene = synced_scene(NULL);
	long version = watch_server_put(scene->server, 0);
	watch_server_skip(scene->server, OTHERS);
	watch_server_bookmark(scene->server);
	wait_version(scene, version + OTHERS);
	watch_server_compact(scene->server);
	watch_server_down(scene->server);
	watch_server_put(scene->server, 1);
	watch_server_up(scene->server);
	wait_told(scene, watch_server_delete(scene->server, 0));
	check_lives(scene);
	assert_int_equal(watch_server_count(scene->server, "sendInitialEvents"), 1);
	assert_int_equal(watch_server_count(scene->server, "limit="), 0);
	close_scene(scene);
}

static Fault gone_as_event(void *arg, const char *target)
{
	(void)arg, (void)target;
	return (Fault){.as_event = true};
}

static Fault too_large(void *arg, const char *target)
{
	Scene *scene = arg;
	Fault fault = {0};
	pthread_mutex_lock(&scene->lock);
	if (strstr(target, "resourceVersion=") && !scene->has_cut) {
		scene->has_cut = true;
		fault = (Fault){.status = 504,
				.text = "Too large resource version: 9999, current: 100"};
	}
	pthread_mutex_unlock(&scene->lock);
	return fault;
}

/* The place to resume at is no longer, or not yet, served: what was missed is told as a difference.
 */
static void a_gap_is_bridged_by_a_listing(void **state)
{
	static FaultFn *const faults[] = {NULL, gone_as_event, too_large};
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		Scene *scene = synced_scene(faults[i]);
		wait_told(scene, watch_server_put(scene->server, 2));
		watch_server_down(scene->server);
		watch_server_put(scene->server, 0);
		watch_server_delete(scene->server, 1);
		long version = watch_server_put(scene->server, 3);
		if (faults[i] != too_large)
			watch_server_compact(scene->server);
		watch_server_up(scene->server);
		wait_told(scene, version);
		wait_until_it_adds_up(scene);
		check_lives(scene);
		check_store(scene);
		assert_int_equal(watch_server_count(scene->server, "sendInitialEvents"), 2);
		close_scene(scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_watch_cut_at_each_byte_loses_nothing),
		cmocka_unit_test(a_watch_taken_up_and_cut_at_each_byte_loses_nothing),
		cmocka_unit_test(whatever_happens_each_change_is_told_once_and_in_order),
		cmocka_unit_test(whatever_is_compacted_each_object_has_a_life_that_was),
		cmocka_unit_test(a_bookmark_saves_a_listing),
		cmocka_unit_test(a_gap_is_bridged_by_a_listing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
