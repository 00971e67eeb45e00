/*
 * What apply and update share: the run, the fields that nobody owns, the bookkeeping of the other
 * managers, the result.
 */
#include "smd/smd_internal.h"

/* --- the run --- */

static const char *const ignored_main[] = {"status", NULL};
static const char *const ignored_status[] = {"spec", NULL};
static const char *const ignored_none[] = {NULL};

static const char *const *ignored_of(const SmdRequest *request)
{
	if (request->ignored_fields)
		return request->ignored_fields;
	if (cstr_empty(request->subresource))
		return ignored_main;
	return cstr_eq(request->subresource, "status") ? ignored_status : ignored_none;
}

/* "metadata.labels" as a path. */
static PathSet *add_dotted(Arena *arena, PathSet *set, const char *dotted)
{
	enum { MAX_STEPS = 8 };
	const char *names[MAX_STEPS + 1] = {0};
	Str rest = str_of(dotted);
	Str piece;
	for (size_t i = 0; i < MAX_STEPS && str_next(&rest, '.', &piece); i++)
		names[i] = arena_strndup(arena, piece.ptr, piece.len);
	return smd_set_with_fields(arena, set, names);
}

bool smd_is_scale(const SmdRequest *request)
{
	return request->subresource && cstr_eq(request->subresource, "scale");
}

Run smd_run(Arena *arena, const SmdSchema *schema, const SmdRequest *request)
{
	Run run = {.arena = arena, .schema = schema, .request = request};
	run.root = smd_root(schema);
	for (const char *const *field = ignored_of(request); *field; field++)
		run.ignored = add_dotted(arena, run.ignored, *field);
	return run;
}

json_t *smd_managers_of(const json_t *object)
{
	return json_object_get(json_object_get(object, "metadata"), "managedFields");
}

json_t *smd_without_managers(Arena *arena, const json_t *object)
{
	json_t *copy = smd_keep(arena, json_copy(smd_readable(object)));
	json_t *metadata = json_object_get(object, "metadata");
	if (!json_object_get(metadata, "managedFields"))
		return copy;
	metadata = json_copy(metadata);
	json_object_del(metadata, "managedFields");
	json_object_set_new(copy, "metadata", metadata);
	return copy;
}

static void copy_type_meta(const json_t *object, json_t *to)
{
	static const char *const names[] = {"apiVersion", "kind"};
	for (size_t i = 0; i < COUNT(names); i++) {
		json_t *value = json_object_get(object, names[i]);
		if (value)
			json_object_set(to, names[i], value);
	}
}

json_t *smd_type_meta(Arena *arena, const json_t *object)
{
	json_t *empty = json_object();
	copy_type_meta(object, empty);
	return smd_keep(arena, empty);
}

json_t *smd_empty_object(const Run *run, const json_t *object)
{
	if (!run->schema)
		return smd_type_meta(run->arena, object);
	json_t *empty = json_copy(run->schema->zero);
	copy_type_meta(object, empty);
	return smd_keep(run->arena, empty);
}

/* --- managers --- */

/* Set by the server, or known from the request: owned by nobody. */
static const char *const stripped[] = {"apiVersion", "kind", "metadata"};
static const char *const stripped_metadata[] = {
	"clusterName", "creationTimestamp", "generation", "managedFields", "name",
	"namespace",   "resourceVersion",   "selfLink",	  "uid",
};

void smd_strip_meta(const Run *run, Managers *managers, const char *id)
{
	Manager *manager = smd_managers_find(managers, id);
	if (!manager)
		return;
	PathSet *meta = NULL;
	PathSet *below = NULL;
	for (size_t i = 0; i < COUNT(stripped_metadata); i++)
		smd_set_add(run->arena, &below, smd_element_field(stripped_metadata[i]), true,
			    NULL);
	for (size_t i = 0; i < COUNT(stripped); i++)
		smd_set_add(run->arena, &meta, smd_element_field(stripped[i]), true,
			    cstr_eq(stripped[i], "metadata") ? below : NULL);
	smd_manager_own(manager, smd_set_difference(run->arena, manager->set, meta));
	if (smd_set_empty(manager->set))
		smd_managers_remove(managers, id);
}

static bool is_served(const SmdRequest *request, const char *version)
{
	const char *const *served = request->served_versions;
	for (; served && *served; served++) {
		if (cstr_eq(*served, version))
			return true;
	}
	return !request->served_versions || cstr_eq(request->api_version, version);
}

void smd_reconcile_managers(const Run *run, Managers *managers)
{
	size_t kept = 0;
	for (size_t i = 0; i < managers->len; i++) {
		Manager manager = managers->items[i];
		if (!is_served(run->request, manager.api_version))
			continue;
		smd_manager_own(&manager, smd_set_reconcile(run->arena, manager.set, run->root));
		managers->items[kept++] = manager;
	}
	managers->len = kept;
}

