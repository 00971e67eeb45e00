/* Server-side apply (facts 3.4): merge, prune what the manager dropped, conflicts, ownership. */
#include <stdlib.h>

#include "smd/smd_internal.h"

/* An apply on its way; `live` and `config` are without managers. */
typedef struct {
	Run run;
	json_t *live;
	json_t *config;
	Managers managers; /* before */
	Manager self;
} Apply;

/* What came of it. */
typedef struct {
	json_t *object; /* kept by the arena; NULL when equal to live */
	Managers managers;
	Managers conflicts; /* sets are what conflicts */
} Outcome;

/* --- prune --- */

static PathSet *set_of(const Apply *apply, json_t *object)
{
	return smd_to_set(apply->run.arena, apply->run.root, object);
}

static PathSet *named(const Apply *apply, PathSet *set)
{
	return smd_set_with_named_fields(apply->run.arena, set, apply->run.root);
}

static json_t *without(const Apply *apply, json_t *object, PathSet *items, Emptied emptied)
{
	Arena *arena = apply->run.arena;
	return smd_keep(arena, smd_remove(arena, apply->run.root, object, items, emptied));
}

static PathSet *owned_by_all(const Apply *apply, const Managers *managers)
{
	PathSet *all = NULL;
	for (size_t i = 0; i < managers->len; i++)
		all = smd_set_union(apply->run.arena, all, managers->items[i].set);
	return all;
}

/* Takes out what was in `last`; puts back what anybody owns, then what was never ours. Where all of
 * `last` is still in `now`, that comes to nothing. */
static json_t *prune(const Apply *apply, json_t *merged, const Managers *managers, PathSet *last,
		     PathSet *now)
{
	Arena *arena = apply->run.arena;
	if (smd_set_empty(smd_set_difference(arena, last, now)))
		return merged;
	PathSet *mine = named(apply, last);
	PathSet *all = named(apply, set_of(apply, merged));
	json_t *pruned = without(apply, merged, mine, EMPTIED_IS_NULL);

	PathSet *owned = named(apply, owned_by_all(apply, managers));
	PathSet *stay = smd_set_union(arena, named(apply, set_of(apply, pruned)), owned);
	pruned = without(apply, merged, smd_set_difference(arena, all, stay), EMPTIED_IS_NULL);

	stay = named(apply, set_of(apply, pruned));
	PathSet *gone = smd_set_difference(arena, all, stay);
	/* Structs of built-in kinds get their defaults by their own tables. */
	bool custom = apply->run.schema && !apply->run.schema->builtin;
	return without(apply, merged, smd_set_intersection(arena, gone, mine),
		       custom ? EMPTIED_STAYS_OR_DEFAULTS : EMPTIED_STAYS);
}

/* --- conflicts --- */

static void find_conflicts(const Apply *apply, const Managers *managers, const Comparison *changes,
			   Managers *out)
{
	Arena *arena = apply->run.arena;
	PathSet *taken = smd_set_union(arena, changes->modified, changes->added);
	for (size_t i = 0; i < managers->len; i++) {
		Manager manager = managers->items[i];
		if (cstr_eq(manager.id, apply->self.id))
			continue;
		manager.set = smd_set_intersection(arena, manager.set, taken);
		if (!smd_set_empty(manager.set))
			smd_managers_put(arena, out, manager);
	}
}

/* Merges, prunes and compares; with conflicts only those are told, unless forced. */
static Outcome apply_once(const Apply *apply, bool force)
{
	Arena *arena = apply->run.arena;
	Outcome out = {.managers = smd_managers_copy(arena, &apply->managers)};
	smd_reconcile_managers(&apply->run, &out.managers);
	const Manager *before = smd_managers_find(&out.managers, apply->self.id);
	PathSet *last = before ? before->set : NULL;
	json_t *last_fields = before ? before->fields : NULL;

	Manager self = apply->self;
	self.set = smd_set_subtract_trees(arena, set_of(apply, apply->config), apply->run.ignored);
	self.time = before ? before->time : NULL;
	PathSet *now = self.set;
	smd_managers_put(arena, &out.managers, self);

	json_t *merged = smd_merge(arena, apply->run.root, apply->live, apply->config);
	merged = prune(apply, smd_keep(arena, merged), &out.managers, last, now);
	Comparison changes = smd_run_compare(&apply->run, apply->live, merged);
	find_conflicts(apply, &out.managers, &changes, &out.conflicts);
	if (out.conflicts.len && !force)
		return out;
	out.conflicts = (Managers){0};
	smd_take_from_others(&apply->run, &out.managers, self.id, &changes);
	if (!smd_value_same(apply->live, merged))
		out.object = merged;
	smd_strip_meta(&apply->run, &out.managers, self.id);
	Manager *own = smd_managers_find(&out.managers, self.id);
	if (own && smd_set_same(own->set, last))
		own->fields = last_fields;
	if (own && out.object)
		own->time = apply->run.request->now;
	return out;
}

/* --- telling conflicts --- */

