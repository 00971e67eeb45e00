#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/informer_internal.h"

enum { TEXT_MAX = 64 << 20 };

/* Compact text behind its resourceVersion, in one allocation. */
typedef struct {
	uint64_t version;
	char text[];
} Stored;

void store_init(InformerStore *store, bool keep)
{
	pthread_mutex_init(&store->lock, NULL);
	store->objects = map_new(free);
	store->keep = keep;
}

void store_dispose(InformerStore *store)
{
	map_free(store->objects);
	pthread_mutex_destroy(&store->lock);
}

char *store_key(const json_t *object)
{
	return mem_printf("%s/%s", object_namespace(object), object_name(object));
}

static uint64_t version_of(const json_t *object)
{
	return strtoull(object_resource_version(object), NULL, 10);
}

/* Without managedFields, which are half of many objects and which nobody reads from a store. */
static Stored *encode(const json_t *object)
{
	autojson json_t *slim = json_copy(json_borrow(object));
	autojson json_t *metadata = json_copy(json_map(object, "metadata"));
	json_object_del(metadata, "managedFields");
	json_object_set(slim, "metadata", metadata);
	autobuf Buf text = {0};
	json_write(slim, &text);
	Stored *stored = mem_alloc(sizeof(*stored) + text.len + 1);
	stored->version = version_of(object);
	memcpy(stored->text, buf_text(&text), text.len + 1);
	return stored;
}

bool store_put(InformerStore *store, const char *key, const json_t *object)
{
	Stored *stored = store->keep ? encode(object) : NULL;
	pthread_mutex_lock(&store->lock);
	bool existed = map_has(store->objects, key);
	const Stored *old = existed ? map_get(store->objects, key) : NULL;
	if (old && stored && old->version > stored->version)
		free(stored);
	else
		map_put(store->objects, key, stored);
	pthread_mutex_unlock(&store->lock);
	return existed;
}

bool store_remove(InformerStore *store, const char *key)
{
	pthread_mutex_lock(&store->lock);
	bool existed = map_remove(store->objects, key);
	pthread_mutex_unlock(&store->lock);
	return existed;
}

json_t *store_get(InformerStore *store, const char *key)
{
	pthread_mutex_lock(&store->lock);
	const Stored *stored = map_get(store->objects, key);
	autofree char *text = stored ? mem_strdup(stored->text) : NULL;
	pthread_mutex_unlock(&store->lock);
	autoerror Error ignored = {0};
	return text ? json_parse(text, strlen(text), TEXT_MAX, &ignored) : NULL;
}

size_t store_count(InformerStore *store)
{
	pthread_mutex_lock(&store->lock);
	size_t count = map_len(store->objects);
	pthread_mutex_unlock(&store->lock);
	return count;
}

void store_missing(InformerStore *store, const Map *present, Vec *out)
{
	pthread_mutex_lock(&store->lock);
	size_t at = 0;
	const char *key;
	while (map_next(store->objects, &at, &key, NULL))
		if (!present || !map_has(present, key))
			vec_push(out, mem_strdup(key));
	pthread_mutex_unlock(&store->lock);
}
