#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "data/jsonpatch.h"
#include "data/jsonpath.h"
#include "data/selector.h"

/* Patches, paths and selectors on JSON. */

static json_t *read(const char *text)
{
	autoerror Error err = {0};
	json_t *value = json_parse(text, strlen(text), 1 << 20, &err);
	assert_non_null(value);
	return value;
}

static void patches_follow_rfc_6902(void **state)
{
	(void)state;
	static const struct {
		const char *document, *patch, *result;
		ErrorCode code;
	} rows[] = {
		{"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":2}]", "{\"a\":1,\"b\":2}",
		 0},
		{"[1,3]", "[{\"op\":\"add\",\"path\":\"/1\",\"value\":2}]", "[1,2,3]", 0},
		{"[1]", "[{\"op\":\"add\",\"path\":\"/-\",\"value\":2}]", "[1,2]", 0},
		{"[1]", "[{\"op\":\"add\",\"path\":\"/3\",\"value\":2}]", NULL, ERR_NOT_FOUND},
		{"[1]", "[{\"op\":\"add\",\"path\":\"/00\",\"value\":2}]", NULL, ERR_NOT_FOUND},
		{"[1]", "[{\"op\":\"remove\",\"path\":\"/-1\"}]", NULL, ERR_NOT_FOUND},
		{"{}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":2}]", NULL, ERR_NOT_FOUND},
		{"{}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":2}]", NULL, ERR_NOT_FOUND},
		{"{\"a/b~\":1}", "[{\"op\":\"replace\",\"path\":\"/a~1b~0\",\"value\":2}]",
		 "{\"a/b~\":2}", 0},
		{"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":[]}]", "[]", 0},
		{"{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"}]", "{\"b\":1}",
		 0},
		{"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL,
		 ERR_INVALID},
		{"{\"a\":[1]}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}]",
		 "{\"a\":[1,[1]]}", 0},
		{"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1.0}]", "{\"a\":1}", 0},
		{"{\"a\":1}",
		 "[{\"op\":\"remove\",\"path\":\"/"
		 "a\"},{\"op\":\"test\",\"path\":\"\",\"value\":1}]",
		 NULL, ERR_CONFLICT},
		{"{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", NULL, ERR_INVALID},
		{"{}", "[{\"op\":\"nope\",\"path\":\"/a\"}]", NULL, ERR_INVALID},
		{"{}", "{}", NULL, ERR_INVALID},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *document = read(rows[i].document), *patch = read(rows[i].patch);
		autoerror Error err = {0};
		assert_int_equal(jsonpatch_apply(&document, patch, false, &err), !rows[i].code);
		assert_int_equal(err.code, rows[i].code);
		autofree char *text = json_dump_sorted(document);
		assert_string_equal(text, rows[i].result ? rows[i].result : rows[i].document);
	}
}

