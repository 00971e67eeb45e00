/* Conversions that many functions share: text of a value, numbers as package cast reads them. */
#ifndef GOTMPL_CONVERT_H
#define GOTMPL_CONVERT_H

#include "gotmpl/call.h"

/* A string as it is, bytes as a string, everything else by %v (sprig's strval). */
void text_of(GoCall *call, GoValue value, Buf *out);
/* As text_of, copied into the arena; a string is not copied. */
Str text_value(GoCall *call, GoValue value);
/* cast.ToInt64, ToFloat64: what cannot be read is 0. */
int64_t int64_of(GoValue value);
double float_of(GoValue value);
/* sprig's empty(). */
bool is_empty(GoValue value);
/* A list value with a new array of `len` items, *out_items to be filled. */
GoValue new_list(GoCall *call, GoType type, size_t len, GoValue **out_items);
/* The limits allow `count` more values. */
bool room_for(GoCall *call, size_t count);

/* sprig.s strslice: a []string, each element as its text, without nils. */
GoValue strings_of(GoCall *call, GoValue value);
void quote_value(GoCall *call, Str text, Buf *out);

#endif
