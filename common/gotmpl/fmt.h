/* Go's fmt: Sprint, Sprintln, Sprintf, on template values. */
#ifndef GOTMPL_FMT_H
#define GOTMPL_FMT_H

#include "gotmpl/unicode.h"
#include "gotmpl/value.h"

typedef struct {
	Arena *arena;
	const GoUnicode *unicode;
	Buf *out;
	size_t limit; /* bytes that out may hold; what is beyond is left away */
} GoFmt;

/* As %v. */
void fmt_value(GoFmt *fmt, GoValue value);
/* Sprint: a blank between two operands of which neither is a string. */
void fmt_print(GoFmt *fmt, const GoValue *args, size_t count);
/* Sprintln: blanks between all, a newline at the end. */
void fmt_println(GoFmt *fmt, const GoValue *args, size_t count);
void fmt_printf(GoFmt *fmt, Str format, const GoValue *args, size_t count);

#endif
