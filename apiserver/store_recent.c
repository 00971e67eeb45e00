/*
 * Texts of objects that were written or read lately, so that a read of them asks SQLite nothing: no
 * lock of the reader, no page that the last commit made it forget. A slot for each hash, whoever
 * came last in it; a hand that sweeps when there are too many bytes. A slot counts what writers do
 * to it, so that a reader who looked before a write does not put back the state of before.
 */
#include "store_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

enum { SLOTS = 16384, BYTES_MAX = 8 * 1024 * 1024, TEXT_MAX = 64 * 1024 };

typedef struct {
	char *key; /* resource, namespace and name, each with its NUL; NULL: empty */
	char *text;
	size_t key_len, len;
	uint32_t writes;
} Slot;

struct StoreRecent {
	pthread_mutex_t lock; /* guards all below */
	Slot *slots;
	size_t bytes, hand;
};

StoreRecent *store_recent_new(void)
{
	StoreRecent *recent = mem_zalloc(1, sizeof(*recent));
	pthread_mutex_init(&recent->lock, NULL);
	recent->slots = mem_zalloc(SLOTS, sizeof(*recent->slots));
	return recent;
}

static void empty(StoreRecent *recent, Slot *slot)
{
	recent->bytes -= slot->len;
	free(slot->key);
	free(slot->text);
	*slot = (Slot){.writes = slot->writes};
}

void store_recent_free(StoreRecent *recent)
{
	for (size_t i = 0; i < SLOTS; i++)
		empty(recent, &recent->slots[i]);
	free(recent->slots);
	pthread_mutex_destroy(&recent->lock);
	free(recent);
}

/* One text of the three, in which NULs tell them apart. */
static void join(const StoreKey *key, Buf *out)
{
	const char *const parts[] = {key->resource, key->ns, key->name};
	for (size_t i = 0; i < COUNT(parts); i++)
		buf_append(out, parts[i], strlen(parts[i]) + 1);
}

static Slot *slot_of(StoreRecent *recent, const Buf *key)
{
	return &recent->slots[map_hash(key->ptr, key->len) % SLOTS];
}

static bool holds(const Slot *slot, const Buf *key)
{
	return slot->key && slot->key_len == key->len && memcmp(slot->key, key->ptr, key->len) == 0;
}

static void sweep(StoreRecent *recent)
{
	while (recent->bytes > BYTES_MAX) {
		empty(recent, &recent->slots[recent->hand]);
		recent->hand = (recent->hand + 1) % SLOTS;
	}
}

static void fill(StoreRecent *recent, Slot *slot, Buf *key, const char *text, size_t len)
{
	empty(recent, slot);
	if (len > TEXT_MAX)
		return;
	slot->key_len = key->len;
	slot->key = buf_steal(key);
	slot->text = mem_strndup(text, len);
	slot->len = len;
	recent->bytes += len;
	sweep(recent);
}

char *store_recent_get(StoreRecent *recent, const StoreKey *key, size_t *out_len,
		       uint32_t *out_writes)
{
	autobuf Buf joined = {0};
	join(key, &joined);
	pthread_mutex_lock(&recent->lock);
	const Slot *slot = slot_of(recent, &joined);
	char *text = holds(slot, &joined) ? mem_strndup(slot->text, slot->len) : NULL;
	*out_len = slot->len;
	*out_writes = slot->writes;
	pthread_mutex_unlock(&recent->lock);
	return text;
}

void store_recent_read(StoreRecent *recent, const StoreKey *key, const char *text, size_t len,
		       uint32_t writes)
{
	autobuf Buf joined = {0};
	join(key, &joined);
	pthread_mutex_lock(&recent->lock);
	Slot *slot = slot_of(recent, &joined);
	if (slot->writes == writes)
		fill(recent, slot, &joined, text, len);
	pthread_mutex_unlock(&recent->lock);
}

void store_recent_write(StoreRecent *recent, const StoreKey *key, const char *text, size_t len)
{
	autobuf Buf joined = {0};
	join(key, &joined);
	pthread_mutex_lock(&recent->lock);
	Slot *slot = slot_of(recent, &joined);
	slot->writes++;
	if (text)
		fill(recent, slot, &joined, text, len);
	else if (holds(slot, &joined))
		empty(recent, slot);
	pthread_mutex_unlock(&recent->lock);
}
