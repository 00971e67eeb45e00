/* How long Events are remembered, and how many (kube-api.md 1.6): with a clock that the test sets.
 */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/events_internal.h"

enum {
	WINDOW_MS = 600000, /* in which messages are similar */
	REFILL_MS = 300000,
	BURST = 25,
	SIMILAR_MAX = 10,
	MEMORY_MAX = 4096,
};

/* Where the clock stands, in milliseconds. */
static int64_t *clock_hand(void)
{
	static int64_t now_ms = 1000000;
	return &now_ms;
}

/* The linker puts it in the place of base/clock.h's (meson.build). */
int64_t __wrap_clock_mono_ms(void);

int64_t __wrap_clock_mono_ms(void)
{
	return *clock_hand();
}

static int recorder_open(void **state)
{
	EventRecorder *recorder = mem_zalloc(1, sizeof(*recorder));
	events_correlation_init(recorder);
	pthread_mutex_init(&recorder->lock, NULL);
	pthread_cond_init(&recorder->idle, NULL);
	*state = recorder;
	return 0;
}

static int recorder_close(void **state)
{
	EventRecorder *recorder = *state;
	events_correlation_dispose(recorder);
	pthread_cond_destroy(&recorder->idle);
	pthread_mutex_destroy(&recorder->lock);
	free(recorder);
	return 0;
}

/* What became of an Event. */
typedef enum { HELD_BACK, IS_NEW, COUNTS_UP, STANDS_FOR_MANY } Fate;

static Fate fate_of(const EventJob *job)
{
	if (job->patch)
		return COUNTS_UP;
	return strstr(job->body, "(combined from similar events): ") ? STANDS_FOR_MANY : IS_NEW;
}

static Fate say(EventRecorder *recorder, const char *object, const char *message)
{
	assert_true(events_take_slot(recorder, LANE_EVENT));
	EventJob *job = mem_zalloc(1, sizeof(*job));
	job->recorder = recorder;
	job->object_key = mem_strdup(object);
	job->collection = mem_strdup("/api/v1/namespaces/apps/events");
	job->event = json_pack("{s:{s:s},s:{s:s},s:s,s:s,s:s}", "metadata", "name", "event",
			       "involvedObject", "uid", object, "type", "Normal", "reason",
			       "Synced", "message", message);
	Fate fate = events_correlate(job) ? fate_of(job) : HELD_BACK;
	/* What waits is text, which takes less memory. */
	assert_true(fate == HELD_BACK || !job->event);
	events_job_free(job);
	return fate;
}

static Fate say_number(EventRecorder *recorder, const char *object, int number)
{
	autofree char *message = mem_printf("number %d", number);
	return say(recorder, object, message);
}

static void the_budget_grows_by_one_in_five_minutes(void **state)
{
	EventRecorder *recorder = *state;
	for (int i = 0; i < BURST; i++)
		assert_int_not_equal(say(recorder, "a", "again"), HELD_BACK);
	assert_int_equal(say(recorder, "a", "again"), HELD_BACK);
	*clock_hand() += REFILL_MS / 2;
	assert_int_equal(say(recorder, "a", "again"), HELD_BACK);
	*clock_hand() += REFILL_MS / 2;
	assert_int_equal(say(recorder, "a", "again"), COUNTS_UP);
	assert_int_equal(say(recorder, "a", "again"), HELD_BACK);
}

static void a_rested_object_has_no_more_than_its_burst(void **state)
{
	EventRecorder *recorder = *state;
	assert_int_equal(say(recorder, "a", "first"), IS_NEW);
	*clock_hand() += (int64_t)REFILL_MS * 2 * BURST;
	for (int i = 0; i < BURST; i++)
		assert_int_not_equal(say(recorder, "a", "again"), HELD_BACK);
	assert_int_equal(say(recorder, "a", "again"), HELD_BACK);
}

static void the_same_counts_up_within_ten_minutes_of_the_last(void **state)
{
	EventRecorder *recorder = *state;
	assert_int_equal(say(recorder, "a", "again"), IS_NEW);
	for (int i = 0; i < 3; i++) {
		*clock_hand() += WINDOW_MS;
		assert_int_equal(say(recorder, "a", "again"), COUNTS_UP);
	}
	*clock_hand() += WINDOW_MS + 1;
	assert_int_equal(say(recorder, "a", "again"), IS_NEW);
}

static void many_are_similar_within_ten_minutes_of_the_last(void **state)
{
	EventRecorder *recorder = *state;
	for (int i = 0; i < SIMILAR_MAX; i++)
		assert_int_equal(say_number(recorder, "a", i), IS_NEW);
	assert_int_equal(say_number(recorder, "a", 0), COUNTS_UP);
	*clock_hand() += WINDOW_MS;
	assert_int_equal(say_number(recorder, "a", SIMILAR_MAX), STANDS_FOR_MANY);
	*clock_hand() += WINDOW_MS + 1;
	for (int i = 0; i < SIMILAR_MAX; i++)
		assert_int_equal(say_number(recorder, "a", 100 + i), IS_NEW);
	assert_int_equal(say_number(recorder, "a", 200), STANDS_FOR_MANY);
}

/* Too many objects: what is known of all is forgotten, rather than that memory grows. */
static void what_is_remembered_is_bounded(void **state)
{
	EventRecorder *recorder = *state;
	const Map *const maps[] = {recorder->recent, recorder->similar, recorder->buckets};
	char name[32];
	for (int i = 0; i < MEMORY_MAX; i++) {
		snprintf(name, sizeof(name), "object-%d", i);
		assert_int_equal(say(recorder, name, "m"), IS_NEW);
	}
	for (size_t i = 0; i < COUNT(maps); i++)
		assert_int_equal(map_len(maps[i]), MEMORY_MAX);
	assert_int_equal(say(recorder, "object-0", "m"), COUNTS_UP);
	assert_int_equal(say(recorder, "one more", "m"), IS_NEW);
	for (size_t i = 0; i < COUNT(maps); i++)
		assert_int_equal(map_len(maps[i]), 1);
	assert_int_equal(say(recorder, "object-0", "m"), IS_NEW);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, recorder_open, recorder_close)
	const struct CMUnitTest tests[] = {
		TEST(the_budget_grows_by_one_in_five_minutes),
		TEST(a_rested_object_has_no_more_than_its_burst),
		TEST(the_same_counts_up_within_ten_minutes_of_the_last),
		TEST(many_are_similar_within_ten_minutes_of_the_last),
		TEST(what_is_remembered_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
