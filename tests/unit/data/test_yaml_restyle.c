/* Documents written again with an annotation more or less: the author's styles stay. */
#include "../cmocka_all.h"

#include "base/mem.h"
#include "data/yaml_restyle.h"

#define NOTE "example.com/path"

typedef struct {
	const char *text, *with, *without; /* without: what taking the annotation away gives */
} Row;

static void check(const char *text, const char *value, const char *wanted)
{
	autobuf Buf out = {0};
	autoerror Error err = {0};
	assert_true(yaml_restyle(str_of(text), NOTE, value, &out, &err));
	assert_string_equal(buf_text(&out), wanted);
}

static void an_annotation_comes_and_goes(void **state)
{
	(void)state;
	static const Row rows[] = {
		{"a: 1\n", "a: 1\nmetadata:\n  annotations:\n    " NOTE ": 'f'\n", "a: 1\n"},
		{"metadata: {}\na: 1\n", "metadata:\n  annotations:\n    " NOTE ": 'f'\na: 1\n",
		 "a: 1\n"},
		{"metadata: {name: x}\n", "metadata: {name: x, annotations: {" NOTE ": 'f'}}\n",
		 "metadata: {name: x}\n"},
		{"metadata:\n    name: 'x'\n    annotations: {b: \"c\"}\n",
		 "metadata:\n  name: 'x'\n  annotations: {b: \"c\", " NOTE ": 'f'}\n",
		 "metadata:\n  name: 'x'\n  annotations: {b: \"c\"}\n"},
		{"metadata: {annotations: {" NOTE ": old, z: y}}\n",
		 "metadata: {annotations: {" NOTE ": 'f', z: y}}\n",
		 "metadata: {annotations: {z: y}}\n"},
		{"metadata: null\nb: 2\n", "metadata:\n  annotations:\n    " NOTE ": 'f'\nb: 2\n",
		 "b: 2\n"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		check(rows[i].text, "f", rows[i].with);
		check(rows[i].with, NULL, rows[i].without);
	}
}

static void styles_stay(void **state)
{
	(void)state;
	static const char text[] =
		"z: \"1\"\na: |\n  two\n  lines\nn: 0644\nyes: \"yes\"\nf: >-\n  one\n"
		"list:\n- {b: 1, c: [1, 2]}\n- - nested\nlong: a text that is longer than eighty "
		"characters, which some writers of YAML would fold over\nu: \"\\e\"\nö: ü\n";
	check(text, NULL, text);
	check("---\n# a comment\na: 1 # another\n...\n", NULL, "a: 1\n");
	check("a: &x {b: 1}\nc: *x\n", NULL, "a: &id001 {b: 1}\nc: *id001\n");
}

static void what_is_no_object(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "- a\n", "text\n", "a: [\n", "a: *x\n", "# c\n"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		autobuf Buf out = {0};
		autoerror Error err = {0};
		assert_false(yaml_restyle(str_of(texts[i]), NOTE, "f", &out, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_annotation_comes_and_goes),
		cmocka_unit_test(styles_stay),
		cmocka_unit_test(what_is_no_object),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
