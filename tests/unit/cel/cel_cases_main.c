/*
 * Evaluates one JSON case a line, {"env": "kube"|"flux", "expr", "vars", "parseOnly"}, and prints
 * one JSON answer a line as tests/oracles/cel does: {"compile"|"error": text} or {"value", "type",
 * "cost"}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/cel.h"

enum { LINE_MAX_BYTES = 16 << 20, VARIABLES_MAX = 64 };

static void answer_error(json_t *out, const char *key, const Error *err)
{
	json_object_set_new(out, key, json_text_new(err_text(err), strlen(err_text(err))));
}

static void evaluate(const CelProgram *program, const json_t *vars, json_t *out)
{
	CelVariable variables[VARIABLES_MAX];
	size_t count = 0;
	uint64_t cost = 0;
	const char *name;
	json_t *value;
	json_object_foreach(json_borrow(vars), name, value) if (count < VARIABLES_MAX)
		variables[count++] = (CelVariable){name, value};
	CelLimits limits = {.out_cost = &cost, .cost = 1000000, .time_ms = 20000};
	autoerror Error err = {0};
	autofree char *text = cel_eval_text(program, variables, count, &limits, &err);
	json_object_set_new(out, "type", json_string(cel_program_type_text(program)));
	json_object_set_new(out, "cost", json_integer((json_int_t)cost));
	if (text)
		json_object_set_new(out, "value", json_text_new(text, strlen(text)));
	else
		answer_error(out, "error", &err);
}

static json_t *answer(const json_t *input)
{
	bool flux = strcmp(json_text_or(input, "env", "kube"), "flux") == 0;
	unsigned flags = flux ? CEL_FLUX : CEL_KUBERNETES;
	flags |= json_flag(input, "parseOnly", false) ? (unsigned)CEL_PARSE_ONLY : 0;
	autocelenv CelEnv *env = cel_env_new(flags);
	const json_t *vars = json_map(input, "vars");
	const char *name;
	json_t *value;
	json_object_foreach(json_borrow(vars), name, value)
		cel_env_declare(env, name, cel_type(CEL_DYN));
	json_t *out = json_object();
	autoerror Error err = {0};
	autocelprogram CelProgram *program =
		cel_compile(env, json_text_or(input, "expr", ""), &err);
	if (program)
		evaluate(program, vars, out);
	else
		answer_error(out, "compile", &err);
	return out;
}

int main(void)
{
	autofree char *line = NULL;
	size_t size = 0;
	ssize_t len;
	while ((len = getline(&line, &size, stdin)) > 0) {
		autoerror Error err = {0};
		autojson json_t *input = json_parse(line, (size_t)len, LINE_MAX_BYTES, &err);
		if (!input) {
			fprintf(stderr, "%s\n", err_text(&err));
			return 1;
		}
		autojson json_t *out = answer(input);
		autofree char *text = json_dump(out);
		puts(text);
		fflush(stdout);
	}
	return 0;
}
