/*
 * Life of the store. synchronous=NORMAL: what was acknowledged survives kill -9 (the WAL is in the
 * page cache); a power cut may take the last moments but never consistency. What a write touches is
 * little on purpose: one row at the end of `rev`, one of `newest`. Snapshots are found through
 * `prev`, so `rev` needs no index, and ids are counted here, so SQLite need not write them down.
 */
#include "store_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

static const char schema_sql[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2000;"
	"PRAGMA wal_autocheckpoint=0;"
	"CREATE TABLE IF NOT EXISTS rev(id INTEGER PRIMARY KEY, gr TEXT NOT NULL,"
	" ns TEXT NOT NULL, name TEXT NOT NULL, op INTEGER NOT NULL, prev INTEGER NOT NULL,"
	" at INTEGER NOT NULL, obj TEXT NOT NULL);"
	"DROP INDEX IF EXISTS rev_key;" /* of databases of before */
	"CREATE TABLE IF NOT EXISTS newest(gr TEXT NOT NULL,"
	" ns TEXT NOT NULL COLLATE namespace, name TEXT NOT NULL,"
	" id INTEGER NOT NULL, PRIMARY KEY(gr, ns, name)) WITHOUT ROWID;"
	/* Databases of before had it in another order. */
	"BEGIN; CREATE TABLE IF NOT EXISTS current(gr, ns, name, id);"
	"INSERT OR IGNORE INTO newest SELECT gr, ns, name, id FROM current;"
	"DROP TABLE current; COMMIT;"
	"CREATE TABLE IF NOT EXISTS fact(name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
	"INSERT OR IGNORE INTO fact VALUES('floor', 0);";

static const char *const write_sql[WRITE_COUNT_STATEMENTS] = {
	[WRITE_BEGIN] = "BEGIN IMMEDIATE",
	[WRITE_COMMIT] = "COMMIT",
	[WRITE_REV] =
		"INSERT INTO rev(id, gr, ns, name, op, prev, at, obj) VALUES(?,?,?,?,?,?,?,?)",
	[WRITE_KEY] = "INSERT OR REPLACE INTO newest(gr, ns, name, id) VALUES(?,?,?,?)",
	[WRITE_DROP] = "DELETE FROM newest WHERE gr=? AND ns=? AND name=?",
	[WRITE_NEWEST] = "SELECT id FROM newest WHERE gr=? AND ns=? AND name=?",
};

static const char *const read_sql[READ_COUNT_STATEMENTS] = {
	[READ_ONE] = ("SELECT r.obj FROM newest c JOIN rev r ON r.id=c.id"
		      " WHERE c.gr=? AND c.ns=? AND c.name=?"),
	/* A compacted deletion may have been the newest row: then the floor is its id. */
	[READ_RV] = "SELECT max(coalesce((SELECT max(id) FROM rev), 0),"
		    " (SELECT value FROM fact WHERE name='floor'))",
	[READ_FLOOR] = "SELECT value FROM fact WHERE name='floor'",
};

bool store_failed(sqlite3 *db, const char *what, Error *err)
{
	return err_set(err, ERR_IO, "store: %s: %s", what, sqlite3_errmsg(db));
}

bool store_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, Error *err)
{
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
		return store_failed(db, "prepare", err);
	return true;
}

void store_bind(sqlite3_stmt *statement, int index, const char *text)
{
	sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

void change_free(Change *change)
{
	if (!change)
		return;
	free(change->resource);
	free(change->ns);
	free(change->name);
	free(change->text);
	json_decref(change->object);
	json_decref(change->previous);
	free(change);
}

uint64_t object_rv(const json_t *object)
{
	const char *text = json_text(json_map(object, "metadata"), "resourceVersion");
	unsigned long long rv = 0;
	return text && str_to_u64(str_of(text), &rv) ? rv : 0;
}

/* As the texts "NAMESPACE/": an etcd key has the slash before the name, and lists are in the order
 * of keys (kube-api.md 2.3). "a-b" comes before "a". */
static int compare_namespaces(void *arg, int len, const void *one, int other_len, const void *other)
{
	(void)arg;
	const unsigned char *a = one, *b = other;
	int common = len < other_len ? len : other_len;
	int order = memcmp(a, b, (size_t)common);
	if (order || len == other_len)
		return order;
	return len < other_len ? '/' - b[common] : a[common] - '/';
}

static bool open_one(const char *file, sqlite3 **out, Error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	if (sqlite3_open_v2(file, out, flags, NULL) != SQLITE_OK)
		return store_failed(*out, file, err);
	sqlite3_create_collation(*out, "namespace", SQLITE_UTF8, NULL, compare_namespaces);
	sqlite3_busy_timeout(*out, 10000);
	return true;
}

static bool open_all(Store *store, const char *dir, Error *err)
{
	autofree char *file = path_join(dir, "state.db");
	if (!open_one(file, &store->writer, err) || !open_one(file, &store->reader, err) ||
	    !open_one(file, &store->keeper, err))
		return false;
	if (sqlite3_exec(store->writer, schema_sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_failed(store->writer, "schema", err);
	for (size_t i = 0; i < WRITE_COUNT_STATEMENTS; i++)
		if (!store_prepare(store->writer, write_sql[i], &store->writes[i], err))
			return false;
	for (size_t i = 0; i < READ_COUNT_STATEMENTS; i++)
		if (!store_prepare(store->reader, read_sql[i], &store->reads[i], err))
			return false;
	return true;
}

Store *store_open(const char *dir, Error *err)
{
	Store *store = mem_zalloc(1, sizeof(*store));
	store->queue_end = &store->queue;
	store->recent = store_recent_new();
	pthread_mutex_init(&store->write_lock, NULL);
	pthread_mutex_init(&store->read_lock, NULL);
	pthread_mutex_init(&store->queue_lock, NULL);
	if (!open_all(store, dir, err)) {
		store_close(store);
		return NULL;
	}
	store->last_rv = store_rv(store);
	store_keeper_start(store);
	return store;
}

void store_close(Store *store)
{
	store_keeper_stop(store);
	for (size_t i = 0; i < WRITE_COUNT_STATEMENTS; i++)
		sqlite3_finalize(store->writes[i]);
	for (size_t i = 0; i < READ_COUNT_STATEMENTS; i++)
		sqlite3_finalize(store->reads[i]);
	sqlite3_close(store->keeper);
	sqlite3_close(store->reader);
	sqlite3_close(store->writer);
	store_recent_free(store->recent);
	pthread_mutex_destroy(&store->queue_lock);
	pthread_mutex_destroy(&store->write_lock);
	pthread_mutex_destroy(&store->read_lock);
	free(store);
}

void store_on_change(Store *store, StorePublish *publish, void *arg)
{
	store->publish = publish;
	store->publish_arg = arg;
}
