#include "smd_cases.h"

#include "base/clock.h"

static void create_of_custom_resource_owns_containers(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest tool = by("tool");
	update_ok(schema, &live, "{'replicas':1,'ports':[{'port':80}]}", &tool);
	assert_json_text(fields_of(live, "tool", "Update"),
			 "{'f:spec':{'.':{},'f:ports':{'.':{},'k:{\\\"port\\\":80,\\\"protocol\\\":"
			 "\\\"TCP\\\"}':{'.':{},'f:port':{}}},'f:replicas':{}}}");
}

/* Upstream compares with a zero struct: by-value members are there already. */
static void create_of_builtin_leaves_out_by_value_members(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autojson json_t *definitions = J(KIND_DEFINITIONS);
	json_t *root = json_object_get(definitions, "Thing");
	autoschema SmdSchema *schema = smd_schema_new_builtin(root, definitions, &err);
	assert_non_null(schema);
	autojson json_t *live = NULL;
	SmdRequest tool = by("tool");
	update_ok(schema, &live, "{'replicas':1,'data':{'a':'1'}}", &tool);
	assert_json(fields_of(live, "tool", "Update"),
		    "{'f:spec':{'f:data':{'.':{},'f:a':{}},'f:replicas':{}}}");
}

static void update_takes_changed_fields_from_others(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest tool = by("tool");
	apply_ok(schema, &live, "{'replicas':1,'image':'a','data':{'k':'v'}}", &alpha);
	tool.now = LATER;
	update_ok(schema, &live, "{'replicas':2,'image':'a'}", &tool);
	assert_json(fields_of(live, "alpha", "Apply"), "{'f:spec':{'f:image':{}}}");
	assert_json(fields_of(live, "tool", "Update"), "{'f:spec':{'f:replicas':{}}}");
	assert_string_equal(json_text(json_array_get(managers_of(live), 1), "time"), LATER);
}

static void unchanged_update_keeps_managers_and_times(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoresult SmdResult result = {0};
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest tool = by("tool");
	update_ok(schema, &live, "{'replicas':1}", &tool);
	SmdRequest other = by("other");
	other.now = LATER;
	assert_true(smd_update(schema, live, live, &other, &result, &err));
	assert_false(result.changed);
	assert_true(json_equal(result.object, live));
}

static void A45_eleven_updaters_fold_into_ancient_changes(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	autobuf Buf spec = {0};
	buf_puts(&spec, "{'data':{'k':'v'");
	for (int i = 0; i < 11; i++) {
		char now[CLOCK_TEXT_SIZE];
		clock_format((1767323000 + i) * INT64_C(1000), now);
		autofree char *name = mem_printf("tool-%02d", i);
		SmdRequest tool = by(name);
		tool.now = now;
		buf_printf(&spec, ",'k%d':'v'", i);
		autofree char *text = mem_printf("%s}}", buf_text(&spec));
		update_ok(schema, &live, text, &tool);
	}
	assert_int_equal(json_array_size(managers_of(live)), 10);
	assert_null(fields_of(live, "tool-00", "Update"));
	assert_null(fields_of(live, "tool-01", "Update"));
	assert_non_null(fields_of(live, "tool-02", "Update"));
	assert_json(fields_of(live, "ancient-changes", "Update"),
		    "{'f:spec':{'.':{},'f:data':{'.':{},'f:k':{},'f:k0':{},'f:k1':{}}}}");
	const json_t *oldest = json_array_get(managers_of(live), 0);
	char folded[CLOCK_TEXT_SIZE];
	clock_format(INT64_C(1767323001) * 1000, folded);
	assert_string_equal(json_text(oldest, "manager"), "ancient-changes");
	assert_string_equal(json_text(oldest, "time"), folded);
}

static void A45_ancient_changes_are_not_lost_within_a_second(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	autobuf Buf spec = {0};
	buf_puts(&spec, "{'data':{'k':'v'");
	for (int i = 0; i < 14; i++) {
		autofree char *name = i < 12 ? mem_printf("tool-%02d", i) : mem_printf("a%d", i);
		SmdRequest tool = by(name); /* "a12" sorts before "ancient-changes" */
		buf_printf(&spec, ",'k%d':'v'", i);
		autofree char *text = mem_printf("%s}}", buf_text(&spec));
		update_ok(schema, &live, text, &tool);
	}
	assert_int_equal(json_array_size(managers_of(live)), 10);
	const json_t *data =
		json_at(fields_of(live, "ancient-changes", "Update"), "f:spec", "f:data", NULL);
	assert_non_null(json_object_get(data, "f:k0"));
	assert_non_null(json_object_get(data, "f:k1"));
}

