/* The printer's state and the pieces that its files share. */
#ifndef GOTMPL_FMT_INTERNAL_H
#define GOTMPL_FMT_INTERNAL_H

#include "gotmpl/fmt.h"

enum { FMT_MAX_WIDTH = 1000000 }; /* Go's tooLarge */

typedef struct {
	GoFmt *fmt;
	uint32_t verb;
	bool sharp, zero, plus, minus, space, sharp_v, plus_v, erroring;
	int width, precision; /* -1: none */
	bool has_width, has_precision;
} Printer;

void fmt_puts(Printer *p, const char *text);
/* Any value with p's verb; depth 0 is the operand itself. */
void fmt_any(Printer *p, GoValue value, int depth);
void fmt_bad_verb(Printer *p, GoValue value);
/* Bool, number, string, time. */
void fmt_scalar(Printer *p, GoValue value);
/* A string or bytes. */
void fmt_string(Printer *p, GoValue value);

#endif
