/* Commit and tag objects, parsed from their raw bytes: no store, no library. */
#ifndef GIT_OBJECT_H
#define GIT_OBJECT_H

#include "base/str.h"
#include "git/git.h"

/* Fill *out, but its hash. ERR_INVALID for what is no commit or tag. */
bool git_commit_parse(Str raw, GitCommit *out, Error *err) MUST_USE;
bool git_tag_parse(Str raw, GitCommit *out, Error *err) MUST_USE;

#endif
