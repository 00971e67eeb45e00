#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "data/written.h"
#include "data/yaml.h"

static char *as_json(const char *text)
{
	autoerror Error err = {0};
	autojson json_t *value = yaml_parse(text, strlen(text), 1 << 20, "f.yaml", &err);
	assert_string_equal(err_text(&err), "");
	return json_dump_sorted(value);
}

static void check_value(const char *text, const char *expected)
{
	autofree char *json = as_json(text);
	assert_string_equal(json, expected);
}

static void B5_scalars_resolve_as_in_go(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"yes", "\"yes\""},
		{"off", "\"off\""},
		{"True", "true"},
		{"tRUE", "\"tRUE\""},
		{"~", "null"},
		{"Null", "null"},
		{"0777", "511"},
		{"0o777", "511"},
		{"0x1F", "31"},
		{"0b101", "5"},
		{"1_000", "1000"},
		{"-1_0", "-10"},
		{"+12", "12"},
		{"089", "89"},
		{"1e3", "1000"},
		{".5", "0.5"},
		{"._5", "\"._5\""},
		{"1.", "1"},
		{"1e400", "\"1e400\""},
		{"2001-01-01", "\"2001-01-01T00:00:00Z\""},
		{"2001-13-01", "\"2001-13-01\""},
		{"2001-12-14t21:59:43.10-05:00", "\"2001-12-14T21:59:43.1-05:00\""},
		{"\"2001-01-01\"", "\"2001-01-01\""},
		{"1:30", "\"1:30\""},
		{"!!str 5", "\"5\""},
		{"!!int \"7\"", "7"},
		{"!!float 3", "3"},
		{"!!binary aGVsbG8=", "\"hello\""},
		{"! 12", "12"},
		{"!foo 12", "\"12\""},
		{"9223372036854775807", "9223372036854775807"},
		{"-9223372036854775808", "-9223372036854775808"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		check_value(rows[i][0], rows[i][1]);
}

static void keys_are_their_text(void **state)
{
	(void)state;
	check_value("1: a\ntrue: b\n? x\n: c\n~: d\n",
		    "{\"1\":\"a\",\"null\":\"d\",\"true\":\"b\",\"x\":\"c\"}");
}

static void B10_anchors_and_merges_are_resolved(void **state)
{
	(void)state;
	check_value("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\nc: *x\n",
		    "{\"a\":{\"k\":1,\"l\":2},\"b\":{\"k\":3,\"l\":2},\"c\":{\"k\":1,\"l\":2}}");
	check_value("a: &x {k: 1}\nb: &y {k: 2, l: 3}\nc:\n  k2: 0\n  <<: [*x, *y]\n",
		    "{\"a\":{\"k\":1},\"b\":{\"k\":2,\"l\":3},\"c\":{\"k\":1,\"k2\":0,\"l\":3}}");
	check_value("\"<<\": 1\n", "{\"<<\":1}");
	check_value("a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}");
}

static void check_error(const char *text, ErrorCode code, const char *expected)
{
	autoerror Error err = {0};
	autoyaml YamlStream stream = {0};
	assert_false(yaml_parse_all(text, strlen(text), 1 << 20, "f.yaml", &stream, &err));
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err_text(&err), expected));
	assert_int_equal(stream.len, 0);
}

static void B10_anchors_do_not_cross_documents(void **state)
{
	(void)state;
	check_error("a: &x 1\n---\nb: *x\n", ERR_INVALID, "f.yaml:3:4: unknown anchor \"x\"");
}

