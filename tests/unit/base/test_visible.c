#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "base/visible.h"

static void assert_shown(const char *text, size_t max, const char *shown)
{
	autofree char *made = visible_text(text, max);
	assert_string_equal(made, shown);
	assert_true(strlen(made) <= max);
}

static void what_steers_becomes_blank(void **state)
{
	(void)state;
	assert_shown("main@sha1:abc", 100, "main@sha1:abc");
	assert_shown("a\x1b[31mb\r\nc\td\x7f", 100, "a [31mb  c d ");
	assert_shown("a\xc2\x9b"
		     "b\xc2\xa0"
		     "c",
		     100,
		     "a b\xc2\xa0"
		     "c");
	assert_shown("a\xe2\x80\xae"
		     "b\xe2\x81\xa6"
		     "c\xe2\x80\xa8"
		     "d\xd8\x9c",
		     100, "a b c d ");
	assert_shown("h\xc3\xa9llo \xe4\xb8\x96 \xf0\x9f\x98\x80", 100,
		     "h\xc3\xa9llo \xe4\xb8\x96 \xf0\x9f\x98\x80");
	assert_null(visible_text(NULL, 10));
}

static void what_is_no_text_is_marked(void **state)
{
	(void)state;
	assert_shown("a\xff"
		     "b\x80"
		     "c\xc3",
		     100, "a?b?c?");
	assert_shown("\xc0\xaf", 100, "??");
	assert_shown("\xed\xa0\x80", 100, "???");
	assert_shown("\xf4\x90\x80\x80", 100, "????");
	assert_shown("\xf8\x88\x80\x80\x80", 100, "?????");
}

static void it_is_cut_between_characters(void **state)
{
	(void)state;
	assert_shown("1234567890", 10, "1234567890");
	assert_shown("12345678901", 10, "1234567...");
	assert_shown("123456\xc3\xa9"
		     "8901",
		     10, "123456...");
	assert_shown("\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 8, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80");
	assert_shown("\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 7, "\xf0\x9f\x98\x80...");
	assert_shown("\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 6, "...");
	assert_shown("abcd", 2, "..");
	assert_shown("", 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_steers_becomes_blank),
		cmocka_unit_test(what_is_no_text_is_marked),
		cmocka_unit_test(it_is_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
