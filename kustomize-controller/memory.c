/*
 * What a Kustomization's runs remember of each other: the hashes of the manifests last applied,
 * what state their objects were in, and since when they wait. Losing it (a restart) costs requests,
 * never correctness.
 */
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/packed.h"
#include "internal.h"

/* Of all that packed_size tells: what does not fit is not kept. */
enum { MAX_SENT_BYTES = 8 << 20 };

/* Of one object that was applied; as large as the smallest piece of the heap. */
typedef struct {
	uint64_t desired;
	uint64_t seen_version; /* 0: not seen */
	uint32_t seen_generation;
	uint8_t seen_code;
} Applied;

typedef struct {
	Map *applied; /* drift_key -> Applied */
	char *waiting_for;
	int64_t waiting_since_ms;
	char *kept_wait; /* JSON of what a wait for health has to finish, or NULL */
	Packed *sent;	 /* JSON of objects last applied, or NULL */
} Remembered;

struct Memory {
	pthread_mutex_t lock; /* guards all below */
	Map *by_ks;
	size_t sent_bytes;
};

static void free_remembered(void *value)
{
	Remembered *remembered = value;
	map_free(remembered->applied);
	free(remembered->waiting_for);
	free(remembered->kept_wait);
	packed_free(remembered->sent);
	free(remembered);
}

struct Memory *memory_new(void)
{
	struct Memory *memory = mem_zalloc(1, sizeof(*memory));
	pthread_mutex_init(&memory->lock, NULL);
	memory->by_ks = map_new(free_remembered);
	return memory;
}

