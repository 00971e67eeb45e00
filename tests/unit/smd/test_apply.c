#include "smd_cases.h"

static void A33_repeated_apply_changes_nothing(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	assert_true(apply_ok(schema, &live, "{'replicas':1,'data':{'a':'1'}}", &alpha));
	assert_json(managers_of(live),
		    "[{'manager':'alpha','operation':'Apply','apiVersion':'v1','time':'" NOW
		    "','fieldsType':'FieldsV1','fieldsV1':{'f:spec':{'f:data':{'f:a':{}},"
		    "'f:replicas':{}}}}]");
	alpha.now = LATER;
	assert_false(apply_ok(schema, &live, "{'replicas':1,'data':{'a':'1'}}", &alpha));
	assert_string_equal(json_text(json_array_get(managers_of(live), 0), "time"), NOW);
}

static void A35_other_managers_field_conflicts_naming_it(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest beta = by("beta");
	apply_ok(schema, &live, "{'replicas':1}", &alpha);
	autojson json_t *causes = apply_fails(
		schema, live, "{'replicas':2}", &beta, ERR_CONFLICT,
		"Apply failed with 1 conflict: conflict with \"alpha\": .spec.replicas");
	assert_json(causes, "[{'reason':'FieldManagerConflict','message':"
			    "'conflict with \\\"alpha\\\"','field':'.spec.replicas'}]");
}

static void A35_conflict_with_update_manager_names_its_version(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest tool = by("tool");
	SmdRequest beta = by("beta");
	update_ok(schema, &live, "{'replicas':1,'image':'a'}", &tool);
	autojson json_t *causes =
		apply_fails(schema, live, "{'replicas':2,'image':'b'}", &beta, ERR_CONFLICT,
			    "Apply failed with 2 conflicts: conflicts with \"tool\" using v1:\n"
			    "- .spec.image\n- .spec.replicas");
	assert_int_equal(json_array_size(causes), 2);
}

static void A35_force_takes_the_field(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest beta = by("beta");
	beta.force = true;
	apply_ok(schema, &live, "{'replicas':1,'image':'a'}", &alpha);
	apply_ok(schema, &live, "{'replicas':2}", &beta);
	assert_spec(live, "{'replicas':2,'image':'a'}");
	assert_json(fields_of(live, "alpha", "Apply"), "{'f:spec':{'f:image':{}}}");
	assert_json(fields_of(live, "beta", "Apply"), "{'f:spec':{'f:replicas':{}}}");
}

static void A36_same_value_is_owned_by_both(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest beta = by("beta");
	apply_ok(schema, &live, "{'replicas':1}", &alpha);
	assert_true(apply_ok(schema, &live, "{'replicas':1}", &beta));
	assert_json(fields_of(live, "alpha", "Apply"), "{'f:spec':{'f:replicas':{}}}");
	assert_json(fields_of(live, "beta", "Apply"), "{'f:spec':{'f:replicas':{}}}");
}

static void A37_field_dropped_from_own_apply_is_deleted(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &live, "{'replicas':1,'image':'a','data':{'a':'1'}}", &alpha);
	apply_ok(schema, &live, "{'replicas':1}", &alpha);
	assert_spec(live, "{'replicas':1}");
}

static void A37_emptied_map_that_stays_is_empty_not_null(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &live, "{'data':{'a':'1'}}", &alpha);
	apply_ok(schema, &live, "{'data':{}}", &alpha);
	assert_spec(live, "{'data':{}}");
}

/* Null asks for the default, as it does upstream. */
static void A37_emptied_map_with_a_default_is_null(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &live, "{'defaulted':{'a':'1'}}", &alpha);
	apply_ok(schema, &live, "{'defaulted':{}}", &alpha);
	assert_spec(live, "{'defaulted':null}");
	assert_json(fields_of(live, "alpha", "Apply"), "{'f:spec':{'f:defaulted':{}}}");
}

