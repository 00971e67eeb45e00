/*
 * What the server knows of a kind. Built-in kinds are rows of one table, custom kinds come from
 * CRDs; both become Resources in the Catalog. A Resource is immutable and counted, so that a
 * request that uses one survives the CRD's end. The Catalog is locked inside; any thread may use
 * it.
 */
#ifndef APISERVER_KINDS_H
#define APISERVER_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/vec.h"
#include "data/json.h"
#include "smd/smd.h"

#include "schema_builtin.h"

typedef enum {
	KIND_NAMESPACED = 1,
	KIND_STATUS = 2,      /* has /status; the main path ignores status */
	KIND_SCALE = 4,	      /* has /scale */
	KIND_ALL = 8,	      /* category all */
	KIND_EXTENSION = 16,  /* category api-extensions */
	KIND_GENERATION = 32, /* spec changes count up metadata.generation */
	KIND_PUT_CREATES = 64,
	KIND_NEEDS_RV = 128,	  /* PUT without resourceVersion is refused */
	KIND_DELETE_OBJECT = 256, /* DELETE answers with the object */
	KIND_ANY_NAME = 512,	  /* names are path segments (RBAC) */
	KIND_LABEL_NAME = 1024,	  /* names are DNS labels */
	KIND_NO_COLLECTION = 2048,
	KIND_CREATE_ONLY = 4096, /* reviews: nothing is stored */
	KIND_READ_ONLY = 8192,
	KIND_CUSTOM = 16384,
	KIND_ENDING = 65536,   /* a custom kind whose definition is being deleted */
	KIND_UNSERVED = 32768, /* the stored version, which requests cannot name */
} KindFlags;

/* A row of the built-in table. */
typedef struct {
	const char *group, *version, *kind, *plural, *short_names; /* comma-separated */
	unsigned flags;
	const char *subresources; /* further ones: "log:get,exec:create+get" */
} KindRow;

extern const KindRow builtin_kinds[];
extern const size_t builtin_kind_count;

typedef struct Resource {
	char *group, *version, *kind, *list_kind, *plural, *singular;
	char *api_version; /* "apps/v1", "v1" */
	char *key;	   /* "deployments.apps", "pods": the name in storage and in messages */
	char *definition;  /* name of the OpenAPI definition */
	char *stored_definition; /* of the version that objects are stored with */
	char **short_names;	 /* NULL-terminated */
	char **categories;	 /* NULL-terminated */
	unsigned flags;
	const char *subresources; /* as in KindRow; NULL when none */
	json_t *schema;	       /* custom: the version's openAPIV3Schema (or NULL); built-in: NULL */
	json_t *columns;       /* custom: additionalPrinterColumns or NULL */
	json_t *selectable;    /* custom: selectableFields or NULL */
	json_t *scale;	       /* custom: subresources.scale or NULL */
	bool storage;	       /* objects are stored with this version from now on */
	bool uniform;	       /* and always were: what is stored needs no conversion */
	char *storage_version; /* apiVersion that objects are stored with */
	char *store_key;       /* as key, but events.events.k8s.io share "events" */
	char *deprecation;     /* what every request is warned of, or NULL */
	int references;
	struct CelRules *rules; /* custom: of its schema, or NULL */
	SmdSchema *smd;		/* made at first use, under the catalog's lock; NULL before */
} Resource;

Resource *resource_ref(Resource *resource);
void resource_unref(Resource *resource);
AUTO_POINTER(Resource, resource_unref, auto_resource);
#define autoresource __attribute__((cleanup(auto_resource)))

static inline bool resource_has(const Resource *resource, unsigned flags)
{
	return (resource->flags & flags) == flags;
}

typedef struct Catalog Catalog;

/* Whether built-in kinds are in it. */
bool kinds_have_group(const char *group);

/* Versions as Kubernetes orders them: the higher comes first (v2, v1, v1beta1). */
long resource_version_rank(const char *name);

/* A catalog with the built-in kinds. */
Catalog *catalog_new(void);
void catalog_free(Catalog *catalog);

/* The resource at group/version/plural; a new reference, or NULL. */
Resource *catalog_find(Catalog *catalog, const char *group, const char *version,
		       const char *plural);

/* By kind, in one served version (or in any, served or not, when NULL). A new reference, or NULL.
 */
Resource *catalog_find_kind(Catalog *catalog, const char *group, const char *version,
			    const char *kind);

/*
 * Replaces the resources of one CRD ("plural.group") by those in `take_resources` (may be empty),
 * which are those of its resourceVersion `rv`. What is older than what was seen is dropped: writers
 * tell of their commits in any order.
 */
void catalog_replace(Catalog *catalog, const char *crd_name, uint64_t rv, Vec *take_resources);

/* All served resources as new references, ordered by group, version and plural; free with
 * catalog_list_free. */
void catalog_list(Catalog *catalog, Vec *out);

/* As catalog_list, the stored version of each kind, served or not: one for each store key. */
void catalog_list_stored(Catalog *catalog, Vec *out);
void catalog_list_free(Vec *resources);

/* The schemas of the built-in kinds. Borrowed. */
Definitions *catalog_definitions(Catalog *catalog);

/* Counts up with each change; for ETags. */
unsigned long catalog_generation(Catalog *catalog);

/* The resource's schema for structured merge, made at first use; NULL with err when it is bad. */
const SmdSchema *catalog_smd(Catalog *catalog, Resource *resource, Error *err);

/* Frees with all it owns; for catalog.c and crd.c. */
Resource *resource_new(void);

#endif
