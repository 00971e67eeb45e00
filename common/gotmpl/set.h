/* A set of templates from within. */
#ifndef GOTMPL_SET_H
#define GOTMPL_SET_H

#include "base/map.h"
#include "gotmpl/gotmpl.h"
#include "gotmpl/node.h"

struct GotmplSet {
	const GotmplSet *parent; /* of the set of a tpl call: looked into second */
	Arena *arena;
	const GoUnicode *unicode;
	Map *templates; /* name to Tree; NULL as long as there is none */
	Map *functions; /* name to GoFn; the root set's */
};

/* A set below `parent`, in the arena of a run. */
GotmplSet *set_below(const GotmplSet *parent, Arena *arena);
const Tree *set_find(const GotmplSet *set, const char *name);
const GoFn *set_function(const GotmplSet *set, Str name);

/* As gotmpl_parse, giving the text's own tree. */
const Tree *set_parse(GotmplSet *set, const char *name, Str text, Error *err);

#endif
