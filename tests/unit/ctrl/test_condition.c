#include "../cmocka_all.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ctrl/condition.h"

static json_t *object(void)
{
	return json_pack("{s:{s:i}}", "metadata", "generation", 3);
}

static const char *type_at(const json_t *obj, size_t i)
{
	return json_text(json_array_get(json_at(obj, "status", "conditions", NULL), i), "type");
}

static void order_is_stalled_reconciling_ready_then_names(void **state)
{
	(void)state;
	autojson json_t *obj = object();
	static const char *const in[] = {"Zeta", "Ready", "Alpha", "Stalled", "Reconciling"};
	static const char *const want[] = {"Stalled", "Reconciling", "Ready", "Alpha", "Zeta"};
	for (size_t i = 0; i < COUNT(in); i++)
		condition_set(obj, in[i], "True", "R", "m");
	for (size_t i = 0; i < COUNT(want); i++)
		assert_string_equal(type_at(obj, i), want[i]);
}

static void transition_time_moves_only_on_change(void **state)
{
	(void)state;
	autojson json_t *obj = object();
	condition_set(obj, "Ready", "True", "R", "m");
	json_t *ready = json_array_get(json_at(obj, "status", "conditions", NULL), 0);
	json_put_text(ready, "lastTransitionTime", "2020-01-01T00:00:00Z");
	condition_set(obj, "Ready", "True", "R", "m");
	assert_string_equal(json_text(ready, "lastTransitionTime"), "2020-01-01T00:00:00Z");
	condition_set(obj, "Ready", "True", "R", "other");
	char now[CLOCK_TEXT_SIZE];
	clock_format(clock_wall_ms(), now);
	const char *moved = json_text(ready, "lastTransitionTime");
	assert_true(strcmp(moved, "2020-01-01T00:00:00Z") > 0 && strcmp(moved, now) <= 0);
	assert_int_equal(strlen(moved), strlen(now));
	assert_int_equal(json_int(ready, "observedGeneration", 0), 3);
}

static void long_messages_are_cut_at_a_character(void **state)
{
	(void)state;
	autojson json_t *obj = object();
	autobuf Buf text = {0};
	buf_puts(&text, "x");
	for (int i = 0; i < 20000; i++)
		buf_puts(&text, "é");
	condition_set(obj, "Ready", "False", "R", buf_text(&text));
	const char *message = condition_message(obj, "Ready");
	assert_int_equal(strlen(message), 32767);
}

static void removal(void **state)
{
	(void)state;
	autojson json_t *obj = object();
	condition_remove(obj, "Ready");
	condition_set(obj, "Ready", "Unknown", "R", NULL);
	condition_set(obj, "Other", "True", "R", "");
	condition_remove(obj, "Ready");
	assert_null(condition_reason(obj, "Ready"));
	assert_true(condition_is(obj, "Other", "True"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_stalled_reconciling_ready_then_names),
		cmocka_unit_test(transition_time_moves_only_on_change),
		cmocka_unit_test(long_messages_are_cut_at_a_character),
		cmocka_unit_test(removal),
	};
	return cmocka_run_group_tests_name("ctrl/condition", tests, NULL, NULL);
}
