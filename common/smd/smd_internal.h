/*
 * What the files of the merge share: types of a schema, path elements, sets of paths, comparison.
 * Everything made for one request lives in its Arena and borrows from the JSON trees of that
 * request; sets are values: no function changes a set that another one made. JSON depth and set
 * depth are bounded by SMD_MAX_DEPTH, checked at the door.
 */
#ifndef SMD_SMD_INTERNAL_H
#define SMD_SMD_INTERNAL_H

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "smd/smd.h"

enum {
	SMD_MAX_DEPTH = 512,	    /* nesting of objects, and so of fieldsV1 */
	SMD_MAX_NODES = 1000000,    /* values in one object */
	SMD_MAX_MANAGERS = 10000,   /* managedFields entries read from a client */
	SMD_MAX_SCHEMA_DEPTH = 256, /* nesting of inline schemas */
};

/* jansson reads need non-const pointers; nothing here changes what came in as const. */
static inline json_t *smd_readable(const json_t *value)
{
	json_t *same = NULL;
	memcpy(&same, &value, sizeof(same));
	return same;
}

/* --- schema.c --- */

typedef enum { SCALAR_NONE, SCALAR_NUMERIC, SCALAR_STRING, SCALAR_BOOLEAN, SCALAR_ANY } Scalar;

typedef struct SmdType SmdType;

/* How a field names its type; x-kubernetes-map-type beside a $ref overrides the type's own. */
typedef struct {
	const SmdType *type; /* NULL: no such field is declared */
	bool overridden;
	bool atomic; /* when overridden */
} TypeRef;

typedef struct {
	const char *name;
	TypeRef type;
	json_t *fallback; /* `default`, or NULL */
	bool required;	  /* in upstream's structs: written even when empty */
} StructField;

typedef struct {
	bool atomic;
	const char **keys; /* none: a set */
	size_t key_count;
	TypeRef items;
} ListType;

typedef struct {
	bool atomic;
	StructField *fields; /* sorted by name */
	size_t field_count;
	TypeRef values; /* of keys that are no field */
} MapType;

/* What a value may be: any of scalar, list, map. */
struct SmdType {
	Scalar scalar;
	const ListType *list;
	const MapType *map;
	bool inlined; /* not a named definition */
};

/* A TypeRef resolved, overrides applied. */
typedef struct {
	Scalar scalar;
	const ListType *list;
	const MapType *map;
	bool list_atomic;
	bool map_atomic;
} Atom;

extern const SmdType smd_type_untyped; /* any value, lists and maps atomic */
extern const SmdType smd_type_deduced; /* any value, lists atomic, maps granular */

struct SmdSchema {
	Arena *arena;
	TypeRef root;
	bool builtin; /* upstream has a Go struct for it */
	json_t *zero; /* what a create is compared with: {} for custom resources */
};

/* The root type; without a schema the deduced one. */
TypeRef smd_root(const SmdSchema *schema);
Atom smd_resolve(TypeRef ref);

/* The atom narrowed to the alternative that `value` takes; unchanged for NULL, null and misfits. */
Atom smd_deduce(Atom atom, const json_t *value);
bool smd_atom_same(const Atom *a, const Atom *b);
const StructField *smd_field(const MapType *map, const char *name);
TypeRef smd_field_type(const MapType *map, const char *name);

/* --- value.c --- */

/* A total order: numbers (1 == 1.0), strings, booleans, lists, maps, null. */
int smd_value_compare(const json_t *a, const json_t *b);
bool smd_value_same(const json_t *a, const json_t *b);

/* ERR_LIMIT when the tree is deeper or larger than the limits. */
bool smd_value_bounded(const json_t *value, Error *err) MUST_USE;

/* Keeps a reference until the arena is freed; returns it. */
json_t *smd_keep(Arena *arena, json_t *take_value);

/* --- path.c --- */

typedef enum { ELEMENT_FIELD, ELEMENT_KEY, ELEMENT_VALUE, ELEMENT_INDEX } ElementKind;

