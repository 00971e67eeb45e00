/* The columns of built-in kinds. */
#ifndef APISERVER_TABLE_CELLS_H
#define APISERVER_TABLE_CELLS_H

#include "data/json.h"

typedef struct {
	const char *name, *type;
	int priority;
	json_t *(*cell)(const json_t *object); /* an owned value */
} Column;

/* Those of a resource's key; static. */
const Column *table_builtin_columns(const char *key, size_t *out_count);

#endif
