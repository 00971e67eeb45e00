#include "../cmocka_all.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "net/loop.h"

typedef struct {
	Loop *loop;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int log[64];
	int len;
	LoopTimer timer;
	int fd;
} Trace;

typedef struct {
	Trace *trace;
	int value;
} Mark;

static void trace_put(Trace *trace, int value)
{
	pthread_mutex_lock(&trace->lock);
	if (trace->len < 64)
		trace->log[trace->len++] = value;
	pthread_cond_broadcast(&trace->changed);
	pthread_mutex_unlock(&trace->lock);
}

static void trace_wait(Trace *trace, int len)
{
	pthread_mutex_lock(&trace->lock);
	while (trace->len < len)
		pthread_cond_wait(&trace->changed, &trace->lock);
	pthread_mutex_unlock(&trace->lock);
}

static void put_mark(void *arg)
{
	const Mark *mark = arg;
	trace_put(mark->trace, mark->value);
}

static void start(Trace *trace)
{
	autoerror Error err = {0};
	*trace = (Trace){.loop = loop_new(&err), .fd = -1};
	assert_non_null(trace->loop);
	pthread_mutex_init(&trace->lock, NULL);
	pthread_cond_init(&trace->changed, NULL);
}

static void posts_run_in_order(void **state)
{
	(void)state;
	Trace trace;
	start(&trace);
	Mark marks[50];
	for (int i = 0; i < 50; i++) {
		marks[i] = (Mark){&trace, i};
		loop_post(trace.loop, put_mark, &marks[i]);
	}
	trace_wait(&trace, 50);
	for (int i = 0; i < 50; i++)
		assert_int_equal(trace.log[i], i);
	loop_free(trace.loop);
}

static void timers_fire_by_time_then_by_order(void **state)
{
	(void)state;
	Trace trace;
	start(&trace);
	static const int delays[] = {40, 10, 30, 20, 20, 0};
	static const int expected[] = {5, 1, 3, 4, 2, 0};
	Mark marks[6];
	for (int i = 0; i < 6; i++) {
		marks[i] = (Mark){&trace, i};
		loop_after(trace.loop, delays[i], put_mark, &marks[i]);
	}
	trace_wait(&trace, 6);
	for (int i = 0; i < 6; i++)
		assert_int_equal(trace.log[i], expected[i]);
	loop_free(trace.loop);
}

static void many_timers_cancelled_in_any_order(void **state)
{
	(void)state;
	Trace trace;
	start(&trace);
	Mark never = {&trace, -1}, last = {&trace, 7};
	LoopTimer ids[1000];
	for (int i = 0; i < 1000; i++)
		ids[i] = loop_after(trace.loop, 50 + i * 7 % 100, put_mark, &never);
	for (int i = 0; i < 1000; i++)
		loop_cancel(trace.loop, ids[(i * 337) % 1000]);
	loop_cancel(trace.loop, ids[3]); /* twice is harmless */
	loop_cancel(trace.loop, 0);
	loop_after(trace.loop, 160, put_mark, &last);
	trace_wait(&trace, 1);
	assert_int_equal(trace.len, 1);
	assert_int_equal(trace.log[0], 7);
	loop_free(trace.loop);
}

/* A slot that is used again must not be hit by the old id. */
static void cancel_of_a_fired_timer_spares_its_successor(void **state)
{
	(void)state;
	Trace trace;
	start(&trace);
	Mark first = {&trace, 1}, second = {&trace, 2};
	LoopTimer old = loop_after(trace.loop, 0, put_mark, &first);
	trace_wait(&trace, 1);
	LoopTimer new = loop_after(trace.loop, 20, put_mark, &second);
	assert_true(old != new);
	loop_cancel(trace.loop, old);
	trace_wait(&trace, 2);
	assert_int_equal(trace.log[1], 2);
	loop_free(trace.loop);
}

static void cancel_own(void *arg)
{
	Trace *trace = arg;
	loop_cancel(trace->loop, trace->timer);
	trace_put(trace, 3);
}

static void cancel_on_the_loop_wins_over_a_due_timer(void **state)
{
	(void)state;
	Trace trace;
	start(&trace);
	Mark never = {&trace, -1}, last = {&trace, 4};
	/* Both due at the same time; the first one takes the second away. */
	loop_after(trace.loop, 20, cancel_own, &trace);
	trace.timer = loop_after(trace.loop, 20, put_mark, &never);
	loop_after(trace.loop, 60, put_mark, &last);
	trace_wait(&trace, 2);
	assert_int_equal(trace.log[0], 3);
	assert_int_equal(trace.log[1], 4);
	loop_free(trace.loop);
}

static void nested_call(void *arg)
{
	Trace *trace = arg;
	assert_true(loop_is_current(trace->loop));
	Mark mark = {trace, 1};
	loop_call(trace->loop, put_mark, &mark); /* at once on its own thread */
	trace_put(trace, 2);
}

