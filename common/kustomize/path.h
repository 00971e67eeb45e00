/* Dotted paths of replacements and vars: "a.b\.c.[name=x].0", "metadata.annotations.[a.b/c]". */
#ifndef KUSTOMIZE_PATH_H
#define KUSTOMIZE_PATH_H

#include "base/vec.h"
#include "kustomize/fieldspec.h"

/* The parts, pushed as owned strings: "." separates, "\." does not, "[a.b]" is the key "a.b",
 * "[a=b.c]" stays one part in its brackets. */
void kpath_split(const char *text, Vec *out);

/* The value that parts name: keys, indexes, "-" for the last, "[key=value]" exactly. NULL when it
 * is not there. Borrowed. */
json_t *kpath_get(const json_t *object, const Vec *parts);

/* As kpath_get with only the first `count` parts. */
json_t *kpath_get_some(const json_t *object, const Vec *parts, size_t count);

/* A place found for writing; `created`: it was made on the way and holds null. */
typedef struct {
	KSlot slot;
	bool created;
	bool is_text; /* what is put there is text, whatever it looks like; kpath_find: false */
} KFound;

typedef struct {
	KFound *items;
	size_t len;
	Vec kept; /* documents inside scalars that slots point into; owned json_t */
} KFounds;

void kfounds_dispose(KFounds *founds);
#define autofounds __attribute__((cleanup(kfounds_dispose)))

/*
 * All places that parts[from..] name: "[key=regex]", "[=regex]", "*", indexes. With `create` what
 * is absent is made, at the end as a value shaped like it (an object, an array or null for a
 * scalar). False with err when a part does not fit.
 */
bool kpath_find(json_t *object, const Vec *parts, size_t from, const json_t *create, KFounds *out,
		Error *err) MUST_USE;

/* A scalar's text, "" for all else; owned. */
char *kpath_scalar_text(const json_t *value);

/* What a plain YAML scalar of this text is; owned. */
json_t *kpath_scalar_of(const char *text);

#endif
