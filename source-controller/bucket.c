/*
 * The reconcile of a Bucket: storage, credentials, list, nothing changed?, download, pack,
 * announce. A step goes on or fails with one condition.
 */
#include "bucket.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "data/duration.h"

void bucket_parse(const json_t *object, Bucket *out)
{
	const json_t *spec = json_map(object, "spec");
	*out = (Bucket){
		.interval_ms = duration_ms_or(json_text(spec, "interval"), 60000),
		.timeout_ms = duration_ms_or(json_text(spec, "timeout"), 60000),
		.provider = json_text_or(spec, "provider", "generic"),
		.bucket_name = json_text_or(spec, "bucketName", ""),
		.endpoint = json_text_or(spec, "endpoint", ""),
		.region = json_text(spec, "region"),
		.prefix = json_text(spec, "prefix"),
		.service_account = json_text(spec, "serviceAccountName"),
		.ignore = json_text(spec, "ignore"),
		.secret_name = json_text_at(spec, "secretRef", "name", NULL),
		.cert_secret_name = json_text_at(spec, "certSecretRef", "name", NULL),
		.proxy_secret_name = json_text_at(spec, "proxySecretRef", "name", NULL),
		.sts = json_map(spec, "sts"),
		.insecure = json_flag(spec, "insecure", false),
	};
}

/* A run's work with one login. A download may outlive the login that it began with: the first time
 * that is no failure, but `ended`. */
typedef struct {
	Run *run;
	const Bucket *view;
	CloudBucket *bucket;
	bool failed_before; /* the object, before this run */
	bool is_last, ended;
} Attempt;

/* A service that asks for patience gets it: the run is put off, nobody is told of a failure. */
static bool fail_operation(Attempt *attempt, Error *err)
{
	Run *run = attempt->run;
	const SourceContext *context = run_context(run);
	bool ended = bucket_login_ended(attempt->bucket, cloud_tokens(context->cloud), err);
	if (ended && !attempt->is_last) {
		attempt->ended = true;
		return false;
	}
	if (err->retry_after_ms > 0 && (err->code == ERR_TOO_MANY || err->code == ERR_UNAVAILABLE))
		err->not_yet = true;
	return source_fail(run, "FetchFailed", "BucketOperationFailed", err);
}

/* True when the artifact that is stored was made of the same listing, by its own algorithm. */
static bool is_current(const Artifact *stored, const BucketIndex *index)
{
	DigestAlgo algo;
	const char *hex;
	char digest[DIGEST_TEXT_SIZE];
	autoerror Error ignored = {0};
	if (!stored->revision || !digest_parse(stored->revision, &algo, &hex, &ignored))
		return false;
	bucket_index_digest(index, algo, digest);
	return cstr_eq(digest, stored->revision);
}

static size_t count_files(const BucketIndex *index)
{
	size_t count = 0;
	for (size_t i = 0; i < index->objects.len; i++)
		count += !((const BucketObject *)index->objects.items[i])->gone;
	return count;
}

static bool pack(Run *run, const char *dir, const char *revision, Artifact *out, Error *err)
{
	const SourceContext *context = run_context(run);
	autofree char *file = mem_printf("%s.tar.gz", strchr(revision, ':') + 1);
	autofd int dir_fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, err);
	if (dir_fd < 0)
		return source_fail(run, "StorageOperationFailed", "StatOperationFailed", err);
	if (store_pack_dir(context->store, run_kind(run)->kind, run_namespace(run), run_name(run),
			   file, revision, dir_fd, NULL, out, err))
		return true;
	autofree char *reason = mem_strdup(err->reason ? err->reason : "ArchiveOperationFailed");
	err_wrap(err, "unable to archive artifact to storage");
	return source_fail(run, "StorageOperationFailed", reason, err);
}

static const char *uid_of(Run *run)
{
	return object_uid(run_object(run));
}

