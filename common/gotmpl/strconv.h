/* Go's strconv: quoting, integers by base, floats in their shortest form. */
#ifndef GOTMPL_STRCONV_H
#define GOTMPL_STRCONV_H

#include "gotmpl/unicode.h"

/* Appends text as a Go string literal; `ascii` escapes all that is not ASCII. */
void quote_append(const GoUnicode *unicode, Str text, bool ascii, Buf *out);
/* Appends a rune as a Go character literal. */
void quote_rune(const GoUnicode *unicode, uint32_t rune, bool ascii, Buf *out);
/* True when a raw literal can hold it (strconv.CanBackquote). */
bool quote_can_raw(Str text);

/* Reads a string literal in double quotes or back quotes; false on a syntax error. */
bool unquote(Str literal, Buf *out);
/* Reads a character literal with its quotes; `tail` tells that more than one rune is in it. */
bool unquote_rune(Str literal, uint32_t *out, bool *tail);

/* strconv.ParseInt, bits 64: base 0 reads prefixes and underscores. False when it is no number;
 * *range when it is one that does not fit. */
bool parse_int(Str text, int base, int64_t *out, bool *range);
bool parse_uint(Str text, int base, uint64_t *out, bool *range);
/* strconv.ParseFloat, 64 bits. */
bool parse_float(Str text, double *out, bool *range);

/* strconv.FormatFloat: format b e E f g G x X; precision -1 is the shortest that reads back. */
void format_float(double value, char format, int precision, Buf *out);

#endif
