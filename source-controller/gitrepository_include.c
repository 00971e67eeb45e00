/*
 * spec.include (S43-S45): parts of other GitRepositories' artifacts in this one's tree. They are
 * read from the storage that all of them share, and a new one wakes those that include it.
 */
#include "gitrepository.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/unpack.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

void git_includes_dispose(GitIncludes *includes)
{
	for (size_t i = 0; i < includes->len; i++)
		artifact_dispose(&includes->items[i].artifact);
	free(includes->items);
	*includes = (GitIncludes){0};
}

/* --- which --- */

static bool find_artifact(Run *run, const char *name, Artifact *out, Error *err)
{
	autojson json_t *peer =
		run_peer_get(run, SOURCE_VERSION, "GitRepository", run_namespace(run), name);
	if (!peer) {
		err_set(err, ERR_NOT_FOUND,
			"could not get resource for include '%s': GitRepository '%s/%s' not found",
			name, run_namespace(run), name);
		return err_reason(err, "NotFound");
	}
	if (artifact_of_json(json_at(peer, "status", "artifact", NULL), out))
		return true;
	err_set(err, ERR_NOT_FOUND, "no artifact available for include '%s'", name);
	return err_reason(err, "NoArtifact");
}

bool gitrepository_includes(Run *run, const GitRepository *repo, GitIncludes *out, Error *err)
{
	autogitincludes GitIncludes includes = {0};
	includes.items = mem_zalloc(json_array_size(repo->include) + 1, sizeof(GitInclude));
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(repo->include), i, item)
	{
		GitInclude *include = &includes.items[includes.len++];
		include->name = json_text_or(json_map(item, "repository"), "name", "");
		include->from = json_text_or(item, "fromPath", "");
		include->to = json_text_or(item, "toPath", "");
		if (!include->to[0])
			include->to = include->name;
		if (!find_artifact(run, include->name, &include->artifact, err))
			return false;
	}
	*out = includes;
	includes = (GitIncludes){0};
	return true;
}

bool git_includes_unchanged(const json_t *object, const GitRepository *repo,
			    const GitIncludes *includes)
{
	const json_t *status = json_map(object, "status");
	const json_t *artifacts = json_list(status, "includedArtifacts");
	const json_t *observed = json_list(status, "observedInclude");
	if (includes->len == 0 && !observed)
		return true;
	if (json_array_size(artifacts) != includes->len || !json_same(observed, repo->include))
		return false;
	for (size_t i = 0; i < includes->len; i++) {
		const Artifact *now = &includes->items[i].artifact;
		const json_t *then = json_array_get(artifacts, i);
		if (!cstr_eq(json_text(then, "revision"), now->revision) ||
		    !cstr_eq(json_text(then, "digest"), now->digest))
			return false;
	}
	return true;
}

void git_includes_observe(json_t *object, const GitRepository *repo, const GitIncludes *includes)
{
	json_t *status = json_make_at(object, "status", NULL);
	if (includes->len == 0) {
		json_object_del(status, "includedArtifacts");
		json_object_del(status, "observedInclude");
		return;
	}
	json_t *artifacts = json_array();
	for (size_t i = 0; i < includes->len; i++)
		json_array_append_new(artifacts, artifact_to_json(&includes->items[i].artifact));
	json_object_set_new(status, "includedArtifacts", artifacts);
	json_object_set_new(status, "observedInclude", json_deep_copy(repo->include));
}

/* --- copying --- */

/* The artifact's content in a new directory "include" of `dir`; its path, owned. */
static char *unpack(Run *run, const GitInclude *include, const char *dir, Error *err)
{
	const SourceContext *context = run_context(run);
	bool missing;
	if (!store_verify(context->store, &include->artifact, &missing))
		return err_null(err, ERR_NOT_FOUND, "its artifact is %s",
				missing ? "missing in storage" : "damaged");
	const char *path = include->artifact.path + strspn(include->artifact.path, "/");
	autofd int fd = fd_open_beneath(store_root_fd(context->store), path, O_RDONLY, 0, err);
	autofree char *to = dir_make_temp(dir, "include", err);
	autofd int to_fd = fd < 0 || !to ? -1 : fd_open(to, O_RDONLY | O_DIRECTORY, 0, err);
	UnpackLimits limits = {.refuse_links = true};
	if (to_fd < 0 || !unpack_fd(fd, to_fd, &limits, err))
		return NULL;
	return steal(&to);
}

/* Moves a directory or file to where nothing is yet; a file may take a file's place. */
static bool move(const char *from, const char *to, Error *err)
{
	struct stat st, there;
	if (lstat(from, &st) != 0)
		return err_errno(err, "fromPath");
	autofree char *parent = path_dir(to);
	if (!dir_make(parent, 0700, err))
		return false;
	bool replaces = S_ISREG(st.st_mode) && lstat(to, &there) == 0 && S_ISREG(there.st_mode);
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, replaces ? 0 : RENAME_NOREPLACE) == 0)
		return true;
	if (errno == EEXIST)
		return err_set(err, ERR_EXISTS, "toPath exists already");
	return err_errno(err, "move into the work tree");
}

static bool place(Run *run, const GitInclude *include, const char *dir, Error *err)
{
	autofree char *parent = path_dir(dir);
	autotempdir char *unpacked = unpack(run, include, parent, err);
	if (!unpacked)
		return false;
	/* No link is in either tree: lexical confinement is enough (S45). */
	autofree char *from = path_confine(unpacked, include->from);
	autofree char *to = path_confine(dir, include->to);
	return move(from, to, err);
}

bool git_includes_place(Run *run, const GitIncludes *includes, const char *dir, Error *err)
{
	for (size_t i = 0; i < includes->len; i++) {
		const GitInclude *include = &includes->items[i];
		if (place(run, include, dir, err))
			continue;
		err_wrap(err, "failed to copy '%s' include from %s to %s", include->name,
			 include->from, include->to);
		return err_reason(err, "CopyFailure");
	}
	return true;
}

/* --- waking --- */

static char *index_key(const char *ns, const char *name)
{
	return mem_printf("include/%s/%s", ns, name);
}

void gitrepository_index(const json_t *object, IndexAdd *add, void *arg)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(json_map(object, "spec"), "include"), i, item)
	{
		const char *name = json_text_or(json_map(item, "repository"), "name", "");
		autofree char *key = index_key(object_namespace(object), name);
		add(arg, key);
	}
}

/* Only a new artifact wakes; upstream's dependents find it at their next interval (source.md 3). */
void gitrepository_changed(Manager *manager, const Kind *kind, const char *ns, const char *name,
			   const json_t *object)
{
	SourceContext *context = manager_context(manager);
	const json_t *artifact = json_at(object, "status", "artifact", NULL);
	const char *digest = json_text(artifact, "digest");
	autofree char *key = index_key(ns, name);
	autofree char *now =
		digest ? mem_printf("%s %s", json_text_or(artifact, "revision", ""), digest) : NULL;
	if (source_is_new(context, key, now))
		manager_enqueue_indexed(manager, kind, key);
}
