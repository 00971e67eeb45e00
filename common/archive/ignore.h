/*
 * .gitignore rules for what goes into an artifact (source.md 2 "Ignore", S5-S8): VCS rules lowest,
 * then the defaults (only without any other rule), `.sourceignore` files scoped to their directory,
 * spec.ignore. The last match wins; a file below an excluded directory may be re-included.
 */
#ifndef ARCHIVE_IGNORE_H
#define ARCHIVE_IGNORE_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/str.h"

typedef struct IgnoreRules IgnoreRules;

/* Only the VCS rules. Owned by the caller. */
IgnoreRules *ignore_new(void);

/* No rules at all: those of a Bucket (source.md 2 "Ignore"). Owned by the caller. */
IgnoreRules *ignore_new_empty(void);
void ignore_free(IgnoreRules *rules);
AUTO_POINTER(IgnoreRules, ignore_free, auto_ignore);
#define autoignore __attribute__((cleanup(auto_ignore)))

/* Adds the lines of a .sourceignore found in `dir` ("" is the root), in the order of the walk. */
void ignore_add_file(IgnoreRules *rules, const char *dir, Str text);

/* Adds spec.ignore; NULL is absent. Call after all files. */
void ignore_add_spec(IgnoreRules *rules, const char *text);

/* Adds the default exclusions when no pattern was added so far (S5, S6). Call last. */
void ignore_finish(IgnoreRules *rules);

/* ERR_LIMIT when a pattern has more than 4096 bytes or is the 20,001st: it counts for nothing, and
 * names where it stands. To be asked before the rules are used. */
bool ignore_check(const IgnoreRules *rules, Error *err);

/* True when `path` (relative, without "./") is left out. */
bool ignore_matches(const IgnoreRules *rules, const char *path, bool is_dir);

/* Reads every .sourceignore below dir_fd (".git" skipped), adds spec (or NULL) and finishes. */
IgnoreRules *ignore_of_dir(int dir_fd, const char *spec, Error *err) MUST_USE;

#endif
