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

struct GotmplText {
	const Tree *const *trees;
	size_t len;
	const Tree *own; /* what stands outside of all definitions */
};

const Tree *set_find(const GotmplSet *set, const char *name);
/* NULL when there is none, with *err set when those that are loaded could not be. */
const GoFn *set_function(const GotmplSet *set, Str name, Error *err);

#endif
