/*
 * Command-line flags from one table: parsing, environment, --help, completion. Accepts
 * --name=value, --name value, and for booleans --name. An unknown flag is an error (S103).
 */
#ifndef CTRL_FLAGS_H
#define CTRL_FLAGS_H

#include <stdio.h>

#include "base/error.h"
#include "base/vec.h"

typedef enum {
	FLAG_TEXT,     /* const char * */
	FLAG_BOOL,     /* bool */
	FLAG_INT,      /* int */
	FLAG_DURATION, /* int64_t milliseconds */
	FLAG_LIST,     /* Vec of owned strings: commas split, repeats add */
} FlagType;

/* One row: where the value goes in the options struct is `offset` (offsetof). */
typedef struct {
	const char *name;
	FlagType type;
	size_t offset;
	const char *fallback; /* as text; NULL: zero */
	const char *env; /* environment variable that sets it when the flag is absent, or NULL */
	const char *help;
} Flag;

/* Fills *options (zeroed by the caller) from rows, environment and argv[1..]. Texts are copied and
 * owned by the options; flags_dispose frees them. ERR_INVALID names the flag. */
bool flags_parse(const Flag *rows, size_t count, int argc, char *const *argv, void *options,
		 Error *err) MUST_USE;
void flags_dispose(const Flag *rows, size_t count, void *options);

/* The parts of flags_parse, for a program that reads its command line by itself. *options as above;
 * setting a text or list again replaces or adds. flag_set_fallback takes the environment's value or
 * the row's own. */
bool flag_set(const Flag *flag, void *options, const char *text, Error *err) MUST_USE;
bool flag_set_fallback(const Flag *flag, void *options, Error *err) MUST_USE;
void flag_dispose(const Flag *flag, void *options);

/* "--name type   help (default x)" lines. */
void flags_print_help(const Flag *rows, size_t count, FILE *out);

/* The same for a manual page. */
void flags_print_man(const Flag *rows, size_t count, FILE *out);

#endif