static void A45_applies_are_not_counted(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	for (int i = 0; i < 15; i++) {
		autofree char *name = mem_printf("a%d", i);
		SmdRequest alpha = by(name);
		apply_ok(schema, &live, "{'replicas':1}", &alpha);
	}
	assert_int_equal(json_array_size(managers_of(live)), 15);
}

/* Sends `sent` as managedFields in an update that also changes the replicas. */
static json_t *update_sending(const SmdSchema *schema, const json_t *live, const char *sent,
			      const char *subresource)
{
	autoerror Error err = {0};
	SmdResult result = {0};
	autojson json_t *object = json_deep_copy(live);
	json_t *spec = json_object_get(object, "spec");
	json_object_set_new(spec, "replicas", json_integer(json_int(spec, "replicas", 0) + 1));
	json_object_set_new(json_object_get(object, "metadata"), "managedFields", J(sent));
	SmdRequest tool = by("tool");
	tool.subresource = subresource;
	if (!smd_update(schema, live, object, &tool, &result, &err))
		fail_msg("%s", err_text(&err));
	return result.object;
}

static json_t *applied_thing(const SmdSchema *schema)
{
	json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &live, "{'replicas':1,'image':'a'}", &alpha);
	return live;
}

static void A46_empty_entry_resets_ownership(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = applied_thing(schema);
	autojson json_t *reset = update_sending(schema, live, "[{}]", NULL);
	assert_null(managers_of(reset));
	/* and stays unowned until somebody applies */
	SmdRequest tool = by("tool");
	update_ok(schema, &reset, "{'replicas':9}", &tool);
	assert_null(managers_of(reset));
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &reset, "{'replicas':9}", &alpha);
	assert_non_null(fields_of(reset, "before-first-apply", "Update"));
}

static void A46_empty_list_resets_builtin_kinds_only(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autojson json_t *definitions = J(KIND_DEFINITIONS);
	json_t *root = json_object_get(definitions, "Thing");
	autoschema SmdSchema *builtin = smd_schema_new_builtin(root, definitions, &err);
	autoschema SmdSchema *custom = kind_schema();
	autojson json_t *live = applied_thing(custom);
	autojson json_t *reset = update_sending(builtin, live, "[]", NULL);
	assert_null(managers_of(reset));
	autojson json_t *kept = update_sending(custom, live, "[]", NULL);
	assert_non_null(fields_of(kept, "alpha", "Apply"));
}

static void A46_subresources_cannot_reset(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = applied_thing(schema);
	autojson json_t *after = update_sending(schema, live, "[{}]", "status");
	assert_non_null(fields_of(after, "alpha", "Apply"));
}

static void sent_managers_replace_stored_ones(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = applied_thing(schema);
	autojson json_t *after = update_sending(
		schema, live,
		"[{'manager':'flux','operation':'Apply','apiVersion':'v1','fieldsType':'FieldsV1',"
		"'time':'2026-01-01T02:00:00+02:00','fieldsV1':{'f:spec':{'f:image':{}}}}]",
		NULL);
	assert_null(fields_of(after, "alpha", "Apply"));
	assert_json(fields_of(after, "flux", "Apply"), "{'f:spec':{'f:image':{}}}");
	assert_string_equal(json_text(json_array_get(managers_of(after), 0), "time"),
			    "2026-01-01T00:00:00Z");
}

static void undecodable_managers_keep_live(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = applied_thing(schema);
	static const char *const rows[] = {
		"[{'manager':'x','operation':'Steal','apiVersion':'v1','fieldsType':'FieldsV1'}]",
		"[{'manager':'x','operation':'Apply','fieldsType':'FieldsV1'}]",
		"[{'manager':'x','operation':'Apply','apiVersion':'v1'}]",
		"[{'manager':'x','operation':'Apply','apiVersion':'v1','fieldsType':'FieldsV2'}]",
		"[{'manager':'x','operation':'Apply','apiVersion':'v1','fieldsType':'FieldsV1',"
		"'time':'yesterday'}]",
		"[{'manager':'x','operation':'Apply','apiVersion':'v1','fieldsType':'FieldsV1',"
		"'fieldsV1':{'k:{':{}}}]",
		"[{'manager':'x','operation':'Apply','apiVersion':'v1','fieldsType':'FieldsV1',"
		"'fieldsV1':{'f:a':5}}]",
		"[5]",
		"[[]]",
		"'text'",
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *after = update_sending(schema, live, rows[i], NULL);
		assert_non_null(fields_of(after, "alpha", "Apply"));
		assert_null(fields_of(after, "x", "Apply"));
	}
}

static void undecodable_live_managers_fail_an_apply(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = J("{'apiVersion':'v1','kind':'Thing','metadata':{'name':'x',"
				  "'managedFields':[{'operation':'no'}]}}");
	SmdRequest alpha = by("alpha");
	assert_null(apply_fails(schema, live, "{}", &alpha, ERR_INTERNAL,
				"failed to decode managed fields"));
}

