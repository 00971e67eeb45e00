#include "smd_cases.h"

#include "smd/smd_internal.h"

/* Parses, prints, compares byte by byte. */
static void assert_round(const char *text, const char *expected)
{
	autoarena Arena *arena = arena_new();
	autoerror Error err = {0};
	autojson json_t *fields = J(text);
	PathSet *set = NULL;
	if (!smd_fields_parse(arena, fields, &set, &err))
		fail_msg("%s", err_text(&err));
	autojson json_t *printed = smd_fields_print(set);
	assert_json_text(printed, expected);
}

static void known_forms_round_trip(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"{}",
		"{'f:a':{}}",
		"{'f:a':{'.':{},'f:b':{}}}",
		("{'f:ports':{'.':{},'k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}':"
		 "{'.':{},'f:port':{}}}}"),
		"{'f:set':{'v:1':{},'v:\\\"a\\\"':{},'v:true':{}}}",
		"{'i:1':{},'i:10':{}}",
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_round(rows[i], rows[i]);
}

static void order_is_field_key_value_index_then_content(void **state)
{
	(void)state;
	assert_round("{'i:0':{},'v:10':{},'v:9':{},'k:{\\\"p\\\":443}':{},'k:{\\\"p\\\":80}':{},"
		     "'f:b':{},'f:a':{}}",
		     "{'f:a':{},'f:b':{},'k:{\\\"p\\\":80}':{},'k:{\\\"p\\\":443}':{},'v:9':{},"
		     "'v:10':{},'i:0':{}}");
	assert_round("{'k:{\\\"b\\\":1,\\\"a\\\":2}':{}}", "{'k:{\\\"a\\\":2,\\\"b\\\":1}':{}}");
}

static void unknown_prefixes_are_ignored(void **state)
{
	(void)state;
	assert_round("{'z:new':{},'f:a':{'q:x':{}}}", "{'f:a':{}}");
}

static void duplicates_in_other_spelling_become_one(void **state)
{
	(void)state;
	assert_round("{'v:1':{'f:a':{}},'v:1.0':{'f:b':{}}}", "{'v:1':{'f:a':{},'f:b':{}}}");
}

static void go_escapes_in_keys(void **state)
{
	(void)state;
	assert_round("{'v:\\\"<\\\"':{}}", "{'v:\\\"\\\\u003c\\\"':{}}");
}

static void malformed_fields_are_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"{'a':{}}",
		"{'':{}}",
		"{'f':{}}",
		"{'f:a':5}",
		"{'f:a':[]}",
		"[]",
		"'text'",
		"{'k:':{}}",
		"{'k:5':{}}",
		"{'k:{':{}}",
		"{'v:':{}}",
		"{'v:{':{}}",
		"{'i:':{}}",
		"{'i:x':{}}",
		"{'i:1x':{}}",
		"{'fa:b':{}}",
		"{'i:99999999999999999999':{}}",
		"{'f:a':{'v:nope':{}}}",
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoarena Arena *arena = arena_new();
		autoerror Error err = {0};
		autojson json_t *fields = J(rows[i]);
		PathSet *set = NULL;
		if (smd_fields_parse(arena, fields, &set, &err))
			fail_msg("accepted %s", rows[i]);
		assert_int_equal(err.code, ERR_INVALID);
		assert_null(set);
	}
}

static PathSet *parse(Arena *arena, const char *text)
{
	autoerror Error err = {0};
	json_t *fields = smd_keep(arena, J(text));
	PathSet *set = NULL;
	assert_true(smd_fields_parse(arena, fields, &set, &err));
	return set;
}

static void assert_set(const PathSet *set, const char *expected)
{
	autojson json_t *printed = smd_fields_print(set);
	assert_json_text(printed, expected);
}

static void set_algebra(void **state)
{
	(void)state;
	autoarena Arena *arena = arena_new();
	PathSet *a = parse(arena, "{'f:a':{'.':{},'f:x':{}},'f:b':{},'f:c':{'f:y':{}}}");
	PathSet *b = parse(arena, "{'f:a':{},'f:c':{'f:y':{},'f:z':{}}}");
	assert_set(smd_set_union(arena, a, b),
		   "{'f:a':{'.':{},'f:x':{}},'f:b':{},'f:c':{'f:y':{},'f:z':{}}}");
	assert_set(smd_set_intersection(arena, a, b), "{'f:a':{},'f:c':{'f:y':{}}}");
	assert_set(smd_set_difference(arena, a, b), "{'f:a':{'f:x':{}},'f:b':{}}");
	assert_set(smd_set_subtract_trees(arena, a, b), "{'f:b':{}}");
	assert_set(smd_set_difference(arena, a, NULL),
		   "{'f:a':{'.':{},'f:x':{}},'f:b':{},'f:c':{'f:y':{}}}");
	assert_true(smd_set_empty(smd_set_difference(arena, a, a)));
	assert_true(smd_set_same(smd_set_union(arena, a, a), a));
	assert_false(smd_set_same(a, b));
	/* operands stay as they were */
	assert_set(b, "{'f:a':{},'f:c':{'f:y':{},'f:z':{}}}");
}

static void duplicate_items_are_owned_as_one(void **state)
{
	(void)state;
	autoarena Arena *arena = arena_new();
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *object = thing("{'env':[{'name':'B'},{'name':'A','value':'1'},"
					"{'name':'A','value':'2'}]}");
	json_object_del(object, "metadata");
	PathSet *set = smd_to_set(arena, smd_root(schema), object);
	assert_set(set, "{'f:apiVersion':{},'f:kind':{},'f:spec':{'f:env':{"
			"'k:{\\\"name\\\":\\\"A\\\"}':{},"
			"'k:{\\\"name\\\":\\\"B\\\"}':{'.':{},'f:name':{}}}}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_forms_round_trip),
		cmocka_unit_test(order_is_field_key_value_index_then_content),
		cmocka_unit_test(unknown_prefixes_are_ignored),
		cmocka_unit_test(duplicates_in_other_spelling_become_one),
		cmocka_unit_test(go_escapes_in_keys),
		cmocka_unit_test(malformed_fields_are_refused),
		cmocka_unit_test(set_algebra),
		cmocka_unit_test(duplicate_items_are_owned_as_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
