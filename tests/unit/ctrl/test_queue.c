#include "../cmocka_all.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ctrl/queue.h"

static const QueueConfig config = {.min_retry_ms = 20, .max_retry_ms = 100};

static void take_is(Queue *queue, const char *key)
{
	autofree char *taken = queue_take(queue);
	assert_string_equal(taken, key);
}

static void added_twice_runs_once(void **state)
{
	(void)state;
	Queue *queue = queue_new(&config);
	queue_add(queue, "a");
	queue_add(queue, "b");
	queue_add(queue, "a");
	take_is(queue, "a");
	take_is(queue, "b");
	assert_int_equal(queue_depth(queue), 2);
	queue_done(queue, "a");
	queue_done(queue, "b");
	assert_int_equal(queue_depth(queue), 0);
	queue_free(queue);
}

static void added_while_running_runs_again(void **state)
{
	(void)state;
	Queue *queue = queue_new(&config);
	queue_add(queue, "a");
	take_is(queue, "a");
	queue_add(queue, "a");
	/* A timer set at the end of a run must not postpone what came during it. */
	queue_add_after(queue, "a", 60000, true);
	queue_done(queue, "a");
	int64_t before = clock_mono_ms();
	take_is(queue, "a");
	assert_true(clock_mono_ms() - before < 1000);
	queue_done(queue, "a");
	queue_free(queue);
}

/* A watch that asks for a run soon, while one is under way, is not put off by that run's own
 * requeue. */
static void a_timer_set_while_running_survives_the_requeue(void **state)
{
	(void)state;
	Queue *queue = queue_new(&config);
	queue_add(queue, "a");
	take_is(queue, "a");
	queue_add_after(queue, "a", 10, false);
	queue_add_after(queue, "a", 60000, true);
	queue_done(queue, "a");
	int64_t before = clock_mono_ms();
	take_is(queue, "a");
	assert_true(clock_mono_ms() - before < 1000);
	queue_done(queue, "a");
	queue_free(queue);
}

static void timers_order_and_earlier_wins(void **state)
{
	(void)state;
	Queue *queue = queue_new(&config);
	queue_add_after(queue, "late", 80, true);
	queue_add_after(queue, "early", 10, true);
	queue_add_after(queue, "moved", 60000, true);
	queue_add_after(queue, "moved", 40, false);
	queue_add_after(queue, "moved", 60000, false); /* later, not replacing: stays */
	take_is(queue, "early");
	take_is(queue, "moved");
	take_is(queue, "late");
	queue_free(queue);
}

static void S90_backoff_doubles_to_its_limit_and_success_resets(void **state)
{
	(void)state;
	Queue *queue = queue_new(&config);
	static const int64_t want[] = {20, 40, 80, 100, 100};
	for (size_t i = 0; i < COUNT(want); i++) {
		queue_add(queue, "a");
		take_is(queue, "a");
		assert_int_equal(queue_add_backoff(queue, "a", 0), want[i]);
		assert_int_equal(queue_failures(queue, "a"), (int)i + 1);
		queue_done(queue, "a");
	}
	queue_forget(queue, "a");
	assert_int_equal(queue_add_backoff(queue, "a", 0), 20);
	assert_int_equal(queue_add_backoff(queue, "a", 1000), 1000);
	queue_free(queue);
}

static void removed_key_leaves_nothing(void **state)
{
	(void)state;
	Queue *queue = queue_new(&config);
	queue_add_after(queue, "a", 1, true);
	queue_remove(queue, "a");
	queue_add_after(queue, "b", 20, true);
	take_is(queue, "b");
	queue_free(queue);
}

static void *take_null(void *arg)
{
	return queue_take(arg);
}

static void shut_wakes_takers(void **state)
{
	(void)state;
	Queue *queue = queue_new(&config);
	pthread_t threads[3];
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_null, queue), 0);
	queue_shut(queue);
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *key = queue;
		pthread_join(threads[i], &key);
		assert_null(key);
	}
	queue_free(queue);
}

typedef struct {
	Queue *queue;
	int *running; /* one a key */
} Worker;

static void *churn(void *arg)
{
	const Worker *worker = arg;
	for (char *key; (key = queue_take(worker->queue));) {
		int *slot = &worker->running[key[0] - 'a'];
		/* The same key must never run twice at once. */
		assert_int_equal(__atomic_fetch_add(slot, 1, __ATOMIC_SEQ_CST), 0);
		__atomic_fetch_sub(slot, 1, __ATOMIC_SEQ_CST);
		queue_done(worker->queue, key);
		free(key);
	}
	return NULL;
}

static void a_key_never_runs_twice_at_once(void **state)
{
	(void)state;
	Queue *queue = queue_new(&config);
	int running[8] = {0};
	Worker worker = {queue, running};
	pthread_t threads[4];
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_create(&threads[i], NULL, churn, &worker);
	for (int i = 0; i < 20000; i++) {
		char key[2] = {(char)('a' + i % 8), 0};
		if (i % 3)
			queue_add(queue, key);
		else
			queue_add_after(queue, key, i % 2, i % 5 == 0);
	}
	while (queue_depth(queue))
		;
	queue_shut(queue);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	queue_free(queue);
}

static void put_off_grows_and_ends_after_ten_in_a_row(void **state)
{
	(void)state;
	const QueueConfig quick = {.min_retry_ms = 1, .max_retry_ms = 50};
	Queue *queue = queue_new(&quick);
	queue_add(queue, "a");
	for (int i = 0; i < 10; i++) {
		take_is(queue, "a");
		assert_true(queue_postpone(queue, "a", i == 0 ? 30 : 0));
		assert_int_equal(queue_postponed(queue, "a"), i + 1);
		assert_int_equal(queue_failures(queue, "a"), 0);
		int64_t put_off = clock_mono_ms();
		queue_done(queue, "a");
		if (i == 0) { /* what was asked for is the least */
			take_is(queue, "a");
			assert_true(clock_mono_ms() - put_off >= 30);
			queue_add(queue, "a");
			queue_done(queue, "a");
		}
	}
	take_is(queue, "a");
	assert_false(queue_postpone(queue, "a", 0));
	queue_add_after(queue, "a", 0, true);
	queue_done(queue, "a");
	take_is(queue, "a");
	assert_true(queue_postpone(queue, "a", 0)); /* a row ends with an outcome */
	queue_forget(queue, "a");
	assert_int_equal(queue_postponed(queue, "a"), 0);
	queue_done(queue, "a");
	queue_free(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(added_twice_runs_once),
		cmocka_unit_test(added_while_running_runs_again),
		cmocka_unit_test(a_timer_set_while_running_survives_the_requeue),
		cmocka_unit_test(put_off_grows_and_ends_after_ten_in_a_row),
		cmocka_unit_test(timers_order_and_earlier_wins),
		cmocka_unit_test(S90_backoff_doubles_to_its_limit_and_success_resets),
		cmocka_unit_test(removed_key_leaves_nothing),
		cmocka_unit_test(shut_wakes_takers),
		cmocka_unit_test(a_key_never_runs_twice_at_once),
	};
	return cmocka_run_group_tests_name("ctrl/queue", tests, NULL, NULL);
}
