/*
 * What an informer knows. Texts are compact JSON without managedFields, the longer ones packed,
 * parsed anew for each reader: a tenth of a tree's memory, a thirtieth when packed. A reader holds
 * an item by reference, so that parsing needs no lock.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "kube/informer_internal.h"

/* Shorter ones are not worth the time that packing takes. */
enum { PACK_FROM = 1024 };

static void item_unref(void *value)
{
	StoreItem *item = value;
	if (atomic_fetch_sub(&item->refs, 1) != 1)
		return;
	packed_free(item->packed);
	free(item);
}

static StoreItem *item_new(uint64_t version, Str text)
{
	Packed *packed = text.len >= PACK_FROM ? packed_new(text.ptr, text.len) : NULL;
	size_t len = packed ? 0 : text.len;
	StoreItem *item = mem_alloc(sizeof(*item) + len);
	*item = (StoreItem){.version = version, .told = version, .packed = packed, .len = len};
	atomic_init(&item->refs, 1);
	if (len)
		memcpy(item->text, text.ptr, len);
	return item;
}

void informer_store_init(Store *store, bool keep)
{
	*store = (Store){.items = map_new(item_unref), .keep = keep};
	pthread_mutex_init(&store->lock, NULL);
}

void informer_store_dispose(Store *store)
{
	map_free(store->items);
	buf_dispose(&store->scratch);
	pthread_mutex_destroy(&store->lock);
}

char *informer_store_key(const char *ns, const char *name)
{
	return mem_printf("%s/%s", ns ? ns : "", name);
}

static char *key_of(const json_t *object)
{
	return informer_store_key(object_namespace(object), object_name(object));
}

/* resourceVersions are decimal numbers that grow (Kubernetes 1.35 promises it); anything else is
 * hashed, which still tells same from different. */
static bool version_number(const json_t *object, uint64_t *out)
{
	unsigned long long number;
	const char *text = object_resource_version(object);
	if (str_to_u64(str_of(text), &number)) {
		*out = number;
		return true;
	}
	*out = 0xcbf29ce484222325u;
	for (; *text; text++)
		*out = (*out ^ (unsigned char)*text) * 0x100000001b3u;
	return false;
}

/* The object's text without managedFields, which are taken out meanwhile. */
static void write_text(json_t *object, Buf *out)
{
	json_t *metadata = json_map(object, "metadata");
	autojson json_t *managed = json_incref(json_object_get(metadata, "managedFields"));
	json_object_del(metadata, "managedFields");
	buf_clear(out);
	json_write(object, out);
	if (managed)
		json_object_set(metadata, "managedFields", managed);
}

/* Sent again, or older than what was told: a listing may go back, when etcd was restored. */
static bool is_old_news(const StoreItem *old, uint64_t version, bool is_number, bool listing)
{
	return old && (old->told == version || (is_number && !listing && version < old->told));
}

/* Somebody put this very state, or a newer one whose event is still to come. */
static bool was_put(const StoreItem *old, uint64_t version, bool is_number)
{
	return old && old->version != old->told &&
	       (old->version == version || (is_number && old->version > version));
}

/* The text that an update needs, unless it is there already. Other threads may put meanwhile. */
static StoreItem *make_item(Store *store, const char *key, json_t *object, uint64_t version,
			    bool is_number)
{
	enum { KEEP_BYTES = 256 * 1024 };
	pthread_mutex_lock(&store->lock);
	const StoreItem *old = map_get(store->items, key);
	bool is_there = old && (old->told == version || was_put(old, version, is_number));
	pthread_mutex_unlock(&store->lock);
	if (is_there)
		return NULL;
	if (store->keep)
		write_text(object, &store->scratch);
	StoreItem *item = item_new(version, buf_str(&store->scratch));
	if (store->scratch.cap > KEEP_BYTES)
		buf_dispose(&store->scratch);
	return item;
}

StoreChange informer_store_update(Store *store, json_t *object, bool listing)
{
	uint64_t version;
	bool is_number = version_number(object, &version);
	autofree char *key = key_of(object);
	StoreItem *item = make_item(store, key, object, version, is_number);
	StoreChange change = STORE_CHANGED;
	pthread_mutex_lock(&store->lock);
	StoreItem *old = map_get(store->items, key);
	if (is_old_news(old, version, is_number, listing)) {
		change = STORE_SAME;
	} else if (was_put(old, version, is_number)) {
		old->told = version;
	} else {
		change = old ? STORE_CHANGED : STORE_NEW;
		old = steal(&item);
		map_put(store->items, key, old);
	}
	old->epoch = store->epoch;
	pthread_mutex_unlock(&store->lock);
	if (item)
		item_unref(item);
	return change;
}