static int by_id(const void *a, const void *b)
{
	return strcmp(((const Manager *)a)->id, ((const Manager *)b)->id);
}

/* On /scale managers appear with the version of Scale, which is what the client sees there. */
static char *manager_text(const Manager *manager, const SmdRequest *request)
{
	bool scale = smd_is_scale(request);
	Buf text = {0};
	smd_quote(&text, str_of(manager->manager));
	if (*manager->subresource) {
		buf_puts(&text, " with subresource ");
		smd_quote(&text, str_of(manager->subresource));
	}
	if (!manager->applied)
		buf_printf(&text, " using %s", scale ? "autoscaling/v1" : manager->api_version);
	return buf_steal(&text);
}

typedef struct {
	const char *manager;
	json_t *causes;
	Buf *text;
} Telling;

static void tell(void *context, const char *path)
{
	Telling *telling = context;
	autofree char *message = mem_printf("conflict with %s", telling->manager);
	json_array_append_new(telling->causes,
			      json_pack("{s:s,s:s,s:s}", "reason", "FieldManagerConflict",
					"message", message, "field", path));
	buf_printf(telling->text, "\n- %s", path);
}

static json_t *tell_conflicts(const Managers *conflicts, const SmdRequest *request, Buf *text)
{
	json_t *causes = json_array();
	qsort(conflicts->items, conflicts->len, sizeof(*conflicts->items), by_id);
	for (size_t i = 0; i < conflicts->len; i++) {
		autofree char *name = manager_text(&conflicts->items[i], request);
		Telling telling = {name, causes, text};
		buf_printf(text, "%sconflicts with %s:", i ? "\n" : "", name);
		smd_set_each(conflicts->items[i].set, tell, &telling);
	}
	return causes;
}

static bool fail_with_conflicts(const Managers *conflicts, const SmdRequest *request,
				json_t **out_causes, Error *err)
{
	autobuf Buf text = {0};
	autojson json_t *causes = tell_conflicts(conflicts, request, &text);
	const json_t *first = json_array_get(causes, 0);
	size_t count = json_array_size(causes);
	if (count == 1)
		err_set(err, ERR_CONFLICT, "Apply failed with 1 conflict: %s: %s",
			json_string_value(json_object_get(first, "message")),
			json_string_value(json_object_get(first, "field")));
	else
		err_set(err, ERR_CONFLICT, "Apply failed with %zu conflicts: %s", count,
			buf_text(&text));
	if (out_causes)
		*out_causes = steal(&causes);
	return err_reason(err, "Conflict");
}

/* --- kubectl's last-applied annotation --- */

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

static const char *last_applied(const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const json_t *annotations = json_object_get(metadata, "annotations");
	const char *text = json_string_value(json_object_get(annotations, LAST_APPLIED));
	return text ? text : "";
}

/* The fields that client-side apply wrote and that still hold its values (A47). */
static bool owned_by_client(const Apply *apply, PathSet **out)
{
	Arena *arena = apply->run.arena;
	autoerror Error ignored = {0};
	const char *text = last_applied(apply->live);
	json_t *before = smd_keep(arena, json_loads(text, 0, NULL));
	if (!*text || !before || !smd_value_bounded(before, &ignored))
		return false;
	if (!cstr_eq(json_string_value(json_object_get(before, "apiVersion")),
		     apply->run.request->api_version))
		return false;
	if (!smd_validate(apply->run.root, apply->live, DUPLICATES_REFUSED, &ignored) ||
	    !smd_validate(apply->run.root, before, DUPLICATES_REFUSED, &ignored))
		return false;
	Comparison changes = smd_compare(arena, apply->run.root, before, apply->live);
	PathSet *set = set_of(apply, before);
	set = smd_set_difference(arena, set, changes.modified);
	set = smd_set_difference(arena, set, changes.added);
	*out = smd_set_difference(arena, set, changes.removed);
	return true;
}

static void forgive(Arena *arena, Managers *conflicts, PathSet *allowed)
{
	size_t kept = 0;
	for (size_t i = 0; i < conflicts->len; i++) {
		Manager manager = conflicts->items[i];
		manager.set = smd_set_difference(arena, manager.set, allowed);
		if (!smd_set_empty(manager.set))
			conflicts->items[kept++] = manager;
	}
	conflicts->len = kept;
}

static Outcome apply_as_kubectl(const Apply *apply, bool force)
{
	Outcome out = apply_once(apply, force);
	PathSet *allowed = NULL;
	if (!out.conflicts.len || !cstr_eq(apply->run.request->manager, "kubectl") ||
	    !owned_by_client(apply, &allowed))
		return out;
	forgive(apply->run.arena, &out.conflicts, allowed);
	return out.conflicts.len ? out : apply_once(apply, true);
}

static size_t annotations_size(json_t *annotations)
{
	size_t size = 0;
	const char *key;
	json_t *value;
	json_object_foreach(annotations, key, value) size +=
		strlen(key) + json_string_length(value);
	return size;
}

