/* What store.c (life), store_write.c, store_read.c and store_keep.c (compaction) share. */
#ifndef APISERVER_STORE_INTERNAL_H
#define APISERVER_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "store.h"

typedef enum { READ_ONE, READ_RV, READ_FLOOR, READ_COUNT_STATEMENTS } ReadStatement;
typedef enum {
	WRITE_BEGIN,
	WRITE_COMMIT,
	WRITE_REV,
	WRITE_KEY,
	WRITE_DROP,
	WRITE_NEWEST,
	WRITE_COUNT_STATEMENTS
} WriteStatement;

typedef struct StoreWrite StoreWrite;
typedef struct StoreRecent StoreRecent;

struct Store {
	pthread_mutex_t queue_lock; /* guards the block below */
	StoreWrite *queue;	    /* writes that no batch has taken yet, oldest first */
	StoreWrite **queue_end;
	bool leading; /* somebody commits a batch */

	pthread_mutex_t write_lock; /* guards the block below; taken without queue_lock */
	sqlite3 *writer;
	sqlite3_stmt *writes[WRITE_COUNT_STATEMENTS];
	uint64_t last_rv; /* newest given out */

	StoreRecent *recent;   /* locked inside */
	StorePublish *publish; /* set before the first write */
	void *publish_arg;

	sqlite3 *keeper; /* the keeper's thread alone */
	pthread_t keeper_thread;
	bool keeper_runs;
	pthread_mutex_t keeper_lock; /* guards the block below; after write_lock */
	pthread_cond_t keeper_wake;
	int wal_pages;
	bool keeper_ends;

	pthread_mutex_t read_lock; /* guards the block below */
	sqlite3 *reader;
	sqlite3_stmt *reads[READ_COUNT_STATEMENTS];
};

/* Fills err from the connection's last failure. Returns false. */
bool store_failed(sqlite3 *db, const char *what, Error *err);

/* Prepares into *out; a failure is a bug or a broken file. */
bool store_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, Error *err);

/* Binds text that lives until the statement is reset. */
void store_bind(sqlite3_stmt *statement, int index, const char *text);

/* Runs statements on the writer, under its lock. */
bool store_execute(Store *store, const char *sql, Error *err);

/* --- store_recent.c: the newest states of keys that were in use lately --- */

StoreRecent *store_recent_new(void);
void store_recent_free(StoreRecent *recent);

/* The newest committed text, owned; NULL when it is not known. *out_writes is for
 * store_recent_read. */
char *store_recent_get(StoreRecent *recent, const StoreKey *key, size_t *out_len,
		       uint32_t *out_writes);

/* Keeps what was read of the database after store_recent_get, unless there was a write since. */
void store_recent_read(StoreRecent *recent, const StoreKey *key, const char *text, size_t len,
		       uint32_t writes);

/* A write: with NULL before its COMMIT, so that nobody gets the old state after it, and with the
 * new text, or NULL when it was deleted, behind. */
void store_recent_write(StoreRecent *recent, const StoreKey *key, const char *text, size_t len);

/* --- store_keep.c --- */

void store_keeper_start(Store *store);
void store_keeper_stop(Store *store);

#endif
