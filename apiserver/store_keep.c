/*
 * What keeps the store small. Compaction forgets superseded revisions. The keeper's thread brings
 * the WAL into the database beside the writers, for it is fsync that takes long there; only when
 * they are so busy that the WAL never comes to rest, they wait for it once.
 */
#include "store_internal.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"

enum { WAL_LONG = 2000, WAL_TOO_LONG = 20000 }; /* pages of 4 KiB */

static void *keep(void *arg)
{
	Store *store = arg;
	pthread_mutex_lock(&store->keeper_lock);
	while (!store->keeper_ends) {
		int pages = store->wal_pages;
		store->wal_pages = 0;
		if (pages < WAL_LONG) {
			pthread_cond_wait(&store->keeper_wake, &store->keeper_lock);
			continue;
		}
		pthread_mutex_unlock(&store->keeper_lock);
		sqlite3_wal_checkpoint_v2(store->keeper, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
					  NULL);
		if (pages >= WAL_TOO_LONG) {
			pthread_mutex_lock(&store->write_lock);
			sqlite3_wal_checkpoint_v2(store->keeper, NULL, SQLITE_CHECKPOINT_PASSIVE,
						  NULL, NULL);
			pthread_mutex_unlock(&store->write_lock);
		}
		pthread_mutex_lock(&store->keeper_lock);
	}
	pthread_mutex_unlock(&store->keeper_lock);
	return NULL;
}

/* After each commit, on the committing thread. */
static int on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	(void)db, (void)name;
	Store *store = arg;
	if (pages < WAL_LONG)
		return SQLITE_OK;
	pthread_mutex_lock(&store->keeper_lock);
	store->wal_pages = pages;
	pthread_cond_signal(&store->keeper_wake);
	pthread_mutex_unlock(&store->keeper_lock);
	return SQLITE_OK;
}

void store_keeper_start(Store *store)
{
	pthread_mutex_init(&store->keeper_lock, NULL);
	pthread_cond_init(&store->keeper_wake, NULL);
	sqlite3_wal_hook(store->writer, on_wal, store);
	store->keeper_runs = pthread_create(&store->keeper_thread, NULL, keep, store) == 0;
}

void store_keeper_stop(Store *store)
{
	if (!store->keeper_runs)
		return;
	pthread_mutex_lock(&store->keeper_lock);
	store->keeper_ends = true;
	pthread_cond_signal(&store->keeper_wake);
	pthread_mutex_unlock(&store->keeper_lock);
	pthread_join(store->keeper_thread, NULL);
	pthread_cond_destroy(&store->keeper_wake);
	pthread_mutex_destroy(&store->keeper_lock);
}

/* ?1: the floor before, ?2: the new one. A revision goes when the one that superseded it is below
 * the new floor: until then a snapshot above it may show it. */
static const char compact_sql[] =
	"DELETE FROM rev WHERE id IN (SELECT prev FROM rev WHERE id>%lld AND id<=%lld AND prev>0);"
	"DELETE FROM rev WHERE id>%lld AND id<=%lld AND op=2;"
	"UPDATE fact SET value=%lld WHERE name='floor';";

static bool read_number(Store *store, const char *sql, long long argument, long long *out,
			Error *err)
{
	sqlite3_stmt *statement = NULL;
	if (!store_prepare(store->writer, sql, &statement, err))
		return false;
	sqlite3_bind_int64(statement, 1, argument);
	int step = sqlite3_step(statement);
	*out = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	bool done = step == SQLITE_ROW || step == SQLITE_DONE;
	if (!done)
		store_failed(store->writer, "compact", err);
	sqlite3_finalize(statement);
	return done;
}

static bool compact(Store *store, int64_t keep_ms, Error *err)
{
	long long before, floor;
	if (!read_number(store, "SELECT value FROM fact WHERE name='floor'", 0, &before, err) ||
	    !read_number(store, "SELECT id FROM rev WHERE at<?1 ORDER BY id DESC LIMIT 1",
			 clock_wall_ms() - keep_ms, &floor, err))
		return false;
	if (floor <= before)
		return true;
	autofree char *sql = mem_printf(compact_sql, before, floor, before, floor, floor);
	return store_execute(store, sql, err);
}

bool store_compact(Store *store, int64_t keep_ms, Error *err)
{
	pthread_mutex_lock(&store->write_lock);
	bool begun = store_execute(store, "BEGIN IMMEDIATE", err);
	bool done = begun && compact(store, keep_ms, err) && store_execute(store, "COMMIT", err);
	if (begun && !done)
		sqlite3_exec(store->writer, "ROLLBACK", NULL, NULL, NULL);
	pthread_mutex_unlock(&store->write_lock);
	return done;
}
