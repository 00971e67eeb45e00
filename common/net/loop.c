/*
 * One thread: epoll for descriptors, a binary heap for timers, a queue for messages. `lock` guards
 * posts, timers and `asleep`; watches belong to the loop's thread alone. The eventfd is written
 * only while the thread sleeps, so a burst of posts costs one system call.
 */
#include "net/loop.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

enum {
	STACK_SIZE = 256 * 1024,
	EVENTS_AT_ONCE = 64,
	POSTS_KEPT = 1024,   /* a longer array is given back after use */
	DRAIN_ROUNDS = 1000, /* posts that post again must not hold loop_free up for ever */
};

typedef struct {
	LoopFn *fn;
	void *arg;
} Post;

typedef struct {
	Post *items;
	size_t len, cap;
} PostQueue;

/* A timer's id is its slot + 1 in the low half, the slot's generation in the high half. */
typedef struct {
	int64_t due_ms;
	uint64_t order; /* equal times fire in the order of starting */
	LoopFn *fn;
	void *arg;
	uint32_t generation;
	uint32_t heap_at;
} Timer;

typedef struct {
	LoopFdFn *fn;
	void *arg;
	uint32_t events;
	uint32_t generation; /* so that an event queued for an earlier watch of fd is told apart */
} Watch;

struct Loop {
	pthread_t thread;
	int epoll_fd, event_fd;
	atomic_bool stopping;

	pthread_mutex_t lock;
	bool asleep;
	PostQueue posts;
	Timer *timers;
	uint32_t timer_count, timer_cap;
	uint32_t *heap; /* timer slots, the next due first */
	uint32_t heap_len;
	uint32_t *free_slots;
	uint32_t free_len;
	uint64_t next_order;

	PostQueue running; /* loop's thread */
	Watch *watches;	   /* loop's thread; by descriptor */
	size_t watch_count;
	uint32_t next_generation;
};

/* --- waking --- */

/* With the lock held. Says whether the caller must write to the eventfd, after unlocking. */
static bool claim_wake(Loop *loop)
{
	bool asleep = loop->asleep;
	loop->asleep = false;
	return asleep;
}