Comparison smd_run_compare(const Run *run, json_t *live, json_t *object)
{
	Comparison all = smd_compare(run->arena, run->root, live, object);
	return (Comparison){
		.added = smd_set_subtract_trees(run->arena, all.added, run->ignored),
		.removed = smd_set_subtract_trees(run->arena, all.removed, run->ignored),
		.modified = smd_set_subtract_trees(run->arena, all.modified, run->ignored),
	};
}

void smd_take_from_others(const Run *run, Managers *managers, const char *own_id,
			  const Comparison *changes)
{
	Arena *arena = run->arena;
	PathSet *taken = smd_set_union(arena, changes->modified, changes->added);
	taken = smd_set_union(arena, taken, changes->removed);
	size_t kept = 0;
	for (size_t i = 0; i < managers->len; i++) {
		Manager manager = managers->items[i];
		if (!cstr_eq(manager.id, own_id))
			smd_manager_own(&manager, smd_set_difference(arena, manager.set, taken));
		if (!smd_set_empty(manager.set))
			managers->items[kept++] = manager;
	}
	managers->len = kept;
}

/* The operation has an entry of its own first: only what it changed now counts for the time. */
void smd_track_update(const Run *run, json_t *live, json_t *object, const char *name,
		      Managers *managers)
{
	Arena *arena = run->arena;
	Manager self = smd_manager_new(arena, run->request, name, false);
	smd_reconcile_managers(run, managers);
	Comparison changes = smd_run_compare(run, live, object);
	smd_take_from_others(run, managers, NULL, &changes);
	PathSet *set = smd_set_union(arena, changes.modified, changes.added);
	const char *id = self.id;
	self.id = "current-operation";
	self.set = smd_set_subtract_trees(arena, set, run->ignored);
	smd_managers_put(arena, managers, self);
	smd_strip_meta(run, managers, self.id);
	const Manager *changed = smd_managers_find(managers, self.id);
	if (changed) {
		const Manager *before = smd_managers_find(managers, id);
		self.set = before ? before->set : NULL;
		self.fields = before ? before->fields : NULL;
		smd_manager_own(&self, smd_set_union(arena, changed->set, self.set));
		self.time = run->request->now;
		smd_managers_remove(managers, self.id);
		self.id = id;
		smd_managers_put(arena, managers, self);
	}
	if (!smd_is_scale(run->request)) /* Scale shows only owners of replicas: never too many */
		smd_managers_cap(arena, managers);
}

/* --- results --- */

void smd_result_dispose(SmdResult *result)
{
	json_decref(result->object);
	*result = (SmdResult){0};
}

static json_t *with_managers(const json_t *object, const Managers *managers)
{
	json_t *out = json_clone(object);
	json_t *list = smd_managers_print(managers);
	json_t *metadata = json_object_get(out, "metadata");
	if (list && !json_is_object(metadata)) {
		metadata = json_object();
		json_object_set_new(out, "metadata", metadata);
	}
	if (list)
		json_object_set_new(metadata, "managedFields", list);
	return out;
}

void smd_finish(const json_t *live, const json_t *object, const Managers *managers, SmdResult *out)
{
	out->object = with_managers(object, managers);
	out->changed = !live || !smd_restore_times(live, out->object);
}

/* Equal members but for one, which either may have or not. */
static bool same_but(const json_t *a, const json_t *b, const char *skipped)
{
	if (!json_is_object(a) || !json_is_object(b))
		return a == b || (a && b && smd_value_same(a, b));
	size_t left = json_object_size(a) - (json_object_get(a, skipped) != NULL);
	size_t right = json_object_size(b) - (json_object_get(b, skipped) != NULL);
	if (left != right)
		return false;
	const char *key;
	json_t *value;
	json_object_foreach(smd_readable(a), key, value)
	{
		const json_t *other = json_object_get(b, key);
		if (!cstr_eq(key, skipped) && (!other || !smd_value_same(value, other)))
			return false;
	}
	return true;
}

/* Equal entries but for the time, pairwise. */
static bool managers_same(const json_t *a, const json_t *b)
{
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++) {
		if (!same_but(json_array_get(a, i), json_array_get(b, i), "time"))
			return false;
	}
	return true;
}

bool smd_restore_times(const json_t *live, json_t *object)
{
	json_t *before = smd_managers_of(live);
	json_t *after = smd_managers_of(object);
	if (!managers_same(before, after) || !same_but(live, object, "metadata") ||
	    !same_but(json_object_get(live, "metadata"), json_object_get(object, "metadata"),
		      "managedFields"))
		return false;
	if (after)
		json_object_set_new(json_object_get(object, "metadata"), "managedFields",
				    json_clone(before));
	return true;
}
