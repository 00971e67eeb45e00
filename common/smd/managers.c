/*
 * metadata.managedFields: reading, identity, wire order, the cap on Update entries (facts 3.2).
 */
#include <stdlib.h>

#include "base/clock.h"
#include "smd/smd_internal.h"

enum { MAX_UPDATE_MANAGERS = 10 };

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* --- identity --- */

static void id_part(Buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	autojson json_t *text = json_string(value);
	autofree char *quoted = json_dump_go(text);
	buf_printf(out, "%s\"%s\":%s", out->len > 1 ? "," : "", name, quoted);
}

/* Applies are one per manager and subresource; updates one per version too. The text sorts as
 * upstream's, which the cap and conflict messages show. */
static const char *identity(Arena *arena, const Manager *manager)
{
	autobuf Buf out = {0};
	buf_putc(&out, '{');
	id_part(&out, "manager", manager->manager);
	id_part(&out, "operation", manager->applied ? "Apply" : "Update");
	id_part(&out, "apiVersion", manager->applied ? "" : manager->api_version);
	id_part(&out, "subresource", manager->subresource);
	buf_putc(&out, '}');
	return arena_strdup(arena, buf_text(&out));
}

Manager smd_manager_new(Arena *arena, const SmdRequest *request, const char *name, bool applied)
{
	Manager manager = {
		.manager = cstr_empty(name) ? "unknown" : name,
		.api_version = request->api_version,
		.subresource = request->subresource ? request->subresource : "",
		.applied = applied,
	};
	manager.id = identity(arena, &manager);
	return manager;
}

/* --- the list --- */

Manager *smd_managers_find(Managers *managers, const char *id)
{
	for (size_t i = 0; i < managers->len; i++) {
		if (cstr_eq(managers->items[i].id, id))
			return &managers->items[i];
	}
	return NULL;
}

static void push(Arena *arena, Managers *managers, Manager manager)
{
	if (managers->len == managers->cap) {
		size_t cap = managers->cap ? managers->cap * 2 : 8;
		Manager *grown = arena_alloc(arena, cap * sizeof(*grown));
		if (managers->len)
			memcpy(grown, managers->items, managers->len * sizeof(*grown));
		managers->items = grown;
		managers->cap = cap;
	}
	managers->items[managers->len++] = manager;
}

void smd_managers_put(Arena *arena, Managers *managers, Manager manager)
{
	Manager *old = smd_managers_find(managers, manager.id);
	if (old)
		*old = manager;
	else
		push(arena, managers, manager);
}

void smd_managers_remove(Managers *managers, const char *id)
{
	size_t kept = 0;
	for (size_t i = 0; i < managers->len; i++) {
		if (!cstr_eq(managers->items[i].id, id))
			managers->items[kept++] = managers->items[i];
	}
	managers->len = kept;
}

Managers smd_managers_copy(Arena *arena, const Managers *managers)
{
	Managers out = {0};
	for (size_t i = 0; i < managers->len; i++)
		push(arena, &out, managers->items[i]);
	return out;
}

/* --- reading --- */

static bool read_time(Arena *arena, const json_t *entry, const char **out, Error *err)
{
	const char *text = text_of(entry, "time");
	int64_t wall_ms;
	if (!*text)
		return true;
	if (!clock_parse(text, &wall_ms))
		return err_set(err, ERR_INVALID, "managedFields has a malformed time");
	char normal[CLOCK_TEXT_SIZE];
	clock_format(wall_ms, normal);
	*out = arena_strdup(arena, normal);
	return true;
}

static bool read_entry(Arena *arena, const json_t *entry, size_t index, Manager *out, Error *err)
{
	const char *operation = text_of(entry, "operation");
	const char *type = text_of(entry, "fieldsType");
	*out = (Manager){
		.manager = text_of(entry, "manager"),
		.api_version = text_of(entry, "apiVersion"),
		.subresource = text_of(entry, "subresource"),
		.applied = cstr_eq(operation, "Apply"),
	};
	if (!out->applied && !cstr_eq(operation, "Update"))
		return err_set(err, ERR_INVALID, "operation must be `Apply` or `Update`");
	if (!*out->api_version)
		return err_set(err, ERR_INVALID, "apiVersion must not be empty");
	if (!*type)
		return err_set(err, ERR_INVALID, "missing fieldsType in managed fields entry %zu",
			       index);
	if (!cstr_eq(type, "FieldsV1"))
		return err_set(err, ERR_INVALID,
			       "invalid fieldsType \"%.32s\" in managed fields entry %zu", type,
			       index);
	out->id = identity(arena, out);
	out->fields = json_object_get(entry, "fieldsV1");
	return read_time(arena, entry, &out->time, err) &&
	       smd_fields_parse(arena, out->fields, &out->set, err);
}

