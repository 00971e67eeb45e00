/* Exponential growth with a cap, then jitter; a server's own wish (Retry-After) is the least. */
#include "net/retry.h"

#include "base/rand.h"

enum { JITTER_STEPS = 1 << 20 };

int64_t retry_wait_ms(const RetryPolicy *policy, int failures, const Error *err)
{
	double factor = policy->factor > 0 ? policy->factor : 2;
	double wait = (double)policy->base_ms;
	double cap = (double)policy->max_ms;
	for (int i = 1; i < failures && wait < cap; i++)
		wait *= factor;
	if (wait > cap)
		wait = cap;
	if (policy->jitter > 0)
		wait += wait * policy->jitter * (double)rand_below(JITTER_STEPS) / JITTER_STEPS;
	int64_t wait_ms = wait > 0 ? (int64_t)wait : 0;
	if (err && err->retry_after_ms > wait_ms)
		return err->retry_after_ms;
	return wait_ms;
}

bool retry_is_worth_it(const Error *err)
{
	return err->code == ERR_UNAVAILABLE || err->code == ERR_TIMEOUT ||
	       err->code == ERR_TOO_MANY;
}
