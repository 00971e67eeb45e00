/* The quick reader of JSON never says anything but what jansson and the YAML parser say. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "data/json_internal.h"
#include "data/yaml.h"

/* Whether it is taken by the rules of JSON, and by those that YAML shares. */
static const struct {
	const char *text;
	bool any, plain;
} rows[] = {
	{"{}", true, true},
	{"{ \"a\":\r\n[ ] }\n", true, true},
	{"{\"a\" :1}", true, false},
	{"{\"a\"\n:1}", true, false},
	{" {}", true, false},
	{"{\"a\":{\"b\":[1,-2,0,-0,{\"c\":null}],\"t\":true,\"f\":false}}", true, true},
	{"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u003c\\u00e9\\u20ac x\"}", true, true},
	{"{\"a\\n\":\"\\u0041\",\"\\u0042\":\"c\\td\"}", true, true},
	{"{\"a\":123456789012345678,\"b\":-123456789012345678}", true, true},
	{"{\"yes\":\"no\",\"1\":\"0x10\",\"null\":\"~\",\"on\":\"1.0\"}", true, true},
	{"{\"a\":\"# no comment\",\"b\":\"- x: y\",\"c\":\"&a *a !t | > %\"}", true, true},
	{"{\"a\":\"\xc3\xa9\",\"\xc3\xa9\":1}", true, false},
	{"{\"a\":\"\xe2\x80\xa8\"}", true, false},
	{"{\t\"a\":1}", true, false},
	{"{\"a\":1,\"a\":2}", true, false},
	{"{\"<<\":{\"a\":1}}", true, false},
	{"[1,2]", true, false},
	{"\"a\"", true, false},
	{"17", true, false},
	{"{\"a\":\"\x7f\"}", false, false},
	{"{\"a\":1.0}", false, false},
	{"{\"a\":1e3}", false, false},
	{"{\"a\":1234567890123456789}", false, false},
	{"{\"a\":\"\\ud83d\\ude00\"}", false, false},
	{"{\"a\":\"\\u0000\"}", false, false},
	{"{\"a\":\"\\x41\"}", false, false},
	{"{\"a\":\"\\u00g0\"}", false, false},
	{"{\"a\":\"\\", false, false},
	{"{\"a\":\"\\u00", false, false},
	{"{\"a\":\"\xff\"}", false, false},
	{"{\"\xff\":1}", false, false},
	{"{\"a\":\"\n\"}", false, false},
	{"{\"a\":01}", false, false},
	{"{\"a\":-}", false, false},
	{"{\"a\":+1}", false, false},
	{"{\"a\":tru}", false, false},
	{"{\"a\":1,}", false, false},
	{"{\"a\" 1}", false, false},
	{"{a:1}", false, false},
	{"{\"a\":[1,]}", false, false},
	{"{\"a\":[1 2]}", false, false},
	{"{\"a\":1}}", false, false},
	{"{\"a\":1", false, false},
	{"", false, false},
};

static void it_reads_what_the_others_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *text = rows[i].text;
		size_t len = strlen(text);
		autojson json_t *any = json_quick(text, len, JSON_QUICK_ANY);
		autojson json_t *plain = json_parse_plain(text, len);
		autojson json_t *whole = json_loadb(text, len, JSON_DECODE_ANY, NULL);
		autoerror Error err = {0};
		autojson json_t *yaml = yaml_parse(text, len, len + 1, "text", &err);
		print_message("%s\n", text);
		assert_int_equal(any != NULL, rows[i].any);
		assert_int_equal(json_is_object(plain), rows[i].plain);
		assert_true(!any || json_equal(any, whole));
		assert_true(!plain || json_equal(plain, yaml));
	}
}

static void nested(size_t depth, Buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < depth; i++)
		buf_puts(out, "{\"a\":");
	buf_putc(out, '1');
	for (size_t i = 0; i < depth; i++)
		buf_putc(out, '}');
}

static void it_is_no_deeper_than_the_others(void **state)
{
	(void)state;
	autobuf Buf text = {0};
	static const struct {
		size_t depth;
		bool any, plain;
	} depths[] = {{JSON_PLAIN_NESTING, true, true},
		      {JSON_PLAIN_NESTING + 1, true, false},
		      {JSON_MAX_NESTING, true, false},
		      {JSON_MAX_NESTING + 1, false, false},
		      {1000000, false, false}};
	for (size_t i = 0; i < COUNT(depths); i++) {
		nested(depths[i].depth, &text);
		autojson json_t *any = json_quick(text.ptr, text.len, JSON_QUICK_ANY);
		autojson json_t *plain = json_parse_plain(text.ptr, text.len);
		assert_int_equal(any != NULL, depths[i].any);
		assert_int_equal(plain != NULL, depths[i].plain);
		autoerror Error err = {0};
		autojson json_t *yaml =
			plain ? yaml_parse(text.ptr, text.len, text.len, "text", &err) : NULL;
		assert_true(!plain || json_equal(plain, yaml));
	}
}

/* Cut anywhere, nothing of it is taken for a whole. */
static void a_part_is_not_the_whole(void **state)
{
	(void)state;
	static const char text[] =
		"{\"a\":{\"b\":[1,-2,{\"c\":null}],\"t\":true,\"f\":\"x\\n\\u20ac\"}}";
	for (size_t len = 0; len < strlen(text); len++) {
		autofree char *part = mem_dup(text, len);
		assert_null(json_quick(part, len, JSON_QUICK_ANY));
		assert_null(json_parse_plain(part, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_what_the_others_read),
		cmocka_unit_test(it_is_no_deeper_than_the_others),
		cmocka_unit_test(a_part_is_not_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
