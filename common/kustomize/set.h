/*
 * The objects of a build in output order, found by any id or name that they have or had. The index
 * only grows: an entry is a hint that a look-up verifies. One thread.
 */
#ifndef KUSTOMIZE_SET_H
#define KUSTOMIZE_SET_H

#include "kustomize/hints.h"
#include "kustomize/resource.h"

typedef struct {
	Vec items;    /* owned KResource, in order */
	KHints hints; /* by kind, effective namespace and name; by name alone */
	bool gaps;    /* some object's tree may be gone */
	bool shared;  /* two objects may have the same id */
} KSet;

KSet *kset_new(void);
void kset_free(KSet *set);
AUTO_POINTER(KSet, kset_free, auto_kset);
#define autokset __attribute__((cleanup(auto_kset)))

static inline KResource *kset_at(const KSet *set, size_t index)
{
	return set->items.items[index];
}

/* Adds; an object whose current id is there already is an error (facts 3). Takes it only on
 * success. */
bool kset_add(KSet *set, KResource *take_res, Error *err) MUST_USE;

/* Moves all of `from` behind what is there. */
bool kset_add_all(KSet *set, KSet *from, Error *err) MUST_USE;

/* Fails when two objects have the same id, as changes of names can bring about. */
bool kset_check(KSet *set, Error *err) MUST_USE;

/* As kset_check, also when nothing has changed since: a replacement gives names and checks none. */
bool kset_check_all(KSet *set, Error *err) MUST_USE;

/* To be called when an object's name, namespace or kind has changed. */
void kset_reindex(KSet *set, KResource *res);

/* Gives `old`, at its place, all that `take_new` holds. */
void kset_replace(KSet *set, KResource *old, KResource *take_new);

/* Takes an object's tree away; kset_drop_empty then drops the object. */
void kset_erase(KSet *set, KResource *res);

/* Drops the objects whose tree is gone. */
void kset_drop_empty(KSet *set);

/* Those that have or had this id, appended to out; apiVersion's group and version must be equal. */
void kset_find_any(const KSet *set, const char *api_version, const KPrevious *id, Vec *out);

/* How many have this id now. */
size_t kset_count_current(const KSet *set, const char *api_version, const KPrevious *id);

/* Objects that have or had this name, appended to out; may hold others. */
void kset_find_named(const KSet *set, const char *name, Vec *out);

#endif
