/* What the smd tests share: JSON with single quotes, a small kind, requests, questions about
 * results. */
#ifndef TESTS_UNIT_SMD_CASES_H
#define TESTS_UNIT_SMD_CASES_H

#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "smd/smd.h"

#define autoresult __attribute__((cleanup(smd_result_dispose)))
#define autoschema __attribute__((cleanup(auto_smd_schema)))

/* Parses JSON in which ' stands for ". Owned. */
static inline json_t *J(const char *text)
{
	autofree char *copy = mem_strdup(text);
	for (char *at = copy; *at; at++) {
		if (*at == '\'')
			*at = '"';
	}
	json_error_t where;
	json_t *value = json_loads(copy, JSON_DECODE_ANY, &where);
	if (!value)
		fail_msg("bad JSON in test: %s in %s", where.text, text);
	return value;
}

/* Equal trees, with the order of object keys when `text` is what a set must print as. */
static inline void assert_json(const json_t *actual, const char *expected)
{
	autojson json_t *value = J(expected);
	autofree char *left = json_dumps(actual, JSON_ENCODE_ANY | JSON_COMPACT);
	autofree char *right = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	if (!json_same(actual, value))
		fail_msg("%s != %s", left ? left : "(null)", right);
}

static inline void assert_json_text(const json_t *actual, const char *expected)
{
	autojson json_t *value = J(expected);
	autofree char *left = json_dumps(actual, JSON_ENCODE_ANY | JSON_COMPACT);
	autofree char *right = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	assert_string_equal(left, right);
}

/* A kind with every sort of field, as an API server's OpenAPI document has it. */
#define KIND_DEFINITIONS                                                                           \
	"{'Thing':{'type':'object','properties':{'apiVersion':{'type':'string'},"                  \
	"'kind':{'type':'string'},"                                                                \
	"'metadata':{'default':{},'allOf':[{'$ref':'#/components/schemas/Meta'}]},"                \
	"'spec':{'default':{},'allOf':[{'$ref':'#/components/schemas/Spec'}]},"                    \
	"'status':{'type':'object','properties':{'phase':{'type':'string'},"                       \
	"'conditions':{'type':'array','x-kubernetes-list-type':'map',"                             \
	"'x-kubernetes-list-map-keys':['type'],'items':{'type':'object','properties':{"            \
	"'type':{'type':'string'},'status':{'type':'string'}}}}}}}},"                              \
	"'Meta':{'type':'object','properties':{'name':{'type':'string'},"                          \
	"'namespace':{'type':'string'},'uid':{'type':'string'},"                                   \
	"'resourceVersion':{'type':'string'},'managedFields':{'type':'array',"                     \
	"'items':{'type':'object'}},'labels':{'type':'object',"                                    \
	"'additionalProperties':{'type':'string'}},'annotations':{'type':'object',"                \
	"'additionalProperties':{'type':'string'}}}},"                                             \
	"'Spec':{'type':'object','properties':{'replicas':{'type':'integer'},"                     \
	"'image':{'type':'string'},'cpu':{'allOf':[{'$ref':"                                       \
	"'#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity'}]},"                        \
	"'ports':{'type':'array','x-kubernetes-list-type':'map',"                                  \
	"'x-kubernetes-list-map-keys':['port','protocol'],"                                        \
	"'items':{'$ref':'#/definitions/Port'}},"                                                  \
	"'env':{'type':'array','x-kubernetes-list-type':'map',"                                    \
	"'x-kubernetes-list-map-keys':['name'],'items':{'type':'object','properties':{"            \
	"'name':{'type':'string'},'value':{'type':'string'}}}},"                                   \
	"'set':{'type':'array','x-kubernetes-list-type':'set','items':{'type':'string'}},"         \
	"'tolerations':{'type':'array','items':{'type':'object','properties':{"                    \
	"'key':{'type':'string'}}}},"                                                              \
	"'defaulted':{'type':'object','default':{'b':'B'},'properties':{"                          \
	"'a':{'type':'string'},'b':{'type':'string'}}},"                                           \
	"'child':{'$ref':'#/components/schemas/Spec'},"                                            \
	"'data':{'type':'object','additionalProperties':{'type':'string'}}}},"                     \
	"'Port':{'type':'object','properties':{'port':{'type':'integer'},"                         \
	"'protocol':{'type':'string','default':'TCP'},'name':{'type':'string'},"                   \
	"'target':{'x-kubernetes-int-or-string':true}}}}"

