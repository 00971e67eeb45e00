/* What people see of a difference (cli.md C69, C70). */
#include "../cmocka_all.h"

#include <stdio.h>

#include "base/mem.h"
#include "data/yaml.h"
#include "diff_report.h"

static char *report(const char *before, const char *after, bool colors)
{
	autoerror Error err = {0};
	autojson json_t *a = yaml_parse(before, strlen(before), SIZE_MAX, "before", &err);
	autojson json_t *b = yaml_parse(after, strlen(after), SIZE_MAX, "after", &err);
	assert_false(err_is_set(&err));
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	assert_non_null(out);
	diff_print(out, &(DiffStyle){.colors = colors}, a, b);
	fclose(out);
	return text;
}

static void differences_by_path(void **state)
{
	(void)state;
	static const struct {
		const char *before, *after, *text;
	} cases[] = {
		{"{a: 1}", "{a: 1}", "\n"},
		{"{a: {b: 1}}", "{a: {b: 2}}", "\na.b\n  ± value change\n    - 1\n    + 2\n\n"},
		{"{a: 1}", "{a: x}", "\na\n  ± type change\n    - 1\n    + x\n\n"},
		{"{a: {}}", "{a: {b: x}}", "\na\n  + 1 map entry added:\n    b: x\n\n"},
		{"{a: {b: 1, c: 2}}", "{a: {}}",
		 "\na\n  - 2 map entries removed:\n    b: 1\n    c: 2\n\n"},
		{"{a: 1}", "{}", "\n(root)\n  - 1 map entry removed:\n    a: 1\n\n"},
		{"{m: {x.y/z: 1}}", "{m: {x.y/z: 2}}",
		 "\nm[x.y/z]\n  ± value change\n    - 1\n    + 2\n\n"},
		/* Lists by name, by place, as wholes, and their order. */
		{"{l: [{name: a, v: 1}, {name: b}]}", "{l: [{name: b}, {name: a, v: 2}]}",
		 "\nl.a.v\n  ± value change\n    - 1\n    + 2\n\nl\n  ⇆ order changed\n\n"},
		{"{l: [{name: a}]}", "{l: [{name: a}, {name: c}]}",
		 "\nl\n  + 1 list entry added:\n    - name: c\n\n"},
		{"{l: [{p: 1}, {p: 2}]}", "{l: [{p: 1}, {p: 3}]}",
		 "\nl.1.p\n  ± value change\n    - 2\n    + 3\n\n"},
		{"{l: [a, b]}", "{l: [b, c]}",
		 "\nl\n  - 1 list entry removed:\n    - a\n\nl\n  + 1 list entry added:\n    - "
		 "c\n\n"},
		{"{l: [a, b]}", "{l: [b, a]}", "\nl\n  ⇆ order changed\n\n"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		autofree char *text = report(cases[i].before, cases[i].after, false);
		assert_string_equal(text, cases[i].text);
	}
}

static void texts_by_lines(void **state)
{
	(void)state;
	autofree char *text = report("{a: \"1\\n2\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n\"}",
				     "{a: \"1\\n2\\n3\\n4\\nV\\n6\\n7\\n8\\n9\\n\"}", false);
	assert_string_equal(text,
			    "\na\n  ± value change\n    [...]\n      2\n      3\n      4\n    - 5\n"
			    "    + V\n      6\n      7\n      8\n\n");
}

static void very_long_texts_are_not_compared(void **state)
{
	(void)state;
	autobuf Buf before = {0}, after = {0};
	buf_puts(&before, "a: |\n");
	buf_puts(&after, "a: |\n");
	for (int i = 0; i < 3000; i++) {
		buf_printf(&before, "  %d\n", i);
		buf_printf(&after, "  %d\n", i + 1);
	}
	autofree char *text = report(buf_text(&before), buf_text(&after), false);
	assert_string_equal(text, "\na\n  ± value change\n    (over 2000 lines)\n\n");
}

/* What is in a cluster must not steer the terminal of whoever looks at it. */
static void control_characters_are_shown_as_text(void **state)
{
	(void)state;
	autofree char *text =
		report("{a: \"x\\e[2J\\ny\"}", "{a: \"x\\a\\ny\", \"k\\e]0;\": 1}", false);
	for (const char *c = text; *c; c++)
		assert_true(*c == '\n' || (unsigned char)*c >= ' ');
	assert_non_null(strstr(text, "\\x1b[2J"));
}

static void colors_only_where_wanted(void **state)
{
	(void)state;
	autofree char *plain = report("{a: 1}", "{a: 2}", false);
	autofree char *colored = report("{a: 1}", "{a: 2}", true);
	assert_null(strchr(plain, '\033'));
	assert_non_null(strstr(colored, "\033[31m    - 1\033[0m\n"));
	assert_non_null(strstr(colored, "\033[32m    + 2\033[0m\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences_by_path),
		cmocka_unit_test(texts_by_lines),
		cmocka_unit_test(very_long_texts_are_not_compared),
		cmocka_unit_test(control_characters_are_shown_as_text),
		cmocka_unit_test(colors_only_where_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
