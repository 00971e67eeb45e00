/*
 * The reconcile of a HelmRepository: storage, credentials, download, nothing changed?, check and
 * rewrite, store, announce. The index goes from file to file; no part of it is held whole.
 */
#include "helmrepository.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "data/duration.h"
#include "helm/index.h"
#include "helm_etags.h"
#include "helm_indexes.h"
#include "net/url.h"

void helmrepository_parse(const json_t *object, HelmRepository *out)
{
	const json_t *spec = json_map(object, "spec");
	*out = (HelmRepository){
		.url = json_text_or(spec, "url", ""),
		.interval_ms = duration_ms_or(json_text(spec, "interval"), 60000),
		.timeout_ms = duration_ms_or(json_text(spec, "timeout"), 60000),
		.provider = json_text_or(spec, "provider", "generic"),
		.secret_name = json_text_at(spec, "secretRef", "name", NULL),
		.cert_secret_name = json_text_at(spec, "certSecretRef", "name", NULL),
		.is_oci = cstr_eq(json_text(spec, "type"), "oci"),
		.pass_credentials = json_flag(spec, "passCredentials", false),
		.insecure = json_flag(spec, "insecure", false),
	};
}

bool helmrepository_is_static(const json_t *object)
{
	return cstr_eq(json_text(json_map(object, "spec"), "type"), "oci");
}

/* An index as it was served. */
typedef struct {
	int fd;	    /* a file without a name; -1: it is what is stored */
	char *base; /* of the repository, owned */
	HelmGot got;
} Served;

static void served_dispose(Served *served)
{
	auto_close(&served->fd);
	free(served->base);
	helm_got_dispose(&served->got);
}

static bool get_index(Run *run, HelmClient *client, const Artifact *stored, Served *out, Error *err)
{
	const SourceContext *context = run_context(run);
	out->base = mem_strdup(helm_client_base(client));
	autofree char *etag = helm_etags_get(context->etags, object_uid(run_object(run)), out->base,
					     stored->revision);
	autofd int fd = fd_nameless(workdir_path(context->workdir), err);
	if (fd < 0 || !helm_client_get_index(client, context->options->helm_index_max_size, etag,
					     fd, &out->got, err))
		return false;
	if (!out->got.unchanged)
		out->fd = fd_steal(&fd);
	return true;
}

static bool download(Run *run, const HelmRepository *repo, const Artifact *stored, Served *out,
		     Error *err)
{
	autohelmclient HelmClient *client = helmrepository_client(run, repo, err);
	if (!client) {
		autofree char *reason = mem_strdup(err->reason);
		return source_fail(run, "FetchFailed", reason, err);
	}
	run_progress(run);
	if (get_index(run, client, stored, out, err))
		return true;
	err_wrap(err, "failed to fetch Helm repository index");
	return source_fail(run, "FetchFailed", "Failed", err);
}

static bool digest_of_file(int fd, DigestAlgo algo, char out[DIGEST_TEXT_SIZE], Error *err)
{
	enum { CHUNK = 64 * 1024 };
	autodigest Digest *digest = digest_new(algo);
	autofree char *chunk = mem_alloc(CHUNK);
	off_t at = 0;
	ssize_t got;
	while ((got = pread(fd, chunk, CHUNK, at)) > 0) {
		digest_update(digest, chunk, (size_t)got);
		at += got;
	}
	if (got < 0)
		return err_errno(err, "read index");
	digest_final(digest, out);
	return true;
}

/* True when the stored artifact was made of the same bytes, by its own algorithm. */
static bool is_current(const Artifact *stored, int fd)
{
	if (fd < 0)
		return true;
	DigestAlgo algo;
	const char *hex;
	char digest[DIGEST_TEXT_SIZE];
	autoerror Error ignored = {0};
	return stored->revision && digest_parse(stored->revision, &algo, &hex, &ignored) &&
	       digest_of_file(fd, algo, digest, &ignored) && cstr_eq(digest, stored->revision);
}

static void log_skipped(Run *run, size_t count)
{
	autofree char *text = mem_printf("%zu", count);
	if (count)
		log_info(run_log(run), "skipped invalid entries of the index", "count", text, NULL);
}

/* The index as it is stored, in a file without a name; -1 on failure, which is told. */
static int convert(Run *run, int fd, Error *err)
{
	const SourceContext *context = run_context(run);
	const char *dir = workdir_path(context->workdir);
	autofd int spool_fd = fd_nameless(dir, err);
	autofd int out_fd = spool_fd < 0 ? -1 : fd_nameless(dir, err);
	HelmIndexSummary summary;
	if (out_fd >= 0 && helm_index_convert(fd, spool_fd, out_fd, &summary, err)) {
		log_skipped(run, summary.skipped);
		return fd_steal(&out_fd);
	}
	err_wrap(err, "failed to load Helm repository from index YAML");
	source_fail(run, "FetchFailed", "IndexationFailed", err);
	return -1;
}

