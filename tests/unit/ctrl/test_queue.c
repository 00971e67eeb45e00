#include "../cmocka_all.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

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
	assert_true(clock_mono_ms() - before < 30000);
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
	assert_true(clock_mono_ms() - before < 30000);
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

/* Due a second apart in the past, put in in no order, some of them taken out again. */
static void many_come_in_the_order_of_their_time(void **state)
{
	enum { MANY = 211, STEP = 57 }; /* without a common divisor: each place once */
	(void)state;
	Queue *queue = queue_new(&config);
	for (int i = 0; i < MANY; i++) {
		int place = i * STEP % MANY;
		autofree char *key = mem_printf("%d", place);
		queue_add_after(queue, key, (int64_t)(place - MANY) * 1000, true);
	}
	for (int i = 0; i < MANY; i += 3) {
		autofree char *key = mem_printf("%d", i);
		queue_remove(queue, key);
	}
	assert_int_equal(queue_depth(queue), MANY - (MANY + 2) / 3);
	for (int i = 0; i < MANY; i++) {
		autofree char *key = mem_printf("%d", i);
		if (i % 3)
			take_is(queue, key);
	}
	queue_free(queue);
}

typedef struct {
	Queue *queue;
	int taken;
} Taker;

static void *take_all(void *arg)
{
	Taker *taker = arg;
	for (char *key; (key = queue_take(taker->queue));) {
		queue_done(taker->queue, key);
		free(key);
		__atomic_fetch_add(&taker->taken, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void await_taken(Taker *taker, int want)
{
	int64_t until_ms = clock_mono_ms() + 20000;
	while (__atomic_load_n(&taker->taken, __ATOMIC_SEQ_CST) < want &&
	       clock_mono_ms() < until_ms)
		sched_yield();
	assert_int_equal(__atomic_load_n(&taker->taken, __ATOMIC_SEQ_CST), want);
}

/* It waits for nothing, or for what is due in an hour: what comes before that wakes it. */
static void a_waiting_taker_is_woken(void **state)
{
	(void)state;
	for (int64_t later_ms = 0; later_ms <= 3600000; later_ms += 3600000) {
		Taker taker = {queue_new(&config), 0};
		pthread_t thread;
		if (later_ms)
			queue_add_after(taker.queue, "later", later_ms, true);
		assert_int_equal(pthread_create(&thread, NULL, take_all, &taker), 0);
		for (int i = 0; i < 50; i++) {
			if (i % 2)
				queue_add(taker.queue, "now");
			else
				queue_add_after(taker.queue, "soon", 2, true);
			await_taken(&taker, i + 1);
		}
		queue_shut(taker.queue);
		pthread_join(thread, NULL);
		queue_free(taker.queue);
	}
}

static int64_t processor_ms(void)
{
	struct timespec at;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
	return at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static void waiting_for_a_timer_costs_nothing(void **state)
{
	(void)state;
	Queue *queue = queue_new(&config);
	queue_add_after(queue, "a", 500, true);
	int64_t began_ms = processor_ms();
	take_is(queue, "a");
	assert_true(processor_ms() - began_ms < 100);
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

/* What waits for the server, and only that; its back-off begins anew. */
static void what_is_held_is_resumed(void **state)
{
	enum { LONG_MS = 60000 };
	const QueueConfig slow = {.min_retry_ms = LONG_MS, .max_retry_ms = 4 * LONG_MS};
	(void)state;
	Queue *queue = queue_new(&slow);
	static const char *const keys[] = {"failed", "put-off", "not-held", "runs"};
	for (size_t i = 0; i < COUNT(keys); i++) {
		queue_add(queue, keys[i]);
		take_is(queue, keys[i]);
		assert_int_equal(queue_add_backoff(queue, keys[i], 0), LONG_MS);
	}
	assert_true(queue_postpone(queue, "put-off", LONG_MS));
	queue_hold(queue, "failed");
	queue_hold(queue, "put-off");
	queue_hold(queue, "runs");
	for (size_t i = 0; i + 1 < COUNT(keys); i++)
		queue_done(queue, keys[i]);
	assert_int_equal(queue_depth(queue), 1); /* what runs */
	queue_resume(queue);
	assert_int_equal(queue_depth(queue), 3);
	take_is(queue, "failed");
	take_is(queue, "put-off");
	assert_int_equal(queue_postponed(queue, "put-off"), 0);
	assert_int_equal(queue_add_backoff(queue, "put-off", 0), LONG_MS);
	assert_int_equal(queue_failures(queue, "not-held"), 1);
	/* One that was about to wait does not. */
	queue_done(queue, "runs");
	take_is(queue, "runs");
	queue_resume(queue); /* nothing is held any more */
	queue_done(queue, "put-off");
	assert_int_equal(queue_depth(queue), 2);
	queue_free(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(added_twice_runs_once),
		cmocka_unit_test(added_while_running_runs_again),
		cmocka_unit_test(a_timer_set_while_running_survives_the_requeue),
		cmocka_unit_test(put_off_grows_and_ends_after_ten_in_a_row),
		cmocka_unit_test(what_is_held_is_resumed),
		cmocka_unit_test(timers_order_and_earlier_wins),
		cmocka_unit_test(S90_backoff_doubles_to_its_limit_and_success_resets),
		cmocka_unit_test(many_come_in_the_order_of_their_time),
		cmocka_unit_test(a_waiting_taker_is_woken),
		cmocka_unit_test(waiting_for_a_timer_costs_nothing),
		cmocka_unit_test(removed_key_leaves_nothing),
		cmocka_unit_test(shut_wakes_takers),
		cmocka_unit_test(a_key_never_runs_twice_at_once),
	};
	return cmocka_run_group_tests_name("ctrl/queue", tests, NULL, NULL);
}
