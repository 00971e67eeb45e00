/* Submodules as a commit names them: .gitmodules (gitmodules(5)) and its URLs. All hostile. */
#ifndef GIT_MODULES_H
#define GIT_MODULES_H

#include "base/error.h"
#include "base/str.h"

/* One section; texts owned. */
typedef struct {
	char *path; /* where the work tree has it: relative, clean */
	char *url;  /* as written */
} GitModuleSpec;

typedef struct {
	GitModuleSpec *items;
	size_t len;
} GitModules;

void git_modules_dispose(GitModules *modules);
#define autogitmodules __attribute__((cleanup(git_modules_dispose)))

/* Reads .gitmodules. Sections without path or URL are left out. ERR_INVALID for bad syntax, for a
 * path that leaves the tree or enters .git, for an URL that looks like an option (CVE-2018-17456);
 * ERR_LIMIT for too many. */
bool git_modules_parse(Str text, GitModules *out, Error *err) MUST_USE;

/* The one at `path`, or NULL. */
const GitModuleSpec *git_modules_find(const GitModules *modules, const char *path);

/*
 * A submodule's URL in full: "./" and "../" are resolved against the parent's URL, "user@host:path"
 * becomes ssh. ERR_INVALID for schemes other than http, https and ssh (ext::, file, git) and for
 * what climbs out of the parent's path. Owned; userinfo of the parent does not come along.
 */
char *git_module_url(const char *parent, const char *url, Error *err) MUST_USE;

#endif
