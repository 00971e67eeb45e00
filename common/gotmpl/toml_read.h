/* TOML to values. */
#ifndef GOTMPL_TOML_READ_H
#define GOTMPL_TOML_READ_H

#include "gotmpl/convert.h"

/* A map of the document; false with "toml: line N: ...". */
bool toml_read(GoCall *call, Str text, GoValue *out, Buf *why);

#endif
