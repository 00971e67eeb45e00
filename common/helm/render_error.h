/* Template errors as Helm words them. */
#ifndef HELM_RENDER_ERROR_H
#define HELM_RENDER_ERROR_H

#include "gotmpl/gotmpl.h"

/* "parse error at (PLACE): MESSAGE". Returns false. */
bool parse_error_reword(const char *file, const Error *cause, Error *err);
/* required and fail: "execution error at (PLACE): MESSAGE"; else the stack of places, when every
 * step of it is one of a template; else the error as it is. Returns false. */
bool run_error_reword(const GoRun *run, const Error *cause, Error *err);

#endif
