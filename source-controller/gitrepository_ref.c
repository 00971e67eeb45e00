/*
 * spec.ref to a commit: commit > name > tag > semver > branch > master (S25). One listing of the
 * references that matter; nothing is fetched to find out that nothing moved (S28).
 */
#include "gitrepository.h"

#include <string.h>

#include "base/mem.h"
#include "data/regex.h"
#include "data/semver.h"

void git_target_dispose(GitTarget *target)
{
	free(target->ref);
	free(target->revision);
}

static void set_target(GitTarget *out, const GitRef *ref, const char *shown)
{
	const char *commit = ref->peeled[0] ? ref->peeled : ref->hash;
	memcpy(out->hash, commit, GIT_HASH_SIZE);
	memcpy(out->object, ref->hash, GIT_HASH_SIZE);
	out->ref = mem_strdup(ref->name);
	out->revision = mem_printf("%s@sha1:%s", shown, commit);
}

static bool empty_repository(Error *err)
{
	err_set(err, ERR_INVALID, "git repository is empty");
	return err_reason(err, "EmptyGitRepository");
}

/* Whether the remote has nothing at all, to tell "empty" from "no such branch" (S26, S27). */
static bool is_empty(GitRemote *remote)
{
	autoerror Error ignored = {0};
	autogitrefs GitRefs all = {0};
	return git_remote_list(remote, NULL, &all, &ignored) && all.len == 0;
}

/* The reference of that full name. */
static bool by_name(GitRemote *remote, const char *full, const char *shown, GitTarget *out,
		    Error *err)
{
	autogitrefs GitRefs refs = {0};
	const char *const prefixes[] = {full, NULL};
	if (!git_remote_list(remote, prefixes, &refs, err))
		return false;
	const GitRef *ref = git_refs_find(&refs, full);
	if (!ref)
		return is_empty(remote) ? empty_repository(err)
					: err_set(err, ERR_NOT_FOUND,
						  "couldn't find remote ref \"%s\"", full);
	set_target(out, ref, shown);
	return true;
}

static bool by_semver(GitRemote *remote, const char *text, GitTarget *out, Error *err)
{
	enum { PREFIX = sizeof("refs/tags/") - 1 };
	autosemverrange SemverRange *range = semver_range_new(text, err);
	if (!range)
		return err_wrap(err, "semver '%s'", text);
	autogitrefs GitRefs refs = {0};
	if (!git_remote_list(remote, (const char *const[]){"refs/tags/", NULL}, &refs, err))
		return false;
	const GitRef *best = NULL;
	autosemver Semver best_version = {0};
	for (size_t i = 0; i < refs.len; i++) {
		autosemver Semver version = {0};
		if (strlen(refs.items[i].name) <= PREFIX ||
		    !semver_parse_tag(refs.items[i].name + PREFIX, &version) ||
		    !semver_range_matches(range, &version) ||
		    (best && semver_compare(&version, &best_version) < 0))
			continue;
		best = &refs.items[i];
		semver_dispose(&best_version);
		best_version = version;
		version = (Semver){0};
	}
	if (!best)
		return err_set(err, ERR_NOT_FOUND, "no match found for semver: %s", text);
	set_target(out, best, best->name + PREFIX);
	return true;
}

static bool by_commit(const GitRepository *repo, GitTarget *out, Error *err)
{
	autoregex Regex *hex = regex_new("[0-9a-f]{40}", REGEX_ANCHORED, err);
	if (!hex)
		return false;
	if (!regex_matches(hex, repo->commit, strlen(repo->commit)))
		return err_set(err, ERR_INVALID, "commit \"%s\" is not 40 hex digits",
			       repo->commit);
	memcpy(out->hash, repo->commit, GIT_HASH_SIZE);
	memcpy(out->object, repo->commit, GIT_HASH_SIZE);
	if (repo->branch) {
		out->ref = mem_printf("refs/heads/%s", repo->branch);
		out->revision = mem_printf("%s@sha1:%s", repo->branch, repo->commit);
	} else {
		out->revision = mem_printf("sha1:%s", repo->commit);
	}
	return true;
}

bool gitrepository_resolve(GitRemote *remote, const GitRepository *repo, GitTarget *out, Error *err)
{
	if (repo->commit)
		return by_commit(repo, out, err);
	if (repo->name)
		return by_name(remote, repo->name, repo->name, out, err);
	if (repo->tag) {
		autofree char *full = mem_printf("refs/tags/%s", repo->tag);
		return by_name(remote, full, repo->tag, out, err);
	}
	if (repo->semver)
		return by_semver(remote, repo->semver, out, err);
	const char *branch = repo->branch ? repo->branch : "master";
	autofree char *full = mem_printf("refs/heads/%s", branch);
	return by_name(remote, full, branch, out, err);
}

bool gitrepository_fetch(GitRemote *remote, const GitTarget *target, GitLease *lease, Error *err)
{
	autoerror Error refused = {0};
	GitFetch fetch = {.hash = target->object, .ref = target->ref};
	if (!git_lease_fetch(lease, remote, &fetch, NULL, &refused)) {
		/* A server that gives no bare hashes gives the branch with all its history. */
		if (refused.code != ERR_NOT_FOUND || !target->ref)
			return err_move(err, &refused);
		fetch.deep = true;
		if (!git_lease_fetch(lease, remote, &fetch, NULL, err))
			return false;
	}
	return git_store_has(git_lease_store(lease), target->hash) ||
	       err_set(err, ERR_NOT_FOUND, "object not found: commit %s", target->hash);
}