static void A38_co_owned_dropped_field_stays(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest beta = by("beta");
	apply_ok(schema, &live, "{'replicas':1,'data':{'a':'1','b':'2'}}", &alpha);
	apply_ok(schema, &live, "{'replicas':1,'data':{'a':'1'}}", &beta);
	apply_ok(schema, &live, "{}", &alpha);
	assert_spec(live, "{'replicas':1,'data':{'a':'1'}}");
}

static void A39_dropped_item_leaves_foreign_items(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest beta = by("beta");
	apply_ok(schema, &live,
		 "{'env':[{'name':'A','value':'1'},{'name':'B','value':'2'}],'set':['x','y']}",
		 &alpha);
	apply_ok(schema, &live, "{'env':[{'name':'C','value':'3'}],'set':['z']}", &beta);
	apply_ok(schema, &live, "{'env':[{'name':'B','value':'2'}],'set':['y']}", &alpha);
	assert_spec(live, "{'env':[{'name':'B','value':'2'},{'name':'C','value':'3'}],"
			  "'set':['y','z']}");
}

static void A40_field_of_update_manager_survives_apply(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest hpa = by("hpa");
	apply_ok(schema, &live, "{'image':'a'}", &alpha);
	update_ok(schema, &live, "{'image':'a','replicas':5}", &hpa);
	json_object_set_new(json_object_get(live, "metadata"), "uid", json_string("u"));
	apply_ok(schema, &live, "{'image':'b'}", &alpha);
	assert_spec(live, "{'image':'b','replicas':5}");
	assert_json(fields_of(live, "hpa", "Update"), "{'f:spec':{'f:replicas':{}}}");
}

static void A40_what_an_update_manager_owns_too_is_not_dropped(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest hpa = by("hpa");
	update_ok(schema, &live, "{'image':'a','replicas':5}", &hpa);
	apply_ok(schema, &live, "{'image':'a','replicas':5}", &alpha);
	apply_ok(schema, &live, "{'image':'a'}", &alpha);
	assert_spec(live, "{'image':'a','replicas':5}");
	assert_json(fields_of(live, "alpha", "Apply"), "{'f:spec':{'f:image':{}}}");
}

static void A41_same_port_with_two_protocols(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest beta = by("beta");
	apply_ok(schema, &live, "{'ports':[{'port':53,'protocol':'UDP'}]}", &alpha);
	apply_ok(schema, &live, "{'ports':[{'port':53,'protocol':'TCP'}]}", &beta);
	assert_int_equal(json_array_size(json_at(live, "spec", "ports", NULL)), 2);
	assert_json(fields_of(live, "beta", "Apply"),
		    "{'f:spec':{'f:ports':{'k:{\\\"port\\\":53,\\\"protocol\\\":\\\"TCP\\\"}':"
		    "{'.':{},'f:port':{},'f:protocol':{}}}}}");
}

static void A42_omitted_protocol_keys_as_tcp(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &live, "{'ports':[{'port':80,'protocol':'TCP'}]}", &alpha);
	apply_ok(schema, &live, "{'ports':[{'port':80,'name':'web'}]}", &alpha);
	assert_int_equal(json_array_size(json_at(live, "spec", "ports", NULL)), 1);
	assert_json(fields_of(live, "alpha", "Apply"),
		    "{'f:spec':{'f:ports':{'k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}':"
		    "{'.':{},'f:name':{},'f:port':{}}}}}");
}

static void A43_atomic_list_is_replaced_whole(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest beta = by("beta");
	beta.force = true;
	apply_ok(schema, &live, "{'tolerations':[{'key':'a'},{'key':'b'}]}", &alpha);
	apply_ok(schema, &live, "{'tolerations':[{'key':'c'}]}", &beta);
	assert_spec(live, "{'tolerations':[{'key':'c'}]}");
	assert_null(fields_of(live, "alpha", "Apply"));
	assert_json(fields_of(live, "beta", "Apply"), "{'f:spec':{'f:tolerations':{}}}");
}

