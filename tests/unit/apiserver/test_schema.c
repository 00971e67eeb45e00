/* Schemas: pruning, defaults, decode rules of built-in kinds, validation, CEL's subset. */
#include "../cmocka_all.h"

#include <string.h>

#include "cel_rules.h"
#include "defaults.h"
#include "schema.h"

static json_t *parse(const char *text)
{
	autoerror Error err = {0};
	json_t *value = json_parse(text, strlen(text), 65536, &err);
	assert_non_null(value);
	return value;
}

static void assert_json(const json_t *value, const char *expected)
{
	autojson json_t *wanted = parse(expected);
	autofree char *shown = json_dump_sorted(value);
	autofree char *wanted_text = json_dump_sorted(wanted);
	assert_string_equal(shown, wanted_text);
}

/* The paths and texts of what a value breaks, "path: message" joined by "|". */
static char *breaches(const char *schema_text, const char *value_text, const char *old_text)
{
	autojson json_t *schema = parse(schema_text);
	autojson json_t *value = parse(value_text);
	autojson json_t *old = old_text ? parse(old_text) : NULL;
	autofielderrors FieldErrors errors = {0};
	schema_validate(schema, value, old, "", &errors);
	schema_check_unique(schema, value, "", &errors);
	if (!errors.causes) {
		CelRules *rules = cel_rules_new(schema);
		cel_rules_check(rules, value, old, &errors);
		cel_rules_free(rules);
	}
	autobuf Buf out = {0};
	for (size_t i = 0; i < json_array_size(errors.causes); i++) {
		const json_t *cause = json_array_get(errors.causes, i);
		buf_printf(&out, "%s%s: %s", i ? "|" : "", json_text_or(cause, "field", ""),
			   json_text_or(cause, "message", ""));
	}
	return buf_steal(&out);
}

static void A74_unknown_fields_are_pruned(void **state)
{
	(void)state;
	Definitions *definitions = definitions_new();
	autojson json_t *schema = parse(
		"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{"
		"\"b\":{}}},"
		"\"free\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true},"
		"\"list\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"x\":"
		"{}}}},"
		"\"map\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\","
		"\"properties\":{\"y\":{}}}}}}");
	autojson json_t *value =
		parse("{\"a\":{\"b\":1,\"c\":2},\"free\":{\"any\":{\"z\":1}},\"list\":"
		      "[{\"x\":1},{\"x\":1,\"q\":2}],\"map\":{\"k\":{\"y\":1,\"n\":2}},"
		      "\"gone\":1}");
	autojson json_t *unknown = json_array();
	schema_prune(definitions, schema, value, unknown);
	assert_json(value,
		    "{\"a\":{\"b\":1},\"free\":{\"any\":{\"z\":1}},\"list\":[{\"x\":1},{\"x\":1}],"
		    "\"map\":{\"k\":{\"y\":1}}}");
	assert_json(unknown, "[\"a.c\",\"list[1].q\",\"map.k.n\",\"gone\"]");
	definitions_free(definitions);
}

static void A75_defaults_fill_and_nulls_fall(void **state)
{
	(void)state;
	Definitions *definitions = definitions_new();
	autojson json_t *schema = parse(
		"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"default\":\"x\"}"
		","
		"\"n\":{\"type\":\"string\",\"nullable\":true},\"m\":{\"type\":\"string\"},"
		"\"status\":{\"type\":\"object\",\"default\":{\"g\":-1},\"properties\":{\"g\":{}}},"
		"\"deep\":{\"type\":\"object\",\"properties\":{\"d\":{\"default\":true}}}}}");
	autojson json_t *value = parse("{\"a\":null,\"n\":null,\"m\":null,\"deep\":{}}");
	schema_default(definitions, schema, value);
	assert_json(value, "{\"a\":\"x\",\"n\":null,\"status\":{\"g\":-1},\"deep\":{\"d\":true}}");
	definitions_free(definitions);
}

static void A49_builtin_decode_normalises(void **state)
{
	(void)state;
	Definitions *definitions = definitions_new();
	autofree char *name = schema_builtin_name("apps", "v1", "Deployment");
	assert_string_equal(name, "io.k8s.api.apps.v1.Deployment");
	autojson json_t *schema = schema_builtin_ref(name);
	autojson json_t *value =
		parse("{\"metadata\":{\"creationTimestamp\":null,\"labels\":{}},\"spec\":{"
		      "\"template\":{\"spec\":"
		      "{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}],\"containers\":[{\"name\":"
		      "\"c\",\"args\":[],"
		      "\"resources\":{\"limits\":{\"cpu\":0.5,\"memory\":\"1024Mi\"}}}]}}}}");
	autobreach TypeBreach breach = {0};
	assert_true(schema_decode(definitions, schema, value, &breach));
	assert_json(
		value,
		"{\"metadata\":{},\"spec\":{\"template\":{\"spec\":{\"volumes\":[{\"name\":\"v\","
		"\"emptyDir\":{}}],\"containers\":[{\"name\":\"c\",\"resources\":{\"limits\":"
		"{\"cpu\":\"500m\",\"memory\":\"1Gi\"}}}]}}}}");
	autojson json_t *wrong = parse("{\"spec\":{\"replicas\":\"two\"}}");
	assert_false(schema_decode(definitions, schema, wrong, &breach));
	assert_string_equal(breach.path, "spec.replicas");
	assert_string_equal(breach.got, "string");
	definitions_free(definitions);
}

