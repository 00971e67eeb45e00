/* Walking a template's tree. */
#ifndef GOTMPL_EXEC_H
#define GOTMPL_EXEC_H

#include "gotmpl/run.h"

/* How a walk ended. */
typedef enum { FLOW_NEXT, FLOW_BREAK, FLOW_CONTINUE, FLOW_FAIL } Flow;

Flow exec_walk(GoRun *run, GoValue dot, const Node *node);
/* A new variable; and the nearest of that name, which may be gone at run time: false. */
void exec_declare(GoRun *run, Str name, GoValue value);
bool exec_assign(GoRun *run, Str name, GoValue value);

/* A pipeline's value; its declarations stay. */
bool exec_pipeline(GoRun *run, GoValue dot, const Node *pipe, GoValue *out);

/* "error calling NAME: " with the place in front of the failure. Returns false. */
bool run_wrap_call(GoRun *run, const char *name);

#endif
