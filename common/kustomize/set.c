#include "kustomize/set.h"

#include "base/buf.h"
#include "base/mem.h"

static void free_vec(void *pointer)
{
	Vec *vec = pointer;
	vec_dispose(vec);
	free(vec);
}

static void free_resource(void *pointer)
{
	kresource_free(pointer);
}

KSet *kset_new(void)
{
	KSet *set = mem_zalloc(1, sizeof(*set));
	set->by_id = map_new(free_vec);
	set->by_name = map_new(free_vec);
	return set;
}

void kset_free(KSet *set)
{
	if (!set)
		return;
	vec_dispose_with(&set->items, free_resource);
	map_free(set->by_id);
	map_free(set->by_name);
	free(set);
}

/* True when others are there under the key. */
static bool index_one(Map *map, const char *key, KResource *res)
{
	Vec *list = map_get(map, key);
	if (!list) {
		list = mem_zalloc(1, sizeof(*list));
		map_put(map, key, list);
	}
	for (size_t i = 0; i < list->len; i++)
		if (list->items[i] == res)
			return list->len > 1;
	vec_push(list, res);
	return list->len > 1;
}

static void make_key(const KPrevious *id, Buf *out)
{
	buf_clear(out);
	buf_puts(out, id->kind);
	buf_putc(out, '\x1f');
	buf_puts(out, id->ns);
	buf_putc(out, '\x1f');
	buf_puts(out, id->name);
}

static void index_id(KSet *set, const KPrevious *id, KResource *res)
{
	autobuf Buf key = {0};
	make_key(id, &key);
	set->shared = index_one(set->by_id, buf_text(&key), res) || set->shared;
	index_one(set->by_name, id->name, res);
}

void kset_reindex(KSet *set, KResource *res)
{
	if (!res->tree)
		return;
	KPrevious now = kresource_current(res);
	index_id(set, &now, res);
}

static void index_all(KSet *set, KResource *res)
{
	for (size_t i = 0; i < res->previous_len; i++)
		index_id(set, &res->previous[i], res);
	kset_reindex(set, res);
}

static bool same_id(const KPrevious *a, const KPrevious *b)
{
	return cstr_eq(a->name, b->name) && cstr_eq(a->kind, b->kind) && cstr_eq(a->ns, b->ns);
}

static const Vec *find_hints(const KSet *set, const KPrevious *id)
{
	autobuf Buf key = {0};
	make_key(id, &key);
	return map_get(set->by_id, buf_text(&key));
}

size_t kset_count_current(const KSet *set, const char *api_version, const KPrevious *id)
{
	const Vec *hints = find_hints(set, id);
	size_t count = 0;
	for (size_t i = 0; hints && i < hints->len; i++) {
		const KResource *res = hints->items[i];
		if (!res->tree || !cstr_eq(kresource_api_version(res), api_version))
			continue;
		KPrevious now = kresource_current(res);
		count += same_id(&now, id);
	}
	return count;
}

void kset_find_any(const KSet *set, const char *api_version, const KPrevious *id, Vec *out)
{
	const Vec *hints = find_hints(set, id);
	for (size_t i = 0; hints && i < hints->len; i++) {
		KResource *res = hints->items[i];
		if (!res->tree || !cstr_eq(kresource_api_version(res), api_version))
			continue;
		KPrevious now = kresource_current(res);
		bool found = same_id(&now, id);
		for (size_t j = 0; !found && j < res->previous_len; j++)
			found = same_id(&res->previous[j], id);
		if (found)
			vec_push(out, res);
	}
}

const Vec *kset_named(const KSet *set, const char *name)
{
	return map_get(set->by_name, name);
}

bool kset_check(KSet *set, Error *err)
{
	if (!set->shared)
		return true;
	set->shared = false;
	for (size_t i = 0; i < set->items.len; i++) {
		const KResource *res = kset_at(set, i);
		KPrevious now = kresource_current(res);
		if (kset_count_current(set, kresource_api_version(res), &now) > 1) {
			autofree char *text = kresource_text(res);
			return err_set(err, ERR_INVALID,
				       "may not add resource with an already registered id: %s",
				       text);
		}
	}
	return true;
}

bool kset_add(KSet *set, KResource *take_res, Error *err)
{
	KPrevious now = kresource_current(take_res);
	if (kset_count_current(set, kresource_api_version(take_res), &now) > 0) {
		autofree char *text = kresource_text(take_res);
		return err_set(err, ERR_INVALID,
			       "may not add resource with an already registered id: %s", text);
	}
	vec_push(&set->items, take_res);
	index_all(set, take_res);
	return true;
}

bool kset_add_all(KSet *set, KSet *from, Error *err)
{
	if (set->items.len == 0) {
		/* The whole set moves with its index. */
		KSet swap = *set;
		*set = *from;
		*from = swap;
		return true;
	}
	for (size_t i = 0; i < from->items.len; i++) {
		if (!kset_add(set, kset_at(from, i), err))
			return false;
		from->items.items[i] = NULL;
	}
	from->items.len = 0;
	return true;
}

void kset_replace(KSet *set, KResource *old, KResource *take_new)
{
	/* Contents change places, so that no index entry dangles. */
	KResource swap = *old;
	*old = *take_new;
	*take_new = swap;
	kresource_free(take_new);
	index_all(set, old);
}

void kset_erase(KSet *set, KResource *res)
{
	json_decref(steal(&res->tree));
	set->gaps = true;
}

void kset_drop_empty(KSet *set)
{
	if (!set->gaps)
		return;
	set->gaps = false;
	size_t kept = 0;
	map_clear(set->by_id);
	map_clear(set->by_name);
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		if (res->tree) {
			set->items.items[kept++] = res;
			index_all(set, res);
		} else {
			kresource_free(res);
		}
	}
	set->items.len = kept;
}
