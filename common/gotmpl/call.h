/*
 * A call of a template function or method. Parameters are named by letters, as Go's types decide
 * what a template may pass: s string, i int, u uint32, f float64, b bool, a interface {}, v
 * reflect.Value (keeps `boxed`), m map[string]interface {}, l []interface {}, t time.Time, c
 * sprig.certificate; a star at the end makes the last one variadic.
 */
#ifndef GOTMPL_CALL_H
#define GOTMPL_CALL_H

#include "base/buf.h"
#include "gotmpl/run.h"

struct GoCall {
	GoRun *run;
	GoValue receiver; /* of a method */
	const GoValue *args;
	size_t count;
};

/* Fails the call with a message: "error calling NAME: MESSAGE". Returns false. */
bool call_fail(GoCall *call, const char *format, ...) PRINTF(2, 3);
/* What Go's runtime says when a nil pointer is used. */
bool call_fail_nil(GoCall *call);

/* A copy of the buffer's bytes in the run's arena, as a string value. False when it is over the
 * limits. */
bool call_return_text(GoCall *call, const Buf *text, GoValue *out);
Str call_copy(GoCall *call, Str text);

static inline Arena *call_arena(const GoCall *call)
{
	return call->run->arena;
}

#endif
