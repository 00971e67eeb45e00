/* What store.c (writes, life) and store_read.c (reads) share. */
#ifndef APISERVER_STORE_INTERNAL_H
#define APISERVER_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "base/vec.h"
#include "store.h"

typedef enum { READ_ONE, READ_RV, READ_FLOOR, READ_COUNT_STATEMENTS } ReadStatement;
typedef enum {
	WRITE_REV,
	WRITE_KEY,
	WRITE_DROP,
	WRITE_NEWEST,
	WRITE_COUNT_STATEMENTS
} WriteStatement;

/* What came of one writer's row. */
typedef enum { WRITE_OPEN, WRITE_COMMITTED, WRITE_LOST } WriteOutcome;

struct Store {
	pthread_mutex_t write_lock; /* guards the block below */
	pthread_cond_t committed;
	sqlite3 *writer;
	sqlite3_stmt *writes[WRITE_COUNT_STATEMENTS];
	uint64_t last_rv;      /* newest given out */
	uint64_t committed_rv; /* newest durable */
	bool in_transaction;
	Vec batch;   /* of Change *, not committed yet */
	Vec tickets; /* of WriteOutcome *, on the stacks of the writers of the batch */
	StorePublish *publish;
	void *publish_arg;

	int waiting; /* writers that wait for write_lock; atomic */

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

#endif
