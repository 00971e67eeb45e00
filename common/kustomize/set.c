#include "kustomize/set.h"

#include "base/mem.h"

static void free_resource(void *pointer)
{
	kresource_free(pointer);
}

KSet *kset_new(void)
{
	return mem_zalloc(1, sizeof(KSet));
}

void kset_free(KSet *set)
{
	if (!set)
		return;
	vec_dispose_with(&set->items, free_resource);
	khints_dispose(&set->hints);
	free(set);
}

static uint64_t name_hash(const char *name)
{
	return khints_hash(&name, 1);
}

static uint64_t id_hash(const KPrevious *id)
{
	const char *const texts[] = {id->kind, id->ns, id->name};
	return khints_hash(texts, COUNT(texts));
}

/* True when another object has the hash too. The object remembers its hashes, so that no chain is
 * searched for it. */
static bool index_one(KSet *set, uint64_t hash, KResource *res)
{
	for (size_t i = 0; i < res->hash_count; i++)
		if (res->hashes[i] == hash)
			return false;
	res->hashes = mem_realloc(res->hashes, (res->hash_count + 1) * sizeof(*res->hashes));
	res->hashes[res->hash_count++] = hash;
	return khints_add(&set->hints, hash, res);
}

static void index_id(KSet *set, const KPrevious *id, KResource *res)
{
	set->shared = index_one(set, id_hash(id), res) || set->shared;
	(void)index_one(set, name_hash(id->name), res);
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

size_t kset_count_current(const KSet *set, const char *api_version, const KPrevious *id)
{
	uint64_t hash = id_hash(id);
	size_t count = 0, at = 0;
	const KResource *res;
	while ((res = khints_next(&set->hints, hash, &at))) {
		if (!res->tree || !cstr_eq(kresource_api_version(res), api_version))
			continue;
		KPrevious now = kresource_current(res);
		count += same_id(&now, id);
	}
	return count;
}

void kset_find_any(const KSet *set, const char *api_version, const KPrevious *id, Vec *out)
{
	uint64_t hash = id_hash(id);
	size_t at = 0;
	KResource *res;
	while ((res = khints_next(&set->hints, hash, &at))) {
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

void kset_find_named(const KSet *set, const char *name, Vec *out)
{
	uint64_t hash = name_hash(name);
	size_t at = 0;
	KResource *res;
	while ((res = khints_next(&set->hints, hash, &at)))
		vec_push(out, res);
}

bool kset_check_all(KSet *set, Error *err)
{
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

bool kset_check(KSet *set, Error *err)
{
	if (!set->shared)
		return true;
	set->shared = false;
	return kset_check_all(set, err);
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
	take_res->hash_count = 0; /* of the set it came from */
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
	/* Contents change places, so that no index entry dangles; what the index knows stays. */
	KResource swap = *old;
	*old = *take_new;
	*take_new = swap;
	take_new->hashes = old->hashes;
	take_new->hash_count = old->hash_count;
	old->hashes = swap.hashes;
	old->hash_count = swap.hash_count;
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
	khints_clear(&set->hints);
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		if (res->tree) {
			set->items.items[kept++] = res;
			res->hash_count = 0;
			index_all(set, res);
		} else {
			kresource_free(res);
		}
	}
	set->items.len = kept;
}
