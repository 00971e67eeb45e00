/*
 * The reconcile of a GitRepository: storage, credentials, includes, resolve, nothing moved?, fetch,
 * verify, pack, announce. Everything is a step that either goes on or fails with one condition.
 */
#include "gitrepository.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/visible.h"
#include "data/duration.h"
#include "net/url.h"

static const char *const order[] = {
	"StorageOperationFailed",
	"FetchFailed",
	"IncludeUnavailable",
	"ArtifactOutdated",
	"ArtifactInStorage",
	"SourceVerified",
	"Stalled",
	"Reconciling",
	NULL,
};

/* An empty text is none: templates of manifests leave such behind. */
static const char *given(const json_t *map, const char *key)
{
	const char *text = json_text(map, key);
	return cstr_empty(text) ? NULL : text;
}

void gitrepository_parse(const json_t *object, GitRepository *out)
{
	const json_t *spec = json_map(object, "spec"), *ref = json_map(spec, "ref");
	*out = (GitRepository){
		.url = json_text_or(spec, "url", ""),
		.interval_ms = duration_ms_or(json_text(spec, "interval"), 60000),
		.timeout_ms = duration_ms_or(json_text(spec, "timeout"), 60000),
		.provider = json_text_or(spec, "provider", "generic"),
		.service_account = given(spec, "serviceAccountName"),
		.secret_name = json_text_at(spec, "secretRef", "name", NULL),
		.proxy_secret_name = json_text_at(spec, "proxySecretRef", "name", NULL),
		.branch = given(ref, "branch"),
		.tag = given(ref, "tag"),
		.semver = given(ref, "semver"),
		.name = given(ref, "name"),
		.commit = given(ref, "commit"),
		.ignore = json_text(spec, "ignore"),
		.sparse = json_list(spec, "sparseCheckout"),
		.include = json_list(spec, "include"),
		.verify = json_map(spec, "verify"),
		.submodules = json_flag(spec, "recurseSubmodules", false),
	};
}

static bool check_url(Run *run, const GitRepository *repo, Error *err)
{
	autourl Url url = {0};
	autoerror Error cause = {0};
	if (url_parse(repo->url, &url, &cause) &&
	    (cstr_eq(url.scheme, "http") || cstr_eq(url.scheme, "https") ||
	     cstr_eq(url.scheme, "ssh")))
		return true;
	autofree char *shown = url_redacted(repo->url);
	err_set(err, ERR_INVALID, "failed to parse url '%s': %s", shown,
		err_is_set(&cause) ? err_text(&cause) : "scheme must be http, https or ssh");
	return source_fail(run, "FetchFailed", "URLInvalid", err);
}

/* The inputs beside the commit that the stored artifact was made from. */
static bool inputs_unchanged(const json_t *object, const GitRepository *repo,
			     const GitIncludes *includes)
{
	const json_t *status = json_map(object, "status");
	const json_t *sparse = json_list(status, "observedSparseCheckout");
	bool same_sparse = json_array_size(sparse) == 0 ? json_array_size(repo->sparse) == 0
							: json_same(sparse, repo->sparse);
	return same_sparse && cstr_eq(json_text(status, "observedIgnore"), repo->ignore) &&
	       json_flag(status, "observedRecurseSubmodules", false) == repo->submodules &&
	       git_includes_unchanged(object, repo, includes);
}

static void observe_inputs(json_t *object, const GitRepository *repo, const GitIncludes *includes)
{
	json_t *status = json_make_at(object, "status", NULL);
	json_put_text(status, "observedIgnore", repo->ignore);
	if (json_array_size(repo->sparse))
		json_object_set_new(status, "observedSparseCheckout", json_deep_copy(repo->sparse));
	else
		json_object_del(status, "observedSparseCheckout");
	if (repo->submodules)
		json_object_set_new(status, "observedRecurseSubmodules", json_true());
	else
		json_object_del(status, "observedRecurseSubmodules");
	git_includes_observe(object, repo, includes);
}

