/* What encoding/json says of text that is no JSON. */
#ifndef GOTMPL_JSON_CHECK_H
#define GOTMPL_JSON_CHECK_H

#include "gotmpl/unicode.h"

/* False with Go's message. */
bool json_check(const GoUnicode *unicode, Str text, Buf *why);

#endif