void memory_free(struct Memory *memory)
{
	if (!memory)
		return;
	map_free(memory->by_ks);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

static Remembered *remembered_of(struct Memory *memory, const char *ks)
{
	Remembered *remembered = map_get(memory->by_ks, ks);
	if (!remembered) {
		remembered = mem_zalloc(1, sizeof(*remembered));
		remembered->applied = map_new(free);
		map_put(memory->by_ks, ks, remembered);
	}
	return remembered;
}

uint64_t memory_desired(struct Memory *memory, const char *ks, const char *key)
{
	pthread_mutex_lock(&memory->lock);
	const Remembered *remembered = map_get(memory->by_ks, ks);
	const Applied *applied = remembered ? map_get(remembered->applied, key) : NULL;
	uint64_t result = applied ? applied->desired : 0;
	pthread_mutex_unlock(&memory->lock);
	return result;
}

void memory_set_desired(struct Memory *memory, const char *ks, const char *key, uint64_t hash)
{
	pthread_mutex_lock(&memory->lock);
	Remembered *remembered = remembered_of(memory, ks);
	Applied *slot = map_get(remembered->applied, key);
	if (!hash) {
		map_remove(remembered->applied, key);
	} else {
		if (!slot) {
			slot = mem_zalloc(1, sizeof(*slot));
			map_put(remembered->applied, key, slot);
		}
		slot->desired = hash;
	}
	pthread_mutex_unlock(&memory->lock);
}

void memory_set_seen(struct Memory *memory, const char *ks, const char *key, const Seen *seen)
{
	pthread_mutex_lock(&memory->lock);
	const Remembered *remembered = map_get(memory->by_ks, ks);
	Applied *applied = remembered ? map_get(remembered->applied, key) : NULL;
	if (applied) {
		applied->seen_version = seen->version;
		applied->seen_generation = (uint32_t)seen->generation;
		applied->seen_code = (uint8_t)seen->code;
	}
	pthread_mutex_unlock(&memory->lock);
}

bool memory_seen(struct Memory *memory, const char *ks, const char *key, int64_t generation,
		 Seen *out)
{
	pthread_mutex_lock(&memory->lock);
	const Remembered *remembered = map_get(memory->by_ks, ks);
	const Applied *applied = remembered ? map_get(remembered->applied, key) : NULL;
	bool known = applied && applied->seen_version &&
		     applied->seen_generation == (uint32_t)generation;
	if (known)
		*out = (Seen){.version = applied->seen_version,
			      .generation = generation,
			      .code = applied->seen_code};
	pthread_mutex_unlock(&memory->lock);
	return known;
}

int64_t memory_waiting_since(struct Memory *memory, const char *ks, const char *what)
{
	pthread_mutex_lock(&memory->lock);
	Remembered *remembered = remembered_of(memory, ks);
	if (!cstr_eq(remembered->waiting_for, what)) {
		free(remembered->waiting_for);
		free(remembered->kept_wait);
		remembered->kept_wait = NULL;
		remembered->waiting_for = mem_strdup(what);
		remembered->waiting_since_ms = clock_mono_ms();
	}
	int64_t since = remembered->waiting_since_ms;
	pthread_mutex_unlock(&memory->lock);
	return since;
}

void memory_keep_wait(struct Memory *memory, const char *ks, const json_t *what)
{
	char *text = json_dump(what);
	pthread_mutex_lock(&memory->lock);
	Remembered *remembered = remembered_of(memory, ks);
	free(remembered->kept_wait);
	remembered->kept_wait = text;
	pthread_mutex_unlock(&memory->lock);
}

json_t *memory_kept_wait(struct Memory *memory, const char *ks)
{
	autoerror Error ignored = {0};
	pthread_mutex_lock(&memory->lock);
	const Remembered *remembered = map_get(memory->by_ks, ks);
	autofree char *text = remembered ? mem_strdup(remembered->kept_wait) : NULL;
	pthread_mutex_unlock(&memory->lock);
	return text ? json_parse(text, strlen(text), strlen(text), &ignored) : NULL;
}

bool memory_is_waiting(struct Memory *memory, const char *ks)
{
	pthread_mutex_lock(&memory->lock);
	const Remembered *remembered = map_get(memory->by_ks, ks);
	bool waiting = remembered && remembered->waiting_for;
	pthread_mutex_unlock(&memory->lock);
	return waiting;
}

/* `what` NULL: for whatever. */
static void stop_waiting(struct Memory *memory, const char *ks, const char *what)
{
	pthread_mutex_lock(&memory->lock);
	Remembered *remembered = map_get(memory->by_ks, ks);
	if (remembered && (!what || cstr_eq(remembered->waiting_for, what))) {
		free(remembered->waiting_for);
		free(remembered->kept_wait);
		remembered->waiting_for = remembered->kept_wait = NULL;
	}
	pthread_mutex_unlock(&memory->lock);
}

void memory_stop_waiting(struct Memory *memory, const char *ks)
{
	stop_waiting(memory, ks, NULL);
}

void memory_stop_waiting_for(struct Memory *memory, const char *ks, const char *what)
{
	stop_waiting(memory, ks, what);
}

/* Lock held. */
static void drop_sent(struct Memory *memory, Remembered *remembered)
{
	if (!remembered || !remembered->sent)
		return;
	memory->sent_bytes -= packed_size(remembered->sent);
	packed_free(remembered->sent);
	remembered->sent = NULL;
}

void memory_keep_sent(struct Memory *memory, const char *ks, const json_t *objects)
{
	autosecrettext char *text = objects ? json_dump(objects) : NULL;
	Packed *packed = text ? packed_new(text, strlen(text)) : NULL;
	pthread_mutex_lock(&memory->lock);
	Remembered *remembered = packed ? remembered_of(memory, ks) : map_get(memory->by_ks, ks);
	drop_sent(memory, remembered);
	if (packed && memory->sent_bytes + packed_size(packed) <= MAX_SENT_BYTES) {
		memory->sent_bytes += packed_size(packed);
		remembered->sent = packed;
		packed = NULL;
	}
	pthread_mutex_unlock(&memory->lock);
	packed_free(packed);
}

json_t *memory_sent(struct Memory *memory, const char *ks)
{
	autoerror Error ignored = {0};
	size_t len = 0;
	pthread_mutex_lock(&memory->lock);
	const Remembered *remembered = map_get(memory->by_ks, ks);
	autosecrettext char *text =
		remembered && remembered->sent ? packed_text(remembered->sent, &len) : NULL;
	pthread_mutex_unlock(&memory->lock);
	return text ? json_parse(text, len, len, &ignored) : NULL;
}

void memory_forget(struct Memory *memory, const char *ks)
{
	pthread_mutex_lock(&memory->lock);
	drop_sent(memory, map_get(memory->by_ks, ks));
	map_remove(memory->by_ks, ks);
	pthread_mutex_unlock(&memory->lock);
}