/* "stored artifact for commit 'SUBJECT'": 50 characters of it (source.md 1.8). */
static char *stored_message(GitStore *store, const GitTarget *target)
{
	enum { SUBJECT_MAX = 50 };
	autoerror Error ignored = {0};
	autogitcommit GitCommit commit = {0};
	if (!store || !git_store_commit(store, target->hash, &commit, &ignored))
		return mem_printf("stored artifact for commit '%s'", target->revision);
	size_t len = 0, whole = strcspn(commit.message, "\n");
	for (int count = 0; len < whole && count < SUBJECT_MAX; count++)
		do
			len++;
		while (len < whole && ((unsigned char)commit.message[len] & 0xc0) == 0x80);
	autofree char *subject = mem_strndup(commit.message, len);
	autofree char *shown = visible_text(subject, len);
	return mem_printf("stored artifact for commit '%s%s'", shown, len < whole ? "..." : "");
}

/* --- one run --- */

typedef struct {
	Run *run;
	const GitRepository *repo;
	GitAuth *auth;
	GitRemote *remote;
	GitIncludes includes;
	GitTarget target;
	GitTree tree; /* what was fetched */
	bool has_artifact, failed_before;
	Artifact before;
} Work;

static void work_dispose(Work *work)
{
	git_tree_dispose(&work->tree);
	git_target_dispose(&work->target);
	git_includes_dispose(&work->includes);
	git_remote_free(work->remote);
	git_auth_free(work->auth);
	artifact_dispose(&work->before);
}
#define autowork __attribute__((cleanup(work_dispose)))

static bool fail_fetch(Work *work, Error *err)
{
	if (err->code == ERR_UNAUTHORIZED)
		git_auth_refused(work->auth);
	if (cstr_eq(err->reason, "EmptyGitRepository"))
		return source_fail(work->run, "FetchFailed", "EmptyGitRepository", err);
	err_wrap(err, "failed to checkout and determine revision");
	return source_fail(work->run, "FetchFailed", "GitOperationFailed", err);
}

static bool authenticate(Work *work, Error *err)
{
	work->auth = git_auth_load(work->run, work->repo, err);
	if (work->auth)
		work->remote = git_auth_remote(work->auth, NULL, work->repo->url, err);
	if (work->remote)
		return true;
	if (!err->reason)
		return fail_fetch(work, err);
	autofree char *reason = mem_strdup(err->reason);
	return source_fail(work->run, "FetchFailed", reason, err);
}

/* Nothing failed when one is missing: its own artifact is awaited (S44). */
static bool find_includes(Work *work, Error *err)
{
	json_t *object = run_object(work->run);
	if (!gitrepository_includes(work->run, work->repo, &work->includes, err)) {
		condition_set(object, "IncludeUnavailable", "True", err->reason, err_text(err));
		condition_set(object, "Reconciling", "True", "ProgressingWithRetry", err_text(err));
		run_event(work->run, EVENT_TRACE, err->reason, NULL, "%s", err_text(err));
		return false;
	}
	return true;
}

static void note_change(Work *work)
{
	json_t *object = run_object(work->run);
	bool moved = !work->has_artifact || !cstr_eq(work->before.revision, work->target.revision);
	autofree char *message =
		moved ? mem_printf("new upstream revision '%s'", work->target.revision)
		      : mem_strdup("included artifacts differ from last observed includes");
	if (!moved && git_includes_unchanged(object, work->repo, &work->includes))
		return;
	source_note_change(work->run, moved ? "NewRevision" : "IncludeChange", work->has_artifact,
			   message);
}

/* Brings the target's objects here, those of submodules too. */
static bool fetch(Work *work, Error *err)
{
	GitTree *tree = &work->tree;
	memcpy(tree->hash, work->target.hash, GIT_HASH_SIZE);
	tree->url = mem_strdup(work->repo->url);
	if (!git_tree_open(work->auth, tree, err) ||
	    !gitrepository_fetch(work->remote, &work->target, tree->lease, err))
		return fail_fetch(work, err);
	if (work->repo->submodules && !gitrepository_fetch_modules(work->auth, tree, err))
		return fail_fetch(work, err);
	run_progress(work->run);
	return true;
}

