/*
 * One object on its way through a build, with what it was called before. An id is group, version,
 * kind, name and effective namespace (facts 3, Identity). Owned by the KSet that holds it.
 */
#ifndef KUSTOMIZE_RESOURCE_H
#define KUSTOMIZE_RESOURCE_H

#include <stdint.h>

#include "base/str.h"
#include "base/vec.h"
#include "data/json.h"

/* What an object was before a change; `ns` is the effective namespace. */
typedef struct {
	char *ns, *name, *kind;
} KPrevious;

typedef enum { K_CREATE, K_REPLACE, K_MERGE } KBehavior;

typedef struct KResource {
	json_t *tree; /* owned; NULL once a patch deleted it */
	char *file;   /* owned; path within the source, "" for generated */
	size_t line;
	KPrevious *previous;
	size_t previous_len;
	uint64_t *hashes; /* under which the set knows it */
	size_t hash_count;
	Vec prefixes, suffixes; /* owned strings, innermost first */
	Vec vars;		/* owned names of the vars that read this object */
	json_t *origin;		/* buildMetadata: where it came from; NULL unless asked for */
	json_t *transformations;
	KBehavior behavior;
	bool needs_hash;
	bool generated;
} KResource;

/* The effective namespace of certainly cluster-scoped objects: no namespace can be called so. */
#define K_CLUSTER "_non_namespaceable_"

/* A resource that owns `take_tree`; `file` is copied. */
KResource *kresource_new(json_t *take_tree, const char *file, size_t line);
void kresource_free(KResource *res);
AUTO_POINTER(KResource, kresource_free, auto_kresource);
#define autokresource __attribute__((cleanup(auto_kresource)))

/* "" when absent. Borrowed from the tree: dead after a change. */
const char *kresource_kind(const KResource *res);
const char *kresource_api_version(const KResource *res);
const char *kresource_name(const KResource *res);
const char *kresource_namespace(const KResource *res);

/* "default" for none, K_CLUSTER for certainly cluster-scoped kinds. */
const char *kresource_effective_namespace(const KResource *res);

void kresource_set_name(KResource *res, const char *name);
/* NULL or "" removes it. */
void kresource_set_namespace(KResource *res, const char *ns);

/* What a scalar is as text, "" for what is none: a new JSON string. */
json_t *kresource_text_value(const json_t *value);

/* Records the current name, namespace and kind before they change. */
void kresource_remember(KResource *res);

/* The first recorded id, or the current one. */
KPrevious kresource_original(const KResource *res);
/* The current id, borrowed. */
KPrevious kresource_current(const KResource *res);

/* "Kind.version.group/name.namespace" for errors; owned. */
char *kresource_text(const KResource *res);

/* An apiVersion's halves. */
Str kgroup_of(const char *api_version);
Str kversion_of(const char *api_version);

/* True for kinds that are cluster-scoped by exact apiVersion; all else counts as namespaced. */
bool kgvk_is_cluster_scoped(const char *api_version, const char *kind);

/* True when the selector's non-empty parts equal those of an apiVersion and kind; NULL is empty. */
bool kgvk_selected(const char *group, const char *version, const char *kind,
		   const char *api_version, const char *have_kind);

#endif
