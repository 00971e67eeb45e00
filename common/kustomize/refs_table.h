/* The built-in name references (facts 4). */
#ifndef KUSTOMIZE_REFS_TABLE_H
#define KUSTOMIZE_REFS_TABLE_H

#include "kustomize/fieldspec.h"

/* A kind that is referred to; NULL: any. */
typedef struct {
	const char *group, *version, *kind;
} RefTarget;

/* A field that may name such an object. */
typedef struct {
	const RefTarget *target;
	FieldSpec field;
} RefRow;

/* All of them, in upstream's order; static. */
const RefRow *refs_table(size_t *out_len);

#endif
