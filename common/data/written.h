/*
 * Scalars as they were written. JSON has one form for 1.10 and 1.1, for 0x10 and 16, and a json_t
 * none for 2^64-1; kustomize copies what people wrote and keeps integers below 2^64. A written
 * scalar is a string whose first byte is 0xff, which no text has (texts are UTF-8), and then the
 * plain scalar. Only yaml_parse_written makes them, only where the text would be lost; json_write
 * and yaml_emit write the value that they read as.
 *
 * A string that was quoted has one more byte in its length, a NUL, behind its text: what a patch
 * puts over it is quoted, too. json_string_value does not see it; those who ask for the length do.
 *
 * Whoever hands a tree on settles it first.
 */
#ifndef DATA_WRITTEN_H
#define DATA_WRITTEN_H

#include "data/json.h"

/* What was written; NULL when the value is no written scalar. Borrowed. */
const char *written_text(const json_t *value);

/* The text of a value that is a string and no written scalar; else NULL. Borrowed. */
const char *written_string(const json_t *value);

/* What a written scalar reads as: an integer, a real (also an integer that json_t has no room for),
 * a boolean, a date's RFC 3339 text. The value itself when it is none. Owned. */
json_t *written_value(const json_t *value);

/* What a plain scalar of this text is, as written where JSON would lose that. Owned. */
json_t *written_of(const char *text);

/* True for a string that was quoted in its file. */
bool written_is_quoted(const json_t *value);

/* Makes a string one that was quoted. */
void written_quote(json_t *string);

/* Changes a string's text; it stays quoted if it was. */
void written_set_text(json_t *string, const char *text);

/* Replaces a tree's written scalars by their values and forgets quotes; *tree is an owned
 * reference. */
void written_settle(json_t **tree);

#endif
