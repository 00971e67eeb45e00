#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "data/json.h"
#include "data/json_twice.h"

static json_t *read(const char *text)
{
	autoerror Error err = {0};
	json_t *value = json_parse(text, strlen(text), 1 << 20, &err);
	assert_string_equal(err_text(&err), "");
	return value;
}

static void check_dump(const char *in, const char *expected)
{
	autojson json_t *value = read(in);
	autofree char *text = json_dump_go(value);
	assert_string_equal(text, expected);
}

static void numbers_print_as_go_prints_them(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"1.0", "1"},
		{"-0.0", "-0"},
		{"1e20", "100000000000000000000"},
		{"1e21", "1e+21"},
		{"0.000001", "0.000001"},
		{"0.0000001", "1e-7"},
		{"0.1", "0.1"},
		{"123456.75", "123456.75"},
		{"5e-324", "5e-324"},
		{"1.7976931348623157e308", "1.7976931348623157e+308"},
		{"9223372036854775807", "9223372036854775807"},
		{"-9223372036854775808", "-9223372036854775808"},
		{"18446744073709551616", "18446744073709552000"},
		{"[\"99999999999999999999\",-99999999999999999999]",
		 "[\"99999999999999999999\",-100000000000000000000]"},
		{"0.30000000000000004", "0.30000000000000004"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		check_dump(rows[i][0], rows[i][1]);
}

static void go_text_is_sorted_and_escaped(void **state)
{
	(void)state;
	check_dump("{\"b\":\"<a&b>\\u2028\\u2029\",\"a\":\"/\\u007f\\u0001\\n\\b\\\"\\\\\"}",
		   "{\"a\":\"/"
		   "\x7f\\u0001\\n\\b\\\"\\\\\",\"b\":\"\\u003ca\\u0026b\\u003e\\u2028\\u2029\"}");
	autojson json_t *value = read("{\"b\":\"<\",\"a\":[{},[],null,true,false]}");
	autofree char *plain = json_dump(value), *sorted = json_dump_sorted(value);
	assert_string_equal(plain, "{\"b\":\"<\",\"a\":[{},[],null,true,false]}");
	assert_string_equal(sorted, "{\"a\":[{},[],null,true,false],\"b\":\"<\"}");
}

static void check_refused(const char *text, size_t len, size_t limit, ErrorCode code)
{
	autoerror Error err = {0};
	autojson json_t *value = json_parse(text, len, limit, &err);
	assert_null(value);
	assert_int_equal(err.code, code);
	assert_null(strstr(err_text(&err), "s3cret"));
}

static void bad_text_is_refused_without_quoting_it(void **state)
{
	(void)state;
	static const char *const rows[] = {"",	    "{",	   "[1,]",     "{\"a\":s3cret}",
					   "01",    "\"\\u0000\"", "\"\xff\"", "1 2",
					   "1e999", "nul"};
	for (size_t i = 0; i < COUNT(rows); i++)
		check_refused(rows[i], strlen(rows[i]), 100, ERR_INVALID);
	check_refused("[1,2]", 5, 4, ERR_LIMIT);
	check_refused("\"a\0b\"", 5, 100, ERR_INVALID);
}

static void depth_is_limited(void **state)
{
	(void)state;
	autobuf Buf text = {0};
	for (int i = 0; i < JSON_MAX_NESTING; i++)
		buf_putc(&text, '[');
	for (int i = 0; i < JSON_MAX_NESTING; i++)
		buf_putc(&text, ']');
	autojson json_t *deep = read(text.ptr);
	assert_non_null(deep);
	autobuf Buf more = {0};
	buf_printf(&more, "[%s]", text.ptr);
	check_refused(more.ptr, more.len, 10000, ERR_LIMIT);
	autojson json_t *quoted = read("\"[[[[\\\"[[[\"");
	assert_non_null(quoted);
}

static void the_last_duplicate_key_wins(void **state)
{
	(void)state;
	check_dump("{\"a\":1,\"a\":2}", "{\"a\":2}");
}

static void reads_by_path_have_defaults(void **state)
{
	(void)state;
	autojson json_t *o = read("{\"s\":{\"t\":\"x\",\"n\":null,\"i\":3,\"r\":3.0,\"b\":true,"
				  "\"l\":[],\"m\":{}}}");
	const json_t *s = json_at(o, "s", NULL);
	assert_string_equal(json_text_at(o, "s", "t", NULL), "x");
	assert_null(json_at(o, "s", "n", NULL));
	assert_null(json_at(o, "s", "t", "deeper", NULL));
	assert_null(json_text(s, "i"));
	assert_null(json_text(NULL, "i"));
	assert_string_equal(json_text_or(s, "absent", "d"), "d");
	assert_int_equal(json_int(s, "i", 0), 3);
	assert_int_equal(json_int(s, "r", 0), 3);
	assert_int_equal(json_int(s, "t", 7), 7);
	assert_true(json_flag(s, "b", false));
	assert_true(json_flag(s, "i", true));
	assert_non_null(json_list(s, "l"));
	assert_null(json_list(s, "m"));
	assert_non_null(json_map(s, "m"));
	json_put_text(json_make_at(o, "s", "t", "new", NULL), "k", "v\xff");
	assert_string_equal(json_text_at(o, "s", "t", "new", "k", NULL), "v\xef\xbf\xbd");
	json_put_text(o, "s", NULL);
	assert_int_equal(json_object_size(o), 0);
}