/* What came may by now be what is stored: an etag that the listing said otherwise. */
static bool download_and_pack(Attempt *attempt, BucketIndex *index, const BucketIgnore *ignore,
			      const Artifact *before, Artifact *out, Error *err)
{
	Run *run = attempt->run;
	const Bucket *view = attempt->view;
	const SourceContext *context = run_context(run);
	DigestAlgo algo = DIGEST_SHA256;
	char revision[DIGEST_TEXT_SIZE];
	digest_algo_parse(context->options->digest_algo, &algo);
	bucket_index_digest(index, algo, revision);
	autofree char *message = mem_printf("new upstream revision '%s'", revision);
	source_note_change(run, "NewRevision", before->revision != NULL, message);
	run_progress(run);
	BucketStored stored = {.store = context->store, .artifact = before};
	autofree uint64_t *marks = NULL;
	if (before->revision)
		marks = bucket_memory_get(context->buckets, uid_of(run), before->revision,
					  &stored.count);
	stored.marks = marks;
	autotempdir char *dir = dir_make_temp(workdir_path(context->workdir), "bucket", err);
	if (!dir) {
		err_wrap(err, "failed to create temporary working directory");
		return source_fail(run, "StorageOperationFailed", "DirectoryCreationFailed", err);
	}
	if (!bucket_download(attempt->bucket, view, index, ignore, &stored, dir, err)) {
		source_temp_failed(err);
		err_wrap(err, "fetch from bucket '%s' failed", view->bucket_name);
		return fail_operation(attempt, err);
	}
	if (before->revision && is_current(before, index))
		return true;
	bucket_index_digest(index, algo, revision);
	return pack(run, dir, revision, out, err);
}

static void conclude(Run *run, const Bucket *view, const BucketIndex *index, const Artifact *before,
		     const Artifact *now, bool failed_before)
{
	const SourceContext *context = run_context(run);
	json_t *object = run_object(run);
	autofree char *message =
		mem_printf("stored artifact with %zu fetched files from '%s' bucket",
			   count_files(index), view->bucket_name);
	source_clear_failures(object);
	size_t count = 0;
	uint64_t *marks = bucket_index_marks(index, &count);
	bucket_memory_put(context->buckets, uid_of(run), now->revision, marks, count);
	if (now != before) {
		source_set_artifact(run, now, "Succeeded");
		source_alias(run, now, "latest.tar.gz");
	}
	json_put_text(json_make_at(object, "status", NULL), "observedIgnore", view->ignore);
	condition_setf(object, "ArtifactInStorage", "True", "Succeeded",
		       "stored artifact: revision '%s'", now->revision);
	source_announce(run, before->revision ? before : NULL, now, failed_before, message);
}

static void free_client(HttpClient **http)
{
	if (*http)
		httpc_free(*http);
}

static bool update_from(Attempt *attempt, Error *err)
{
	Run *run = attempt->run;
	autobucketindex BucketIndex index = {0};
	__attribute__((cleanup(bucket_ignore_dispose))) BucketIgnore ignore = {0};
	autoartifact Artifact before = {0}, now = {0};
	if (!bucket_make_index(attempt->bucket, attempt->view, &index, &ignore, err))
		return fail_operation(attempt, err);
	bool has = source_artifact(run, &before);
	if (has && is_current(&before, &index))
		run_event(run, EVENT_TRACE, "ArtifactUpToDate", NULL,
			  "artifact up-to-date with remote revision: '%s'", before.revision);
	else if (!download_and_pack(attempt, &index, &ignore, &before, &now, err))
		return false;
	conclude(run, attempt->view, &index, &before, now.revision ? &now : &before,
		 attempt->failed_before);
	return true;
}

static bool try_update(Attempt *attempt, Error *err)
{
	__attribute__((cleanup(free_client))) HttpClient *http = NULL;
	autobucket CloudBucket *bucket = bucket_open(attempt->run, attempt->view, &http, err);
	attempt->bucket = bucket;
	if (bucket)
		return update_from(attempt, err);
	autofree char *reason = mem_strdup(err->reason);
	return source_fail(attempt->run, "FetchFailed", reason, err);
}

/* The steps between storage and summary. */
static bool update_artifact(Run *run, const void *view, Error *err)
{
	Attempt attempt = {
		.run = run, .view = view, .failed_before = source_has_failure(run_object(run))};
	if (try_update(&attempt, err))
		return true;
	if (!attempt.ended)
		return false;
	error_dispose(err);
	attempt.is_last = true;
	return try_update(&attempt, err);
}

Outcome bucket_reconcile(Run *run, Error *err)
{
	Bucket view;
	bucket_parse(run_object(run), &view);
	return source_run(run, source_order, view.interval_ms, update_artifact, &view, err);
}

Outcome bucket_finalize(Run *run, Error *err)
{
	const SourceContext *context = run_context(run);
	bucket_memory_forget(context->buckets, uid_of(run));
	return source_finalize(run, err);
}
