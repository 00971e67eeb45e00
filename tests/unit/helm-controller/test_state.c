#include "../cmocka_all.h"

#include "base/auto.h"
#include "base/str.h"
#include "state.h"

/* A release that is ours, and what of it is as wanted: chart, values, renderers, metadata. */
#define OURS(status, chart, values, renderers, metadata)                                           \
	.stored = status, .has_history = true, .matches = true, .same_chart = chart,               \
	.same_values = values, .same_post_renderers = renderers, .same_common_metadata = metadata
#define WELL OURS("deployed", true, true, true, true)

static void every_row_of_the_first_table(void **state)
{
	(void)state;
	static const struct {
		ReleaseSight sight;
		ReleaseState want;
	} rows[] = {
		{{0}, STATE_ABSENT},
		{{.has_history = true}, STATE_ABSENT},
		{{.stored = "pending-install"}, STATE_LOCKED},
		{{.stored = "pending-upgrade", .has_history = true}, STATE_LOCKED},
		{{.stored = "pending-rollback", .matches = true}, STATE_LOCKED},
		{{.stored = "uninstalled"}, STATE_ABSENT},
		{{.stored = "deployed"}, STATE_UNMANAGED},
		{{.stored = "failed"}, STATE_UNMANAGED},
		{{.stored = "deployed", .has_history = true}, STATE_UNMANAGED},
		{{.stored = "uninstalled", .has_history = true}, STATE_UNMANAGED},
		{{.stored = "uninstalled", .has_history = true, .matches = true}, STATE_ABSENT},
		{{.stored = "failed", .has_history = true, .matches = true}, STATE_FAILED},
		{{WELL}, STATE_IN_SYNC},
		{{OURS("deployed", false, true, true, true)}, STATE_OUT_OF_SYNC},
		{{OURS("deployed", true, false, true, true)}, STATE_OUT_OF_SYNC},
		{{OURS("deployed", true, true, false, true)}, STATE_IN_SYNC},
		{{OURS("deployed", true, true, false, true), .is_new_generation = true},
		 STATE_OUT_OF_SYNC},
		{{OURS("deployed", true, true, true, false)}, STATE_IN_SYNC},
		{{OURS("deployed", true, true, true, false), .is_new_generation = true},
		 STATE_OUT_OF_SYNC},
		{{WELL, .tests = true}, STATE_UNTESTED},
		{{WELL, .tests = true, .tested = true}, STATE_IN_SYNC},
		{{WELL, .tests = true, .tested = true, .tests_failed = true}, STATE_FAILED},
		{{WELL, .tests_failed = true}, STATE_IN_SYNC},
		{{WELL, .drifted = true}, STATE_DRIFTED},
		{{WELL, .drifted = true, .tests = true}, STATE_UNTESTED},
		{{OURS("superseded", true, true, true, true)}, STATE_UNKNOWN},
		{{OURS("uninstalling", true, true, true, true)}, STATE_LOCKED},
		{{.stored = "uninstalling"}, STATE_LOCKED},
		{{OURS("unknown", true, true, true, true)}, STATE_UNKNOWN},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *reason;
		ReleaseState got = release_state(&rows[i].sight, &reason);
		if (got != rows[i].want)
			fail_msg("row %zu: %s, want %s", i, release_state_name(got),
				 release_state_name(rows[i].want));
	}
}

static void every_row_of_the_second_table(void **state)
{
	(void)state;
	static const struct {
		ReleaseSituation situation;
		ReleaseStep want;
	} rows[] = {
		{{.state = STATE_IN_SYNC}, DO_NOTHING},
		{{.state = STATE_IN_SYNC, .force = true}, DO_UPGRADE},
		{{.state = STATE_LOCKED}, DO_UNLOCK},
		{{.state = STATE_ABSENT}, DO_INSTALL},
		{{.state = STATE_ABSENT, .install_exhausted = true}, DO_STALL},
		{{.state = STATE_ABSENT, .install_exhausted = true, .force = true}, DO_INSTALL},
		{{.state = STATE_UNMANAGED, .upgrade_exhausted = true}, DO_UPGRADE},
		{{.state = STATE_OUT_OF_SYNC}, DO_UPGRADE},
		{{.state = STATE_OUT_OF_SYNC, .upgrade_exhausted = true}, DO_STALL},
		{{.state = STATE_OUT_OF_SYNC, .upgrade_exhausted = true, .force = true},
		 DO_UPGRADE},
		{{.state = STATE_UNTESTED}, DO_TEST},
		{{.state = STATE_DRIFTED}, DO_NOTHING},
		{{.state = STATE_DRIFTED, .corrects_drift = true}, DO_CORRECT},
		{{.state = STATE_FAILED}, DO_UPGRADE},
		{{.state = STATE_FAILED, .has_remediation = true}, DO_UPGRADE},
		{{.state = STATE_FAILED, .has_remediation = true, .failures = 1}, DO_ROLLBACK},
		{{.state = STATE_FAILED,
		  .has_remediation = true,
		  .failures = 1,
		  .uninstalls = true},
		 DO_UNINSTALL},
		{{.state = STATE_FAILED, .has_remediation = true, .failures = 1, .exhausted = true},
		 DO_STALL},
		{{.state = STATE_FAILED,
		  .has_remediation = true,
		  .failures = 1,
		  .exhausted = true,
		  .remediate_last = true},
		 DO_ROLLBACK},
		{{.state = STATE_FAILED,
		  .has_remediation = true,
		  .failures = 1,
		  .exhausted = true,
		  .force = true},
		 DO_UPGRADE},
		{{.state = STATE_FAILED,
		  .has_remediation = true,
		  .failures = 1,
		  .exhausted = true,
		  .retries_on_failure = true},
		 DO_UPGRADE},
		{{.state = STATE_UNKNOWN}, DO_GIVE_UP},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		ReleaseStep got = release_next_step(&rows[i].situation);
		if (got != rows[i].want)
			fail_msg("row %zu: step %d, want %d", i, (int)got, (int)rows[i].want);
	}
}

static void steps_have_types_and_names(void **state)
{
	(void)state;
	assert_int_equal(release_step_type(DO_INSTALL), release_step_type(DO_UPGRADE));
	assert_int_equal(release_step_type(DO_ROLLBACK), release_step_type(DO_UNINSTALL));
	assert_int_not_equal(release_step_type(DO_TEST), release_step_type(DO_UNLOCK));
	assert_string_equal(release_step_name(DO_CORRECT), "correct cluster drift");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_first_table),
		cmocka_unit_test(every_row_of_the_second_table),
		cmocka_unit_test(steps_have_types_and_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
