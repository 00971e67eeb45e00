#include "../cmocka_all.h"

#include "action_internal.h"

#include "base/mem.h"

static size_t lines_of(const char *text)
{
	size_t count = *text != '\0';
	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static Action *new_action(void)
{
	return action_new(&(ActionInput){.kind = ACTION_INSTALL, .release = "r", .ns = "n"});
}

static void H94_the_last_ten_lines_are_kept(void **state)
{
	(void)state;
	autoaction Action *action = new_action();
	autofree char *none = action_log(action);
	assert_string_equal(none, "");
	for (int i = 0; i < 25; i++)
		action_note(action, "line %d", i);
	autofree char *log = action_log(action);
	assert_int_equal(lines_of(log), 10);
	assert_non_null(strstr(log, "Z: line 15\n"));
	assert_non_null(strstr(log, "Z: line 24"));
	assert_null(strstr(log, "line 14"));
}

static void H94_repeats_are_counted(void **state)
{
	(void)state;
	autoaction Action *action = new_action();
	for (int i = 0; i < 4; i++)
		action_note(action, "again");
	action_note(action, "other");
	action_note(action, "other");
	autofree char *log = action_log(action);
	assert_int_equal(lines_of(log), 4);
	assert_non_null(strstr(log, "Z: again (2 duplicate lines omitted)\n"));
	assert_null(strstr(log, "other ("));
}

static void H94_long_lines_are_cut(void **state)
{
	(void)state;
	autoaction Action *action = new_action();
	autofree char *text = mem_zalloc(1, 100001);
	memset(text, 'x', 100000);
	action_note(action, "%s", text);
	autofree char *log = action_log(action);
	assert_true(strlen(log) < 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(H94_the_last_ten_lines_are_kept),
		cmocka_unit_test(H94_repeats_are_counted),
		cmocka_unit_test(H94_long_lines_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
