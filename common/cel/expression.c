#include "cel/expression.h"

#include "base/mem.h"

struct Expression {
	char *text;
	CelEnv *env;
	CelProgram *program;
};

/* Upstream bounds these by time alone; so much cost is never reached before. */
#define COST_MAX (UINT64_MAX / 2)

Expression *expression_new(const char *text, const char *const *variables, CelKind want, Error *err)
{
	autoexpression Expression *expression = mem_zalloc(1, sizeof(*expression));
	expression->text = mem_strdup(text);
	expression->env = cel_env_new(CEL_FLUX | (variables ? 0 : (unsigned)CEL_PARSE_ONLY));
	const CelType *object = cel_type_map(expression->env, cel_type(CEL_DYN));
	for (size_t i = 0; variables && variables[i]; i++)
		cel_env_declare(expression->env, variables[i], object);
	autoerror Error cause = {0};
	expression->program = cel_compile(expression->env, text, &cause);
	if (!expression->program)
		return err_null(err, ERR_INVALID, "failed to parse the CEL expression '%s': %s",
				text, err_text(&cause));
	if (want != CEL_DYN && cel_program_kind(expression->program) != want)
		return err_null(err, ERR_INVALID,
				"CEL expression output type mismatch: expected %s, got %s",
				want == CEL_BOOL ? "bool" : "string",
				cel_program_type_text(expression->program));
	return steal(&expression);
}

void expression_free(Expression *expression)
{
	if (!expression)
		return;
	cel_program_free(expression->program);
	cel_env_free(expression->env);
	free(expression->text);
	free(expression);
}

json_t *expression_json(const Expression *expression, const json_t *data, Error *err)
{
	size_t count = json_object_size(data), at = 0;
	autofree CelVariable *variables = mem_zalloc(count + 1, sizeof(*variables));
	const char *name;
	json_t *value;
	json_object_foreach(json_borrow(data), name, value) variables[at++] =
		(CelVariable){name, value};
	CelLimits limits = {.cost = COST_MAX};
	json_t *result = cel_eval(expression->program, variables, count, &limits, err);
	if (!result)
		err_wrap(err, "failed to evaluate the CEL expression '%s'", expression->text);
	return result;
}

bool expression_bool(const Expression *expression, const json_t *data, bool *out, Error *err)
{
	autojson json_t *result = expression_json(expression, data, err);
	if (!result)
		return false;
	if (!json_is_boolean(result))
		return err_set(err, ERR_INVALID,
			       "failed to evaluate CEL expression as boolean: '%s'",
			       expression->text);
	*out = json_is_true(result);
	return true;
}

char *expression_text(const Expression *expression, const json_t *data, Error *err)
{
	autojson json_t *result = expression_json(expression, data, err);
	if (!result)
		return NULL;
	if (!json_is_string(result))
		return err_null(err, ERR_INVALID,
				"failed to evaluate CEL expression as string: '%s'",
				expression->text);
	return mem_strndup(json_string_value(result), json_string_length(result));
}
