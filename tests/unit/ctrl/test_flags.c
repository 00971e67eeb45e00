#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctrl/flags.h"

typedef struct {
	char *text;
	bool yes;
	int count;
	int64_t wait_ms;
	Vec list;
} Options;

static const Flag rows[] = {
	{"text", FLAG_TEXT, offsetof(Options, text), "fallback", "SLUICE_TEST_TEXT", "A text."},
	{"yes", FLAG_BOOL, offsetof(Options, yes), "true", NULL, "A switch."},
	{"count", FLAG_INT, offsetof(Options, count), "4", NULL, "A number."},
	{"wait", FLAG_DURATION, offsetof(Options, wait_ms), "35s", NULL, "A time."},
	{"list", FLAG_LIST, offsetof(Options, list), NULL, NULL, "A list."},
};

static bool parse(Options *options, Error *err, int argc, const char *const *argv)
{
	return flags_parse(rows, COUNT(rows), argc, (char *const *)(uintptr_t)argv, options, err);
}

static void defaults_environment_and_arguments(void **state)
{
	(void)state;
	Options options = {0};
	autoerror Error err = {0};
	static const char *const none[] = {"x"};
	assert_true(parse(&options, &err, 1, none));
	assert_string_equal(options.text, "fallback");
	assert_true(options.yes);
	assert_int_equal(options.count, 4);
	assert_int_equal(options.wait_ms, 35000);
	flags_dispose(rows, COUNT(rows), &options);

	setenv("SLUICE_TEST_TEXT", "from-env", 1);
	options = (Options){0};
	assert_true(parse(&options, &err, 1, none));
	assert_string_equal(options.text, "from-env");
	flags_dispose(rows, COUNT(rows), &options);

	options = (Options){0};
	static const char *const all[] = {"x",		 "--text=arg", "--yes=false",
					  "-count",	 "7",	       "--wait=1m30s",
					  "--list=a, b", "--list",     "c"};
	assert_true(parse(&options, &err, COUNT(all), all));
	unsetenv("SLUICE_TEST_TEXT");
	assert_string_equal(options.text, "arg");
	assert_false(options.yes);
	assert_int_equal(options.count, 7);
	assert_int_equal(options.wait_ms, 90000);
	assert_int_equal(options.list.len, 3);
	assert_string_equal(options.list.items[1], "b");
	flags_dispose(rows, COUNT(rows), &options);
}

static void S103_bad_arguments_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *argument, *names;
	} bad[] = {
		{"--nope", "--nope"},	{"--count=x", "count"}, {"--count=99999999999", "count"},
		{"--yes=maybe", "yes"}, {"--wait=5", "wait"},	{"stray", "stray"},
		{"--text", "text"},
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		Options options = {0};
		autoerror Error err = {0};
		const char *const argv[] = {"x", bad[i].argument};
		assert_false(parse(&options, &err, 2, argv));
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err_text(&err), bad[i].names));
		flags_dispose(rows, COUNT(rows), &options);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_environment_and_arguments),
		cmocka_unit_test(S103_bad_arguments_are_named),
	};
	return cmocka_run_group_tests_name("ctrl/flags", tests, NULL, NULL);
}
