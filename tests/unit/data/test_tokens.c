#include "../cmocka_all.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "data/tokens.h"
#include "data/yaml.h"

static int file_of(const char *text, size_t len)
{
	autoerror Error err = {0};
	int fd = memfd_create("tokens", MFD_CLOEXEC);
	assert_true(fd >= 0 && fd_write_all(fd, text, len, &err));
	return fd;
}

/* "{", "}", "[", "]", "'text'" and plain ones in JSON, blanks between. */
static bool write_token(void *arg, const Token *token, Error *err)
{
	static const char marks[] = {[TOKEN_MAP] = '{',
				     [TOKEN_MAP_END] = '}',
				     [TOKEN_LIST] = '[',
				     [TOKEN_LIST_END] = ']'};
	Buf *out = arg;
	(void)err;
	buf_puts(out, out->len ? " " : "");
	if (token->kind == TOKEN_STRING) {
		buf_printf(out, "'%.*s'", (int)token->text.len, token->text.ptr);
	} else if (token->kind == TOKEN_PLAIN) {
		autojson json_t *value = token_value(token);
		json_write(value, out);
	} else {
		buf_putc(out, marks[token->kind]);
	}
	return true;
}

/* The tokens as text, or the error. Owned. */
static char *tokens_of(const char *text, size_t len, bool *out_json)
{
	autoerror Error err = {0};
	autofd int fd = file_of(text, len);
	autobuf Buf out = {0};
	assert_true(tokens_are_json(fd, out_json, &err));
	return tokens_read(fd, *out_json, write_token, &out, &err) ? buf_steal(&out)
								   : mem_strdup(err_text(&err));
}

static void check(const char *text, bool json, const char *expected)
{
	bool is_json;
	autofree char *got = tokens_of(text, strlen(text), &is_json);
	assert_string_equal(got, expected);
	assert_int_equal(is_json, json);
}

static void json_is_read_as_json(void **state)
{
	(void)state;
	check("{}", true, "{ }");
	check(" [1, -2.5e+1, true, null, \"\", {\"a\" : []}] ", true,
	      "[ 1 -25 true null '' { 'a' [ ] } ]");
	check("\"\\u00e9\\ud83d\\ude00\\n\\/\\\"\"", true, "'\u00e9\U0001f600\n/\"'");
	/* Half a pair, and NUL, as Go's encoding/json and json_text_new have them. */
	check("[\"\\ud83d\", \"\\ud83dx\", \"\\ude00\", \"\\ud83d\\n\", \"\\u0000\"]", true,
	      "[ '\ufffd' '\ufffdx' '\ufffd' '\ufffd\n' '\ufffd' ]");
	check("7", true, "7");
}

static void what_is_no_json_is_yaml(void **state)
{
	(void)state;
	static const char *const no_json[] = {"{a: 1}", "[01]", "{\"a\": 1,}", "[1] # end",
					      "['x']",	"+1",	"[1 ,2]x"};
	for (size_t i = 0; i < COUNT(no_json); i++) {
		bool is_json;
		autofree char *got = tokens_of(no_json[i], strlen(no_json[i]), &is_json);
		assert_non_null(got);
		assert_false(is_json);
	}
	check("a: 1\nb: [x, 'y', yes, ~, 2001-01-01]\n", false,
	      "{ \"a\" 1 \"b\" [ \"x\" 'y' true null \"2001-01-01\" ] }");
	check("a: 1\n---\nb: 2\n", false, "{ \"a\" 1 }");
	check("", false, "");
	check("# nothing\n", false, "");
	check("!!str 1", false, "'1'");
}

static void anchors_are_played_again(void **state)
{
	(void)state;
	check("a: &x [1, &y {k: v}]\nb: *x\nc: *y\n", false,
	      "{ \"a\" [ 1 { \"k\" \"v\" } ] \"b\" [ 1 { \"k\" \"v\" } ] \"c\" { \"k\" \"v\" } }");
	check("- &x 1\n- &x 2\n- *x\n", false, "[ 1 2 2 ]");
	check("- *x\n", false, "yaml: unknown anchor 'x'");
	check("&x [*x]\n", false, "yaml: anchor 'x' contains itself");
	check("&x [&x 1]\n", false, "yaml: anchor 'x' within itself");
}

static void limits_hold(void **state)
{
	(void)state;
	autobuf Buf text = {0};
	bool is_json;
	buf_puts(&text, "- &a [x, x, x, x, x, x, x, x, x, x]\n");
	for (char name = 'b'; name < 'j'; name++) {
		buf_printf(&text, "- &%c [", name);
		for (int i = 0; i < 10; i++)
			buf_printf(&text, "*%c, ", name - 1);
		buf_puts(&text, "]\n");
	}
	autofree char *bomb = tokens_of(text.ptr, text.len, &is_json);
	assert_true(strstr(bomb, "aliases stand for too much") ||
		    strstr(bomb, "anchors name too much"));
	buf_clear(&text);
	for (int i = 0; i < 3000; i++)
		buf_puts(&text, "[");
	autofree char *deep = tokens_of(text.ptr, text.len, &is_json);
	assert_string_equal(deep, "yaml: nested too deeply");
	buf_clear(&text);
	buf_puts(&text, "- '");
	for (size_t i = 0; i < TOKENS_MAX_SCALAR + 1; i++)
		buf_putc(&text, 'x');
	buf_puts(&text, "'\n");
	autofree char *wide = tokens_of(text.ptr, text.len, &is_json);
	assert_string_equal(wide, "yaml: a scalar is too long");
	buf_clear(&text);
	for (size_t i = 0; i < 5 * TOKENS_MAX_SCALAR; i++)
		buf_putc(&text, '#');
	autofree char *comment = tokens_of(text.ptr, text.len, &is_json);
	assert_string_equal(comment, "yaml: a scalar or comment is too long");
	autofree char *nul = tokens_of("- \"\\0\"\n", 7, &is_json);
	assert_string_equal(nul, "yaml: NUL in a scalar");
}

/* What is read piece by piece does not depend on where the pieces end. */
static void windows_do_not_show(void **state)
{
	(void)state;
	autobuf Buf text = {0};
	buf_puts(&text, "[");
	for (int i = 0; i < 40000; i++)
		buf_printf(&text, "%s{\"n\\u00e9\": %d}", i ? "," : "", i);
	buf_puts(&text, "]");
	bool is_json;
	autofree char *got = tokens_of(text.ptr, text.len, &is_json);
	assert_true(is_json);
	assert_true(cstr_ends(got, "{ 'n\u00e9' 39998 } { 'n\u00e9' 39999 } ]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_read_as_json),
		cmocka_unit_test(what_is_no_json_is_yaml),
		cmocka_unit_test(anchors_are_played_again),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(windows_do_not_show),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
