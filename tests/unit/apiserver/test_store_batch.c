/* The store's batches of writes, and the texts that it keeps: what happens in between. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/fd.h"
#include "store_internal.h"

static const StoreKey key_a = {"configmaps", "default", "a"};
static const StoreKey key_b = {"configmaps", "default", "b"};

static json_t *write_value(Store *store, const StoreKey *key, json_t *live, int value)
{
	autoerror Error err = {0};
	json_t *object = json_pack("{s:{s:s,s:s},s:i}", "metadata", "name", key->name, "namespace",
				   key->ns, "value", value);
	assert_true(live ? store_update(store, key, object, live, NULL, &err)
			 : store_create(store, key, object, NULL, &err));
	return object;
}

enum { LATE = 4 };

/* Writers that come while another's batch is committed, and nobody after them. */
typedef struct {
	Store *store;
	pthread_t threads[LATE];
	json_t *lives[LATE]; /* what they replace */
	size_t started;
	int commits;	  /* of theirs */
	uint64_t seen_rv; /* of the last one, as read when the first of them was published */
} Late;

static const StoreKey late_keys[LATE] = {{"configmaps", "late", "a"},
					 {"configmaps", "late", "b"},
					 {"configmaps", "late", "c"},
					 {"configmaps", "late", "d"}};

typedef struct {
	Store *store;
	size_t number;
	json_t *live;
} LateWriter;

static void *write_late(void *arg)
{
	LateWriter *writer = arg;
	autojson json_t *object =
		write_value(writer->store, &late_keys[writer->number], writer->live, 2);
	free(writer);
	return NULL;
}

static StoreWrite **end_of_queue(Store *store)
{
	pthread_mutex_lock(&store->queue_lock);
	StoreWrite **end = store->queue_end;
	pthread_mutex_unlock(&store->queue_lock);
	return end;
}

/* One after the other, each in the queue before the next starts. */
static void start_late(Late *late)
{
	for (; late->started < LATE; late->started++) {
		StoreWrite **end = end_of_queue(late->store);
		LateWriter *writer = calloc(1, sizeof(*writer));
		*writer = (LateWriter){late->store, late->started, late->lives[late->started]};
		pthread_create(&late->threads[late->started], NULL, write_late, writer);
		while (end_of_queue(late->store) == end)
			sched_yield();
	}
}

/* By the leader, in the middle of its batch. */
static void see_late(void *arg, Change *take_change)
{
	Late *late = arg;
	autoerror Error err = {0};
	if (cstr_eq(take_change->name, "first")) {
		start_late(late);
		late->commits = 0;
	} else if (late->started == LATE && !late->seen_rv) {
		autojson json_t *live = store_get(late->store, &late_keys[LATE - 1], &err);
		late->seen_rv = object_rv(live);
	}
	change_free(take_change);
}

static int count_commit(void *arg)
{
	Late *late = arg;
	late->commits++;
	return 0;
}

/* Nobody is left waiting, all go in one transaction, and whoever is told of one of them does not
 * read an older state of another. */
static void who_came_while_another_led_is_a_batch(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	autostore Store *store = store_open(dir, &err);
	Late late = {.store = store};
	for (size_t i = 0; i < LATE; i++)
		late.lives[i] = write_value(store, &late_keys[i], NULL, 1);
	store_on_change(store, see_late, &late);
	sqlite3_commit_hook(store->writer, count_commit, &late);
	static const StoreKey key = {"configmaps", "default", "first"};
	autojson json_t *first = write_value(store, &key, NULL, 1);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	for (size_t i = 0; i < LATE; i++)
		assert_int_equal(pthread_timedjoin_np(late.threads[i], NULL, &until), 0);
	assert_int_equal(late.commits, 1);
	assert_int_equal(late.seen_rv, object_rv(first) + LATE);
	for (size_t i = 0; i < LATE; i++)
		json_decref(late.lives[i]);
}

static char *kept(StoreRecent *recent, const StoreKey *key, uint32_t *out_writes)
{
	size_t len = 0;
	return store_recent_get(recent, key, &len, out_writes);
}

static void what_was_read_before_a_write_is_not_kept_after_it(void **state)
{
	(void)state;
	StoreRecent *recent = store_recent_new();
	uint32_t before = 0, after = 0;
	assert_null(kept(recent, &key_a, &before));
	store_recent_write(recent, &key_a, NULL, 0);
	store_recent_read(recent, &key_a, "old", 3, before);
	assert_null(kept(recent, &key_a, &after));
	store_recent_write(recent, &key_a, "new", 3);
	store_recent_read(recent, &key_a, "old", 3, after);
	autofree char *text = kept(recent, &key_a, &after);
	assert_string_equal(text, "new");
	assert_null(kept(recent, &key_b, &before));
	store_recent_read(recent, &key_b, "read", 4, before);
	autofree char *read = kept(recent, &key_b, &before);
	assert_string_equal(read, "read");
	store_recent_write(recent, &key_a, NULL, 0);
	assert_null(kept(recent, &key_a, &after));
	store_recent_free(recent);
}

enum { MANY = 400, LARGE = 60000 };

/* Writes all of a round, or tells the bytes that are kept of it. */
static size_t write_or_count(StoreRecent *recent, int round, const char *text)
{
	size_t bytes = 0;
	for (int i = 0; i < MANY; i++) {
		char name[32];
		uint32_t writes = 0;
		snprintf(name, sizeof(name), "n%d-%d", round, i);
		StoreKey key = {"configmaps", "default", name};
		if (text)
			store_recent_write(recent, &key, text, LARGE);
		autofree char *found = text ? NULL : kept(recent, &key, &writes);
		bytes += found ? LARGE : 0;
	}
	return bytes;
}

/* Kept: no text that is large, and of the others no more than 8 MiB, also later. */
static void what_is_kept_is_bounded(void **state)
{
	(void)state;
	enum { MOST = 8 * 1024 * 1024, TOO_LARGE = 64 * 1024 + 1 };
	StoreRecent *recent = store_recent_new();
	autobuf Buf large = {0};
	while (large.len < TOO_LARGE)
		buf_putc(&large, 'x');
	uint32_t writes = 0;
	store_recent_write(recent, &key_a, "small", 5);
	store_recent_write(recent, &key_a, large.ptr, TOO_LARGE);
	assert_null(kept(recent, &key_a, &writes));
	for (int round = 0; round < 2; round++) {
		write_or_count(recent, round, large.ptr);
		size_t bytes = write_or_count(recent, round, NULL);
		assert_true(bytes > 0 && bytes <= MOST);
	}
	assert_true(write_or_count(recent, 0, NULL) + write_or_count(recent, 1, NULL) > MOST / 2);
	store_recent_free(recent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_came_while_another_led_is_a_batch),
		cmocka_unit_test(what_was_read_before_a_write_is_not_kept_after_it),
		cmocka_unit_test(what_is_kept_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
