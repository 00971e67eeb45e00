/* K62: which fields the server's schema takes out of a built-in kind's object. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "kube/schema.h"

/* JSON with ' for ", as everything below. */
static const char document_text[] =
	"{'components':{'schemas':{"
	"'Kind':{'type':'object','properties':{"
	"'apiVersion':{'type':'string'},'kind':{'type':'string'},"
	"'metadata':{'allOf':[{'$ref':'#/components/schemas/Meta'}],'default':{}},"
	"'spec':{'$ref':'#/components/schemas/Spec'}},"
	"'x-kubernetes-group-version-kind':["
	"{'group':'g','kind':'Other','version':'v1'},"
	"{'group':'apps','kind':'Kind','version':'v1'}]},"
	"'Meta':{'type':'object','properties':{'name':{'type':'string'},"
	"'labels':{'type':'object','additionalProperties':{'type':'string'}}}},"
	"'Spec':{'type':'object','properties':{'size':{'type':'integer'},"
	"'items':{'type':'array','items':{'$ref':'#/components/schemas/Item'}},"
	"'byName':{'type':'object',"
	"'additionalProperties':{'$ref':'#/components/schemas/Item'}},"
	"'raw':{'type':'object'},"
	"'any':{'x-kubernetes-preserve-unknown-fields':true,'properties':{}},"
	"'lost':{'$ref':'#/components/schemas/Nowhere'},"
	"'self':{'$ref':'#/components/schemas/Loop'}}},"
	"'Item':{'type':'object','properties':{'name':{'type':'string'},"
	"'nested':{'$ref':'#/components/schemas/Spec'}}},"
	"'Loop':{'$ref':'#/components/schemas/Loop'}}}}";

static json_t *parse(const char *text)
{
	autoerror Error err = {0};
	autofree char *json = mem_strdup(text);
	for (char *c = json; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json_t *value = json_parse(json, strlen(json), 1 << 20, &err);
	if (!value)
		fail_msg("%s: %s", text, err_text(&err));
	return value;
}

static void expect(const char *before, const char *after)
{
	autojson json_t *document = parse(document_text);
	autojson json_t *object = parse(before), *wanted = parse(after);
	json_put_text(object, "apiVersion", "apps/v1");
	json_put_text(object, "kind", "Kind");
	assert_true(schema_prune(document, object));
	json_object_del(object, "apiVersion");
	json_object_del(object, "kind");
	autofree char *got = json_dump_sorted(object), *expected = json_dump_sorted(wanted);
	assert_string_equal(got, expected);
}

static void K62_what_is_not_declared_goes(void **state)
{
	(void)state;
	expect("{'spec':{'size':1,'heft':2},'psec':{}}", "{'spec':{'size':1}}");
	expect("{'metadata':{'name':'a','nick':'b'}}", "{'metadata':{'name':'a'}}");
	expect("{'spec':{'items':[{'name':'a','x':1},{'nested':{'items':[{'y':2}]}}]}}",
	       "{'spec':{'items':[{'name':'a'},{'nested':{'items':[{}]}}]}}");
	expect("{'spec':{'byName':{'any':{'name':'a','x':1}}}}",
	       "{'spec':{'byName':{'any':{'name':'a'}}}}");
}

static void K62_what_is_open_stays(void **state)
{
	(void)state;
	static const char *const same[] = {
		"{'metadata':{'labels':{'free':'x'}}}",
		"{'spec':{'raw':{'a':{'b':1}}}}",
		"{'spec':{'any':{'a':{'b':1}}}}",
		"{'spec':{'lost':{'a':1},'self':{'a':1}}}",
		"{'spec':null}",
		"{'spec':[1,{'a':2}]}",
		"{'spec':{'items':{'not':'a list'}}}",
	};
	for (size_t i = 0; i < COUNT(same); i++)
		expect(same[i], same[i]);
}

static void K62_other_kinds_and_damaged_documents(void **state)
{
	(void)state;
	static const char *const documents[] = {"{}", "[]", "{'components':[]}",
						"{'components':{'schemas':{'a':1,'b':null}}}"};
	autojson json_t *object = parse("{'apiVersion':'apps/v1','kind':'Kind','x':1}");
	for (size_t i = 0; i < COUNT(documents); i++) {
		autojson json_t *document = parse(documents[i]);
		assert_false(schema_prune(document, object));
	}
	autojson json_t *document = parse(document_text);
	json_put_text(object, "kind", "Unknown");
	assert_false(schema_prune(document, object));
	assert_int_equal(json_int(object, "x", 0), 1);
	assert_true(kube_is_builtin("v1") && kube_is_builtin("apps/v1") &&
		    kube_is_builtin("networking.k8s.io/v1"));
	assert_false(kube_is_builtin("apiextensions.k8s.io/v1") ||
		     kube_is_builtin("kustomize.toolkit.fluxcd.io/v1") ||
		     kube_is_builtin("example.test/v1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(K62_what_is_not_declared_goes),
		cmocka_unit_test(K62_what_is_open_stays),
		cmocka_unit_test(K62_other_kinds_and_damaged_documents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
