#include "../cmocka_all.h"

#include <string.h>

#include "base/buf.h"
#include "data/regex.h"

/* What Go's regexp compiles and what it refuses. */
static const struct {
	const char *pattern;
	bool fine;
} rows[] = {
	{"a", true},
	{"(?P<n>a)", true},
	{"(?<n>a)", true},
	{"(?:a)", true},
	{"(?i)a", true},
	{"(?i:a)b", true},
	{"(?s-m:a)", true},
	{"\\pL\\p{Greek}", true},
	{"[[:alpha:]]", true},
	{"[]a]", true},
	{"[^]a]", true},
	{"\\Qa.b\\E", true},
	{"a{2,3}?", true},
	{"a{,3}", true},
	{"a{1000}", true},
	{"\\x{41}\\x41", true},
	{"\\z\\A\\b\\B", true},
	{"a|", true},
	{"", true},
	{"a*?", true},
	{"\\.\\-\\/", true},
	{"(?=a)", false},
	{"(?!a)", false},
	{"(?<=a)", false},
	{"(?<!a)", false},
	{"(?>a)", false},
	{"a++", false},
	{"a*+", false},
	{"a**", false},
	{"(a)\\1", false},
	{"(?P=n)", false},
	{"(?R)", false},
	{"(?1)", false},
	{"(?&n)", false},
	{"(?(1)a|b)", false},
	{"(?|a)", false},
	{"(?#c)", false},
	{"(*UTF)a", false},
	{"\\C", false},
	{"\\Z", false},
	{"\\G", false},
	{"\\K", false},
	{"\\h", false},
	{"\\R", false},
	{"\\X", false},
	{"a{1001}", false},
	{"*a", false},
	{"(", false},
	{")", false},
	{"[a", false},
	{"a\\", false},
	{"(?x)a", false},
	{"[b-a]", false},
	{"(?P<n>a)(?P<n>b)", false},
	{"\\k<n>", false},
	{"a{2}{3}", false},
	{"\\8", false},
};

static void syntax_is_that_of_re2(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autoregex Regex *regex = regex_new(rows[i].pattern, REGEX_SEARCH, &err);
		if ((regex != NULL) != rows[i].fine)
			print_message("%s: %s\n", rows[i].pattern, err_text(&err));
		assert_int_equal(regex != NULL, rows[i].fine);
		assert_int_equal(err.code, rows[i].fine ? ERR_NONE : ERR_INVALID);
	}
}

static bool match(const char *pattern, int flags, const char *text)
{
	autoerror Error err = {0};
	autoregex Regex *regex = regex_new(pattern, flags, &err);
	assert_non_null(regex);
	return regex_matches(regex, text, strlen(text));
}

static void matching(void **state)
{
	(void)state;
	assert_true(match("b", REGEX_SEARCH, "abc"));
	assert_false(match("b", REGEX_ANCHORED, "abc"));
	assert_true(match("a|abc", REGEX_ANCHORED, "abc"));
	assert_true(match("B", REGEX_ICASE, "abc"));
	assert_false(match("c$", REGEX_SEARCH, "abc\n"));
	assert_false(match("\\s", REGEX_SEARCH, "\v"));
	assert_true(match("[\\s]", REGEX_SEARCH, "\t"));
	assert_true(match("^.$", REGEX_SEARCH, "\xc3\xa9"));
	assert_true(match("a", REGEX_SEARCH,
			  "\xff"
			  "a"));
}

static void groups_and_spans(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoregex Regex *regex = regex_new("(?P<x>a)(b)?c", 0, &err);
	long spans[8];
	assert_true(regex_find(regex, "ac abc", 6, 1, spans, 4));
	assert_int_equal(spans[0], 3);
	assert_int_equal(spans[5], 5);
	assert_int_equal(spans[6], -1);
	assert_true(regex_find(regex, "ac", 2, 0, spans, 3));
	assert_int_equal(spans[4], -1);
	assert_int_equal(regex_group(regex, "x"), 1);
	assert_int_equal(regex_group(regex, "y"), 0);
	assert_false(regex_find(regex, "ac", 2, 3, spans, 3));
}

static void limits_end_a_runaway_match(void **state)
{
	(void)state;
	autobuf Buf text = {0};
	for (int i = 0; i < 5000; i++)
		buf_putc(&text, 'a');
	assert_false(match("(a|aa)+$x", REGEX_SEARCH, text.ptr));
	assert_false(match("((a*)*)*b", REGEX_SEARCH, text.ptr));
	autobuf Buf large = {0};
	for (int i = 0; i < 17000; i++)
		buf_putc(&large, 'a');
	autoerror Error err = {0};
	assert_null(regex_new(large.ptr, 0, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syntax_is_that_of_re2),
		cmocka_unit_test(matching),
		cmocka_unit_test(groups_and_spans),
		cmocka_unit_test(limits_end_a_runaway_match),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
