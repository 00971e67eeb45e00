/* How long to wait before the next try. The only place, beside the work queue, that knows. */
#ifndef NET_RETRY_H
#define NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct {
	int max_tries;	 /* the first one counts */
	int64_t base_ms; /* wait after the first failure */
	int64_t max_ms;	 /* cap of one wait */
	double factor;	 /* growth; 2 when 0 */
	double jitter;	 /* adds up to jitter * wait, random */
} RetryPolicy;

/* The wait after failure number `failures` (1 is the first), Retry-After of *err (may be NULL)
 * being the least. */
int64_t retry_wait_ms(const RetryPolicy *policy, int failures, const Error *err);

/* True for what another try may cure: ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_TOO_MANY. */
bool retry_is_worth_it(const Error *err);

#endif