static void object_that_does_not_fit_is_stored_without_managers(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = applied_thing(schema);
	SmdRequest tool = by("tool");
	update_ok(schema, &live, "{'unknown':1}", &tool);
	assert_null(managers_of(live));
}

static void scale_moves_replicas_to_an_entry_of_its_own(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = applied_thing(schema);
	SmdRequest scale = by("kubectl");
	scale.subresource = "scale";
	update_ok(schema, &live, "{'replicas':5,'image':'a'}", &scale);
	assert_json(fields_of(live, "alpha", "Apply"), "{'f:spec':{'f:image':{}}}");
	const json_t *entry = json_array_get(managers_of(live), 1);
	assert_string_equal(json_text(entry, "subresource"), "scale");
	assert_json(json_object_get(entry, "fieldsV1"), "{'f:spec':{'f:replicas':{}}}");
}

static void scale_of_unowned_replicas_is_not_tracked(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &live, "{'image':'a'}", &alpha);
	SmdRequest scale = by("kubectl");
	scale.subresource = "scale";
	update_ok(schema, &live, "{'replicas':5,'image':'a'}", &scale);
	assert_int_equal(json_array_size(managers_of(live)), 1);
}

static void empty_against_null_is_a_change(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest tool = by("tool");
	apply_ok(schema, &live, "{'data':{},'image':'a'}", &alpha);
	update_ok(schema, &live, "{'data':null,'image':'a'}", &tool);
	assert_json(fields_of(live, "tool", "Update"), "{'f:spec':{'f:data':{}}}");
	assert_json(fields_of(live, "alpha", "Apply"), "{'f:spec':{'f:image':{}}}");
}

static void metadata_of_the_server_is_never_owned(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoresult SmdResult result = {0};
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *object =
		J("{'apiVersion':'v1','kind':'Thing','metadata':{'name':'x','namespace':'n',"
		  "'uid':'u','resourceVersion':'1','labels':{'a':'b'}}}");
	SmdRequest tool = by("tool");
	assert_true(smd_update(schema, NULL, object, &tool, &result, &err));
	assert_json(fields_of(result.object, "tool", "Update"),
		    "{'f:metadata':{'f:labels':{'.':{},'f:a':{}}}}");
}

static void nameless_manager_is_unknown(void **state)
{
	(void)state;
	autojson json_t *live = NULL;
	SmdRequest nobody = by("");
	update_ok(NULL, &live, "{'a':1}", &nobody);
	assert_non_null(fields_of(live, "unknown", "Update"));
}

static void times_are_restored_after_defaulting(void **state)
{
	(void)state;
	autojson json_t *live = J("{'metadata':{'managedFields':[{'manager':'a','time':'t1'}]},"
				  "'spec':{'a':1}}");
	autojson json_t *same = J("{'metadata':{'managedFields':[{'manager':'a','time':'t2'}]},"
				  "'spec':{'a':1}}");
	autojson json_t *other = J("{'metadata':{'managedFields':[{'manager':'a','time':'t2'}]},"
				   "'spec':{'a':2}}");
	assert_true(smd_restore_times(live, same));
	assert_true(json_equal(live, same));
	assert_false(smd_restore_times(live, other));
	assert_string_equal(json_text(json_array_get(managers_of(other), 0), "time"), "t2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_of_custom_resource_owns_containers),
		cmocka_unit_test(create_of_builtin_leaves_out_by_value_members),
		cmocka_unit_test(update_takes_changed_fields_from_others),
		cmocka_unit_test(unchanged_update_keeps_managers_and_times),
		cmocka_unit_test(A45_eleven_updaters_fold_into_ancient_changes),
		cmocka_unit_test(A45_ancient_changes_are_not_lost_within_a_second),
		cmocka_unit_test(A45_applies_are_not_counted),
		cmocka_unit_test(A46_empty_entry_resets_ownership),
		cmocka_unit_test(A46_empty_list_resets_builtin_kinds_only),
		cmocka_unit_test(A46_subresources_cannot_reset),
		cmocka_unit_test(sent_managers_replace_stored_ones),
		cmocka_unit_test(undecodable_managers_keep_live),
		cmocka_unit_test(undecodable_live_managers_fail_an_apply),
		cmocka_unit_test(object_that_does_not_fit_is_stored_without_managers),
		cmocka_unit_test(scale_moves_replicas_to_an_entry_of_its_own),
		cmocka_unit_test(scale_of_unowned_replicas_is_not_tracked),
		cmocka_unit_test(empty_against_null_is_a_change),
		cmocka_unit_test(metadata_of_the_server_is_never_owned),
		cmocka_unit_test(nameless_manager_is_unknown),
		cmocka_unit_test(times_are_restored_after_defaulting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