static bool pack(Work *work, Error *err)
{
	static const char *const storage_reasons[] = {"ArchiveOperationFailed",
						      "DirectoryCreationFailed", "CopyFailure"};
	autoartifact Artifact now = {0};
	if (!gitrepository_pack(work->run, work->repo, &work->tree, &work->includes,
				work->target.revision, &now, err)) {
		for (size_t i = 0; i < COUNT(storage_reasons); i++)
			if (cstr_eq(err->reason, storage_reasons[i]))
				return source_fail(work->run, "StorageOperationFailed",
						   storage_reasons[i], err);
		/* An object that is missing or bad may be the cache's fault. */
		git_tree_spoil(&work->tree);
		bool is_rules = cstr_eq(err->reason, SOURCE_IGNORE_ERROR);
		return source_fail(work->run, "FetchFailed",
				   is_rules ? SOURCE_IGNORE_ERROR : "GitOperationFailed", err);
	}
	autofree char *message = stored_message(work->tree.store, &work->target);
	source_clear_failures(run_object(work->run));
	source_set_artifact(work->run, &now, "Succeeded");
	observe_inputs(run_object(work->run), work->repo, &work->includes);
	source_announce(work->run, work->has_artifact ? &work->before : NULL, &now,
			work->failed_before, message);
	return true;
}

/* What is not looked up by a name of the remote is upstream's only after a checkout. */
static void tell_unchanged(Work *work, bool fetched)
{
	const GitRepository *repo = work->repo;
	bool checked_out = fetched || repo->commit || (!repo->name && !repo->tag && repo->semver);
	run_event(work->run, EVENT_TRACE,
		  checked_out ? "ArtifactUpToDate" : "GitOperationSucceeded", NULL,
		  checked_out ? "artifact up-to-date with remote revision: '%s'"
			      : "no changes since last reconciliation: observed revision '%s'",
		  work->before.revision);
}

static void keep_artifact(Work *work)
{
	autofree char *message = stored_message(NULL, &work->target);
	source_clear_failures(run_object(work->run));
	condition_setf(run_object(work->run), "ArtifactInStorage", "True", "Succeeded",
		       "stored artifact for revision '%s'", work->before.revision);
	source_announce(work->run, &work->before, &work->before, work->failed_before, message);
}

/* The steps between storage and summary. */
static bool update_artifact(Run *run, const void *view, Error *err)
{
	const GitRepository *repo = view;
	json_t *object = run_object(run);
	autowork Work work = {
		.run = run, .repo = repo, .failed_before = source_has_failure(object)};
	condition_remove(object, "IncludeUnavailable");
	gitrepository_forget_verification(object, repo);
	if (!check_url(run, repo, err) || !authenticate(&work, err) || !find_includes(&work, err))
		return false;
	if (!gitrepository_resolve(work.auth, work.remote, repo, &work.target, err))
		return fail_fetch(&work, err);
	work.has_artifact = source_artifact(run, &work.before);
	bool same = work.has_artifact && cstr_eq(work.before.revision, work.target.revision) &&
		    inputs_unchanged(object, repo, &work.includes);
	bool fetches = !same || gitrepository_needs_verification(object, repo);
	if (fetches) {
		note_change(&work);
		run_progress(run);
		if (!fetch(&work, err) ||
		    !gitrepository_verify(run, repo, &work.target, work.tree.store, err))
			return false;
	}
	if (!same)
		return pack(&work, err);
	tell_unchanged(&work, fetches);
	keep_artifact(&work);
	return true;
}

Outcome gitrepository_reconcile(Run *run, Error *err)
{
	GitRepository repo;
	gitrepository_parse(run_object(run), &repo);
	return source_run(run, order, repo.interval_ms, update_artifact, &repo, err);
}
