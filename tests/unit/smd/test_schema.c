#include "smd_cases.h"

#include <pthread.h>

static void assert_schema_fails(const char *openapi, const char *definitions, const char *text)
{
	autoerror Error err = {0};
	autojson json_t *root = J(openapi);
	autojson json_t *named = J(definitions);
	autoschema SmdSchema *schema = smd_schema_new(root, named, &err);
	assert_null(schema);
	if (!strstr(err_text(&err), text))
		fail_msg("'%s' does not say '%s'", err_text(&err), text);
}

static void broken_schemas_are_refused(void **state)
{
	(void)state;
	assert_schema_fails("5", "{}", "schema is no object");
	assert_schema_fails("{'$ref':'#/definitions/A'}", "{}", "no object");
	assert_schema_fails("{'properties':{'a':{'$ref':'#/definitions/A'}}}", "{}",
			    "no definition A");
	assert_schema_fails("{'properties':{'a':{'type':'array','items':{'type':'string'},"
			    "'x-kubernetes-list-type':'bag'}}}",
			    "{}", "unknown list type bag");
	assert_schema_fails("{'properties':{'a':{'type':'array','items':{'type':'object'},"
			    "'x-kubernetes-list-type':'map'}}}",
			    "{}", "no map keys");
	assert_schema_fails("{'properties':{'a':{'x-kubernetes-map-type':'odd'}}}", "{}",
			    "unknown map type odd");
	assert_schema_fails("{'properties':{'a':{'type':'thing'}}}", "{}", "unknown type thing");
}

static void reference_loops_are_refused_or_built(void **state)
{
	(void)state;
	assert_schema_fails("{'properties':{'a':{'$ref':'#/definitions/A'}}}",
			    "{'A':{'$ref':'#/definitions/B'},'B':{'$ref':'#/definitions/A'}}",
			    "too deeply");
	autoschema SmdSchema *schema = kind_schema(); /* Spec holds a Spec */
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &live, "{'child':{'child':{'set':['a']}}}", &alpha);
	assert_json(fields_of(live, "alpha", "Apply"),
		    "{'f:spec':{'f:child':{'f:child':{'f:set':{'v:\\\"a\\\"':{}}}}}}");
}

static void nesting_of_inline_schemas_is_limited(void **state)
{
	(void)state;
	json_t *schema = J("{'type':'string'}");
	for (int i = 0; i < 400; i++)
		schema = json_pack("{s:s,s:o}", "type", "array", "items", schema);
	autojson json_t *root =
		json_pack("{s:s,s:{s:o}}", "type", "object", "properties", "a", schema);
	autoerror Error err = {0};
	autoschema SmdSchema *built = smd_schema_new(root, NULL, &err);
	assert_null(built);
	assert_int_equal(err.code, ERR_LIMIT);
}

static SmdSchema *schema_of(const char *openapi)
{
	autoerror Error err = {0};
	autojson json_t *root = J(openapi);
	SmdSchema *schema = smd_schema_new(root, NULL, &err);
	if (!schema)
		fail_msg("%s", err_text(&err));
	return schema;
}

/* CRDs say nothing of metadata, or that it is an object. */
static void crd_metadata_has_object_metas_rules(void **state)
{
	(void)state;
	static const char *const schemas[] = {
		"{'type':'object','properties':{'spec':{'type':'object'}}}",
		"{'type':'object','properties':{'spec':{'type':'object'},"
		"'metadata':{'type':'object'}}}",
	};
	for (size_t i = 0; i < COUNT(schemas); i++) {
		autoerror Error err = {0};
		autoresult SmdResult result = {0};
		autoschema SmdSchema *schema = schema_of(schemas[i]);
		autojson json_t *config = J("{'apiVersion':'g/v1','kind':'K','metadata':{'name':"
					    "'x','finalizers':['a'],'ownerReferences':[{'uid':'u',"
					    "'name':'n'}],'labels':{'l':'1'}}}");
		SmdRequest alpha = by("alpha");
		assert_true(smd_apply(schema, NULL, config, &alpha, &result, NULL, &err));
		assert_json(fields_of(result.object, "alpha", "Apply"),
			    "{'f:metadata':{'f:finalizers':{'v:\\\"a\\\"':{}},'f:labels':"
			    "{'f:l':{}},'f:ownerReferences':{'k:{\\\"uid\\\":\\\"u\\\"}':{}}}}");
	}
}

#define SPEC(properties)                                                                           \
	"{'type':'object','properties':{'spec':{'type':'object','properties':{" properties "}}}}"

