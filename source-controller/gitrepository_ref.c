/*
 * spec.ref to a commit: commit > name > tag > semver > branch > master (S25). One listing of the
 * references that matter; nothing is fetched to find out that nothing moved (S28).
 */
#include "gitrepository.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "data/regex.h"
#include "data/semver.h"

enum { MAX_TIES = 20 };

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

/* `hint`: what the user may have missed, or NULL. */
static bool no_reference(const char *name, const char *hint, Error *err)
{
	return err_set(err, ERR_NOT_FOUND, "couldn't find remote ref \"%s\"%s%s", name,
		       hint ? ": " : "", hint ? hint : "");
}

/* The reference of that full name; "^{}" behind a tag's, which upstream's users write, asks for the
 * commit that is meant anyway. */
static bool by_name(GitRemote *remote, const char *name, const char *shown, GitTarget *out,
		    Error *err)
{
	autogitrefs GitRefs refs = {0};
	bool peeled = cstr_starts(name, "refs/tags/") && cstr_ends(name, "^{}");
	autofree char *full = mem_strndup(name, strlen(name) - (peeled ? 3 : 0));
	const char *const prefixes[] = {full, NULL};
	if (!git_remote_list(remote, prefixes, &refs, err))
		return false;
	const GitRef *ref = git_refs_find(&refs, full);
	if (!ref && !cstr_starts(full, "refs/"))
		return no_reference(full, "a name is a whole one, as refs/heads/main is", err);
	if (!ref)
		return no_reference(full, NULL, err);
	set_target(out, ref, shown);
	return true;
}

/* Only a branch that is not there may mean an empty repository (S27). */
static bool by_branch(GitRemote *remote, const GitRepository *repo, GitTarget *out, Error *err)
{
	const char *branch = repo->branch ? repo->branch : "master";
	const char *hint = repo->branch ? NULL : "spec.ref names no branch, so it is master";
	autogitrefs GitRefs refs = {0};
	autofree char *full = mem_printf("refs/heads/%s", branch);
	const char *const prefixes[] = {full, NULL};
	if (!git_remote_list(remote, prefixes, &refs, err))
		return false;
	const GitRef *ref = git_refs_find(&refs, full);
	if (!ref)
		return is_empty(remote) ? empty_repository(err) : no_reference(full, hint, err);
	set_target(out, ref, branch);
	return true;
}

/* --- semver --- */

/* The tags of the highest version: more than one when they differ in build metadata or spelling. */
typedef struct {
	const GitRef *refs[MAX_TIES]; /* the last ones of the listing when there are more */
	size_t count;
	Semver version;
} Highest;

static void highest_dispose(Highest *highest)
{
	semver_dispose(&highest->version);
}

/* Moves *take_version when it becomes the highest. */
static void consider(Highest *highest, const GitRef *ref, Semver *take_version)
{
	int order = highest->count ? semver_compare(take_version, &highest->version) : 1;
	if (order < 0)
		return;
	if (order > 0) {
		semver_dispose(&highest->version);
		highest->version = *take_version;
		*take_version = (Semver){0};
		highest->count = 0;
	}
	if (highest->count == MAX_TIES) {
		memmove(highest->refs, highest->refs + 1,
			sizeof(highest->refs[0]) * (MAX_TIES - 1));
		highest->count--;
	}
	highest->refs[highest->count++] = ref;
}

/* The tag whose commit is the youngest; of equal ones the last. NULL with err. */
static const GitRef *youngest(const GitAuth *auth, GitRemote *remote, const GitRepository *repo,
			      const Highest *highest, Error *err)
{
	const GitRef *best = NULL;
	int64_t best_s = 0;
	if (highest->count == 1)
		return highest->refs[0];
	autogitlease GitLease *lease = git_auth_lease(auth, repo->url, err);
	for (size_t i = 0; lease && i < highest->count; i++) {
		autogittarget GitTarget target = {0};
		autogitcommit GitCommit commit = {0};
		set_target(&target, highest->refs[i], "");
		if (!gitrepository_fetch(remote, &target, lease, err) ||
		    !git_store_commit(git_lease_store(lease), target.hash, &commit, err))
			return NULL;
		if (!best || commit.time_s >= best_s) {
			best = highest->refs[i];
			best_s = commit.time_s;
		}
	}
	return best;
}

static bool by_semver(const GitAuth *auth, GitRemote *remote, const GitRepository *repo,
		      GitTarget *out, Error *err)
{
	enum { PREFIX = sizeof("refs/tags/") - 1 };
	autosemverrange SemverRange *range = semver_range_new(repo->semver, err);
	if (!range)
		return err_wrap(err, "semver '%s'", repo->semver);
	autogitrefs GitRefs refs = {0};
	if (!git_remote_list(remote, (const char *const[]){"refs/tags/", NULL}, &refs, err))
		return false;
	__attribute__((cleanup(highest_dispose))) Highest highest = {0};
	for (size_t i = 0; i < refs.len; i++) {
		autosemver Semver version = {0};
		if (strlen(refs.items[i].name) > PREFIX &&
		    semver_parse_tag(refs.items[i].name + PREFIX, &version) &&
		    semver_range_matches(range, &version))
			consider(&highest, &refs.items[i], &version);
	}
	if (!highest.count)
		return err_set(err, ERR_NOT_FOUND, "no match found for semver: %s", repo->semver);
	const GitRef *best = youngest(auth, remote, repo, &highest, err);
	if (!best)
		return false;
	set_target(out, best, best->name + PREFIX);
	return true;
}

static bool by_commit(const GitRepository *repo, GitTarget *out, Error *err)
{
	autoregex Regex *hex = regex_new("[0-9a-fA-F]{40}", REGEX_ANCHORED, err);
	if (!hex)
		return false;
	if (!regex_matches(hex, repo->commit, strlen(repo->commit)))
		return err_set(err, ERR_INVALID, "commit \"%s\" is not 40 hex digits",
			       repo->commit);
	for (size_t i = 0; i < GIT_HASH_SIZE; i++)
		out->hash[i] = (char)tolower((unsigned char)repo->commit[i]);
	memcpy(out->object, out->hash, GIT_HASH_SIZE);
	if (repo->branch) {
		out->ref = mem_printf("refs/heads/%s", repo->branch);
		out->revision = mem_printf("%s@sha1:%s", repo->branch, out->hash);
	} else {
		out->revision = mem_printf("sha1:%s", out->hash);
	}
	return true;
}

bool gitrepository_resolve(const GitAuth *auth, GitRemote *remote, const GitRepository *repo,
			   GitTarget *out, Error *err)
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
		return by_semver(auth, remote, repo, out, err);
	return by_branch(remote, repo, out, err);
}

bool gitrepository_fetch(GitRemote *remote, const GitTarget *target, GitLease *lease, Error *err)
{
	const GitFetch fetch = {.hash = target->object, .ref = target->ref};
	if (!git_lease_fetch(lease, remote, &fetch, NULL, err))
		return false;
	return git_store_has(git_lease_store(lease), target->hash) ||
	       err_set(err, ERR_NOT_FOUND, "object not found: commit %s", target->hash);
}
