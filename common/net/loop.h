/*
 * The I/O thread of a process: epoll, timers, messages from other threads, and (through httpc)
 * curl's multi interface. Callbacks run on that thread, one at a time, and must not block.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"

typedef struct Loop Loop;
typedef void LoopFn(void *arg);

/* Starts the thread. Owned by the caller. ERR_IO when the kernel refuses a descriptor. */
Loop *loop_new(Error *err) MUST_USE;

/* Stops the thread after the callback that runs now and what has been posted until then (timers and
 * descriptors are dropped), joins it, frees all. Not from a callback. */
void loop_free(Loop *loop);
AUTO_POINTER(Loop, loop_free, auto_loop);
#define autoloop __attribute__((cleanup(auto_loop)))

/* Runs fn(arg) on the loop's thread soon, in the order of posting. Any thread. */
void loop_post(Loop *loop, LoopFn *fn, void *arg);

/* As loop_post, and returns when fn has run. On the loop's own thread it runs at once. */
void loop_call(Loop *loop, LoopFn *fn, void *arg);

bool loop_is_current(const Loop *loop);

/* Timers. Any thread may start one; `id` 0 is none. Cancelling one that has fired is harmless;
 * after loop_cancel returns on the loop's thread the function will not run. */
typedef uint64_t LoopTimer;
LoopTimer loop_after(Loop *loop, int64_t delay_ms, LoopFn *fn, void *arg);
void loop_cancel(Loop *loop, LoopTimer timer);

/* Watches a descriptor (loop's thread only). events: EPOLLIN | EPOLLOUT; 0 stops watching. */
typedef void LoopFdFn(void *arg, int fd, uint32_t events);
bool loop_watch(Loop *loop, int fd, uint32_t events, LoopFdFn *fn, void *arg, Error *err);

#endif