/* Keeps a client-side apply possible afterwards: the annotation says what was applied last. */
static void refresh_last_applied(const json_t *config, json_t *object)
{
	enum { MAX_ANNOTATIONS = 256 * 1024 };
	autojson json_t *applied = json_deep_copy(config);
	json_t *own = json_object_get(json_object_get(applied, "metadata"), "annotations");
	json_object_del(own, LAST_APPLIED);
	autofree char *text = json_dump_go(applied);
	autofree char *line = mem_printf("%s\n", text);
	json_t *annotations = json_object_get(json_object_get(object, "metadata"), "annotations");
	json_object_set_new(annotations, LAST_APPLIED, json_string(line));
	if (annotations_size(annotations) > MAX_ANNOTATIONS)
		json_object_del(annotations, LAST_APPLIED);
}

/* --- public --- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* "default/web; apps/v1, Kind=Deployment", as upstream names an object in these errors. */
static char *object_name(const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const char *version = text_of(object, "apiVersion");
	return mem_printf("%.253s/%.253s; %s%.253s, Kind=%.253s", text_of(metadata, "namespace"),
			  text_of(metadata, "name"), strchr(version, '/') ? "" : "/", version,
			  text_of(object, "kind"));
}

static bool check_config(const Run *run, const json_t *config, Error *err)
{
	const json_t *managers = smd_managers_of(config);
	if (managers && !json_is_null(managers))
		return err_set(err, ERR_INVALID, "metadata.managedFields must be nil");
	if (smd_validate(run->root, smd_readable(config), DUPLICATES_REFUSED, err))
		return true;
	autofree char *name = object_name(config);
	return err_wrap(err, "failed to create typed patch object (%s)", name);
}

static bool check_live(const Run *run, json_t *live, Error *err)
{
	if (smd_validate(run->root, live, DUPLICATES_ALLOWED, err))
		return true;
	ErrorCode code = err->code;
	err_wrap(err, "failed to create typed live object");
	err->code = code == ERR_INVALID ? ERR_INTERNAL : code;
	return false;
}

/* An object without managers gets one for what is there already. */
static void track_before_first_apply(Apply *apply, const json_t *stored)
{
	if (apply->managers.len || !stored)
		return;
	json_t *empty = smd_empty_object(&apply->run, stored);
	smd_track_update(&apply->run, empty, apply->live, "before-first-apply", &apply->managers);
}

static bool apply_setup(const SmdSchema *schema, const json_t *live, const json_t *config,
			const SmdRequest *request, Apply *apply, Error *err)
{
	Run *run = &apply->run;
	*run = smd_run(run->arena, schema, request);
	if (!smd_managers_parse(run->arena, smd_managers_of(live), &apply->managers, err)) {
		err->code = ERR_INTERNAL;
		return err_wrap(err, "failed to decode managed fields");
	}
	apply->self = smd_manager_new(run->arena, request, request->manager, true);
	apply->config = smd_without_managers(run->arena, config);
	apply->live =
		live ? smd_without_managers(run->arena, live) : smd_type_meta(run->arena, config);
	if (!check_config(run, config, err) || !check_live(run, apply->live, err))
		return false;
	track_before_first_apply(apply, live);
	return true;
}

/* The managers are those of live, and own what they owned. */
static bool owners_stay(const json_t *live, Managers *before, const Managers *after)
{
	bool same = live && before->len == after->len &&
		    before->len == json_array_size(smd_managers_of(live));
	for (size_t i = 0; same && i < after->len; i++) {
		const Manager *now = &after->items[i];
		const Manager *then = smd_managers_find(before, now->id);
		same = then && smd_set_same(then->set, now->set) &&
		       cstr_eq(then->api_version, now->api_version);
	}
	return same;
}

bool smd_apply(const SmdSchema *schema, const json_t *live, const json_t *config,
	       const SmdRequest *request, SmdResult *out, json_t **out_causes, Error *err)
{
	if (!json_is_object(config))
		return err_set(err, ERR_INVALID, "config is no JSON object");
	if (!smd_value_bounded(live, err) || !smd_value_bounded(config, err))
		return false;
	autoarena Arena *arena = arena_new();
	Apply apply = {.run = {.arena = arena}};
	if (!apply_setup(schema, live, config, request, &apply, err))
		return false;
	Outcome outcome = apply_as_kubectl(&apply, request->force);
	if (outcome.conflicts.len)
		return fail_with_conflicts(&outcome.conflicts, request, out_causes, err);
	json_t *object = outcome.object ? outcome.object : apply.live;
	autojson json_t *annotated = NULL;
	if (cstr_eq(request->manager, "kubectl") && *last_applied(object)) {
		annotated = json_clone(object);
		refresh_last_applied(apply.config, annotated);
	}
	if (!annotated && !outcome.object && owners_stay(live, &apply.managers, &outcome.managers))
		*out = (SmdResult){json_incref(smd_readable(live)), false};
	else
		smd_finish(live, annotated ? annotated : object, &outcome.managers, out);
	return true;
}
