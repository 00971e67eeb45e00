/*
 * Flags of commands that stand in for another tool and take its arguments: what it has and we do
 * not is refused with the reason, or passed over where nothing depends on it.
 */
#ifndef CLI_TOOL_FLAGS_H
#define CLI_TOOL_FLAGS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

typedef enum {
	TOOL_TEXT,     /* const char * */
	TOOL_LIST,     /* Vec of owned texts: one for each time it is given */
	TOOL_COMMAS,   /* the same; each may hold several */
	TOOL_ONCE,     /* const char *; given again it is refused, and empty it is none */
	TOOL_SWITCH,   /* bool */
	TOOL_OPTIONAL, /* const char *: its value only behind "="; "" without one */
	TOOL_IGNORED,  /* those in front are in the help, unless theirs is empty */
	TOOL_IGNORED_SWITCH,
	TOOL_IGNORED_INT, /* the value must be one */
	TOOL_IGNORED_REAL,
	TOOL_IGNORED_DURATION,
	TOOL_REFUSED,	    /* whether its value follows or not */
	TOOL_REFUSED_VALUE, /* once it has its value */
	TOOL_REFUSED_SWITCH,
} ToolFlagKind;

typedef struct {
	const char *name, *letter; /* "--output", "-o"; "" when it has no letter */
	ToolFlagKind kind;
	size_t offset;	  /* in the struct of arguments */
	const char *help; /* or why it is refused */
} ToolFlag;

typedef struct {
	const ToolFlag *rows;
	size_t count;
	const char *needs; /* "an argument": what the tool says that a flag lacks */
} ToolFlags;

/* The lines of --help. */
void tool_flags_help(const ToolFlags *flags, FILE *out);

/* Takes the flag argv[*at], and the argument behind it when that is its value. ERR_INVALID,
 * ERR_UNSUPPORTED for what is refused. */
bool tool_flags_take(const ToolFlags *flags, int argc, char **argv, int *at, void *out_arguments,
		     Error *err) MUST_USE;

/* Frees what lists hold. */
void tool_flags_dispose(const ToolFlags *flags, void *arguments);

#endif