static void A44_status_has_an_entry_of_its_own(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoresult SmdResult result = {0};
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &live, "{'replicas':1}", &alpha);
	autojson json_t *config =
		J("{'apiVersion':'v1','kind':'Thing','metadata':{'name':'x'},"
		  "'spec':{'replicas':1},'status':{'conditions':[{'type':'Ready'}]}}");
	SmdRequest status = by("alpha");
	status.subresource = "status";
	assert_true(smd_apply(schema, live, config, &status, &result, NULL, &err));
	const json_t *list = managers_of(result.object);
	assert_int_equal(json_array_size(list), 2);
	assert_null(json_text(json_array_get(list, 0), "subresource"));
	assert_string_equal(json_text(json_array_get(list, 1), "subresource"), "status");
	assert_json(json_object_get(json_array_get(list, 1), "fieldsV1"),
		    "{'f:status':{'f:conditions':{'k:{\\\"type\\\":\\\"Ready\\\"}':"
		    "{'.':{},'f:type':{}}}}}");
}

static void main_path_does_not_own_status(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoresult SmdResult result = {0};
	autoresult SmdResult whole = {0};
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *config = J("{'apiVersion':'v1','kind':'Thing','metadata':{'name':'x'},"
				    "'status':{'phase':'a'},'spec':{'replicas':1}}");
	SmdRequest alpha = by("alpha");
	assert_true(smd_apply(schema, NULL, config, &alpha, &result, NULL, &err));
	assert_json(fields_of(result.object, "alpha", "Apply"), "{'f:spec':{'f:replicas':{}}}");
	static const char *const none[] = {NULL};
	alpha.ignored_fields = none;
	assert_true(smd_apply(schema, NULL, config, &alpha, &whole, NULL, &err));
	assert_json(fields_of(whole.object, "alpha", "Apply"),
		    "{'f:spec':{'f:replicas':{}},'f:status':{'f:phase':{}}}");
}

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* What kubectl's client-side apply leaves behind. Owned. */
static json_t *client_applied(const SmdSchema *schema, const char *spec)
{
	autoerror Error err = {0};
	SmdResult result = {0};
	autojson json_t *object = thing(spec);
	char *text = json_dumps(object, 0);
	json_t *annotations = json_make_at(object, "metadata", "annotations", NULL);
	json_object_set_new(annotations, LAST_APPLIED, json_string(text));
	free(text);
	SmdRequest request = by("kubectl-client-side-apply");
	assert_true(smd_update(schema, NULL, object, &request, &result, &err));
	json_object_set_new(json_object_get(result.object, "metadata"), "uid", json_string("u"));
	return result.object;
}

