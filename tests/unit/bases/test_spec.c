/* The forms of a repository in `resources` (kustomize-build.md 8, B104). */
#include "../cmocka_all.h"

#include "bases/bases.h"

typedef struct {
	const char *entry, *url, *path, *ref;
	int64_t timeout_ms;
} Good;

static void B104_forms_of_a_repository(void **state)
{
	(void)state;
	static const Good cases[] = {
		{"https://h/o/r", "https://h/o/r", ".", "", 27000},
		{"https://h/o/r/a/b?ref=v1", "https://h/o/r", "a/b", "v1", 27000},
		{"https://h/o/r.git", "https://h/o/r.git", ".", "", 27000},
		{"https://h/o/r.git/a", "https://h/o/r.git", "a", "", 27000},
		{"https://h/a/b/c//x/y", "https://h/a/b/c", "x/y", "", 27000},
		{"https://u@h/o/p/_git/r/x", "https://u@h/o/p/_git/r", "x", "", 27000},
		{"http://h:80/o/r?version=a&ref=b", "http://h:80/o/r", ".", "b", 27000},
		{"http://h/o/r?version=a", "http://h/o/r", ".", "a", 27000},
		{"HTTPS://h/o/r", "https://h/o/r", ".", "", 27000},
		{"github.com/o/r/d", "https://github.com/o/r", "d", "", 27000},
		{"git::https://h/o/r//d", "https://h/o/r", "d", "", 27000},
		{"https://h/o/r?timeout=61", "https://h/o/r", ".", "", 61000},
		{"https://h/o/r?timeout=2m&submodules=false", "https://h/o/r", ".", "", 120000},
		{"https://h/o/r?timeout=soon", "https://h/o/r", ".", "", 27000},
		{"https://h/o/r?timeout=0", "https://h/o/r", ".", "", 27000},
		{"https://h/o/r?ref=a%2Fb", "https://h/o/r", ".", "a/b", 27000},
		{"https://h/o/r//a/../b", "https://h/o/r", "b", "", 27000},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		autobasespec BaseSpec spec = {0};
		autoerror Error err = {0};
		assert_true(base_spec_parse(cases[i].entry, &spec, &err));
		assert_string_equal(spec.url, cases[i].url);
		assert_string_equal(spec.path, cases[i].path);
		assert_string_equal(spec.ref, cases[i].ref);
		assert_int_equal(spec.timeout_ms, cases[i].timeout_ms);
	}
}

static void B104_what_names_no_repository(void **state)
{
	(void)state;
	static const struct {
		const char *entry;
		ErrorCode code;
	} cases[] = {
		{"https://h/one", ERR_INVALID},
		{"https://h", ERR_INVALID},
		{"https:///o/r", ERR_INVALID},
		{"https://h/o/r//../x", ERR_INVALID},
		{"https://h/o/r//a/../../x", ERR_INVALID},
		{"file:///o/r", ERR_UNSUPPORTED},
		{"ssh://git@h/o/r", ERR_UNSUPPORTED},
		{"git@h:o/r", ERR_UNSUPPORTED},
		{"", ERR_UNSUPPORTED},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		autobasespec BaseSpec spec = {0};
		autoerror Error err = {0};
		assert_false(base_spec_parse(cases[i].entry, &spec, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_null(spec.url);
	}
}

static void B104_credentials_are_not_told(void **state)
{
	(void)state;
	autobasespec BaseSpec spec = {0};
	autoerror Error err = {0};
	assert_false(base_spec_parse("https://me:hunter2@h/one", &spec, &err));
	assert_null(strstr(err_text(&err), "hunter2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B104_forms_of_a_repository),
		cmocka_unit_test(B104_what_names_no_repository),
		cmocka_unit_test(B104_credentials_are_not_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