static void wake(const Loop *loop)
{
	uint64_t one = 1;
	while (write(loop->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* --- posts --- */

static void post_push(PostQueue *queue, LoopFn *fn, void *arg)
{
	if (queue->len == queue->cap) {
		queue->cap = queue->cap ? queue->cap * 2 : 32;
		queue->items = mem_realloc(queue->items, queue->cap * sizeof(Post));
	}
	queue->items[queue->len++] = (Post){fn, arg};
}

void loop_post(Loop *loop, LoopFn *fn, void *arg)
{
	pthread_mutex_lock(&loop->lock);
	post_push(&loop->posts, fn, arg);
	bool must_wake = claim_wake(loop);
	pthread_mutex_unlock(&loop->lock);
	if (must_wake)
		wake(loop);
}

/* Runs what is queued now; what those functions post waits for the next round. */
static bool run_posts(Loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	PostQueue batch = loop->posts;
	loop->posts = loop->running;
	pthread_mutex_unlock(&loop->lock);
	bool any = batch.len > 0;
	for (size_t i = 0; i < batch.len; i++)
		batch.items[i].fn(batch.items[i].arg);
	batch.len = 0;
	if (batch.cap > POSTS_KEPT) {
		free(batch.items);
		batch = (PostQueue){0};
	}
	loop->running = batch;
	return any;
}

bool loop_is_current(const Loop *loop)
{
	return pthread_equal(loop->thread, pthread_self());
}

typedef struct {
	LoopFn *fn;
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t done_changed;
	bool done;
} SyncCall;

static void run_sync_call(void *arg)
{
	SyncCall *call = arg;
	call->fn(call->arg);
	pthread_mutex_lock(&call->lock);
	call->done = true;
	pthread_cond_signal(&call->done_changed);
	pthread_mutex_unlock(&call->lock);
}

void loop_call(Loop *loop, LoopFn *fn, void *arg)
{
	if (loop_is_current(loop)) {
		fn(arg);
		return;
	}
	SyncCall call = {.fn = fn, .arg = arg};
	pthread_mutex_init(&call.lock, NULL);
	pthread_cond_init(&call.done_changed, NULL);
	loop_post(loop, run_sync_call, &call);
	pthread_mutex_lock(&call.lock);
	while (!call.done)
		pthread_cond_wait(&call.done_changed, &call.lock);
	pthread_mutex_unlock(&call.lock);
	pthread_cond_destroy(&call.done_changed);
	pthread_mutex_destroy(&call.lock);
}

/* --- timers: a heap of slots, all with the lock held --- */

static bool timer_before(const Loop *loop, uint32_t a, uint32_t b)
{
	const Timer *x = &loop->timers[a], *y = &loop->timers[b];
	return x->due_ms != y->due_ms ? x->due_ms < y->due_ms : x->order < y->order;
}

static void heap_set(Loop *loop, uint32_t at, uint32_t slot)
{
	loop->heap[at] = slot;
	loop->timers[slot].heap_at = at;
}

static void heap_up(Loop *loop, uint32_t at)
{
	uint32_t slot = loop->heap[at];
	while (at > 0 && timer_before(loop, slot, loop->heap[(at - 1) / 2])) {
		heap_set(loop, at, loop->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_set(loop, at, slot);
}

static void heap_down(Loop *loop, uint32_t at)
{
	uint32_t slot = loop->heap[at];
	for (;;) {
		uint32_t child = at * 2 + 1;
		if (child >= loop->heap_len)
			break;
		if (child + 1 < loop->heap_len &&
		    timer_before(loop, loop->heap[child + 1], loop->heap[child]))
			child++;
		if (!timer_before(loop, loop->heap[child], slot))
			break;
		heap_set(loop, at, loop->heap[child]);
		at = child;
	}
	heap_set(loop, at, slot);
}

/* Takes the slot out of the heap and makes its id invalid. */
static void timer_drop(Loop *loop, uint32_t slot)
{
	uint32_t at = loop->timers[slot].heap_at;
	uint32_t last = loop->heap[--loop->heap_len];
	if (last != slot) {
		heap_set(loop, at, last);
		heap_up(loop, at);
		heap_down(loop, loop->timers[last].heap_at);
	}
	loop->timers[slot].generation++;
	loop->timers[slot].fn = NULL;
	loop->free_slots[loop->free_len++] = slot;
}

static uint32_t timer_slot(Loop *loop)
{
	if (loop->free_len)
		return loop->free_slots[--loop->free_len];
	if (loop->timer_count == loop->timer_cap) {
		loop->timer_cap = loop->timer_cap ? loop->timer_cap * 2 : 16;
		loop->timers = mem_realloc(loop->timers, loop->timer_cap * sizeof(Timer));
		loop->heap = mem_realloc(loop->heap, loop->timer_cap * sizeof(uint32_t));
		loop->free_slots =
			mem_realloc(loop->free_slots, loop->timer_cap * sizeof(uint32_t));
	}
	loop->timers[loop->timer_count] = (Timer){0};
	return loop->timer_count++;
}

LoopTimer loop_after(Loop *loop, int64_t delay_ms, LoopFn *fn, void *arg)
{
	int64_t due_ms = clock_mono_ms() + (delay_ms > 0 ? delay_ms : 0);
	pthread_mutex_lock(&loop->lock);
	uint32_t slot = timer_slot(loop);
	Timer *timer = &loop->timers[slot];
	timer->due_ms = due_ms;
	timer->order = loop->next_order++;
	timer->fn = fn;
	timer->arg = arg;
	uint64_t id = (uint64_t)timer->generation << 32 | (slot + 1);
	loop->heap[loop->heap_len] = slot;
	heap_up(loop, loop->heap_len++);
	bool must_wake = loop->heap[0] == slot && claim_wake(loop);
	pthread_mutex_unlock(&loop->lock);
	if (must_wake)
		wake(loop);
	return id;
}

void loop_cancel(Loop *loop, LoopTimer timer)
{
	uint32_t slot = (uint32_t)timer - 1;
	if (timer == 0)
		return;
	pthread_mutex_lock(&loop->lock);
	if (slot < loop->timer_count && loop->timers[slot].fn &&
	    loop->timers[slot].generation == (uint32_t)(timer >> 32))
		timer_drop(loop, slot);
	pthread_mutex_unlock(&loop->lock);
}

/* Takes one timer that was due at `now_ms` and started before `order_end`; false when none is left.
 * The second bound keeps a timer that restarts itself at once from starving the descriptors. */
static bool take_due_timer(Loop *loop, int64_t now_ms, uint64_t order_end, Post *out)
{
	pthread_mutex_lock(&loop->lock);
	bool due = loop->heap_len > 0;
	if (due) {
		uint32_t slot = loop->heap[0];
		const Timer *timer = &loop->timers[slot];
		due = timer->due_ms <= now_ms && timer->order < order_end;
		if (due) {
			*out = (Post){timer->fn, timer->arg};
			timer_drop(loop, slot);
		}
	}
	pthread_mutex_unlock(&loop->lock);
	return due;
}

static void run_timers(Loop *loop)
{
	int64_t now_ms = clock_mono_ms();
	pthread_mutex_lock(&loop->lock);
	uint64_t order_end = loop->next_order;
	pthread_mutex_unlock(&loop->lock);
	Post due;
	while (!atomic_load(&loop->stopping) && take_due_timer(loop, now_ms, order_end, &due))
		due.fn(due.arg);
}

/* --- descriptors --- */

static void grow_watches(Loop *loop, int fd)
{
	size_t need = (size_t)fd + 1;
	if (need <= loop->watch_count)
		return;
	size_t count = need + 16;
	loop->watches = mem_realloc(loop->watches, count * sizeof(Watch));
	memset(loop->watches + loop->watch_count, 0, (count - loop->watch_count) * sizeof(Watch));
	loop->watch_count = count;
}

/* A descriptor number that was closed and opened again behind our back is no longer in the epoll
 * set although we think so, hence the second try. */
static bool epoll_put(Loop *loop, int fd, struct epoll_event *event, bool known)
{
	if (epoll_ctl(loop->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, event) == 0)
		return true;
	if (errno == ENOENT)
		return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, event) == 0;
	if (errno == EEXIST)
		return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, event) == 0;
	return false;
}

bool loop_watch(Loop *loop, int fd, uint32_t events, LoopFdFn *fn, void *arg, Error *err)
{
	if (fd < 0)
		return err_set(err, ERR_INVALID, "watch: no descriptor");
	grow_watches(loop, fd);
	Watch *watch = &loop->watches[fd];
	if (events == 0) {
		if (watch->fn)
			epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		*watch = (Watch){0};
		return true;
	}
	uint32_t generation = ++loop->next_generation;
	struct epoll_event event = {.events = events};
	event.data.u64 = (uint64_t)generation << 32 | (uint32_t)fd;
	if (!epoll_put(loop, fd, &event, watch->fn != NULL))
		return err_errno(err, "watch descriptor %d", fd);
	*watch = (Watch){fn, arg, events, generation};
	return true;
}

static void dispatch(Loop *loop, const struct epoll_event *event)
{
	int fd = (int)(uint32_t)event->data.u64;
	if (fd == loop->event_fd) {
		uint64_t count;
		ssize_t got = read(fd, &count, sizeof(count));
		(void)got;
		return;
	}
	if ((size_t)fd >= loop->watch_count)
		return;
	Watch watch = loop->watches[fd];
	if (watch.fn && watch.generation == (uint32_t)(event->data.u64 >> 32))
		watch.fn(watch.arg, fd, event->events);
}

/* --- the thread --- */

/* How long epoll may sleep; 0 when there is work. Marks the loop asleep otherwise. */
static int prepare_sleep(Loop *loop)
{
	int timeout = -1;
	pthread_mutex_lock(&loop->lock);
	if (loop->posts.len || atomic_load(&loop->stopping)) {
		timeout = 0;
	} else if (loop->heap_len) {
		int64_t wait = loop->timers[loop->heap[0]].due_ms - clock_mono_ms();
		timeout = wait <= 0 ? 0 : wait > INT_MAX ? INT_MAX : (int)wait;
	}
	loop->asleep = timeout != 0;
	pthread_mutex_unlock(&loop->lock);
	return timeout;
}

static void end_sleep(Loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->asleep = false;
	pthread_mutex_unlock(&loop->lock);
}

static void *run(void *arg)
{
	Loop *loop = arg;
	/* loop_new holds the lock until loop->thread is written. */
	pthread_mutex_lock(&loop->lock);
	pthread_mutex_unlock(&loop->lock);
	struct epoll_event events[EVENTS_AT_ONCE];
	while (!atomic_load(&loop->stopping)) {
		int timeout = prepare_sleep(loop);
		int count = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, timeout);
		if (timeout != 0)
			end_sleep(loop);
		for (int i = 0; i < count && !atomic_load(&loop->stopping); i++)
			dispatch(loop, &events[i]);
		run_posts(loop);
		run_timers(loop);
	}
	for (int i = 0; i < DRAIN_ROUNDS && run_posts(loop); i++)
		;
	return NULL;
}

/* Signals are for the main thread: the new thread starts with all of them blocked. */
static int start_thread(Loop *loop)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&loop->lock);
	int failure = pthread_create(&loop->thread, &attr, run, loop);
	if (failure == 0)
		pthread_setname_np(loop->thread, "loop");
	pthread_mutex_unlock(&loop->lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return failure;
}

static void destroy(Loop *loop)
{
	auto_close(&loop->epoll_fd);
	auto_close(&loop->event_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop->posts.items);
	free(loop->running.items);
	free(loop->timers);
	free(loop->heap);
	free(loop->free_slots);
	free(loop->watches);
	free(loop);
}

Loop *loop_new(Error *err)
{
	Loop *loop = mem_zalloc(1, sizeof(*loop));
	pthread_mutex_init(&loop->lock, NULL);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint32_t)loop->event_fd};
	bool ok = loop->epoll_fd >= 0 && loop->event_fd >= 0 &&
		  epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->event_fd, &event) == 0;
	if (ok) {
		errno = start_thread(loop);
		ok = errno == 0;
	}
	if (ok)
		return loop;
	err_errno(err, "start the I/O thread");
	destroy(loop);
	return NULL;
}

void loop_free(Loop *loop)
{
	if (!loop)
		return;
	pthread_mutex_lock(&loop->lock);
	atomic_store(&loop->stopping, true);
	bool must_wake = claim_wake(loop);
	pthread_mutex_unlock(&loop->lock);
	if (must_wake)
		wake(loop);
	pthread_join(loop->thread, NULL);
	destroy(loop);
}