bool informer_store_remove(Store *store, const json_t *object)
{
	autofree char *key = key_of(object);
	pthread_mutex_lock(&store->lock);
	bool was_there = map_remove(store->items, key);
	pthread_mutex_unlock(&store->lock);
	return was_there;
}

void informer_store_begin_listing(Store *store)
{
	pthread_mutex_lock(&store->lock);
	store->epoch++;
	pthread_mutex_unlock(&store->lock);
}

static json_t *parse_item(const StoreItem *item)
{
	autoerror Error ignored = {0};
	if (!item->packed)
		return json_parse(item->text, item->len, item->len, &ignored);
	size_t len;
	autofree char *text = packed_text(item->packed, &len);
	return text ? json_parse(text, len, len, &ignored) : NULL;
}

/* All that is left of an object whose text was not kept. */
static json_t *object_of_key(const char *key)
{
	Str ns, name;
	str_cut(str_of(key), '/', &ns, &name);
	json_t *object = json_object();
	json_t *metadata = json_make_at(object, "metadata", NULL);
	json_object_set_new(metadata, "name", json_text_new(name.ptr, name.len));
	if (ns.len)
		json_object_set_new(metadata, "namespace", json_text_new(ns.ptr, ns.len));
	return object;
}

/* Takes what no listing of this epoch had out of the store, as objects. */
static void take_gone(Store *store, Vec *gone)
{
	size_t at = 0;
	const char *key;
	void *value;
	pthread_mutex_lock(&store->lock);
	while (map_next(store->items, &at, &key, &value)) {
		const StoreItem *item = value;
		if (item->epoch == store->epoch)
			continue;
		json_t *last = item->len || item->packed ? parse_item(item) : NULL;
		vec_push(gone, last ? last : object_of_key(key));
		map_remove(store->items, key);
	}
	pthread_mutex_unlock(&store->lock);
}

void informer_store_end_listing(Store *store, void (*fn)(void *arg, json_t *object), void *arg)
{
	autovec Vec gone = {0};
	take_gone(store, &gone);
	for (size_t i = 0; i < gone.len; i++) {
		fn(arg, gone.items[i]);
		json_decref(gone.items[i]);
	}
}

void informer_store_put(Store *store, const json_t *object)
{
	uint64_t version;
	if (!store->keep)
		return;
	bool is_number = version_number(object, &version);
	autofree char *key = key_of(object);
	autojson json_t *copy = json_copy(json_borrow(object));
	json_object_set_new(copy, "metadata", json_copy(json_map(object, "metadata")));
	autobuf Buf text = {0};
	write_text(copy, &text);
	pthread_mutex_lock(&store->lock);
	const StoreItem *old = map_get(store->items, key);
	if (old && (is_number ? version > old->version : version != old->version)) {
		StoreItem *item = item_new(version, buf_str(&text));
		item->told = old->told;
		item->epoch = old->epoch;
		map_put(store->items, key, item);
	}
	pthread_mutex_unlock(&store->lock);
}

/* --- readers --- */

json_t *informer_store_get(Store *store, const char *ns, const char *name)
{
	autofree char *key = informer_store_key(ns, name);
	pthread_mutex_lock(&store->lock);
	StoreItem *item = store->keep ? map_get(store->items, key) : NULL;
	if (item)
		atomic_fetch_add(&item->refs, 1);
	pthread_mutex_unlock(&store->lock);
	if (!item)
		return NULL;
	json_t *object = parse_item(item);
	item_unref(item);
	return object;
}

void informer_store_each(Store *store, bool (*fn)(void *arg, const json_t *object), void *arg)
{
	autovec Vec items = {0};
	size_t at = 0;
	const char *key;
	void *value;
	pthread_mutex_lock(&store->lock);
	while (store->keep && map_next(store->items, &at, &key, &value)) {
		atomic_fetch_add(&((StoreItem *)value)->refs, 1);
		vec_push(&items, value);
	}
	pthread_mutex_unlock(&store->lock);
	bool more = true;
	for (size_t i = 0; i < items.len; i++) {
		autojson json_t *object = more ? parse_item(items.items[i]) : NULL;
		more = more && (!object || fn(arg, object));
		item_unref(items.items[i]);
	}
}
