/* The built-in name references (facts 4), written once a pod spec path and expanded by kind. */
#ifndef KUSTOMIZE_REFS_TABLE_H
#define KUSTOMIZE_REFS_TABLE_H

#include "kustomize/config.h"

/* Adds the table's back references to config; paths go to the arena. */
void refs_table_add(KConfig *config, Arena *arena);

#endif
