/*
 * Regular expressions with RE2's syntax (no look-around, no back-references: those are refused),
 * run by PCRE2 with match and depth limits, so that no pattern hangs a daemon.
 */
#ifndef DATA_REGEX_H
#define DATA_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"

typedef struct Regex Regex;

typedef enum {
	REGEX_SEARCH = 0,   /* a match anywhere */
	REGEX_ANCHORED = 1, /* as ^(?:pattern)$ */
	REGEX_ICASE = 2,
} RegexFlags;

/* ERR_INVALID names the pattern and what is wrong. Immutable afterwards, so any thread may use it.
 */
Regex *regex_new(const char *pattern, int flags, Error *err) MUST_USE;
void regex_free(Regex *regex);
AUTO_POINTER(Regex, regex_free, auto_regex);
#define autoregex __attribute__((cleanup(auto_regex)))

/* False when there is no match; also when a limit was hit. */
bool regex_matches(const Regex *regex, const char *text, size_t len);

/* Capture groups: spans[2i], spans[2i+1] are start and end of group i (0 is all), -1 when unset;
 * `count` pairs at most are written. False without a match. Starts at byte `from`. */
bool regex_find(const Regex *regex, const char *text, size_t len, size_t from, long *spans,
		size_t count);

/* Index of a named group, or 0. */
int regex_group(const Regex *regex, const char *name);

#endif
