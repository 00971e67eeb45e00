/* The checker's unification of types (cel-go checker/types.go). */
#ifndef CEL_CHECK_H
#define CEL_CHECK_H

#include "cel/cel_internal.h"

/* What type parameters stand for so far, with a log to take steps back. */
typedef struct {
	Arena *arena;
	Vec bound; /* by number: CelType or NULL */
	Vec log;   /* numbers and old values in turn */
} Unifier;

void unifier_dispose(Unifier *unifier);
const CelType *unifier_fresh(Unifier *unifier);

/* Binds parameters so that `a` may be given where `b` is wanted; leaves all as it was when it
 * cannot. */
bool unifier_assign(Unifier *unifier, const CelType *a, const CelType *b);
bool unifier_assign_all(Unifier *unifier, const CelType *const *a, const CelType *const *b,
			size_t count);

/* The type with bound parameters replaced, the free ones by dyn when `to_dyn`. */
const CelType *unifier_resolve(Unifier *unifier, const CelType *type, bool to_dyn);

/* The more general of two that unify. */
const CelType *type_most_general(const CelType *a, const CelType *b);

#endif
