/* One evaluation from variables to result, within its limits. */
#include "base/clock.h"
#include "base/mem.h"
#include "cel/cel_internal.h"

enum { MEMORY_DEFAULT = 64 << 20, TIME_DEFAULT_MS = 1000, COST_DEFAULT = 1000000 };

static void start(CelRun *run, const CelProgram *program, const CelVariable *variables,
		  size_t count, const CelLimits *limits)
{
	static const CelLimits defaults = {0};
	limits = limits ? limits : &defaults;
	*run = (CelRun){
		.arena = arena_new(),
		.program = program,
		.variables = variables,
		.variable_count = count,
		.cost_max = limits->cost ? limits->cost : COST_DEFAULT,
		.memory_max = limits->memory ? limits->memory : MEMORY_DEFAULT,
		.deadline_ms =
			clock_mono_ms() + (limits->time_ms ? limits->time_ms : TIME_DEFAULT_MS),
	};
}

static bool finish(CelRun *run, const CelValue *value, const CelLimits *limits, Error *err)
{
	if (limits && limits->out_cost)
		*limits->out_cost = run->cost;
	if (limits && limits->out_over_cost)
		*limits->out_over_cost = run->over_cost;
	if (run->stopped)
		return err_set(err, ERR_LIMIT, "%s", run->stop_text);
	if (cel_is_error(value))
		return err_set(err, ERR_INVALID, "%.*s", (int)value->text.len, value->text.ptr);
	return true;
}

json_t *cel_eval(const CelProgram *program, const CelVariable *variables, size_t count,
		 const CelLimits *limits, Error *err)
{
	CelRun run;
	start(&run, program, variables, count, limits);
	CelValue value = cel_eval_node(&run, program->root);
	json_t *result = NULL;
	if (finish(&run, &value, limits, err)) {
		result = cel_value_to_json(&run, &value);
		if (!result)
			err_set(err, ERR_INVALID, "the result has no form in JSON");
	}
	arena_free(run.arena);
	return result;
}

char *cel_eval_text(const CelProgram *program, const CelVariable *variables, size_t count,
		    const CelLimits *limits, Error *err)
{
	CelRun run;
	autobuf Buf out = {0};
	start(&run, program, variables, count, limits);
	CelValue value = cel_eval_node(&run, program->root);
	bool fine = finish(&run, &value, limits, err);
	if (fine)
		cel_show(&run, &value, &out);
	arena_free(run.arena);
	return fine ? buf_steal(&out) : NULL;
}
