/* What the parts of the informer share. */
#ifndef KUBE_INFORMER_INTERNAL_H
#define KUBE_INFORMER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/vec.h"
#include "kube/informer.h"
#include "kube/stream.h"

/* informer_store.c: the objects as text. Thread-safe. */
typedef struct {
	pthread_mutex_t lock;
	Map *objects; /* "ns/name" -> Stored; NULL values without keep_objects */
	bool keep;
} InformerStore;

void store_init(InformerStore *store, bool keep);
void store_dispose(InformerStore *store);

/* True when the key was there before. An older resourceVersion than what is stored changes nothing. */
bool store_put(InformerStore *store, const char *key, const json_t *object);
bool store_remove(InformerStore *store, const char *key);
json_t *store_get(InformerStore *store, const char *key);
size_t store_count(InformerStore *store);

/* The keys that `present` does not have, as owned strings. */
void store_missing(InformerStore *store, const Map *present, Vec *out);
char *store_key(const json_t *object);

#endif
