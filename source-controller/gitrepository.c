/*
 * The reconcile of a GitRepository: storage, credentials, resolve, nothing moved?, fetch, pack,
 * announce. Everything is a step that either goes on or fails with one condition.
 */
#include "gitrepository.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
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

void gitrepository_parse(const json_t *object, GitRepository *out)
{
	const json_t *spec = json_map(object, "spec"), *ref = json_map(spec, "ref");
	*out = (GitRepository){
		.url = json_text_or(spec, "url", ""),
		.interval_ms = duration_ms_or(json_text(spec, "interval"), 60000),
		.timeout_ms = duration_ms_or(json_text(spec, "timeout"), 60000),
		.provider = json_text_or(spec, "provider", "generic"),
		.secret_name = json_text_at(spec, "secretRef", "name", NULL),
		.proxy_secret_name = json_text_at(spec, "proxySecretRef", "name", NULL),
		.branch = json_text(ref, "branch"),
		.tag = json_text(ref, "tag"),
		.semver = json_text(ref, "semver"),
		.name = json_text(ref, "name"),
		.commit = json_text(ref, "commit"),
		.ignore = json_text(spec, "ignore"),
		.sparse = json_list(spec, "sparseCheckout"),
		.include = json_list(spec, "include"),
		.verify = json_map(spec, "verify"),
		.submodules = json_flag(spec, "recurseSubmodules", false),
	};
}

/* Parts of the API that are not there yet must say so: an unverified commit that looks verified
 * would be the worst outcome of all. */
static bool check_supported(Run *run, const GitRepository *repo, Error *err)
{
	const struct {
		const char *field;
		bool used;
	} rows[] = {
		{"verify", repo->verify != NULL},
		{"include", json_array_size(repo->include) > 0},
		{"recurseSubmodules", repo->submodules},
		{"provider", !cstr_eq(repo->provider, "generic")},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!rows[i].used)
			continue;
		err_set(err, ERR_UNSUPPORTED, "spec.%s is not supported by this version",
			rows[i].field);
		return source_fail(run, "FetchFailed", "UnsupportedField", err);
	}
	return true;
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
static bool inputs_unchanged(const json_t *object, const GitRepository *repo)
{
	const json_t *status = json_map(object, "status");
	const json_t *sparse = json_list(status, "observedSparseCheckout");
	bool same_sparse = json_array_size(sparse) == 0 ? json_array_size(repo->sparse) == 0
							: json_same(sparse, repo->sparse);
	return same_sparse && cstr_eq(json_text(status, "observedIgnore"), repo->ignore);
}

static void observe_inputs(json_t *object, const GitRepository *repo)
{
	json_t *status = json_make_at(object, "status", NULL);
	json_put_text(status, "observedIgnore", repo->ignore);
	if (json_array_size(repo->sparse))
		json_object_set_new(status, "observedSparseCheckout", json_deep_copy(repo->sparse));
	else
		json_object_del(status, "observedSparseCheckout");
}

static void clear_failures(json_t *object)
{
	condition_remove(object, "FetchFailed");
	condition_remove(object, "StorageOperationFailed");
	condition_remove(object, "IncludeUnavailable");
	condition_remove(object, "ArtifactOutdated");
}

static bool has_failure(const json_t *object)
{
	return condition_is(object, "FetchFailed", "True") ||
	       condition_is(object, "StorageOperationFailed", "True") ||
	       condition_is(object, "IncludeUnavailable", "True");
}

/* "stored artifact for commit 'SUBJECT'", the subject's first 50 bytes at most (source.md 1.8). */
static char *stored_message(GitStore *store, const GitTarget *target)
{
	enum { SUBJECT_MAX = 50 };
	autoerror Error ignored = {0};
	autogitcommit GitCommit commit = {0};
	const char *subject = target->revision;
	size_t len = strlen(subject);
	if (store && git_store_commit(store, target->hash, &commit, &ignored)) {
		subject = commit.message;
		len = strcspn(subject, "\n");
	}
	if (store && len > SUBJECT_MAX) {
		len = SUBJECT_MAX;
		while (len && ((unsigned char)subject[len] & 0xc0) == 0x80)
			len--;
	}
	return mem_printf("stored artifact for commit '%.*s'", (int)len, subject);
}

