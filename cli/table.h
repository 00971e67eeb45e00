/* Tables on stdout, laid out as `flux` prints them: each cell padded to its column and closed by a
 * tab (the head's last one by a blank); a cell of several lines makes a row of several lines. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/vec.h"

enum { TABLE_COLUMNS = 8 };

/* A table is filled cell by cell, head first when it has one, printed, cleared, and filled again
 * for the next rows (a watch): columns only grow wider. Starts as {.columns = N, .has_head = ...}.
 */
typedef struct {
	Vec cells; /* owned strings, row by row */
	size_t columns;
	size_t widths[TABLE_COLUMNS];
	bool has_head; /* the first row is the head */
} Table;

/* Adds a copy of the text. Control characters, which could steer a terminal, become '?'. */
void table_add(Table *table, const char *text);
void table_add_take(Table *table, char *take_text);

/* Prints head and rows, buffered. */
void table_print(Table *table, FILE *out);

/* The same for a watch: at once, and clears. False with errno when it could not be written. */
bool table_print_now(Table *table, FILE *out, int *out_errno);

/* True when nothing failed, or only because the reader went away, which is no error. */
bool table_check_written(int write_errno, Error *err);

/* Forgets the cells, the head too, and keeps the widths. */
void table_clear(Table *table);
void table_dispose(Table *table);
#define autotable __attribute__((cleanup(table_dispose)))

/* How many columns of a terminal a text of UTF-8 takes. */
size_t table_width(const char *text, size_t len);

#endif
