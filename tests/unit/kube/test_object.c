/* Reads of objects that the lists of kinds stand on. */
#include "../cmocka_all.h"

#include "base/mem.h"
#include "kube/object.h"

static json_t *made(const char *api_version, const char *kind)
{
	return json_pack("{s:s, s:s}", "apiVersion", api_version, "kind", kind);
}

static void test_a_kind_is_told_by_its_group(void **state)
{
	(void)state;
	static const struct {
		const char *api_version, *group;
		bool is_of;
	} rows[] = {
		{"v1", "", true},
		{"", "", true},
		{"batch/v1", "", false},
		{"batch/v1", "batch", true},
		{"batch/v2alpha1", "batch", true},
		{"batch", "batch", false}, /* core, version "batch" */
		{"batch.example.com/v1", "batch", false},
		{"batc/v1", "batch", false},
		{"v1", "batch", false},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(api_is_of(rows[i].api_version, rows[i].group), rows[i].is_of);
		autojson json_t *object = made(rows[i].api_version, "Job");
		assert_int_equal(object_is_of(object, rows[i].group, "Job"), rows[i].is_of);
		assert_false(object_is_of(object, rows[i].group, "Jobs"));
	}
	autojson json_t *empty = json_object();
	assert_false(object_is_of(empty, "", "Job"));
}

static void test_a_definition(void **state)
{
	(void)state;
	autojson json_t *real = made("apiextensions.k8s.io/v1", "CustomResourceDefinition");
	autojson json_t *other = made("example.com/v1", "CustomResourceDefinition");
	assert_true(object_is_definition(real));
	assert_false(object_is_definition(other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_kind_is_told_by_its_group),
		cmocka_unit_test(test_a_definition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