static void note_new_revision(Run *run, const GitTarget *target, bool has_artifact)
{
	json_t *object = run_object(run);
	autofree char *message = mem_printf("new upstream revision '%s'", target->revision);
	if (has_artifact)
		condition_set(object, "ArtifactOutdated", "True", "NewRevision", message);
	condition_setf(object, "Reconciling", "True", "Progressing", "building artifact: %s",
		       message);
	condition_setf(object, "Ready", "Unknown", "Progressing", "building artifact: %s", message);
	run_progress(run);
}

static bool fetch_and_pack(Run *run, const GitRepository *repo, GitRemote *remote,
			   const GitTarget *target, Artifact *out, char **out_message, Error *err)
{
	const char *temp = getenv("TMPDIR");
	autotempdir char *dir =
		dir_make_temp(cstr_empty(temp) ? "/tmp" : temp, "gitrepository", err);
	if (!dir)
		return source_fail(run, "StorageOperationFailed", "DirectoryCreationFailed", err);
	autogitstore GitStore *store = gitrepository_fetch(remote, target, dir, err);
	if (!store) {
		err_wrap(err, "failed to checkout and determine revision");
		return source_fail(run, "FetchFailed", "GitOperationFailed", err);
	}
	run_progress(run);
	if (!gitrepository_pack(run, repo, store, target, out, err)) {
		bool storage = cstr_eq(err->reason, "ArchiveOperationFailed") ||
			       cstr_eq(err->reason, "DirectoryCreationFailed");
		autofree char *reason = mem_strdup(storage ? err->reason : "GitOperationFailed");
		return source_fail(run, storage ? "StorageOperationFailed" : "FetchFailed", reason,
				   err);
	}
	*out_message = stored_message(store, target);
	return true;
}

static bool resolve(Run *run, const GitRepository *repo, GitRemote **out_remote, GitTarget *target,
		    Error *err)
{
	*out_remote = gitrepository_remote(run, repo, err);
	if (!*out_remote) {
		err_wrap(err, "failed to configure authentication options");
		return source_fail(run, "FetchFailed", "AuthenticationFailed", err);
	}
	if (gitrepository_resolve(*out_remote, repo, target, err))
		return true;
	if (cstr_eq(err->reason, "EmptyGitRepository"))
		return source_fail(run, "FetchFailed", "EmptyGitRepository", err);
	err_wrap(err, "failed to checkout and determine revision");
	return source_fail(run, "FetchFailed", "GitOperationFailed", err);
}

/* The steps between storage and summary. */
static bool update_artifact(Run *run, const GitRepository *repo, Error *err)
{
	json_t *object = run_object(run);
	autogitremote GitRemote *remote = NULL;
	autogittarget GitTarget target = {0};
	bool failed_before = has_failure(object);
	if (!check_url(run, repo, err) || !check_supported(run, repo, err) ||
	    !resolve(run, repo, &remote, &target, err))
		return false;
	autoartifact Artifact before = {0}, now = {0};
	bool has = source_artifact(run, &before);
	if (has && cstr_eq(before.revision, target.revision) && inputs_unchanged(object, repo)) {
		autofree char *message = stored_message(NULL, &target);
		clear_failures(object);
		condition_setf(object, "ArtifactInStorage", "True", "Succeeded",
			       "stored artifact for revision '%s'", before.revision);
		source_announce(run, &before, &before, failed_before, message);
		return true;
	}
	autofree char *message = NULL;
	note_new_revision(run, &target, has);
	if (!fetch_and_pack(run, repo, remote, &target, &now, &message, err))
		return false;
	clear_failures(object);
	source_set_artifact(run, &now, "Succeeded");
	observe_inputs(object, repo);
	source_announce(run, has ? &before : NULL, &now, failed_before, message);
	return true;
}

static bool is_stall(const Error *err)
{
	return cstr_eq(err->reason, "URLInvalid") || cstr_eq(err->reason, "UnsupportedField");
}

Outcome gitrepository_reconcile(Run *run, Error *err)
{
	GitRepository repo;
	gitrepository_parse(run_object(run), &repo);
	source_check_storage(run);
	condition_set(run_object(run), "Reconciling", "True", "Progressing",
		      "reconciliation in progress");
	bool ok = update_artifact(run, &repo, err);
	/* They say how the run went; Ready must not take last time's word for it. */
	condition_remove(run_object(run), "Reconciling");
	condition_remove(run_object(run), "Stalled");
	source_summarize(run, order, err);
	if (ok)
		return outcome_again(repo.interval_ms);
	return is_stall(err) ? outcome_stalled() : outcome_failed();
}
