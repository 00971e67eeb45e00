/*
 * Condition variables that wait by the monotonic clock, so that a step of the wall clock neither
 * ends a wait early nor makes it last.
 */
#ifndef BASE_COND_H
#define BASE_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Ended with pthread_cond_destroy. */
void cond_init(pthread_cond_t *cond);

/*
 * Waits with `lock` held, as pthread_cond_wait, at most until clock_mono_ms() reaches until_ms.
 * False when that time is up; true for a wake-up, which may be spurious: the caller looks again.
 */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms);

#endif
