/* What the two halves of the strategic merge share: values and lists. */
#ifndef KUSTOMIZE_SMP_INTERNAL_H
#define KUSTOMIZE_SMP_INTERNAL_H

#include "kustomize/smp.h"

typedef struct {
	const KBuild *build;
	Error *err; /* set: the merge has failed */
} Merge;

typedef enum { SMP_MERGE, SMP_REPLACE, SMP_DELETE, SMP_UNKNOWN } Directive;

Directive smp_directive(const char *text);

/*
 * The merge of two values, NULL for absent ones, as an owned reference; NULL when nothing is left
 * (or when it failed). Maps and lists of dest are changed in place. dest and src may be the same
 * value: that is how directives and nulls inside added parts are carried out.
 */
json_t *smp_value(Merge *merge, json_t *dest, json_t *src, KSchemaAt at);

/* As smp_value, for lists that the schema merges. */
json_t *smp_list(Merge *merge, json_t *dest, json_t *src, KSchemaAt at);

#endif
