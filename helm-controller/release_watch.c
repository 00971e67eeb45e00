#include "release_watch.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

/* Of more revisions than that the server is asked: rows are searched one by one. */
enum { MAX_ROWS = 1000, FIRST_LIST_MS = 5000 };

struct ReleaseWatch {
	KubeClient *client;
	char *ns;
	const Log *log;
	pthread_mutex_t start; /* held while the first look starts the watch */
	Informer *informer;    /* set once, with `start`, as is */
	int64_t until_ms;      /* up to when looks wait for the first listing */
	pthread_mutex_t lock;  /* guards what follows */
	Map *releases;	       /* "ns/release" -> StoredRows, in no order */
};

static void free_rows(void *value)
{
	stored_rows_dispose(value);
	free(value);
}

ReleaseWatch *release_watch_new(KubeClient *client, const char *ns, const Log *log)
{
	ReleaseWatch *watch = mem_zalloc(1, sizeof(*watch));
	watch->client = client;
	watch->ns = mem_strdup(ns);
	watch->log = log;
	watch->releases = map_new(free_rows);
	pthread_mutex_init(&watch->start, NULL);
	pthread_mutex_init(&watch->lock, NULL);
	return watch;
}

void release_watch_free(ReleaseWatch *watch)
{
	if (!watch)
		return;
	informer_stop(watch->informer);
	map_free(watch->releases);
	pthread_mutex_destroy(&watch->start);
	pthread_mutex_destroy(&watch->lock);
	free(watch->ns);
	free(watch);
}

/* --- events; with the lock --- */

static StoredRow *find_row(const StoredRows *rows, int64_t version)
{
	for (size_t i = 0; i < rows->len; i++)
		if (rows->items[i].version == version)
			return &rows->items[i];
	return NULL;
}

static void put_row(ReleaseWatch *watch, const char *key, int64_t version, const char *status)
{
	StoredRows *rows = map_get(watch->releases, key);
	if (!rows) {
		rows = mem_zalloc(1, sizeof(*rows));
		map_put(watch->releases, key, rows);
	}
	StoredRow *row = find_row(rows, version);
	if (!row) {
		rows->items = mem_realloc(rows->items, (rows->len + 1) * sizeof(*rows->items));
		row = &rows->items[rows->len++];
		*row = (StoredRow){.version = version};
	}
	free(row->status);
	row->status = mem_strdup(status);
}

static void drop_row(ReleaseWatch *watch, const char *key, int64_t version)
{
	StoredRows *rows = map_get(watch->releases, key);
	StoredRow *row = rows ? find_row(rows, version) : NULL;
	if (!row)
		return;
	free(row->status);
	*row = rows->items[--rows->len];
	if (!rows->len)
		map_remove(watch->releases, key);
}

/* By the Secret's name: of one that went during an outage nothing else is told. */
static void on_event(void *arg, InformerEvent event, const json_t *secret)
{
	ReleaseWatch *watch = arg;
	autofree char *release = NULL;
	int64_t version;
	if (!secret || !storage_parse_name(object_name(secret), &release, &version))
		return;
	autofree char *key = mem_printf("%s/%s", object_namespace(secret), release);
	pthread_mutex_lock(&watch->lock);
	if (event == INFORMER_DELETED)
		drop_row(watch, key, version);
	else
		put_row(watch, key, version, stored_status(secret));
	pthread_mutex_unlock(&watch->lock);
}

/* --- looks --- */

static Informer *started(ReleaseWatch *watch)
{
	pthread_mutex_lock(&watch->start);
	if (!watch->informer) {
		watch->until_ms = clock_mono_ms() + FIRST_LIST_MS;
		watch->informer = informer_start(watch->client,
						 &(InformerConfig){.api_version = "v1",
								   .kind = "Secret",
								   .ns = watch->ns,
								   .label_selector = "owner=helm",
								   .metadata_only = true,
								   .on_event = on_event,
								   .arg = watch,
								   .log = watch->log});
	}
	Informer *informer = watch->informer;
	pthread_mutex_unlock(&watch->start);
	return informer;
}

static bool is_in_step(ReleaseWatch *watch)
{
	Informer *informer = started(watch);
	int64_t left_ms = watch->until_ms - clock_mono_ms();
	return informer_wait_settled(informer, left_ms > 0 ? left_ms : 0) &&
	       informer_is_synced(informer);
}

bool release_watch_rows(ReleaseWatch *watch, const Storage *storage, StoredRows *out)
{
	bool is_seen =
		storage->client == watch->client && (!watch->ns || cstr_eq(watch->ns, storage->ns));
	if (!is_seen || !is_in_step(watch))
		return false;
	autofree char *key = mem_printf("%s/%s", storage->ns, storage->release);
	pthread_mutex_lock(&watch->lock);
	const StoredRows *rows = map_get(watch->releases, key);
	bool is_short = !rows || rows->len <= MAX_ROWS;
	if (is_short && rows)
		stored_rows_copy(rows, out);
	pthread_mutex_unlock(&watch->lock);
	return is_short;
}