static inline SmdSchema *kind_schema(void)
{
	autoerror Error err = {0};
	autojson json_t *definitions = J(KIND_DEFINITIONS);
	json_t *root = json_object_get(definitions, "Thing");
	SmdSchema *schema = smd_schema_new(root, definitions, &err);
	if (!schema)
		fail_msg("%s", err_text(&err));
	return schema;
}

/* An object of the kind with this spec. Owned. */
static inline json_t *thing(const char *spec)
{
	autofree char *text = mem_printf("{'apiVersion':'v1','kind':'Thing','metadata':"
					 "{'name':'x','namespace':'default'},'spec':%s}",
					 spec);
	return J(text);
}

#define NOW "2026-01-02T03:04:05Z"
#define LATER "2026-01-02T03:04:06Z"

static inline SmdRequest by(const char *manager)
{
	return (SmdRequest){.manager = manager, .api_version = "v1", .now = NOW};
}

/* Applies and replaces *live (NULL: create) by the result; returns `changed`. */
static inline bool apply_ok(const SmdSchema *schema, json_t **live, const char *spec,
			    const SmdRequest *request)
{
	autoerror Error err = {0};
	SmdResult result = {0};
	autojson json_t *config = thing(spec);
	json_t *causes = NULL;
	if (!smd_apply(schema, *live, config, request, &result, &causes, &err))
		fail_msg("apply: %s", err_text(&err));
	json_decref(*live);
	*live = result.object;
	json_object_set_new(json_object_get(*live, "metadata"), "uid", json_string("u"));
	return result.changed;
}

/* Applies and expects a failure with this code and text. Returns the causes, owned. */
static inline json_t *apply_fails(const SmdSchema *schema, const json_t *live, const char *spec,
				  const SmdRequest *request, ErrorCode code, const char *text)
{
	autoerror Error err = {0};
	SmdResult result = {0};
	autojson json_t *config = thing(spec);
	json_t *causes = NULL;
	assert_false(smd_apply(schema, live, config, request, &result, &causes, &err));
	assert_null(result.object);
	assert_string_equal(err_code_name(err.code), err_code_name(code));
	if (!strstr(err_text(&err), text))
		fail_msg("'%s' does not say '%s'", err_text(&err), text);
	return causes;
}

/* Updates *live to have this spec. */
static inline void update_ok(const SmdSchema *schema, json_t **live, const char *spec,
			     const SmdRequest *request)
{
	autoerror Error err = {0};
	SmdResult result = {0};
	autojson json_t *object = thing(spec);
	json_object_set_new(json_object_get(object, "metadata"), "uid", json_string("u"));
	if (!smd_update(schema, *live, object, request, &result, &err))
		fail_msg("update: %s", err_text(&err));
	json_decref(*live);
	*live = result.object;
}

static inline json_t *managers_of(const json_t *object)
{
	return json_object_get(json_object_get(object, "metadata"), "managedFields");
}

/* fieldsV1 of the first entry with this manager and operation; NULL for none. Borrowed. */
static inline json_t *fields_of(const json_t *object, const char *manager, const char *operation)
{
	json_t *list = managers_of(object);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *entry = json_array_get(list, i);
		if (cstr_eq(json_text(entry, "manager"), manager) &&
		    cstr_eq(json_text(entry, "operation"), operation))
			return json_object_get(entry, "fieldsV1");
	}
	return NULL;
}

static inline void assert_spec(const json_t *object, const char *expected)
{
	assert_json(json_object_get(object, "spec"), expected);
}

#endif
