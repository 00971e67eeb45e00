/*
 * Which field of which kinds a transformer changes (facts 3, FieldSpec): a path of map keys; lists
 * on the way are entered.
 */
#ifndef KUSTOMIZE_FIELDSPEC_H
#define KUSTOMIZE_FIELDSPEC_H

#include "base/error.h"
#include "base/vec.h"
#include "data/json.h"

/* NULL or "" selects any. Texts are static or of the build's arena. */
typedef struct {
	const char *group, *version, *kind;
	const char *path;
	bool create;
} FieldSpec;

/* A static table of specs. */
typedef struct {
	const FieldSpec *rows;
	size_t len;
} FieldSpecs;

/* A list of specs in two halves: the built-in ones and those that configurations add. */
typedef struct {
	FieldSpecs builtin;
	const Vec *added; /* of const FieldSpec; may be NULL */
} KSpecs;

size_t kspecs_len(const KSpecs *specs);
const FieldSpec *kspecs_at(const KSpecs *specs, size_t index);

/* A place in a tree that can be read and set. */
typedef struct {
	json_t *container; /* an object or an array */
	const char *key;   /* in an object */
	size_t index;	   /* in an array */
} KSlot;

json_t *kslot_get(const KSlot *slot);
void kslot_set(const KSlot *slot, json_t *take_value);
/*
 * A string is changed in place, and so wherever else in the object it stands: a label that was put
 * into several places by one entry is one node for upstream [Q], and what changes one of them later
 * (an outer label, a patch, a replacement) changes them all. JSON patches make them apart again.
 */
void kslot_set_text(const KSlot *slot, const char *text);

/* What create makes where the path ends. */
typedef enum { K_MAKE_NOTHING, K_MAKE_TEXT, K_MAKE_MAP } KMake;

typedef bool (*FieldVisit)(void *arg, const KSlot *slot, Error *err);

/* Calls visit for every place the spec names in the object, which it matches by apiVersion and
 * kind; other kinds are left alone. */
bool fieldspec_apply(const FieldSpec *spec, json_t *object, KMake make, FieldVisit visit, void *arg,
		     Error *err) MUST_USE;

/* As fieldspec_apply, without the look at the kind. */
bool fieldspec_walk(const FieldSpec *spec, json_t *object, KMake make, FieldVisit visit, void *arg,
		    Error *err) MUST_USE;

#endif