typedef struct {
	const char *name;
	json_t *value;
} KeyPart;

/* One step of a path. Names and values are borrowed from trees that live as long as the arena. */
typedef struct {
	ElementKind kind;
	const char *field;
	const KeyPart *parts; /* sorted by name */
	size_t part_count;
	json_t *value;
	long long index;
} PathElement;

PathElement smd_element_field(const char *name);

/* The order of fieldsV1: fields, keys, values, indexes, then by content. */
int smd_element_compare(const PathElement *a, const PathElement *b);

/* The element of an item of an associative list; NULL, or what is wrong with the item. */
const char *smd_element_of_item(Arena *arena, const ListType *list, json_t *item, PathElement *out);

/* Appends `.name`, `[port=80,protocol="TCP"]`, `[="x"]`, `[3]`. */
void smd_element_print(const PathElement *element, Buf *out);

/* A Go %q string. */
void smd_quote(Buf *out, Str text);

/* --- pathset.c --- */

typedef struct PathSet PathSet;

typedef struct {
	PathElement element;
	bool member;
	PathSet *below; /* NULL: nothing */
} PathNode;

/* Sorted nodes, each a member or with members below. NULL is the empty set. */
struct PathSet {
	PathNode *nodes;
	size_t len;
	size_t cap;
	bool sorted;
};

/* Building: add in any order, then seal once. A node without content is left out. */
void smd_set_add(Arena *arena, PathSet **set, PathElement element, bool member, PathSet *below);
void smd_set_seal(Arena *arena, PathSet *set);

/* Adds one path of field names, such as {"metadata", "name", NULL}, to a sealed set. */
PathSet *smd_set_with_fields(Arena *arena, PathSet *set, const char *const *names);

const PathNode *smd_set_find(const PathSet *set, const PathElement *element);
bool smd_set_empty(const PathSet *set);
bool smd_set_same(const PathSet *a, const PathSet *b);
PathSet *smd_set_union(Arena *arena, PathSet *a, PathSet *b);
PathSet *smd_set_intersection(Arena *arena, PathSet *a, PathSet *b);

/* Members of a that are not members of b; children of a shared member stay. */
PathSet *smd_set_difference(Arena *arena, PathSet *a, PathSet *b);

/* As difference, but all below a member of b goes too. */
PathSet *smd_set_subtract_trees(Arena *arena, PathSet *a, PathSet *b);

/* Adds the struct fields on the way to members (prune needs them, fieldsV1 leaves them out). */
PathSet *smd_set_with_named_fields(Arena *arena, PathSet *set, TypeRef ref);

/* A stored set after list or map became atomic in the schema: owns the whole, not parts. */
PathSet *smd_set_reconcile(Arena *arena, PathSet *set, TypeRef ref);

/* Calls fn for each member, parents first, with the path's text. */
typedef void (*PathVisit)(void *context, const char *path);
void smd_set_each(const PathSet *set, PathVisit visit, void *context);

/* --- fieldsv1.c --- */

/* Reads a fieldsV1 object (NULL: empty). ERR_INVALID. */
bool smd_fields_parse(Arena *arena, const json_t *fields, PathSet **out, Error *err) MUST_USE;

/* An owned object whose members stand in upstream's order. */
json_t *smd_fields_print(const PathSet *set);

/* --- typed values: validate.c toset.c compare.c merge.c remove.c --- */

typedef enum { DUPLICATES_REFUSED, DUPLICATES_ALLOWED } Duplicates;

/* ERR_INTERNAL (ERR_INVALID when all that is wrong are duplicate items) with upstream's texts. */
bool smd_validate(TypeRef ref, json_t *value, Duplicates duplicates, Error *err) MUST_USE;

PathSet *smd_to_set(Arena *arena, TypeRef ref, json_t *value);

typedef struct {
	PathSet *added;
	PathSet *removed;
	PathSet *modified;
} Comparison;

Comparison smd_compare(Arena *arena, TypeRef ref, json_t *lhs, json_t *rhs);

