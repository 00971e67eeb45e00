/*
 * How two states of an object differ, for people: a block for each path, with what was added (+),
 * removed (-) or changed (±). Control characters of values never reach the terminal.
 */
#ifndef CLI_DIFF_REPORT_H
#define CLI_DIFF_REPORT_H

#include <stdio.h>

#include "data/json.h"

typedef enum { DIFF_PLAIN, DIFF_ADDED, DIFF_REMOVED, DIFF_CHANGED, DIFF_NOTE, DIFF_PATH } DiffColor;

typedef struct {
	bool colors; /* for a terminal */
} DiffStyle;

/* "► WHAT TEXT" */
void diff_print_line(FILE *out, const DiffStyle *style, DiffColor color, const char *what,
		     const char *text);

/* "📁 WHAT TEXT": what follows is below it. */
void diff_print_heading(FILE *out, const DiffStyle *style, const char *what, const char *text);

/* The blocks, with an empty line before the first and after each. */
void diff_print(FILE *out, const DiffStyle *style, const json_t *before, const json_t *after);

/* --- diff_text.c --- */

/* One line behind `mark`, indented, in the color. */
void diff_put(FILE *out, const DiffStyle *style, DiffColor color, const char *mark, Str line);

/* Two texts of several lines, by lines, with a few around each change. Texts of very many lines are
 * only counted. */
void diff_print_text(FILE *out, const DiffStyle *style, Str before, Str after);

#endif
