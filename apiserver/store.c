/*
 * Life and writes of the store. Group commit: a writer leaves its row in the open transaction and,
 * when others already wait for the lock, lets them add theirs; the last one commits for all.
 * synchronous=NORMAL: what was acknowledged survives kill -9 (the WAL is in the page cache); a
 * power cut may take the last moments but never consistency.
 */
#include "store_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

enum { BATCH_MAX = 64 };

static const char schema_sql[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2000;"
	"CREATE TABLE IF NOT EXISTS rev(id INTEGER PRIMARY KEY AUTOINCREMENT, gr TEXT NOT NULL,"
	" ns TEXT NOT NULL, name TEXT NOT NULL, op INTEGER NOT NULL, prev INTEGER NOT NULL,"
	" at INTEGER NOT NULL, obj TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS rev_key ON rev(gr, ns, name, id);"
	"CREATE TABLE IF NOT EXISTS current(gr TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL,"
	" id INTEGER NOT NULL, PRIMARY KEY(gr, ns, name)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS fact(name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
	"INSERT OR IGNORE INTO fact VALUES('floor', 0);";

static const char *const write_sql[WRITE_COUNT_STATEMENTS] = {
	[WRITE_REV] =
		"INSERT INTO rev(id, gr, ns, name, op, prev, at, obj) VALUES(?,?,?,?,?,?,?,?)",
	[WRITE_KEY] = "INSERT OR REPLACE INTO current(gr, ns, name, id) VALUES(?,?,?,?)",
	[WRITE_DROP] = "DELETE FROM current WHERE gr=? AND ns=? AND name=?",
	[WRITE_NEWEST] = "SELECT id FROM current WHERE gr=? AND ns=? AND name=?",
};

static const char *const read_sql[READ_COUNT_STATEMENTS] = {
	[READ_ONE] = ("SELECT r.obj FROM current c JOIN rev r ON r.id=c.id"
		      " WHERE c.gr=? AND c.ns=? AND c.name=?"),
	[READ_RV] = "SELECT max(seq) FROM sqlite_sequence WHERE name='rev'",
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

static bool open_one(const char *file, sqlite3 **out, Error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	if (sqlite3_open_v2(file, out, flags, NULL) != SQLITE_OK)
		return store_failed(*out, file, err);
	sqlite3_busy_timeout(*out, 10000);
	return true;
}

static bool open_both(Store *store, const char *dir, Error *err)
{
	autofree char *file = path_join(dir, "state.db");
	if (!open_one(file, &store->writer, err) || !open_one(file, &store->reader, err))
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
	pthread_mutex_init(&store->write_lock, NULL);
	pthread_mutex_init(&store->read_lock, NULL);
	pthread_cond_init(&store->committed, NULL);
	if (!open_both(store, dir, err)) {
		store_close(store);
		return NULL;
	}
	store->committed_rv = store_rv(store);
	store->last_rv = store->committed_rv;
	return store;
}

static void free_change_item(void *item)
{
	change_free(item);
}

void store_close(Store *store)
{
	for (size_t i = 0; i < WRITE_COUNT_STATEMENTS; i++)
		sqlite3_finalize(store->writes[i]);
	for (size_t i = 0; i < READ_COUNT_STATEMENTS; i++)
		sqlite3_finalize(store->reads[i]);
	sqlite3_close(store->reader);
	sqlite3_close(store->writer);
	vec_dispose_with(&store->batch, free_change_item);
	vec_dispose(&store->tickets);
	pthread_cond_destroy(&store->committed);
	pthread_mutex_destroy(&store->write_lock);
	pthread_mutex_destroy(&store->read_lock);
	free(store);
}

void store_on_change(Store *store, StorePublish *publish, void *arg)
{
	store->publish = publish;
	store->publish_arg = arg;
}

static bool run(Store *store, WriteStatement which, Error *err)
{
	sqlite3_stmt *statement = store->writes[which];
	bool done = sqlite3_step(statement) == SQLITE_DONE;
	if (!done)
		store_failed(store->writer, "write", err);
	sqlite3_reset(statement);
	return done;
}

static void bind_key(sqlite3_stmt *statement, int first, const StoreKey *key)
{
	store_bind(statement, first, key->resource);
	store_bind(statement, first + 1, key->ns);
	store_bind(statement, first + 2, key->name);
}

/* The newest RV of a key as this transaction sees it; 0 when there is none. */
static uint64_t newest(Store *store, const StoreKey *key)
{
	sqlite3_stmt *statement = store->writes[WRITE_NEWEST];
	bind_key(statement, 1, key);
	uint64_t rv = sqlite3_step(statement) == SQLITE_ROW
			      ? (uint64_t)sqlite3_column_int64(statement, 0)
			      : 0;
	sqlite3_reset(statement);
	return rv;
}

static void lock_writer(Store *store)
{
	__atomic_add_fetch(&store->waiting, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&store->write_lock);
	__atomic_sub_fetch(&store->waiting, 1, __ATOMIC_SEQ_CST);
}

static bool begin(Store *store, Error *err)
{
	if (store->in_transaction)
		return true;
	if (sqlite3_exec(store->writer, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return store_failed(store->writer, "begin", err);
	store->in_transaction = true;
	return true;
}

static void publish_batch(Store *store)
{
	for (size_t i = 0; i < store->batch.len; i++) {
		if (store->publish)
			store->publish(store->publish_arg, store->batch.items[i]);
		else
			change_free(store->batch.items[i]);
	}
	store->batch.len = 0;
}

static void decide(Store *store, WriteOutcome outcome)
{
	for (size_t i = 0; i < store->tickets.len; i++)
		*(WriteOutcome *)store->tickets.items[i] = outcome;
	store->tickets.len = 0;
	pthread_cond_broadcast(&store->committed);
}

static void commit(Store *store)
{
	bool done = sqlite3_exec(store->writer, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
	store->in_transaction = false;
	if (done) {
		store->committed_rv = store->last_rv;
		publish_batch(store);
	} else {
		sqlite3_exec(store->writer, "ROLLBACK", NULL, NULL, NULL);
		vec_dispose_with(&store->batch, free_change_item);
	}
	decide(store, done ? WRITE_COMMITTED : WRITE_LOST);
}

/* Commits, or leaves that to a writer that already waits; returns when the row is decided. */
static bool settle(Store *store, Error *err)
{
	WriteOutcome outcome = WRITE_OPEN;
	vec_push(&store->tickets, &outcome);
	bool others = __atomic_load_n(&store->waiting, __ATOMIC_SEQ_CST) > 0;
	if (!others || store->batch.len >= BATCH_MAX)
		commit(store);
	while (outcome == WRITE_OPEN)
		pthread_cond_wait(&store->committed, &store->write_lock);
	if (outcome == WRITE_COMMITTED)
		return true;
	return err_set(err, ERR_IO, "store: the write could not be committed");
}

static bool append(Store *store, const StoreKey *key, ChangeType type, uint64_t prev,
		   json_t *object, Error *err)
{
	uint64_t rv = store->last_rv + 1;
	char text[24];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)rv);
	json_object_set_new(json_make_at(object, "metadata", NULL), "resourceVersion",
			    json_string(text));
	autofree char *body = json_dump(object);
	sqlite3_stmt *statement = store->writes[WRITE_REV];
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)rv);
	bind_key(statement, 2, key);
	sqlite3_bind_int(statement, 5, (int)type);
	sqlite3_bind_int64(statement, 6, (sqlite3_int64)prev);
	sqlite3_bind_int64(statement, 7, clock_wall_ms());
	store_bind(statement, 8, body);
	if (!run(store, WRITE_REV, err))
		return false;
	store->last_rv = rv;
	WriteStatement which = type == CHANGE_DELETED ? WRITE_DROP : WRITE_KEY;
	bind_key(store->writes[which], 1, key);
	if (which == WRITE_KEY)
		sqlite3_bind_int64(store->writes[which], 4, (sqlite3_int64)rv);
	return run(store, which, err);
}

static void remember(Store *store, const StoreKey *key, ChangeType type, json_t *object,
		     json_t *previous)
{
	Change *change = mem_zalloc(1, sizeof(*change));
	*change = (Change){store->last_rv,
			   type,
			   mem_strdup(key->resource),
			   mem_strdup(key->ns),
			   mem_strdup(key->name),
			   json_incref(object),
			   json_incref(previous),
			   NULL};
	vec_push(&store->batch, change);
}

/* True when the newest state is what the caller saw. */
static bool check(uint64_t found, uint64_t expected, Error *err)
{
	if (found == expected)
		return true;
	if (expected == 0)
		return err_set(err, ERR_EXISTS, "the object exists");
	if (found == 0)
		return err_set(err, ERR_NOT_FOUND, "the object is gone");
	return err_set(err, ERR_CONFLICT, "the object has been modified");
}

/* A failed statement ends the whole batch: its writers wait in settle() and hear of it. */
static void abandon(Store *store)
{
	sqlite3_exec(store->writer, "ROLLBACK", NULL, NULL, NULL);
	store->in_transaction = false;
	store->last_rv++;
	vec_dispose_with(&store->batch, free_change_item);
	decide(store, WRITE_LOST);
}

static bool write_locked(Store *store, const StoreKey *key, ChangeType type, json_t *object,
			 json_t *previous, Error *err)
{
	uint64_t expected = previous ? object_rv(previous) : 0;
	if (!begin(store, err))
		return false;
	if (!check(newest(store, key), expected, err)) {
		/* Nothing of ours is in the batch, but it may be this thread that must end it. */
		if (__atomic_load_n(&store->waiting, __ATOMIC_SEQ_CST) == 0)
			commit(store);
		return false;
	}
	if (!append(store, key, type, expected, object, err)) {
		abandon(store);
		return false;
	}
	remember(store, key, type, object, previous);
	return settle(store, err);
}

static bool write_one(Store *store, const StoreKey *key, ChangeType type, json_t *object,
		      json_t *previous, Error *err)
{
	lock_writer(store);
	bool done = write_locked(store, key, type, object, previous, err);
	pthread_mutex_unlock(&store->write_lock);
	return done;
}

bool store_create(Store *store, const StoreKey *key, json_t *object, Error *err)
{
	return write_one(store, key, CHANGE_ADDED, object, NULL, err);
}

bool store_update(Store *store, const StoreKey *key, json_t *object, json_t *previous, Error *err)
{
	return write_one(store, key, CHANGE_MODIFIED, object, previous, err);
}

bool store_delete(Store *store, const StoreKey *key, json_t *object, json_t *previous, Error *err)
{
	return write_one(store, key, CHANGE_DELETED, object, previous, err);
}

static const char compact_sql[] =
	"UPDATE fact SET value=max(value, coalesce((SELECT max(id) FROM rev WHERE at<%lld"
	" AND id NOT IN (SELECT id FROM current)), 0)) WHERE name='floor';"
	"DELETE FROM rev WHERE id<=(SELECT value FROM fact WHERE name='floor')"
	" AND id NOT IN (SELECT id FROM current);";

bool store_compact(Store *store, int64_t keep_ms, Error *err)
{
	autofree char *sql = mem_printf(compact_sql, (long long)(clock_wall_ms() - keep_ms));
	lock_writer(store);
	bool done = begin(store, err);
	if (done && sqlite3_exec(store->writer, sql, NULL, NULL, NULL) != SQLITE_OK)
		done = store_failed(store->writer, "compact", err);
	if (store->in_transaction)
		commit(store);
	pthread_mutex_unlock(&store->write_lock);
	return done;
}