static void errors_name_file_line_and_column(void **state)
{
	(void)state;
	check_error("a: 1\nb: 2\na: 3\n", ERR_INVALID, "f.yaml:3:1: key \"a\" is already defined");
	check_error("a: [1\nb: 2\n", ERR_INVALID, "f.yaml:2:");
	check_error("a:\n\t- 1\n", ERR_INVALID, "f.yaml:2:1: ");
	check_error("a: .inf\n", ERR_INVALID, "f.yaml:1:4: ");
	check_error("a: !!int x\n", ERR_INVALID, "f.yaml:1:4: not a !!int");
	check_error("? [a]\n: 1\n", ERR_INVALID, "f.yaml:1:3: a key must be a scalar");
	check_error("a: &x [*x]\n", ERR_INVALID, "contains itself");
	check_error("b: {<<: 1}\n", ERR_INVALID, "f.yaml:1:5: `<<`");
	check_error("b: {<<: {}, <<: {}}\n", ERR_INVALID, "a second `<<`");
	check_error("a: \"\\0\"\n", ERR_INVALID, "NUL");
	check_error("a: \xff\n", ERR_INVALID, "f.yaml:");
}

static void depth_size_and_expansion_are_limited(void **state)
{
	(void)state;
	autobuf Buf deep = {0};
	for (int i = 0; i < 101; i++)
		buf_putc(&deep, '[');
	check_error(deep.ptr, ERR_LIMIT, "nested deeper");
	autobuf Buf laughs = {0};
	buf_puts(&laughs, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 9; i++) {
		buf_printf(&laughs, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			buf_printf(&laughs, "%s*a%d", j ? "," : "", i - 1);
		buf_puts(&laughs, "]\n");
	}
	check_error(laughs.ptr, ERR_LIMIT, "aliases expand to more than 1000000 nodes");
	autobuf Buf heavy = {0};
	buf_puts(&heavy, "a: &a ");
	for (int i = 0; i < 64 * 1024; i++)
		buf_putc(&heavy, 'x');
	buf_puts(&heavy, "\nb: [");
	for (int i = 0; i < 2000; i++)
		buf_puts(&heavy, "*a,");
	buf_puts(&heavy, "]\n");
	check_error(heavy.ptr, ERR_LIMIT, "aliases expand");
	autoerror Error err = {0};
	autoyaml YamlStream stream = {0};
	assert_false(yaml_parse_all("a: 1", 4, 3, "f", &stream, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

static void B5_streams_drop_empty_documents_and_know_lines(void **state)
{
	(void)state;
	const char *text = "# only a comment\n---\r\na: 1\r\n---\n# c\n---\n~\n---\n\nb:\n- x\n"
			   "- c/d: &q {z: 2}\n- *q\n...\n";
	autoerror Error err = {0};
	autoyaml YamlStream stream = {0};
	assert_true(yaml_parse_all(text, strlen(text), 1000, "f", &stream, &err));
	assert_int_equal(stream.len, 2);
	assert_int_equal(stream.items[0].line, 3);
	assert_int_equal(stream.items[1].line, 10);
	assert_int_equal(yaml_line_of(text, strlen(text), 0, "/a"), 3);
	assert_int_equal(yaml_line_of(text, strlen(text), 1, "/b/1/c~1d/z"), 12);
	assert_int_equal(yaml_line_of(text, strlen(text), 1, ""), 10);
	assert_int_equal(yaml_line_of(text, strlen(text), 1, "/b/9"), 0);
	assert_int_equal(yaml_line_of(text, strlen(text), 1, "/b"), 11);
	assert_int_equal(yaml_line_of_key(text, strlen(text), 1, "/b"), 10);
	assert_int_equal(yaml_line_of_key(text, strlen(text), 1, "/b/1"), 12);
	assert_int_equal(yaml_line_of_key(text, strlen(text), 1, "/d"), 0);
	assert_int_equal(yaml_line_of(text, strlen(text), 7, "/b"), 0);
	assert_null(yaml_parse(text, strlen(text), 1000, "f", &err));
	assert_non_null(strstr(err_text(&err), "f:10:1: one document expected"));
	check_value("", "null");
}

static void aliases_share_nothing(void **state)
{
	(void)state;
	autoerror Error err = {0};
	const char *text = "a: &x {k: 1}\nb: *x\n";
	autojson json_t *value = yaml_parse(text, strlen(text), 1000, "f", &err);
	json_object_set_new(json_object_get(value, "a"), "k", json_integer(2));
	assert_int_equal(json_int(json_object_get(value, "b"), "k", 0), 1);
}

static void check_emit(const char *json, const char *expected)
{
	autoerror Error err = {0};
	autojson json_t *value = json_parse(json, strlen(json), 1 << 20, &err);
	assert_non_null(value);
	autobuf Buf out = {0};
	yaml_emit(value, &out);
	assert_string_equal(buf_text(&out), expected);
	autojson json_t *back = yaml_parse(out.ptr, out.len, 1 << 20, "f", &err);
	assert_true(json_same(value, back));
}

static void strings_are_quoted_where_a_reader_would_err(void **state)
{
	(void)state;
	check_emit(
		"[\"yes\",\"y\",\"NO\",\"on\",\"true\",\"~\",\"null\",\"\",\"123\",\"1e3\","
		"\"0x1F\",\"2001-01-01\",\"12:30:45\",\".5\",\"089\"]",
		"- \"yes\"\n- \"y\"\n- \"NO\"\n- \"on\"\n- \"true\"\n- \"~\"\n- \"null\"\n- \"\"\n"
		"- \"123\"\n- \"1e3\"\n- \"0x1F\"\n- \"2001-01-01\"\n- \"12:30:45\"\n- \".5\"\n"
		"- \"089\"\n");
	check_emit(
		"[\"a: b\",\"#a\",\"a#b\",\"- a\",\"-a\",\" x\",\"x \",\"it's\",\"'a\",\"@a\","
		"\"a:\",\"---\"]",
		"- 'a: b'\n- '#a'\n- a#b\n- '- a'\n- -a\n- ' x'\n- 'x '\n- it's\n- '''a'\n- '@a'\n"
		"- 'a:'\n- '---'\n");
	check_emit("[\"a\\tb\",\"\\u0007\",\"\\ud83d\\ude00\",\"\\u00e9\",\"a\\r\\nb\"]",
		   "- \"a\\tb\"\n- \"\\a\"\n- \"\\U0001F600\"\n- \xc3\xa9\n- \"a\\r\\nb\"\n");
}

static void blocks_lists_and_empty_values(void **state)
{
	(void)state;
	check_emit("{\"b\":[1,{\"x\":1,\"y\":[[2],[]]}],\"a\":{},\"c\":null,\"d\":1.5}",
		   "a: {}\nb:\n- 1\n- x: 1\n  \"y\":\n  - - 2\n  - []\nc: null\nd: 1.5\n");
	check_emit("{\"a\":\"x\\ny\\n\",\"b\":\"x\\ny\",\"c\":\"x\\n\\n\",\"d\":\" x\\ny\"}",
		   "a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2-\n   x\n  y\n");
	check_emit("\"x\"", "x\n");
	check_emit("{\"f\":1e22,\"g\":0.00001,\"h\":1234567.5,\"i\":2.0}",
		   "f: 1e+22\ng: 1e-05\nh: 1.2345675e+06\ni: 2\n");
}

static void keys_sort_as_go_sorts_them(void **state)
{
	(void)state;
	check_emit(
		"{\"b10\":1,\"b2\":1,\"B\":1,\"_\":1,\"a-1\":1,\"a\":1,\"1\":1,\"<<\":1,\"b01\":1}",
		"\"<<\": 1\n_: 1\n\"1\": 1\nB: 1\na: 1\na-1: 1\nb01: 1\nb2: 1\nb10: 1\n");
}

static void long_lines_fold_at_spaces(void **state)
{
	(void)state;
	check_emit("{\"k\":\"aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "
		   "aaaaaaaaa aaaaaaaaa b\"}",
		   "k: aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "
		   "aaaaaaaaa\n  aaaaaaaaa b\n");
}

/* What `text` gives as objects that keep what was written, first with its marks, then settled. */
static void check_written(const char *text, const char *emitted, const char *settled)
{
	autoerror Error err = {0};
	autoyaml YamlStream stream = {0};
	assert_true(yaml_parse_written(text, strlen(text), 1 << 20, "f.yaml", &stream, &err));
	autobuf Buf yaml = {0};
	yaml_emit(stream.items[0].value, &yaml);
	assert_string_equal(buf_text(&yaml), emitted);
	autojson json_t *tree = json_deep_copy(stream.items[0].value);
	written_settle(&tree);
	autofree char *json = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(json, settled);
}

static void B11_what_was_written_is_kept_until_settled(void **state)
{
	(void)state;
	check_written("spec: 18446744073709551615", "spec: 18446744073709551615\n",
		      "{\"spec\":1.8446744073709552e19}");
	check_written("spec: [1.10, 0x10, \"a\", 'b\\0', true]",
		      "spec:\n- 1.1\n- 16\n- a\n- b\\0\n- true\n",
		      "{\"spec\":[1.1000000000000001,16,\"a\",\"b\\\\0\",true]}");
	check_written("spec: 2001-01-01", "spec: \"2001-01-01T00:00:00Z\"\n",
		      "{\"spec\":\"2001-01-01T00:00:00Z\"}");
	check_written("metadata: {name: 0x10, labels: {a: \"b\"}}",
		      "metadata:\n  labels:\n    a: b\n  name: 16\n",
		      "{\"metadata\":{\"labels\":{\"a\":\"b\"},\"name\":16}}");
}

static void written_values_say_what_they_are(void **state)
{
	(void)state;
	autojson json_t *version = written_of("1.10");
	assert_string_equal(written_text(version), "1.10");
	assert_null(written_string(version));
	autojson json_t *value = written_value(version);
	assert_true(json_is_real(value));
	autojson json_t *plain = written_of("80");
	assert_true(json_is_integer(plain));
	autojson json_t *quoted = json_stringn_nocheck("a", 2);
	assert_true(written_is_quoted(quoted));
	written_set_text(quoted, "bc");
	assert_true(written_is_quoted(quoted));
	assert_string_equal(written_string(quoted), "bc");
	autofree char *json = json_dump(quoted);
	assert_string_equal(json, "\"bc\"");
}

static void keys_given_twice_are_told_by_line(void **state)
{
	(void)state;
	static const char text[] = "a: 1\nb:\n  c: 1\n  c: 2\na: 2\n";
	autoerror Error err = {0};
	autojson json_t *twice = json_array();
	autojson json_t *value =
		yaml_parse_noting(text, sizeof(text) - 1, 1 << 10, "test", twice, &err);
	autofree char *told = json_dump(twice), *read = json_dump(value);
	assert_string_equal(told, "[\"line 4: key \\\"c\\\" already set in map\","
				  "\"line 5: key \\\"a\\\" already set in map\"]");
	assert_string_equal(read, "{\"a\":2,\"b\":{\"c\":2}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B5_scalars_resolve_as_in_go),
		cmocka_unit_test(keys_are_their_text),
		cmocka_unit_test(B11_what_was_written_is_kept_until_settled),
		cmocka_unit_test(written_values_say_what_they_are),
		cmocka_unit_test(B10_anchors_and_merges_are_resolved),
		cmocka_unit_test(B10_anchors_do_not_cross_documents),
		cmocka_unit_test(errors_name_file_line_and_column),
		cmocka_unit_test(depth_size_and_expansion_are_limited),
		cmocka_unit_test(B5_streams_drop_empty_documents_and_know_lines),
		cmocka_unit_test(aliases_share_nothing),
		cmocka_unit_test(strings_are_quoted_where_a_reader_would_err),
		cmocka_unit_test(blocks_lists_and_empty_values),
		cmocka_unit_test(keys_sort_as_go_sorts_them),
		cmocka_unit_test(keys_given_twice_are_told_by_line),
		cmocka_unit_test(long_lines_fold_at_spaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