/* As Go's decoder: the first member of another type is told, unless a time or quantity that cannot
 * be read comes after it. */
static void A76_which_of_two_breaches_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *value, *path;
	} rows[] = {
		{"{\"metadata\":{\"labels\":{\"a\":5}},\"spec\":{\"replicas\":\"x\"}}",
		 "metadata.labels"},
		{"{\"metadata\":{\"labels\":{\"a\":5},\"creationTimestamp\":\"x\"}}",
		 "metadata.creationTimestamp"},
		{"{\"metadata\":{\"creationTimestamp\":5,\"labels\":{\"a\":5}}}",
		 "metadata.creationTimestamp"},
	};
	Definitions *definitions = definitions_new();
	autofree char *name = schema_builtin_name("apps", "v1", "Deployment");
	autojson json_t *schema = schema_builtin_ref(name);
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *value = parse(rows[i].value);
		autobreach TypeBreach breach = {0};
		assert_false(schema_decode(definitions, schema, value, &breach));
		assert_string_equal(breach.path, rows[i].path);
	}
	definitions_free(definitions);
}

static void A76_validation_texts(void **state)
{
	(void)state;
	static const struct {
		const char *schema, *value, *expected;
	} rows[] = {
		{"{\"type\":\"integer\"}", "1", ""},
		{"{\"properties\":{\"a\":{\"type\":\"integer\"}}}", "{\"a\":\"x\"}",
		 "a: Invalid value: \"string\": a in body must be of type integer: \"string\""},
		{"{\"properties\":{\"a\":{\"enum\":[\"b\",\"c\"]}}}", "{\"a\":\"x\"}",
		 "a: Unsupported value: \"x\": supported values: \"b\", \"c\""},
		{"{\"properties\":{\"a\":{\"pattern\":\"^b\"}}}", "{\"a\":\"x\"}",
		 "a: Invalid value: \"x\": a in body should match '^b'"},
		{"{\"properties\":{\"a\":{\"minLength\":2}}}", "{\"a\":\"\xc3\xa4\"}",
		 "a: Invalid value: \"\xc3\xa4\": a in body should be at least 2 chars long"},
		{"{\"properties\":{\"a\":{\"maxLength\":1}}}", "{\"a\":\"\xc3\xa4\"}", ""},
		{"{\"properties\":{\"a\":{\"maximum\":2,\"exclusiveMaximum\":true}}}", "{\"a\":2}",
		 "a: Invalid value: 2: a in body should be less than 2"},
		{"{\"properties\":{\"a\":{\"minItems\":1}}}", "{\"a\":[]}",
		 "a: Invalid value: 0: a in body should have at least 1 items"},
		{"{\"required\":[\"a\"]}", "{}", "a: Required value"},
		{"{\"properties\":{\"a\":{\"x-kubernetes-int-or-string\":true}}}", "{\"a\":true}",
		 "a: Invalid value: \"boolean\": a in body must be of type integer,string: "
		 "\"boolean\""},
		{"{\"properties\":{\"a\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\","
		 "\"x-kubernetes-list-map-keys\":[\"k\"],\"items\":{}}}}",
		 "{\"a\":[{\"k\":1},{\"k\":1}]}", "a[1]: Duplicate value: {\"k\":1}"},
		{"{\"properties\":{\"a\":{\"x-kubernetes-list-type\":\"set\"}}}",
		 "{\"a\":[1,1,1,2]}", "a[1]: Duplicate value: 1"},
		{"{\"properties\":{\"a\":{\"x-kubernetes-list-type\":\"map\","
		 "\"x-kubernetes-list-map-keys\":[\"k\"]}}}",
		 "{\"a\":[{},{},3]}",
		 "a[2]: Invalid value: 3: must be an object for an array of list-type map"},
		{"{\"properties\":{\"a\":{\"type\":\"string\",\"enum\":[\"x\"]}}}", "{\"a\":[1]}",
		 "a: Invalid value: \"array\": a in body must be of type string: \"array\"|"
		 "a: Unsupported value: [1]: supported values: \"x\""},
		{"{\"properties\":{\"a\":{\"minLength\":2,\"pattern\":\"x\"}}}", "{\"a\":\"y\"}",
		 "a: Invalid value: \"y\": a in body should be at least 2 chars long"},
		{"{\"properties\":{\"a\":{\"type\":\"integer\"}}}", "{\"a\":9223372036854775808.0}",
		 "a: Invalid value: \"number\": a in body must be of type integer: \"number\""},
		{"{\"properties\":{\"a\":{\"type\":\"integer\"}}}", "{\"a\":7.0}", ""},
		{"{\"properties\":{\"a\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}"
		 "}}",
		 "{\"a\":true}",
		 "a: Invalid value: true: \"a\" must validate at least one schema (anyOf)"},
		{"{\"properties\":{\"a\":{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}}}",
		 "{\"a\":3}",
		 "a: Invalid value: 3: \"a\" must validate one and only one schema (oneOf). Found "
		 "more "
		 "than one valid"},
		{"{\"properties\":{\"a\":{\"not\":{\"enum\":[1]}}}}", "{\"a\":1}",
		 "a: Invalid value: 1: \"a\" must not validate the schema (not)"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *found = breaches(rows[i].schema, rows[i].value, NULL);
		assert_string_equal(found, rows[i].expected);
	}
}

static void unchanged_parts_pass(void **state)
{
	(void)state;
	const char *schema = "{\"properties\":{\"a\":{\"enum\":[1]},\"b\":{\"enum\":[1]}}}";
	autofree char *same = breaches(schema, "{\"a\":2,\"b\":1}", "{\"a\":2}");
	assert_string_equal(same, "");
	autofree char *changed = breaches(schema, "{\"a\":3}", "{\"a\":2}");
	assert_string_equal(changed, "a: Unsupported value: 3: supported values: 1");
}

static void A77_rules(void **state)
{
	(void)state;
	static const struct {
		const char *rule, *value;
		bool holds;
	} rows[] = {
		{"has(self.a)", "{\"a\":1}", true},
		{"has(self.a)", "{}", false},
		{"!has(self.a) || !has(self.s)", "{\"a\":1,\"s\":\"\"}", false},
		{"(has(self.a) && !has(self.s)) || (!has(self.a) && has(self.s))", "{\"a\":1}",
		 true},
		{"self.s == 'x' ? true : false", "{\"s\":\"x\"}", true},
		{"self.s != \"x\"", "{\"s\":\"x\"}", false},
		{"size(self.list) > 2", "{\"list\":[1,2]}", false},
		{"self.list.all(x, x > 1)", "{\"list\":[1,2]}", false},
		{"self.a == 1 || true", "{}", true}, /* || absorbs the error */
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *schema = json_pack(
			"{s:s,s:{s:{s:s},s:{s:s},s:{s:s,s:{s:s}}},s:[{s:s,s:s}]}", "type", "object",
			"properties", "a", "type", "integer", "s", "type", "string", "list", "type",
			"array", "items", "type", "integer", "x-kubernetes-validations", "rule",
			rows[i].rule, "message", "no");
		autofree char *text = json_dump(schema);
		autofree char *found = breaches(text, rows[i].value, NULL);
		assert_string_equal(found,
				    rows[i].holds ? "" : "<nil>: Invalid value: \"object\": no");
	}
}

/* What did not change passes though it breaks the rule; a change that breaks it does not. */
static void A77_rules_of_an_update(void **state)
{
	(void)state;
	static const char schema[] =
		"{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"object\",\"properties\":{"
		"\"a\":{\"type\":\"integer\"},\"s\":{\"type\":\"string\"}},"
		"\"x-kubernetes-validations\":[{\"rule\":\"!has(self.a) || !has(self.s)\","
		"\"message\":\"no\"}]},\"y\":{\"type\":\"integer\"}}}";
	static const struct {
		const char *before, *after;
		bool holds;
	} rows[] = {
		{"{\"x\":{\"a\":1}}", "{\"x\":{\"a\":2}}", true},
		{"{\"x\":{\"a\":1}}", "{\"x\":{\"a\":1,\"s\":\"\"}}", false},
		{"{\"x\":{\"a\":1,\"s\":\"\"}}", "{\"x\":{\"a\":1,\"s\":\"\"},\"y\":1}", true},
		{"{\"x\":{\"a\":1,\"s\":\"\"}}", "{\"x\":{\"a\":2,\"s\":\"\"}}", false},
		{"{}", "{\"x\":{\"a\":1,\"s\":\"\"}}", false},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *found = breaches(schema, rows[i].after, rows[i].before);
		assert_string_equal(found, rows[i].holds ? "" : "x: Invalid value: \"object\": no");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A74_unknown_fields_are_pruned),
		cmocka_unit_test(A75_defaults_fill_and_nulls_fall),
		cmocka_unit_test(A49_builtin_decode_normalises),
		cmocka_unit_test(A76_which_of_two_breaches_is_told),
		cmocka_unit_test(A76_validation_texts),
		cmocka_unit_test(unchanged_parts_pass),
		cmocka_unit_test(A77_rules),
		cmocka_unit_test(A77_rules_of_an_update),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
