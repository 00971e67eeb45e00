/*
 * Writes, with group commit. A writer makes its object's text, with a hole for the resourceVersion,
 * and queues it; when nobody leads, it leads: takes all that is queued, runs it as one transaction,
 * publishes, and tells the others. Who comes meanwhile is the next batch, which one of them leads.
 */
#include "store_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

enum { BATCH_MAX = 64 };

/* One writer's row, on its stack. */
struct StoreWrite {
	StoreWrite *next;
	const StoreKey *key;
	ChangeType type;
	uint64_t expected; /* the newest RV that the writer saw; 0: none */
	json_t *object, *previous;
	Buf text;	     /* the object's */
	size_t rv_at;	     /* where in it the resourceVersion goes */
	uint64_t rv;	     /* given */
	bool decided;	     /* under queue_lock: err says how */
	Error *err;	     /* the writer's */
	pthread_cond_t wake; /* decided, or to lead */
};

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

/* The text with an empty resourceVersion; outside of any lock. */
static void make_text(StoreWrite *write)
{
	json_t *rv = json_string("");
	json_object_set_new(json_make_at(write->object, "metadata", NULL), "resourceVersion", rv);
	json_write_noting(write->object, rv, &write->text, &write->rv_at);
	write->rv_at++; /* the quote */
}

static void give_rv(Store *store, StoreWrite *write)
{
	char digits[24];
	write->rv = ++store->last_rv;
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)write->rv);
	size_t len = strlen(digits);
	buf_reserve(&write->text, len);
	char *at = write->text.ptr + write->rv_at;
	memmove(at + len, at, write->text.len - write->rv_at + 1);
	memcpy(at, digits, len);
	write->text.len += len;
	json_object_set_new(json_map(write->object, "metadata"), "resourceVersion",
			    json_string(digits));
}

static bool append(Store *store, StoreWrite *write, Error *err)
{
	give_rv(store, write);
	store_recent_write(store->recent, write->key, NULL, 0);
	sqlite3_stmt *statement = store->writes[WRITE_REV];
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)write->rv);
	bind_key(statement, 2, write->key);
	sqlite3_bind_int(statement, 5, (int)write->type);
	sqlite3_bind_int64(statement, 6, (sqlite3_int64)write->expected);
	sqlite3_bind_int64(statement, 7, clock_wall_ms());
	sqlite3_bind_text(statement, 8, write->text.ptr, (int)write->text.len, SQLITE_STATIC);
	if (!run(store, WRITE_REV, err))
		return false;
	WriteStatement which = write->type == CHANGE_DELETED ? WRITE_DROP : WRITE_KEY;
	bind_key(store->writes[which], 1, write->key);
	if (which == WRITE_KEY)
		sqlite3_bind_int64(store->writes[which], 4, (sqlite3_int64)write->rv);
	return run(store, which, err);
}

/* Adds each row whose writer saw the newest state. False when the transaction cannot go on. */
static bool append_all(Store *store, StoreWrite *batch, Error *err)
{
	for (StoreWrite *write = batch; write; write = write->next) {
		if (check(newest(store, write->key), write->expected, write->err) &&
		    !append(store, write, err))
			return false;
	}
	return true;
}

static Change *change_of(StoreWrite *write)
{
	const StoreKey *key = write->key;
	Change *change = mem_zalloc(1, sizeof(*change));
	*change = (Change){write->rv,
			   write->type,
			   mem_strdup(key->resource),
			   mem_strdup(key->ns),
			   mem_strdup(key->name),
			   json_incref(write->object),
			   json_incref(write->previous),
			   mem_strndup(write->text.ptr, write->text.len)};
	return change;
}

static void publish_all(Store *store, StoreWrite *batch)
{
	for (StoreWrite *write = batch; write; write = write->next) {
		if (err_is_set(write->err))
			continue;
		/* Of a deletion too: somebody may have read the old state just before the COMMIT.
		 */
		bool gone = write->type == CHANGE_DELETED;
		store_recent_write(store->recent, write->key, gone ? NULL : write->text.ptr,
				   gone ? 0 : write->text.len);
		if (store->publish)
			store->publish(store->publish_arg, change_of(write));
	}
}

