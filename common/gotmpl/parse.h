/* Tokens to trees: the grammar of text/template/parse. */
#ifndef GOTMPL_PARSE_H
#define GOTMPL_PARSE_H

#include "base/vec.h"
#include "gotmpl/set.h"

/* Reads a text; the trees that it defines, its own among them, go into *out_trees. */
bool parse_text(GotmplSet *set, const char *name, Str text, Vec *out_trees, Error *err);

#endif