static void call_returns_after_the_function(void **state)
{
	(void)state;
	Trace trace;
	start(&trace);
	assert_false(loop_is_current(trace.loop));
	loop_call(trace.loop, nested_call, &trace);
	assert_int_equal(trace.len, 2);
	assert_int_equal(trace.log[0], 1);
	loop_free(trace.loop);
}

static void on_readable(void *arg, int fd, uint32_t events)
{
	Trace *trace = arg;
	uint64_t count = 0;
	assert_true(events & EPOLLIN);
	assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
	trace_put(trace, (int)count);
}

static void watch_fd(void *arg)
{
	Trace *trace = arg;
	autoerror Error err = {0};
	assert_true(loop_watch(trace->loop, trace->fd, EPOLLIN, on_readable, trace, &err));
}

static void unwatch_fd(void *arg)
{
	Trace *trace = arg;
	autoerror Error err = {0};
	assert_true(loop_watch(trace->loop, trace->fd, 0, NULL, NULL, &err));
}

/* Closes a watched descriptor and watches a new one with the same number. */
static void reopen_fd(void *arg)
{
	Trace *trace = arg;
	close(trace->fd);
	int fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(fd, trace->fd);
	watch_fd(trace);
}

static void watch_bad_fd(void *arg)
{
	Trace *trace = arg;
	autoerror Error err = {0};
	assert_false(loop_watch(trace->loop, -1, EPOLLIN, on_readable, trace, &err));
	assert_int_equal(err.code, ERR_INVALID);
	error_dispose(&err);
	assert_false(loop_watch(trace->loop, 900, EPOLLIN, on_readable, trace, &err));
	assert_int_equal(err.code, ERR_IO);
}

static void descriptors_wake_until_unwatched(void **state)
{
	(void)state;
	Trace trace;
	start(&trace);
	trace.fd = eventfd(0, EFD_CLOEXEC);
	uint64_t value = 5;
	loop_call(trace.loop, watch_fd, &trace);
	assert_int_equal(write(trace.fd, &value, sizeof(value)), sizeof(value));
	trace_wait(&trace, 1);
	loop_call(trace.loop, reopen_fd, &trace);
	value = 6;
	assert_int_equal(write(trace.fd, &value, sizeof(value)), sizeof(value));
	trace_wait(&trace, 2);
	assert_int_equal(trace.log[0], 5);
	assert_int_equal(trace.log[1], 6);
	loop_call(trace.loop, unwatch_fd, &trace);
	assert_int_equal(write(trace.fd, &value, sizeof(value)), sizeof(value));
	loop_call(trace.loop, watch_bad_fd, &trace);
	assert_int_equal(trace.len, 2);
	loop_free(trace.loop);
	close(trace.fd);
}

typedef struct {
	Loop *loop;
	atomic_int *sum;
} Poster;

static void add_one(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void *post_many(void *arg)
{
	const Poster *poster = arg;
	for (int i = 0; i < 2000; i++) {
		loop_post(poster->loop, add_one, poster->sum);
		LoopTimer timer = loop_after(poster->loop, 1000000, add_one, poster->sum);
		loop_cancel(poster->loop, timer);
	}
	return NULL;
}

static void posts_of_many_threads_all_run_before_free_returns(void **state)
{
	(void)state;
	autoerror Error err = {0};
	atomic_int sum = 0;
	Poster poster = {loop_new(&err), &sum};
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, post_many, &poster);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	loop_free(poster.loop);
	assert_int_equal(sum, 8000);
}

static void free_does_not_wait_for_timers(void **state)
{
	(void)state;
	Trace trace;
	start(&trace);
	Mark never = {&trace, 1};
	loop_after(trace.loop, 3600 * 1000, put_mark, &never);
	int64_t before_ms = clock_mono_ms();
	loop_free(trace.loop);
	assert_true(clock_mono_ms() - before_ms < 5000);
	assert_int_equal(trace.len, 0);
}

static void an_idle_loop_uses_no_processor(void **state)
{
	(void)state;
	Trace trace;
	start(&trace);
	Mark last = {&trace, 1};
	struct timespec before, after;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	loop_after(trace.loop, 300, put_mark, &last);
	trace_wait(&trace, 1);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	int64_t used_ms =
		(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	assert_true(used_ms < 100);
	loop_free(trace.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posts_run_in_order),
		cmocka_unit_test(timers_fire_by_time_then_by_order),
		cmocka_unit_test(many_timers_cancelled_in_any_order),
		cmocka_unit_test(cancel_of_a_fired_timer_spares_its_successor),
		cmocka_unit_test(cancel_on_the_loop_wins_over_a_due_timer),
		cmocka_unit_test(call_returns_after_the_function),
		cmocka_unit_test(descriptors_wake_until_unwatched),
		cmocka_unit_test(posts_of_many_threads_all_run_before_free_returns),
		cmocka_unit_test(free_does_not_wait_for_timers),
		cmocka_unit_test(an_idle_loop_uses_no_processor),
	};
	return cmocka_run_group_tests_name("net/loop", tests, NULL, NULL);
}
