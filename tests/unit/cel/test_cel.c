/* What the differential suite cannot show of CEL: limits, declared types, optional variables. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "cel/cel.h"
#include "cel/expression.h"

static char *evaluate(const CelEnv *env, const char *text, const json_t *self,
		      const CelLimits *limits)
{
	autoerror Error err = {0}, failure = {0};
	autocelprogram CelProgram *program = cel_compile(env, text, &err);
	if (!program)
		return mem_printf("refused: %s", err_text(&err));
	CelVariable variables[] = {{"self", self}};
	char *shown = cel_eval_text(program, variables, 1, limits, &failure);
	return shown ? shown
		     : mem_printf("%s: %s", err_code_name(failure.code), err_text(&failure));
}

static json_t *parse(const char *text)
{
	autoerror Error err = {0};
	json_t *value = json_parse(text, strlen(text), 1 << 20, &err);
	assert_non_null(value);
	return value;
}

static void expect_in(const CelEnv *env, const char *text, const json_t *self,
		      const CelLimits *limits, const char *wanted)
{
	autofree char *shown = evaluate(env, text, self, limits);
	if (!strstr(shown, wanted))
		fail_msg("%s gives %s", text, shown);
}

static void limits_end_an_evaluation(void **state)
{
	(void)state;
	autocelenv CelEnv *env = cel_env_new(CEL_KUBERNETES);
	cel_env_declare(env, "self", cel_type(CEL_DYN));
	autojson json_t *self = parse("[1,2,3,4,5,6,7,8,9,10]");
	CelLimits cost = {.cost = 50};
	CelLimits memory = {.memory = 1 << 20, .cost = UINT64_MAX / 2};
	CelLimits time = {.time_ms = 1, .cost = UINT64_MAX / 2, .memory = SIZE_MAX};
	expect_in(env, "self.all(x, self.all(y, x > 0))", self, &cost,
		  "limit: operation cancelled: actual cost limit exceeded");
	/* What absorbs errors does not absorb a limit. */
	expect_in(env, "self.all(x, self.all(y, x > 0)) || true", self, &cost, "limit: ");
	expect_in(env, "lists.range(100000000)", self, &memory, "limit: ");
	expect_in(env, "self.map(a, lists.range(100000)).size()", self, &memory, "limit: ");
	expect_in(env, "lists.range(3000).all(x, lists.range(3000).all(y, x != y || x == y))", self,
		  &time, "limit: operation interrupted");
}

static char *repeat(const char *head, const char *middle, const char *tail, size_t count)
{
	Buf out = {0};
	for (size_t i = 0; i < count; i++)
		buf_puts(&out, head);
	buf_puts(&out, middle);
	for (size_t i = 0; i < count; i++)
		buf_puts(&out, tail);
	return buf_steal(&out);
}

static void depth_is_bounded(void **state)
{
	(void)state;
	static const struct {
		const char *head, *middle, *tail;
		size_t count;
	} rows[] = {
		{"(", "1", ")", 300},	 {"[", "1", "]", 300},	   {"", "1", "+1", 300},
		{"", "self", ".a", 300}, {"!(", "true", ")", 300}, {"(", "1", "+1+1)", 240},
	};
	autocelenv CelEnv *env = cel_env_new(CEL_KUBERNETES);
	cel_env_declare(env, "self", cel_type(CEL_DYN));
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *text =
			repeat(rows[i].head, rows[i].middle, rows[i].tail, rows[i].count);
		expect_in(env, text, NULL, NULL, "recursion limit exceeded");
	}
	/* A node that a macro shows twice is not checked twice: sixty times would be 2^60. */
	autofree char *twice = repeat("", "optional.of(1)", ".optMap(x, x)", 60);
	expect_in(env, twice, NULL, NULL, "limit: ");
	autofree char *huge = repeat("-", "1", "", 100001);
	expect_in(env, huge, NULL, NULL, "code point size exceeds limit");
	expect_in(env, "'\xff'", NULL, NULL, "not UTF-8");
}

static void declared_types_read_the_data(void **state)
{
	(void)state;
	autocelenv CelEnv *env = cel_env_new(CEL_KUBERNETES);
	CelType *object = cel_type_object(env, "thing");
	cel_type_add_field(env, object, "a__dot__b", "a.b", cel_type(CEL_DOUBLE));
	cel_type_add_field(env, object, "when", "when", cel_type(CEL_TIMESTAMP));
	cel_type_add_field(env, object, "set", "set", cel_type_list_set(env, cel_type(CEL_INT)));
	cel_env_declare(env, "self", object);
	autojson json_t *self = parse("{\"a.b\": 2, \"when\": \"2020-01-02T03:04:05Z\","
				      " \"set\": [1, 2], \"hidden\": 1}");
	expect_in(env, "self.a__dot__b / 4.0", self, NULL, "double(0.5)");
	expect_in(env, "self.when.getDate()", self, NULL, "2");
	expect_in(env, "self.set == [2, 1]", self, NULL, "true");
	expect_in(env, "self.set + [2, 3]", self, NULL, "[1,2,3]");
	expect_in(env, "self.hidden", self, NULL, "undefined field 'hidden'");
	expect_in(env, "self.a__dot__b == 'x'", self, NULL, "applied to '(double, string)'");
}

static void optional_variables(void **state)
{
	(void)state;
	autocelenv CelEnv *env = cel_env_new(CEL_KUBERNETES);
	cel_env_declare(env, "self", cel_type_optional(env, cel_type(CEL_INT)));
	autojson json_t *one = json_integer(1);
	expect_in(env, "self", one, NULL, "optional(1)");
	expect_in(env, "self.hasValue()", NULL, NULL, "false");
}

static void flux_words(void **state)
{
	(void)state;
	static const char *const variables[] = {"self", NULL};
	autojson json_t *data = parse("{\"self\": {\"n\": 1}}");
	autoerror Error bad = {0}, type = {0}, absent = {0}, no_bool = {0};
	bool holds;
	assert_null(expression_new("self.", variables, CEL_BOOL, &bad));
	assert_non_null(
		strstr(err_text(&bad), "failed to parse the CEL expression 'self.': ERROR: "));
	assert_null(expression_new("self.n", variables, CEL_BOOL, &type));
	assert_string_equal(err_text(&type),
			    "CEL expression output type mismatch: expected bool, got dyn");
	autoexpression Expression *gone = expression_new("self.x == 1", variables, CEL_BOOL, &bad);
	assert_false(expression_bool(gone, data, &holds, &absent));
	assert_string_equal(err_text(&absent),
			    "failed to evaluate the CEL expression 'self.x == 1': no such key: x");
	autoexpression Expression *number = expression_new("self.n", NULL, CEL_DYN, &bad);
	assert_false(expression_bool(number, data, &holds, &no_bool));
	assert_string_equal(err_text(&no_bool),
			    "failed to evaluate CEL expression as boolean: 'self.n'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_end_an_evaluation),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(declared_types_read_the_data),
		cmocka_unit_test(optional_variables),
		cmocka_unit_test(flux_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