bool smd_managers_parse(Arena *arena, const json_t *list, Managers *out, Error *err)
{
	Managers managers = {0};
	if (json_array_size(list) > SMD_MAX_MANAGERS)
		return err_set(err, ERR_LIMIT, "more than %d managedFields entries",
			       SMD_MAX_MANAGERS);
	for (size_t i = 0; i < json_array_size(list); i++) {
		Manager manager;
		if (!read_entry(arena, json_array_get(list, i), i, &manager, err))
			return false;
		smd_managers_put(arena, &managers, manager);
	}
	*out = managers;
	return true;
}

/* --- writing --- */

static int64_t seconds_of(const Manager *manager)
{
	int64_t wall_ms = 0;
	if (!manager->time || !clock_parse(manager->time, &wall_ms))
		return 0;
	return wall_ms / 1000;
}

static int wire_compare(const void *a, const void *b)
{
	const Manager *left = a;
	const Manager *right = b;
	if (left->applied != right->applied)
		return left->applied ? -1 : 1;
	int64_t before = seconds_of(left);
	int64_t after = seconds_of(right);
	if (before != after)
		return before < after ? -1 : 1;
	int order = strcmp(left->manager, right->manager);
	if (!order)
		order = strcmp(left->api_version, right->api_version);
	return order ? order : strcmp(left->subresource, right->subresource);
}

static json_t *entry_print(const Manager *manager)
{
	json_t *entry = json_object();
	if (*manager->manager)
		json_object_set_new(entry, "manager", json_string(manager->manager));
	const char *operation = manager->applied ? "Apply" : "Update";
	json_object_set_new(entry, "operation", json_string(operation));
	json_object_set_new(entry, "apiVersion", json_string(manager->api_version));
	if (manager->time)
		json_object_set_new(entry, "time", json_string(manager->time));
	json_object_set_new(entry, "fieldsType", json_string("FieldsV1"));
	/* Whoever gets the object may change it, though no one changes what is below here. */
	json_object_set_new(entry, "fieldsV1",
			    json_is_object(manager->fields) ? json_incref(manager->fields)
							    : smd_fields_print(manager->set));
	if (*manager->subresource)
		json_object_set_new(entry, "subresource", json_string(manager->subresource));
	return entry;
}

json_t *smd_managers_print(const Managers *managers)
{
	if (!managers->len)
		return NULL;
	autofree Manager *sorted = mem_dup(managers->items, managers->len * sizeof(*sorted));
	qsort(sorted, managers->len, sizeof(*sorted), wire_compare);
	json_t *out = json_array();
	for (size_t i = 0; i < managers->len; i++)
		json_array_append_new(out, entry_print(&sorted[i]));
	return out;
}

/* --- the cap --- */

static int age_compare(const void *a, const void *b)
{
	const Manager *left = a;
	const Manager *right = b;
	int64_t before = seconds_of(left);
	int64_t after = seconds_of(right);
	if (before != after)
		return before < after ? -1 : 1;
	return strcmp(left->id, right->id);
}

static size_t updaters_of(const Managers *managers, Manager *out)
{
	size_t count = 0;
	for (size_t i = 0; i < managers->len; i++) {
		if (!managers->items[i].applied)
			out[count++] = managers->items[i];
	}
	qsort(out, count, sizeof(*out), age_compare);
	return count;
}

static const Manager *older_of_version(const Manager *sorted, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (cstr_eq(sorted[i].api_version, sorted[index].api_version))
			return &sorted[i];
	}
	return NULL;
}

static Manager bucket_of(Arena *arena, const char *api_version)
{
	SmdRequest request = {.api_version = api_version};
	return smd_manager_new(arena, &request, "ancient-changes", false);
}

/* Moves one entry into its version's bucket, which the oldest entry becomes. */
static void fold(Arena *arena, Managers *managers, const Manager *oldest, const Manager *next,
		 Manager bucket)
{
	const Manager *there = smd_managers_find(managers, bucket.id);
	smd_manager_own(&bucket, smd_set_union(arena, next->set, there ? there->set : oldest->set));
	bucket.time = next->time;
	if (!there)
		smd_managers_remove(managers, oldest->id);
	smd_managers_remove(managers, next->id);
	smd_managers_put(arena, managers, bucket);
}

/* A bucket is not folded into itself: upstream does, and so loses it, when a newer entry of the
 * same second sorts before it. */
void smd_managers_cap(Arena *arena, Managers *managers)
{
	autofree Manager *sorted = mem_zalloc(managers->len + 1, sizeof(*sorted));
	size_t count = updaters_of(managers, sorted);
	size_t left = count;
	for (size_t i = 0; i < count && left > MAX_UPDATE_MANAGERS; i++) {
		const Manager *oldest = older_of_version(sorted, i);
		Manager bucket = bucket_of(arena, sorted[i].api_version);
		if (!oldest || cstr_eq(bucket.id, sorted[i].id))
			continue;
		fold(arena, managers, oldest, &sorted[i], bucket);
		left--;
	}
}