static void assert_owns(const char *openapi, const char *spec, const char *expected)
{
	autoschema SmdSchema *schema = schema_of(openapi);
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	apply_ok(schema, &live, spec, &alpha);
	assert_json(fields_of(live, "alpha", "Apply"), expected);
}

static void extensions_decide_what_is_owned(void **state)
{
	(void)state;
	assert_owns(SPEC("'a':{'type':'object','additionalProperties':{'type':'string'},"
			 "'x-kubernetes-map-type':'atomic'}"),
		    "{'a':{'b':'c'}}", "{'f:spec':{'f:a':{}}}");
	assert_owns(SPEC("'a':{'type':'object','x-kubernetes-preserve-unknown-fields':true}"),
		    "{'a':{'b':{'c':[1]}}}", "{'f:spec':{'f:a':{'f:b':{'.':{},'f:c':{}}}}}");
	assert_owns(SPEC("'a':{'type':'object','x-kubernetes-preserve-unknown-fields':true,"
			 "'properties':{'k':{'type':'string'}}}"),
		    "{'a':{'k':'x','u':1}}", "{'f:spec':{'f:a':{'f:k':{},'f:u':{}}}}");
	assert_owns(SPEC("'a':{'x-kubernetes-int-or-string':true}"), "{'a':'5%'}",
		    "{'f:spec':{'f:a':{}}}");
	assert_owns(SPEC("'a':{'type':'array','items':{'type':'object'}}"), "{'a':[{'b':1}]}",
		    "{'f:spec':{'f:a':{}}}");
	assert_owns(SPEC("'a':{'type':'array','items':{'type':'object','properties':{'n':"
			 "{'type':'string'}}},'x-kubernetes-patch-strategy':'merge',"
			 "'x-kubernetes-patch-merge-key':'n'}"),
		    "{'a':[{'n':'1'}]}",
		    "{'f:spec':{'f:a':{'k:{\\\"n\\\":\\\"1\\\"}':{'.':{},'f:n':{}}}}}");
	assert_owns(SPEC("'a':{'type':'object','x-kubernetes-embedded-resource':true,"
			 "'x-kubernetes-preserve-unknown-fields':true}"),
		    "{'a':{'kind':'K','metadata':{'finalizers':['f']}}}",
		    "{'f:spec':{'f:a':{'f:kind':{},'f:metadata':{'f:finalizers':"
		    "{'v:\\\"f\\\"':{}}}}}}");
}

static void schema_that_became_atomic_rewrites_stored_sets(void **state)
{
	(void)state;
	autojson json_t *live = NULL;
	SmdRequest alpha = by("alpha");
	SmdRequest beta = by("beta");
	autoschema SmdSchema *granular =
		schema_of(SPEC("'a':{'type':'object','additionalProperties':{'type':'string'}}"));
	autoschema SmdSchema *atomic =
		schema_of(SPEC("'a':{'type':'object','additionalProperties':{'type':'string'},"
			       "'x-kubernetes-map-type':'atomic'},'b':{'type':'string'}"));
	apply_ok(granular, &live, "{'a':{'x':'1'}}", &alpha);
	apply_ok(atomic, &live, "{'b':'1'}", &beta);
	assert_json(fields_of(live, "alpha", "Apply"), "{'f:spec':{'f:a':{}}}");
}

enum { READERS = 4, ROUNDS = 200 };

static void *read_schema(void *context)
{
	const SmdSchema *schema = context;
	for (int i = 0; i < ROUNDS; i++) {
		autoerror Error err = {0};
		autoresult SmdResult result = {0};
		autojson json_t *config = thing("{'ports':[{'port':1}],'set':['a']}");
		SmdRequest alpha = by("alpha");
		if (!smd_apply(schema, NULL, config, &alpha, &result, NULL, &err))
			return NULL;
	}
	return context;
}

static void schema_is_shared_by_threads(void **state)
{
	(void)state;
	autoschema SmdSchema *schema = kind_schema();
	pthread_t threads[READERS];
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_schema, schema), 0);
	for (size_t i = 0; i < READERS; i++) {
		void *done = NULL;
		assert_int_equal(pthread_join(threads[i], &done), 0);
		assert_ptr_equal(done, schema);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_schemas_are_refused),
		cmocka_unit_test(reference_loops_are_refused_or_built),
		cmocka_unit_test(nesting_of_inline_schemas_is_limited),
		cmocka_unit_test(crd_metadata_has_object_metas_rules),
		cmocka_unit_test(extensions_decide_what_is_owned),
		cmocka_unit_test(schema_that_became_atomic_rewrites_stored_sets),
		cmocka_unit_test(schema_is_shared_by_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
