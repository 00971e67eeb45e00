/* K6, H19: what is new and waits for its source tells nobody at first, but not for ever. */
#include "../cmocka_all.h"

#include "base/clock.h"
#include "delivery/source_wait.h"

static void wait_ms(int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	while (clock_mono_ms() < until)
		continue;
}

static void K6_quiet_is_from_the_first_wait(void **state)
{
	(void)state;
	SourceWaits *waits = source_waits_new();
	int64_t first = source_waits_quiet_ms(waits, "ns/a");
	assert_in_range(first, 1500, 2000);
	wait_ms(20);
	assert_true(source_waits_quiet_ms(waits, "ns/a") <= first - 20);
	assert_true(source_waits_quiet_ms(waits, "ns/b") > first - 20);
	source_waits_over(waits, "ns/a");
	assert_true(source_waits_quiet_ms(waits, "ns/a") > first - 20);
	source_waits_over(waits, "never/waited");
	source_waits_free(waits);
	source_waits_free(NULL);
}

static void K6_quiet_goes_on_while_artifacts_come(void **state)
{
	(void)state;
	SourceWaits *waits = source_waits_new();
	int64_t first = source_waits_quiet_ms(waits, "ns/a");
	wait_ms(30);
	int64_t before = source_waits_quiet_ms(waits, "ns/a");
	int64_t moving_ms = clock_mono_ms();
	source_waits_moved(waits);
	int64_t after = source_waits_quiet_ms(waits, "ns/a");
	assert_true(before <= first - 30);
	assert_in_range(after, 2000 - (clock_mono_ms() - moving_ms), 2000);
	source_waits_free(waits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(K6_quiet_is_from_the_first_wait),
		cmocka_unit_test(K6_quiet_goes_on_while_artifacts_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