static void patches_may_count_from_the_end_and_not_explode(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autojson json_t *document = read("[1,2]"),
			*last = read("[{\"op\":\"remove\",\"path\":\"/-1\"}]");
	assert_true(jsonpatch_apply(&document, last, true, &err));
	assert_int_equal(json_array_size(document), 1);
	autojson json_t *bomb = json_array();
	for (int i = 0; i < 40; i++)
		json_array_append_new(bomb,
				      read("{\"op\":\"copy\",\"from\":\"\",\"path\":\"/-\"}"));
	assert_false(jsonpatch_apply(&document, bomb, false, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(json_integer_value(jsonpointer_get(document, "/0")), 1);
	assert_null(jsonpointer_get(document, "0"));
	assert_null(jsonpointer_get(document, "/~2"));
	autobuf Buf pointer = {0};
	jsonpointer_push(&pointer, "a/b~");
	assert_string_equal(pointer.ptr, "/a~1b~0");
}

static void paths_select(void **state)
{
	(void)state;
	autojson json_t *o = read(
		"{\"s\":{\"c\":[{\"t\":\"Ready\",\"v\":\"True\",\"n\":3},{\"t\":\"X\",\"n\":1}]},"
		"\"m\":{\"a.b\":\"dot\"}}");
	static const char *const rows[][2] = {
		{".s.c[?(@.t==\"Ready\")].v", "[\"True\"]"},
		{"{.s.c[*].n}", "[3,1]"},
		{"$.s.c[0].t", "[\"Ready\"]"},
		{".s.c[-1].t", "[\"X\"]"},
		{".m.a\\.b", "[\"dot\"]"},
		{".m['a.b']", "[\"dot\"]"},
		{".none.x", "[]"},
		{".s.c[?(@.n>1)].t", "[\"Ready\"]"},
		{".s.c[?(@.v)].n", "[3]"},
		{".s.c[?(@.t!='X')].n", "[3]"},
		{".s.c[7]", "[]"},
		{"s.c[1].n", "[1]"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autojsonpath JsonPath *path = jsonpath_new(rows[i][0], &err);
		assert_string_equal(err_text(&err), "");
		autojson json_t *found = jsonpath_find(path, o);
		autofree char *text = json_dump(found);
		assert_string_equal(text, rows[i][1]);
	}
	static const char *const bad[] = {".a[",	  ".a[x]", ".a['x]", ".a[?(b)]",
					  ".a[?(@.b==)]", ".a b",  "..a"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error err = {0};
		assert_null(jsonpath_new(bad[i], &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void selectors_match_labels(void **state)
{
	(void)state;
	autojson json_t *labels = read("{\"a\":\"1\",\"x/y\":\"z\",\"e\":\"\"}");
	static const struct {
		const char *text;
		char answer; /* 1, 0, or e for an error */
	} rows[] = {
		{"", '1'},
		{"a=1", '1'},
		{"a==1", '1'},
		{"a=2", '0'},
		{"a!=2", '1'},
		{"b!=2", '1'},
		{"a", '1'},
		{"b", '0'},
		{"!b", '1'},
		{"!a", '0'},
		{"a in (1,2)", '1'},
		{"a in (2)", '0'},
		{"a notin (2,3)", '1'},
		{"b notin (2)", '1'},
		{"b in (2)", '0'},
		{"x/y=z,a=1", '1'},
		{"x/y=z,a=2", '0'},
		{"a>0", '1'},
		{"a<1", '0'},
		{"e=", '1'},
		{" a = 1 , !b ", '1'},
		{"a=1,", 'e'},
		{"a in 1", 'e'},
		{"=1", 'e'},
		{"a=1 b=2", 'e'},
		{"a in (1", 'e'},
		{"a>x", 'e'},
		{"-a=1", 'e'},
		{"a/b/c=1", 'e'},
		{",", 'e'},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autoselector Selector *selector = selector_parse(rows[i].text, &err);
		char answer = 'e';
		if (selector)
			answer = selector_matches(selector, labels) ? '1' : '0';
		if (answer != rows[i].answer)
			print_message("%s: %c\n", rows[i].text, answer);
		assert_int_equal(answer, rows[i].answer);
	}
}

static void selectors_from_json(void **state)
{
	(void)state;
	autojson json_t *labels = read("{\"a\":\"1\"}");
	autojson json_t *fine = read("{\"matchLabels\":{\"a\":\"1\"},\"matchExpressions\":["
				     "{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"1\"]},"
				     "{\"key\":\"b\",\"operator\":\"DoesNotExist\"}]}");
	autoerror Error err = {0};
	autoselector Selector *selector = selector_of_json(fine, &err);
	assert_non_null(selector);
	assert_true(selector_matches(selector, labels));
	assert_false(selector_matches(selector, NULL));
	assert_false(selector_is_empty(selector));
	autojson json_t *bad = read("{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\"}]}");
	assert_null(selector_of_json(bad, &err));
	assert_int_equal(err.code, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patches_follow_rfc_6902),
		cmocka_unit_test(patches_may_count_from_the_end_and_not_explode),
		cmocka_unit_test(paths_select),
		cmocka_unit_test(selectors_match_labels),
		cmocka_unit_test(selectors_from_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