/* An owned reference that shares parts with both sides; NULL when nothing is left. */
json_t *smd_merge(Arena *arena, TypeRef ref, json_t *lhs, json_t *rhs);

/* What becomes of a list or map that lost all items. */
typedef enum { EMPTIED_IS_NULL, EMPTIED_STAYS, EMPTIED_STAYS_OR_DEFAULTS } Emptied;

/* An owned reference to value without the items. */
json_t *smd_remove(Arena *arena, TypeRef ref, json_t *value, PathSet *items, Emptied emptied);

/* --- managers.c --- */

typedef struct {
	const char *manager;
	const char *api_version;
	const char *subresource; /* "" for none */
	bool applied;
	const char *time; /* RFC 3339, or NULL */
	const char *id;	  /* identity and sort key, as upstream builds it */
	PathSet *set;
	json_t *fields; /* what the set was read from, as long as it is still that set; or NULL */
} Manager;

typedef struct {
	Manager *items;
	size_t len;
	size_t cap;
} Managers;

/* Reads metadata.managedFields. ERR_INVALID, ERR_LIMIT. */
bool smd_managers_parse(Arena *arena, const json_t *list, Managers *out, Error *err) MUST_USE;

/* An owned array in wire order; NULL when there is none. */
json_t *smd_managers_print(const Managers *managers);

/* Gives it another set. */
static inline void smd_manager_own(Manager *manager, PathSet *set)
{
	if (manager->fields && !smd_set_same(manager->set, set))
		manager->fields = NULL;
	manager->set = set;
}

/* A manager that owns nothing yet. */
Manager smd_manager_new(Arena *arena, const SmdRequest *request, const char *name, bool applied);
Manager *smd_managers_find(Managers *managers, const char *id);
void smd_managers_put(Arena *arena, Managers *managers, Manager manager);
void smd_managers_remove(Managers *managers, const char *id);
Managers smd_managers_copy(Arena *arena, const Managers *managers);

/* Folds the oldest Update entries into ancient-changes while there are more than ten (A45). */
void smd_managers_cap(Arena *arena, Managers *managers);

/* --- engine.c: what apply and update share --- */

/* One request: objects without managedFields, the managers, the filter. */
typedef struct {
	Arena *arena;
	TypeRef root;
	const SmdSchema *schema;
	const SmdRequest *request;
	PathSet *ignored;
} Run;

/* Sets up a run. */
Run smd_run(Arena *arena, const SmdSchema *schema, const SmdRequest *request);

/* The request came by /scale, with the parent's objects. */
bool smd_is_scale(const SmdRequest *request);

/* A shallow copy without metadata.managedFields, kept by the arena. */
json_t *smd_without_managers(Arena *arena, const json_t *object);

/* metadata.managedFields of an object or NULL. */
json_t *smd_managers_of(const json_t *object);

/* apiVersion and kind of object alone, kept by the arena. */
json_t *smd_type_meta(Arena *arena, const json_t *object);

/* What a create is compared with: upstream's zero struct, or apiVersion and kind alone. */
json_t *smd_empty_object(const Run *run, const json_t *object);

/* Takes the never tracked fields (facts 3.2) off one manager; drops it when nothing is left. */
void smd_strip_meta(const Run *run, Managers *managers, const char *id);

/* Drops managers of versions that are not served; rewrites sets after schema changes. */
void smd_reconcile_managers(const Run *run, Managers *managers);

/* Changes between two objects without the ignored fields. */
Comparison smd_run_compare(const Run *run, json_t *live, json_t *object);

/* Others lose what was removed, and what conflicts. */
void smd_take_from_others(const Run *run, Managers *managers, const char *own_id,
			  const Comparison *changes);

/* The managers after `live` became `object` by an Update of `name` (facts 3.5). */
void smd_track_update(const Run *run, json_t *live, json_t *object, const char *name,
		      Managers *managers);

/* Puts a deep copy of object with managers into *out. */
void smd_finish(const json_t *live, const json_t *object, const Managers *managers, SmdResult *out);

#endif