/* A failed statement or commit is that of all. */
static void lose_all(Store *store, StoreWrite *batch, const Error *cause)
{
	sqlite3_exec(store->writer, "ROLLBACK", NULL, NULL, NULL);
	for (StoreWrite *write = batch; write; write = write->next)
		if (!err_is_set(write->err))
			err_set(write->err, ERR_IO, "%s", err_text(cause));
}

bool store_execute(Store *store, const char *sql, Error *err)
{
	if (sqlite3_exec(store->writer, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	return store_failed(store->writer, sql, err);
}

static void commit_batch(Store *store, StoreWrite *batch)
{
	autoerror Error err = {0};
	pthread_mutex_lock(&store->write_lock);
	if (run(store, WRITE_BEGIN, &err) && append_all(store, batch, &err) &&
	    run(store, WRITE_COMMIT, &err))
		publish_all(store, batch);
	else
		lose_all(store, batch, &err);
	pthread_mutex_unlock(&store->write_lock);
}

/* Up to BATCH_MAX rows off the queue, under its lock. */
static StoreWrite *take_batch(Store *store)
{
	StoreWrite *batch = store->queue;
	StoreWrite *last = batch;
	for (size_t i = 1; last && last->next && i < BATCH_MAX; i++)
		last = last->next;
	store->queue = last ? last->next : NULL;
	if (last)
		last->next = NULL;
	if (!store->queue)
		store->queue_end = &store->queue;
	return batch;
}

/* With queue_lock held, which is given up meanwhile. */
static void lead(Store *store)
{
	store->leading = true;
	StoreWrite *batch = take_batch(store);
	pthread_mutex_unlock(&store->queue_lock);
	commit_batch(store, batch);
	pthread_mutex_lock(&store->queue_lock);
	store->leading = false;
	for (StoreWrite *write = batch; write; write = write->next) {
		write->decided = true;
		pthread_cond_signal(&write->wake);
	}
}

static bool write_one(Store *store, StoreWrite *write, char **out_text)
{
	make_text(write);
	pthread_cond_init(&write->wake, NULL);
	pthread_mutex_lock(&store->queue_lock);
	*store->queue_end = write;
	store->queue_end = &write->next;
	while (!write->decided) {
		if (store->leading)
			pthread_cond_wait(&write->wake, &store->queue_lock);
		else
			lead(store);
	}
	/* Who came meanwhile waits for somebody to lead. */
	if (store->queue && !store->leading)
		pthread_cond_signal(&store->queue->wake);
	pthread_mutex_unlock(&store->queue_lock);
	pthread_cond_destroy(&write->wake);
	bool done = !err_is_set(write->err);
	if (done && out_text)
		*out_text = buf_steal(&write->text);
	buf_dispose(&write->text);
	return done;
}

bool store_create(Store *store, const StoreKey *key, json_t *object, char **out_text, Error *err)
{
	StoreWrite write = {.key = key, .type = CHANGE_ADDED, .object = object, .err = err};
	return write_one(store, &write, out_text);
}

static bool replace(Store *store, ChangeType type, const StoreKey *key, json_t *object,
		    json_t *previous, char **out_text, Error *err)
{
	StoreWrite write = {.key = key,
			    .type = type,
			    .expected = object_rv(previous),
			    .object = object,
			    .previous = previous,
			    .err = err};
	return write_one(store, &write, out_text);
}

bool store_update(Store *store, const StoreKey *key, json_t *object, json_t *previous,
		  char **out_text, Error *err)
{
	return replace(store, CHANGE_MODIFIED, key, object, previous, out_text, err);
}

bool store_delete(Store *store, const StoreKey *key, json_t *object, json_t *previous, Error *err)
{
	return replace(store, CHANGE_DELETED, key, object, previous, NULL, err);
}
