/* Printer columns of built-in and custom kinds (kube-api.md 2.5). */
#ifndef APISERVER_TABLE_H
#define APISERVER_TABLE_H

#include "kinds.h"

/* columnDefinitions; owned. */
json_t *table_columns(const Resource *resource);

/* The cells of one object, as many as columns; owned. */
json_t *table_cells(const Resource *resource, const json_t *object);

/* How old a time is: "5s", "3m12s", "4h", "12d", "2y30d" as kubectl prints it; "<unknown>" for NULL
 * or bad text. Owned. */
char *table_age(const char *time, int64_t now_ms);

#endif
