/* The content hash that names end in (facts 5, Hash). */
#ifndef KUSTOMIZE_HASH_H
#define KUSTOMIZE_HASH_H

#include "kustomize/set.h"

enum { K_HASH_SIZE = 11 };

/* The ten characters for a ConfigMap's, a Secret's or any other object's content. */
void hash_of(const json_t *object, char out[K_HASH_SIZE]);

/* Appends the hash to the names of all objects that need it. */
void hash_names(KSet *set);

#endif
