/* The state of a run. */
#ifndef GOTMPL_RUN_H
#define GOTMPL_RUN_H

#include "base/map.h"
#include "base/vec.h"
#include "gotmpl/set.h"

typedef struct {
	Str name;
	GoValue value;
} Variable;

struct GoRun {
	const GotmplSet *set; /* of the template at hand */
	const GotmplSet *root;
	Arena *arena;
	GotmplLimits limits;
	uint64_t steps, depth; /* depth: templates under way */
	int64_t deadline_ms;
	const char *stack_base; /* an address in the frame that began */
	Map *includes;		/* name to how deep it is being included */
	Map *tpls;		/* text to what tpl made of it the last time (helm.c) */
	/* the template at hand */
	const Tree *tree;
	const Node *node; /* for errors */
	Buf *out;
	Variable *vars;
	size_t var_len, var_cap, var_base;
	/* the failure: parts from the innermost to the outermost, each put in front of the last */
	Vec failure;
	Vec trace;
};

/* Takes `message` as the innermost part of a failure. Returns false. */
bool run_fail(GoRun *run, const char *message);
/* Puts a part in front. Returns false. */
bool run_wrap(GoRun *run, const char *prefix);
/* As text/template's errorf: place, template and node in front. Returns false. */
bool run_error(GoRun *run, const char *format, ...) PRINTF(2, 3);

/* Counts a step; false when a limit is reached. */
bool run_step(GoRun *run);

/* As run_step, before a function is called: some take so long that the time is looked at each time.
 */
bool run_call_step(GoRun *run);

/* Runs a template of the set at hand, or of `set`, into out. */
bool run_template(GoRun *run, const GotmplSet *set, const Tree *tree, GoValue data, Buf *out);

#endif
