/* CEL: any text as an expression, in all environments, evaluated over a fixed object. What compiles
 * ends within its limits. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cel/cel.h"

static const char object[] =
	"{\"n\":7,\"f\":2.5,\"s\":\"hello\",\"l\":[3,1,2],\"o\":{\"a\":1,\"b\":{\"c\":\"d\"}},"
	"\"z\":null,\"t\":true}";

static void evaluate(const CelEnv *env, const char *text, const json_t *self)
{
	autoerror Error err = {0}, failure = {0};
	autocelprogram CelProgram *program = cel_compile(env, text, &err);
	CelVariable variables[] = {{"self", self}, {"n", json_object_get(self, "n")}};
	CelLimits limits = {.cost = 100000, .memory = 16 << 20, .time_ms = 500};
	if (!program)
		return;
	autojson json_t *result UNUSED =
		cel_eval(program, variables, COUNT(variables), &limits, &failure);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned flags[] = {CEL_KUBERNETES | CEL_COSTS, CEL_FLUX,
					 CEL_FLUX | CEL_PARSE_ONLY};
	autofree char *text = mem_strndup((const char *)data, size);
	autoerror Error err = {0};
	autojson json_t *self = json_parse(object, sizeof(object) - 1, sizeof(object), &err);
	for (size_t i = 0; i < COUNT(flags); i++) {
		autocelenv CelEnv *env = cel_env_new(flags[i]);
		cel_env_declare(env, "self", cel_type(i == 0 ? CEL_DYN : CEL_MAP));
		cel_env_declare(env, "n", cel_type(CEL_INT));
		evaluate(env, text, self);
	}
	return 0;
}
