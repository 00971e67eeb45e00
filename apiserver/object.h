/* An object's metadata: reading it, what the server sets in it, names. */
#ifndef APISERVER_OBJECT_H
#define APISERVER_OBJECT_H

#include "request.h"
#include "store.h"

/* metadata.NAME as text, "" when absent. Borrowed. */
const char *object_meta(const json_t *object, const char *name);
const char *object_name(const json_t *object);
const char *object_ns(const json_t *object);

/* The value at a dotted path ("spec.selector"); NULL when there is none. Borrowed. */
const json_t *object_at(const json_t *object, const char *path);

bool object_is_deleting(const json_t *object);
bool object_has_finalizer(const json_t *object, const char *finalizer);
size_t object_finalizer_count(const json_t *object);

/* Adds or removes one; the object is changed. */
void object_set_finalizer(json_t *object, const char *finalizer, bool present);

/* uid, creationTimestamp, generation; without what only the server may set. */
void object_init_meta(const Resource *resource, json_t *object);

/* Copies what an update may not change from the live object. */
void object_keep_meta(json_t *object, const json_t *live);

/* Counts metadata.generation up when what it counts has changed (2.1). */
void object_bump_generation(const Resource *resource, json_t *object, const json_t *live);

/* Marks as being deleted at `now`. */
void object_mark_deleting(const Resource *resource, json_t *object);

/* Name, labels, annotations, ownerReferences, finalizers. */
void object_validate_meta(const Resource *resource, const json_t *object, FieldErrors *errors);

/* True when two states differ in more than managedFields and resourceVersion. */
bool object_differs(const json_t *a, const json_t *b);

/* Now as RFC 3339 seconds; owned. */
char *object_now(void);

/* The store's key of an object of a resource; borrows from both. */
StoreKey object_key(const Resource *resource, const json_t *object);

#endif
