/*
 * Reads of the store, all on the reader connection: one read transaction per listing, so that items
 * and RV are of one moment. SQL is put together from fixed parts only; values are bound.
 */
#include "store_internal.h"

#include <string.h>

#include "base/mem.h"

static uint64_t read_number(Store *store, ReadStatement which)
{
	sqlite3_stmt *statement = store->reads[which];
	uint64_t value = sqlite3_step(statement) == SQLITE_ROW
				 ? (uint64_t)sqlite3_column_int64(statement, 0)
				 : 0;
	sqlite3_reset(statement);
	return value;
}

uint64_t store_rv(Store *store)
{
	pthread_mutex_lock(&store->read_lock);
	uint64_t rv = read_number(store, READ_RV);
	pthread_mutex_unlock(&store->read_lock);
	return rv;
}

/* The newest text as the database has it, owned; NULL with err unset when there is none. */
static char *read_one(Store *store, const StoreKey *key, size_t *out_len, Error *err)
{
	char *text = NULL;
	pthread_mutex_lock(&store->read_lock);
	sqlite3_stmt *statement = store->reads[READ_ONE];
	store_bind(statement, 1, key->resource);
	store_bind(statement, 2, key->ns);
	store_bind(statement, 3, key->name);
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW) {
		*out_len = (size_t)sqlite3_column_bytes(statement, 0);
		text = mem_strndup((const char *)sqlite3_column_text(statement, 0), *out_len);
	} else if (step != SQLITE_DONE) {
		store_failed(store->reader, "read", err);
	}
	sqlite3_reset(statement);
	pthread_mutex_unlock(&store->read_lock);
	return text;
}

json_t *store_get(Store *store, const StoreKey *key, Error *err)
{
	size_t len = 0;
	uint32_t writes = 0;
	autofree char *text = store_recent_get(store->recent, key, &len, &writes);
	if (text)
		return json_parse(text, len, len, err);
	text = read_one(store, key, &len, err);
	if (!text && !err_is_set(err))
		return err_null(err, ERR_NOT_FOUND, "%s %s is not there", key->resource, key->name);
	if (!text)
		return NULL;
	store_recent_read(store->recent, key, text, len, writes);
	return json_parse(text, len, len, err);
}

/* The newest revision of each key, now or at a snapshot: what is still current, and what the first
 * change after the snapshot superseded. */
static const char from_now[] = " FROM newest c JOIN rev r ON r.id=c.id WHERE c.gr=?1";
static const char from_then[] =
	" FROM (SELECT id, ns, name FROM newest WHERE gr=?1 AND id<=?6 UNION ALL"
	" SELECT prev, ns, name FROM rev WHERE id>?6 AND gr=?1 AND prev BETWEEN 1 AND ?6) c"
	" JOIN rev r ON r.id=c.id WHERE true";

static sqlite3_stmt *query_prepare(Store *store, const char *columns, const StoreQuery *query,
				   Error *err)
{
	autobuf Buf sql = {0};
	buf_printf(&sql, "SELECT %s%s", columns, query->at ? from_then : from_now);
	if (query->ns)
		buf_puts(&sql, " AND c.ns=?2");
	if (query->after_name)
		buf_puts(&sql, " AND (c.ns, c.name)>(?3, ?4)");
	buf_puts(&sql, " ORDER BY c.ns, c.name");
	if (query->limit)
		buf_puts(&sql, " LIMIT ?5");
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(store->reader, buf_text(&sql), -1, &statement, NULL) != SQLITE_OK) {
		store_failed(store->reader, "prepare", err);
		return NULL;
	}
	store_bind(statement, 1, query->resource);
	if (query->ns)
		store_bind(statement, 2, query->ns);
	if (query->after_name) {
		store_bind(statement, 3, query->after_ns);
		store_bind(statement, 4, query->after_name);
	}
	if (query->limit)
		sqlite3_bind_int64(statement, 5, (sqlite3_int64)query->limit);
	if (query->at)
		sqlite3_bind_int64(statement, 6, (sqlite3_int64)query->at);
	return statement;
}