static void sameness_is_by_value(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"1", "1.0", true},
		{"1", "1.5", false},
		{"77777777777777780", "77777777777777770.0", true},
		{"9223372036854775807", "9223372036854777000.0", false},
		{"{\"a\":1,\"b\":[2]}", "{\"b\":[2.0],\"a\":1}", true},
		{"{\"a\":1}", "{\"b\":1}", false},
		{"[1,2]", "[2,1]", false},
		{"null", "false", false},
		{"\"a\"", "\"a\"", true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *a = read(rows[i].a), *b = read(rows[i].b);
		assert_int_equal(json_same(a, b), rows[i].same);
		assert_int_equal(json_same(b, a), rows[i].same);
	}
}

/* RFC 7386, appendix A. */
static void merge_patch_follows_the_rfc(void **state)
{
	(void)state;
	static const char *const rows[][3] = {
		{"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
		{"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
		{"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
		{"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
		 "{\"a\":{\"b\":\"d\"}}"},
		{"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
		{"[1]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
		{"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
		{"{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}"},
		{"{\"a\":1}", "null", "null"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *target = read(rows[i][0]), *patch = read(rows[i][1]);
		json_merge_patch(&target, patch);
		autofree char *text = json_dump_sorted(target);
		assert_string_equal(text, rows[i][2]);
	}
}

static void merge_diff_is_what_merge_patch_undoes(void **state)
{
	(void)state;
	autojson json_t *from = read("{\"a\":1,\"b\":{\"c\":2,\"d\":3},\"l\":[1]}");
	autojson json_t *to = read("{\"b\":{\"c\":2,\"e\":4},\"l\":[2],\"n\":{\"x\":1}}");
	autojson json_t *patch = json_merge_diff(from, to);
	autofree char *text = json_dump_sorted(patch);
	assert_string_equal(text,
			    "{\"a\":null,\"b\":{\"d\":null,\"e\":4},\"l\":[2],\"n\":{\"x\":1}}");
	json_merge_patch(&from, patch);
	assert_true(json_same(from, to));
	autojson json_t *none = json_merge_diff(from, to);
	assert_int_equal(json_object_size(none), 0);
}

static void keys_given_twice_are_told_by_path(void **state)
{
	(void)state;
	static const char *const rows[][3] = {
		{"{\"a\":1,\"b\":[1,2]}", "[]", "{\"a\":1,\"b\":[1,2]}"},
		{"{\"a\":1,\"a\":2}", "[\"a\"]", "{\"a\":2}"},
		{"{\"a\":1, \"a\" : 2,\"a\":3}", "[\"a\"]", "{\"a\":3}"},
		{"{\"a\":{\"b\":\"}\\\"\",\"b\":[]},\"c\":[{},{\"d\":1.5,\"d\":null}]}",
		 "[\"a.b\",\"c[1].d\"]", "{\"a\":{\"b\":[]},\"c\":[{},{\"d\":null}]}"},
		{"[{\"op\":\"x\",\"\\u006fp\":\"y\"}]", "[\"[0].op\"]", "[{\"op\":\"y\"}]"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autojson json_t *twice = json_array();
		autojson json_t *value =
			json_parse_noting(rows[i][0], strlen(rows[i][0]), 1 << 20, twice, &err);
		autofree char *told = json_dump(twice), *text = json_dump(value);
		assert_string_equal(told, rows[i][1]);
		assert_string_equal(text, rows[i][2]);
	}
}

static void few_keys_given_twice_are_told(void **state)
{
	(void)state;
	autobuf Buf text = {0};
	for (int i = 0; i < 2 * JSON_MAX_TWICE; i++)
		buf_printf(&text, "%c\"%d\":1,\"%d\":2", i ? ',' : '{', i, i);
	buf_putc(&text, '}');
	autoerror Error err = {0};
	autojson json_t *twice = json_array();
	autojson json_t *value = json_parse_noting(buf_text(&text), text.len, 1 << 20, twice, &err);
	assert_int_equal(json_object_size(value), 2 * JSON_MAX_TWICE);
	assert_int_equal(json_array_size(twice), JSON_MAX_TWICE);
	assert_null(json_parse_noting("{\"a\":1", 6, 1 << 20, twice, &err));
	assert_int_equal(err.code, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_print_as_go_prints_them),
		cmocka_unit_test(go_text_is_sorted_and_escaped),
		cmocka_unit_test(bad_text_is_refused_without_quoting_it),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(the_last_duplicate_key_wins),
		cmocka_unit_test(keys_given_twice_are_told_by_path),
		cmocka_unit_test(few_keys_given_twice_are_told),
		cmocka_unit_test(reads_by_path_have_defaults),
		cmocka_unit_test(sameness_is_by_value),
		cmocka_unit_test(merge_patch_follows_the_rfc),
		cmocka_unit_test(merge_diff_is_what_merge_patch_undoes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
