#include "../cmocka_all.h"

#include "base/buf.h"

static void append_keeps_the_terminator(void **state)
{
	(void)state;
	autobuf Buf buf = {0};
	assert_string_equal(buf_text(&buf), "");
	for (int i = 0; i < 1000; i++)
		buf_putc(&buf, 'x');
	assert_int_equal(buf.len, 1000);
	assert_int_equal(buf.ptr[1000], 0);
	assert_true(buf.len < buf.cap);
}

static void limit_is_exact(void **state)
{
	(void)state;
	autobuf Buf buf = {0};
	autoerror Error err = {0};
	assert_true(buf_append_limited(&buf, "abcd", 4, 4, &err));
	assert_false(buf_append_limited(&buf, "e", 1, 4, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(buf_text(&buf), "abcd");
}

static void consume_and_steal(void **state)
{
	(void)state;
	autobuf Buf buf = {0};
	buf_printf(&buf, "%d-%s", 42, "tail");
	buf_consume(&buf, 3);
	autofree char *text = buf_steal(&buf);
	assert_string_equal(text, "tail");
	assert_null(buf.ptr);
}

static void errors_gather_context(void **state)
{
	(void)state;
	autoerror Error err = {0};
	assert_false(err_set(&err, ERR_NOT_FOUND, "no such %s", "thing"));
	assert_false(err_wrap(&err, "apply %s", "Deployment/a/b"));
	assert_string_equal(err_text(&err), "apply Deployment/a/b: no such thing");
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_false(err_add(&err, " (%s)", "yet"));
	assert_string_equal(err_text(&err), "apply Deployment/a/b: no such thing (yet)");
}

static void runes_are_written_as_utf8(void **state)
{
	(void)state;
	autobuf Buf buf = {0};
	const uint32_t runes[] = {'a', 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff};
	for (size_t i = 0; i < COUNT(runes); i++)
		buf_put_rune(&buf, runes[i]);
	assert_string_equal(buf_text(&buf), "a\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"
					    "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
	buf_clear(&buf);
	buf_put_rune(&buf, 0xd800);
	buf_put_rune(&buf, 0x110000);
	assert_string_equal(buf_text(&buf), "\xef\xbf\xbd\xef\xbf\xbd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(append_keeps_the_terminator),
		cmocka_unit_test(runes_are_written_as_utf8),
		cmocka_unit_test(limit_is_exact),
		cmocka_unit_test(consume_and_steal),
		cmocka_unit_test(errors_gather_context),
	};
	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