static bool list_rows(Store *store, const StoreQuery *query, StoreVisit *visit, void *arg,
		      Error *err)
{
	sqlite3_stmt *statement = query_prepare(store, "c.ns, c.name, r.obj", query, err);
	if (!statement)
		return false;
	int step;
	bool more = true;
	while (more && (step = sqlite3_step(statement)) == SQLITE_ROW)
		more = visit(arg, (const char *)sqlite3_column_text(statement, 0),
			     (const char *)sqlite3_column_text(statement, 1),
			     (const char *)sqlite3_column_text(statement, 2),
			     (size_t)sqlite3_column_bytes(statement, 2));
	bool done = !more || step == SQLITE_DONE;
	if (!done)
		store_failed(store->reader, "list", err);
	sqlite3_finalize(statement);
	return done;
}

static bool check_floor(Store *store, uint64_t at, Error *err)
{
	uint64_t floor = read_number(store, READ_FLOOR);
	if (at == 0 || at >= floor)
		return true;
	return err_set(err, ERR_GONE, "too old resource version: %llu (%llu)",
		       (unsigned long long)at, (unsigned long long)floor);
}

bool store_list(Store *store, const StoreQuery *query, StoreVisit *visit, void *arg,
		uint64_t *out_rv, Error *err)
{
	pthread_mutex_lock(&store->read_lock);
	sqlite3_exec(store->reader, "BEGIN", NULL, NULL, NULL);
	uint64_t rv = query->at ? query->at : read_number(store, READ_RV);
	bool done = check_floor(store, query->at, err) && list_rows(store, query, visit, arg, err);
	sqlite3_exec(store->reader, "COMMIT", NULL, NULL, NULL);
	pthread_mutex_unlock(&store->read_lock);
	if (done && out_rv)
		*out_rv = rv;
	return done;
}

bool store_count(Store *store, const StoreQuery *query, uint64_t *out, Error *err)
{
	pthread_mutex_lock(&store->read_lock);
	sqlite3_stmt *statement = query_prepare(store, "count(*)", query, err);
	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		*out = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&store->read_lock);
	return statement != NULL;
}

static json_t *column_json(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	size_t len = (size_t)sqlite3_column_bytes(statement, column);
	autoerror Error ignored = {0};
	return text ? json_parse(text, len, len, &ignored) : NULL;
}

static Change *column_change(sqlite3_stmt *statement, const char *resource)
{
	Change *change = mem_zalloc(1, sizeof(*change));
	change->rv = (uint64_t)sqlite3_column_int64(statement, 0);
	change->type = (ChangeType)sqlite3_column_int(statement, 1);
	change->resource = mem_strdup(resource);
	change->ns = mem_strdup((const char *)sqlite3_column_text(statement, 2));
	change->name = mem_strdup((const char *)sqlite3_column_text(statement, 3));
	change->object = column_json(statement, 4);
	change->previous = column_json(statement, 5);
	return change;
}

static const char history_sql[] =
	"SELECT r.id, r.op, r.ns, r.name, r.obj, p.obj FROM rev r LEFT JOIN rev p ON p.id=r.prev"
	" WHERE r.id>?1 AND r.id<=?2 AND r.gr=?3 AND (?4 IS NULL OR r.ns=?4) ORDER BY r.id";

static bool history_rows(Store *store, const char *resource, sqlite3_stmt *statement,
			 StoreChangeVisit *visit, void *arg, Error *err)
{
	int step;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW)
		visit(arg, column_change(statement, resource));
	if (step == SQLITE_DONE)
		return true;
	return store_failed(store->reader, "history", err);
}

bool store_history(Store *store, const char *resource, const char *ns, uint64_t after,
		   uint64_t up_to, StoreChangeVisit *visit, void *arg, Error *err)
{
	pthread_mutex_lock(&store->read_lock);
	sqlite3_exec(store->reader, "BEGIN", NULL, NULL, NULL);
	sqlite3_stmt *statement = NULL;
	bool done = check_floor(store, after ? after : 1, err) &&
		    store_prepare(store->reader, history_sql, &statement, err);
	if (done) {
		sqlite3_bind_int64(statement, 1, (sqlite3_int64)after);
		sqlite3_bind_int64(statement, 2, (sqlite3_int64)up_to);
		store_bind(statement, 3, resource);
		if (ns)
			store_bind(statement, 4, ns);
		done = history_rows(store, resource, statement, visit, arg, err);
	}
	sqlite3_finalize(statement);
	sqlite3_exec(store->reader, "COMMIT", NULL, NULL, NULL);
	pthread_mutex_unlock(&store->read_lock);
	return done;
}
