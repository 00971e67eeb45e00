#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "internal.h"

static bool pass(Limiter *limiter, unsigned number, int64_t *reset_ms)
{
	unsigned char key[DIGEST_MAX_BYTES] = {0};
	memcpy(key, &number, sizeof(number));
	return limiter_pass(limiter, key, reset_ms);
}

static void N3_N4_windows_are_fixed(void **state)
{
	(void)state;
	Limiter *limiter = limiter_new(300);
	int64_t first, again, start = clock_mono_ms();
	assert_true(pass(limiter, 1, &first));
	assert_false(pass(limiter, 1, &again));
	/* A refused event does not move the end. */
	assert_in_range(first - again + 50, 0, 100);
	assert_true(pass(limiter, 2, &again));
	while (!pass(limiter, 1, &again))
		assert_true(clock_mono_ms() - start < 10000);
	assert_true(clock_mono_ms() - start >= 300);
	limiter_free(limiter);
}

static void a_flood_is_remembered_up_to_the_bound(void **state)
{
	enum { KEPT = 200000, ALL = 300000 };
	(void)state;
	Limiter *limiter = limiter_new(3600000);
	int64_t reset;
	for (unsigned i = 0; i < ALL; i++)
		if (!pass(limiter, i, &reset))
			fail_msg("%u is refused at first sight", i);
	for (unsigned i = 0; i < KEPT; i++)
		if (pass(limiter, i, &reset))
			fail_msg("%u is forgotten", i);
	for (unsigned i = KEPT; i < ALL; i++)
		if (!pass(limiter, i, &reset))
			fail_msg("%u is kept beyond the bound", i);
	limiter_free(limiter);
}

static void old_windows_make_room(void **state)
{
	(void)state;
	Limiter *limiter = limiter_new(1);
	int64_t reset, start = clock_mono_ms();
	/* Each millisecond ends windows; keys beyond the bound in all, never at once. */
	for (unsigned i = 0; i < 500000; i++)
		if (!pass(limiter, i, &reset))
			fail_msg("%u", i);
	assert_true(clock_mono_ms() - start < 60000);
	limiter_free(limiter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N3_N4_windows_are_fixed),
		cmocka_unit_test(a_flood_is_remembered_up_to_the_bound),
		cmocka_unit_test(old_windows_make_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