static void A47_kubectl_takes_over_what_client_side_apply_wrote(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = client_applied(schema, "{'replicas':1,'image':'a'}");
	SmdRequest kubectl = by("kubectl");
	apply_ok(schema, &live, "{'replicas':2,'image':'b'}", &kubectl);
	assert_spec(live, "{'replicas':2,'image':'b'}");
	const char *text = json_text_at(live, "metadata", "annotations", LAST_APPLIED, NULL);
	assert_non_null(strstr(text, "\"replicas\":2"));
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void A47_other_names_and_changed_fields_still_conflict(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = client_applied(schema, "{'replicas':1,'image':'a'}");
	SmdRequest other = by("flux");
	autojson json_t *causes = apply_fails(schema, live, "{'replicas':2}", &other, ERR_CONFLICT,
					      "kubectl-client-side-apply");
	assert_int_equal(json_array_size(causes), 1);
	SmdRequest hpa = by("hpa");
	autojson json_t *scaled = json_deep_copy(live);
	autoerror Error err = {0};
	autoresult SmdResult result = {0};
	json_object_set_new(json_object_get(scaled, "spec"), "replicas", json_integer(7));
	assert_true(smd_update(schema, live, scaled, &hpa, &result, &err));
	SmdRequest kubectl = by("kubectl");
	autojson json_t *both = apply_fails(schema, result.object, "{'replicas':2,'image':'b'}",
					    &kubectl, ERR_CONFLICT, "\"hpa\"");
	assert_int_equal(json_array_size(both), 1); /* the image is forgiven */
}

static void A48_unknown_field_is_not_declared_in_schema(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	SmdRequest alpha = by("alpha");
	assert_null(apply_fails(schema, NULL, "{'replikas':1}", &alpha, ERR_INTERNAL,
				"failed to create typed patch object (default/x; /v1, Kind=Thing): "
				".spec.replikas: field not declared in schema"));
	assert_null(apply_fails(schema, NULL, "{'ports':[{'port':1,'no':1}]}", &alpha, ERR_INTERNAL,
				".spec.ports[port=1,protocol=\"TCP\"].no: field not declared"));
}

static void wrong_types_are_refused(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	SmdRequest alpha = by("alpha");
	static const char *const rows[][2] = {
		{"{'replicas':'1'}", ".spec.replicas: expected numeric"},
		{"{'image':1}", ".spec.image: expected string"},
		{"{'image':{'a':1}}", ".spec.image: expected string"},
		{"{'data':[1]}", ".spec.data: expected map"},
		{"{'set':{'a':1}}", ".spec.set: expected list"},
		{"{'set':[null]}", "element 0: associative list without keys"},
		{"{'set':[{}]}", "element that's a map type"},
		{"{'env':[{'value':'x'}]}", "omits all key fields [\"name\"]"},
		{"{'env':[null]}", "may not have a null element"},
		{"{'env':['x']}", "may not have non-map elements"},
		{"[]", ".spec: expected map"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_null(
			apply_fails(schema, NULL, rows[i][0], &alpha, ERR_INTERNAL, rows[i][1]));
}

static void duplicate_items_in_config_are_refused(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	SmdRequest alpha = by("alpha");
	assert_null(apply_fails(schema, NULL, "{'ports':[{'port':1},{'port':1,'protocol':'TCP'}]}",
				&alpha, ERR_INVALID,
				"duplicate entries for key [port=1,protocol=\"TCP\"]"));
	assert_null(apply_fails(schema, NULL, "{'set':['a','b','a']}", &alpha, ERR_INVALID,
				"duplicate entries for key [=\"a\"]"));
}

static void duplicate_items_of_live_are_tolerated(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest tool = by("tool");
	update_ok(schema, &live, "{'env':[{'name':'A','value':'1'},{'name':'A','value':'2'}]}",
		  &tool);
	assert_json(fields_of(live, "tool", "Update"),
		    "{'f:spec':{'.':{},'f:env':{'.':{},'k:{\\\"name\\\":\\\"A\\\"}':{}}}}");
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &live, "{'env':[{'name':'B'}]}", &alpha);
	assert_int_equal(json_array_size(json_at(live, "spec", "env", NULL)), 3);
	alpha.force = true;
	apply_ok(schema, &live, "{'env':[{'name':'A','value':'3'}]}", &alpha);
	assert_spec(live, "{'env':[{'name':'A','value':'3'}]}");
}

static void order_follows_config_and_live_items_keep_their_place(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	static const char *const rows[][3] = {
		{"['a','b','c']", "['c','a']", "['b','c','a']"},
		{"['a','b','c']", "['x','b']", "['a','x','b','c']"},
		{"['a','b','c']", "['a','c','x']", "['a','b','c','x']"},
		{"['a','b','c','d']", "['d','b']", "['a','c','d','b']"},
		{"['a']", "['x','y']", "['a','x','y']"},
		{"['a','b','c','d','e','f']", "['f','x','b','d']", "['a','c','e','f','x','b','d']"},
		{"['a','b','c','d','e','f']", "['x','e','y']", "['a','b','c','d','x','e','f','y']"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *live = NULL;
		autofree char *old = mem_printf("{'set':%s}", rows[i][0]);
		autofree char *new = mem_printf("{'set':%s}", rows[i][1]);
		autofree char *want = mem_printf("{'set':%s}", rows[i][2]);
		SmdRequest tool = by("tool");
		SmdRequest alpha = by("alpha");
		update_ok(schema, &live, old, &tool);
		apply_ok(schema, &live, new, &alpha);
		assert_spec(live, want);
	}
}

static void live_without_managers_is_owned_before_first_apply(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = thing("{'replicas':1,'image':'a'}");
	SmdRequest alpha = by("alpha");
	json_decref(apply_fails(schema, live, "{'replicas':2}", &alpha, ERR_CONFLICT,
				"\"before-first-apply\" using v1"));
	alpha.force = true;
	apply_ok(schema, &live, "{'replicas':2}", &alpha);
	assert_spec(live, "{'replicas':2,'image':'a'}");
	assert_json(fields_of(live, "before-first-apply", "Update"),
		    "{'f:spec':{'.':{},'f:image':{}}}");
}

static void without_schema_lists_are_atomic_and_maps_granular(void **state)
{
	(void)state;
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest beta = by("beta");
	beta.force = true;
	apply_ok(NULL, &live, "{'list':[{'name':'a'}],'map':{'a':{'x':1}}}", &alpha);
	assert_json(fields_of(live, "alpha", "Apply"),
		    "{'f:spec':{'.':{},'f:list':{},'f:map':{'.':{},'f:a':{'.':{},'f:x':{}}}}}");
	apply_ok(NULL, &live, "{'list':[{'name':'b'}],'map':{'a':{'y':2}}}", &beta);
	assert_spec(live, "{'list':[{'name':'b'}],'map':{'a':{'x':1,'y':2}}}");
}

static void integer_and_float_of_one_value_are_equal(void **state)
{
	(void)state;
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest beta = by("beta");
	apply_ok(NULL, &live, "{'a':1}", &alpha);
	apply_ok(NULL, &live, "{'a':1.0}", &beta);
	assert_non_null(fields_of(live, "alpha", "Apply"));
}

static void type_change_takes_the_field(void **state)
{
	(void)state;
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest beta = by("beta");
	apply_ok(NULL, &live, "{'a':{'b':1}}", &alpha);
	json_decref(apply_fails(NULL, live, "{'a':'text'}", &beta, ERR_CONFLICT, ".spec.a"));
	beta.force = true;
	apply_ok(NULL, &live, "{'a':'text'}", &beta);
	assert_spec(live, "{'a':'text'}");
}

static void managers_of_unserved_versions_are_dropped(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	SmdRequest old = by("old");
	old.api_version = "v1alpha1";
	apply_ok(schema, &live, "{'replicas':1}", &old);
	static const char *const served[] = {"v1", NULL};
	SmdRequest alpha = by("alpha");
	alpha.served_versions = served;
	apply_ok(schema, &live, "{'replicas':2}", &alpha);
	assert_int_equal(json_array_size(managers_of(live)), 1);
}

static void inputs_and_result_share_nothing(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoresult SmdResult result = {0};
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = thing("{'data':{'a':'1'}}");
	autojson json_t *config = thing("{'set':['a']}");
	autojson json_t *live_before = json_deep_copy(live);
	autojson json_t *config_before = json_deep_copy(config);
	SmdRequest alpha = by("alpha");
	assert_true(smd_apply(schema, live, config, &alpha, &result, NULL, &err));
	json_t *spec = json_object_get(result.object, "spec");
	json_object_set_new(json_object_get(spec, "data"), "z", json_string("z"));
	json_array_append_new(json_object_get(spec, "set"), json_string("z"));
	json_object_set_new(json_object_get(result.object, "metadata"), "z", json_null());
	assert_true(json_equal(live, live_before));
	assert_true(json_equal(config, config_before));
}

static void managed_fields_in_config_are_refused(void **state)
{
	(void)state;
	autoerror Error err = {0};
	SmdResult result = {0};
	autojson json_t *config = J("{'metadata':{'name':'x','managedFields':[]}}");
	SmdRequest alpha = by("alpha");
	assert_false(smd_apply(NULL, NULL, config, &alpha, &result, NULL, &err));
	assert_string_equal(err_text(&err), "metadata.managedFields must be nil");
	assert_int_equal(err.code, ERR_INVALID);
}

static json_t *nested(size_t depth)
{
	json_t *value = json_object();
	for (size_t i = 0; i < depth; i++) {
		json_t *outer = json_object();
		json_object_set_new(outer, "a", value);
		value = outer;
	}
	return value;
}

static void deep_and_large_objects_are_a_limit(void **state)
{
	(void)state;
	autoerror Error deep = {0};
	autoerror Error large = {0};
	SmdResult result = {0};
	SmdRequest alpha = by("alpha");
	autojson json_t *config = nested(600);
	assert_false(smd_apply(NULL, NULL, config, &alpha, &result, NULL, &deep));
	assert_int_equal(deep.code, ERR_LIMIT);
	autojson json_t *wide = json_object();
	json_t *list = json_array();
	json_object_set_new(wide, "list", list);
	for (size_t i = 0; i < 1000001; i++)
		json_array_append_new(list, json_null());
	assert_false(smd_update(NULL, NULL, wide, &alpha, &result, &large));
	assert_int_equal(large.code, ERR_LIMIT);
	autojson json_t *fine = nested(500);
	autoerror Error err = {0};
	assert_true(smd_apply(NULL, NULL, fine, &alpha, &result, NULL, &err));
	smd_result_dispose(&result);
}

static void thousands_of_items_merge_quickly(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	autojson json_t *live = NULL;
	autobuf Buf spec = {0};
	buf_puts(&spec, "{'set':[");
	for (int i = 20000; i > 0; i--)
		buf_printf(&spec, "%s'%d'", i < 20000 ? "," : "", i);
	buf_puts(&spec, "]}");
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &live, buf_text(&spec), &alpha);
	assert_false(apply_ok(schema, &live, buf_text(&spec), &alpha));
	apply_ok(schema, &live, "{'set':['1']}", &alpha);
	assert_spec(live, "{'set':['1']}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A33_repeated_apply_changes_nothing),
		cmocka_unit_test(A35_other_managers_field_conflicts_naming_it),
		cmocka_unit_test(A35_conflict_with_update_manager_names_its_version),
		cmocka_unit_test(A35_force_takes_the_field),
		cmocka_unit_test(A36_same_value_is_owned_by_both),
		cmocka_unit_test(A37_field_dropped_from_own_apply_is_deleted),
		cmocka_unit_test(A37_emptied_map_that_stays_is_empty_not_null),
		cmocka_unit_test(A37_emptied_map_with_a_default_is_null),
		cmocka_unit_test(A38_co_owned_dropped_field_stays),
		cmocka_unit_test(A39_dropped_item_leaves_foreign_items),
		cmocka_unit_test(A40_field_of_update_manager_survives_apply),
		cmocka_unit_test(A40_what_an_update_manager_owns_too_is_not_dropped),
		cmocka_unit_test(A41_same_port_with_two_protocols),
		cmocka_unit_test(A42_omitted_protocol_keys_as_tcp),
		cmocka_unit_test(A43_atomic_list_is_replaced_whole),
		cmocka_unit_test(A44_status_has_an_entry_of_its_own),
		cmocka_unit_test(main_path_does_not_own_status),
		cmocka_unit_test(A47_kubectl_takes_over_what_client_side_apply_wrote),
		cmocka_unit_test(A47_other_names_and_changed_fields_still_conflict),
		cmocka_unit_test(A48_unknown_field_is_not_declared_in_schema),
		cmocka_unit_test(wrong_types_are_refused),
		cmocka_unit_test(duplicate_items_in_config_are_refused),
		cmocka_unit_test(duplicate_items_of_live_are_tolerated),
		cmocka_unit_test(order_follows_config_and_live_items_keep_their_place),
		cmocka_unit_test(live_without_managers_is_owned_before_first_apply),
		cmocka_unit_test(without_schema_lists_are_atomic_and_maps_granular),
		cmocka_unit_test(integer_and_float_of_one_value_are_equal),
		cmocka_unit_test(type_change_takes_the_field),
		cmocka_unit_test(managers_of_unserved_versions_are_dropped),
		cmocka_unit_test(inputs_and_result_share_nothing),
		cmocka_unit_test(managed_fields_in_config_are_refused),
		cmocka_unit_test(deep_and_large_objects_are_a_limit),
		cmocka_unit_test(thousands_of_items_merge_quickly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