static bool store(Run *run, int fd, const char *revision, Artifact *out, Error *err)
{
	const SourceContext *context = run_context(run);
	autofree char *file = mem_printf("index-%s.yaml", strchr(revision, ':') + 1);
	if (store_put_file(context->store, run_kind(run)->kind, run_namespace(run), run_name(run),
			   file, revision, fd, out, err))
		return true;
	autofree char *reason = mem_strdup(err->reason ? err->reason : "ArchiveOperationFailed");
	err_wrap(err, "unable to save artifact to storage");
	return source_fail(run, "StorageOperationFailed", reason, err);
}

static bool convert_and_store(Run *run, int fd, bool has_artifact, Artifact *out, Error *err)
{
	const SourceContext *context = run_context(run);
	DigestAlgo algo = DIGEST_SHA256;
	char revision[DIGEST_TEXT_SIZE];
	digest_algo_parse(context->options->digest_algo, &algo);
	autofd int index_fd = convert(run, fd, err);
	if (index_fd < 0)
		return false;
	if (!digest_of_file(fd, algo, revision, err)) {
		err_wrap(err, "failed to calculate revision");
		return source_fail(run, "FetchFailed", "IndexationFailed", err);
	}
	condition_remove(run_object(run), "FetchFailed");
	autofree char *message = mem_printf("new index revision '%s'", revision);
	source_note_change(run, "NewRevision", has_artifact, message);
	return store(run, index_fd, revision, out, err);
}

/* Bytes as Docker's units print them: four digits of thousands ("1.203kB"). */
static char *human_size(int64_t size)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)size;
	size_t unit = 0;
	for (; value >= 1000 && unit + 1 < COUNT(units); unit++)
		value /= 1000;
	return mem_printf("%.4g%s", value, units[unit]);
}

static void conclude(Run *run, const HelmRepository *repo, const Artifact *before,
		     const Artifact *now, bool failed_before)
{
	json_t *object = run_object(run);
	source_clear_failures(object);
	if (now != before) {
		source_set_artifact(run, now, "Succeeded");
		source_alias(run, now, "index.yaml");
	}
	condition_setf(object, "ArtifactInStorage", "True", "Succeeded",
		       "stored artifact: revision '%s'", now->revision);
	autofree char *size = human_size(now->size);
	autofree char *shown = url_redacted(repo->url);
	autofree char *message =
		mem_printf("stored fetched index of size %s from '%s'", size, shown);
	source_announce(run, before->revision ? before : NULL, now, failed_before, message);
}

/* The steps between storage and summary. */
static bool update_artifact(Run *run, const void *arg, Error *err)
{
	const HelmRepository *repo = arg;
	const SourceContext *context = run_context(run);
	const json_t *object = run_object(run);
	bool failed_before = source_has_failure(object);
	autoartifact Artifact before = {0}, now = {0};
	if (cstr_starts(repo->url, "oci://")) {
		err_set(err, ERR_INVALID,
			"invalid Helm repository URL: 'oci' URL scheme cannot be used with "
			"'default' HelmRepository type");
		return source_fail(run, "FetchFailed", "URLInvalid", err);
	}
	bool has = source_artifact(run, &before);
	__attribute__((cleanup(served_dispose))) Served served = {.fd = -1};
	if (!download(run, repo, &before, &served, err))
		return false;
	if (has && is_current(&before, served.fd))
		run_event(run, EVENT_TRACE, "ArtifactUpToDate", NULL,
			  "artifact up-to-date with remote revision: '%s'", before.revision);
	else if (!convert_and_store(run, served.fd, has, &now, err))
		return false;
	helm_etags_put(context->etags, object_uid(object), served.base,
		       now.revision ? now.revision : before.revision, served.got.etag);
	conclude(run, repo, &before, now.revision ? &now : &before, failed_before);
	return true;
}

Outcome helmrepository_reconcile(Run *run, Error *err)
{
	HelmRepository view;
	helmrepository_parse(run_object(run), &view);
	return source_run(run, source_order, view.interval_ms, update_artifact, &view, err);
}

Outcome helmrepository_finalize(Run *run, Error *err)
{
	const SourceContext *context = run_context(run);
	helm_etags_put(context->etags, object_uid(run_object(run)), NULL, NULL, NULL);
	helm_indexes_drop_counts(run_manager(run), run_namespace(run), run_name(run));
	return source_finalize(run, err);
}
