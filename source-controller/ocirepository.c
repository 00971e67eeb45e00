/*
 * The reconcile of an OCIRepository: storage, credentials, resolve (one HEAD, or the manifest
 * itself when the tag is another than before), nothing moved?, pull by digest, store, announce.
 * After the tag is resolved only the digest counts: a tag that moves meanwhile is for the next run
 * (S53).
 */
#include "ocirepository.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/visible.h"
#include "data/duration.h"
#include "net/url.h"
#include "source_verify.h"
#include "source_registry.h"

#define ORIGIN_SOURCE "org.opencontainers.image.source"
#define ORIGIN_REVISION "org.opencontainers.image.revision"

enum { ORIGIN_MAX = 512 };

static const char *const order[] = {
	"StorageOperationFailed", "FetchFailed", "ArtifactOutdated", "ArtifactInStorage",
	"SourceVerified",	  "Stalled",	 "Reconciling",	     NULL,
};

void ocirepository_parse(const json_t *object, OCIRepository *out)
{
	const json_t *spec = json_map(object, "spec"), *ref = json_map(spec, "ref");
	const json_t *selector = json_map(spec, "layerSelector");
	*out = (OCIRepository){
		.url = json_text_or(spec, "url", ""),
		.interval_ms = duration_ms_or(json_text(spec, "interval"), 60000),
		.timeout_ms = duration_ms_or(json_text(spec, "timeout"), 60000),
		.provider = json_text_or(spec, "provider", "generic"),
		.secret_name = json_text_at(spec, "secretRef", "name", NULL),
		.cert_secret_name = json_text_at(spec, "certSecretRef", "name", NULL),
		.proxy_secret_name = json_text_at(spec, "proxySecretRef", "name", NULL),
		.service_account = json_text(spec, "serviceAccountName"),
		.tag = json_text(ref, "tag"),
		.semver = json_text(ref, "semver"),
		.semver_filter = json_text(ref, "semverFilter"),
		.digest = json_text(ref, "digest"),
		.layer_selector = selector,
		.media_type = json_text(selector, "mediaType"),
		.copy = cstr_eq(json_text(selector, "operation"), "copy"),
		.ignore = json_text(spec, "ignore"),
		.verify = json_map(spec, "verify"),
		.insecure = json_flag(spec, "insecure", false),
	};
}

const char *ocirepository_digest(const char *revision)
{
	const char *at = strrchr(revision, '@');
	return at ? at + 1 : revision;
}

/* --- observations --- */

/* The inputs beside the digest that the stored artifact was made from. */
static bool inputs_unchanged(const json_t *object, const OCIRepository *repo)
{
	const json_t *status = json_map(object, "status");
	const json_t *selector = json_map(status, "observedLayerSelector");
	bool same = !selector == !repo->layer_selector &&
		    (!selector || json_same(selector, repo->layer_selector));
	return same && cstr_eq(json_text(status, "observedIgnore"), repo->ignore);
}

static void observe_inputs(json_t *object, const OCIRepository *repo)
{
	json_t *status = json_make_at(object, "status", NULL);
	json_put_text(status, "observedIgnore", repo->ignore);
	if (repo->layer_selector)
		json_object_set_new(status, "observedLayerSelector",
				    json_deep_copy(repo->layer_selector));
	else
		json_object_del(status, "observedLayerSelector");
}

static void note_stored(json_t *object, const char *revision)
{
	condition_setf(object, "ArtifactInStorage", "True", "Succeeded",
		       "stored artifact for digest '%s'", revision);
}

static void note_new_revision(Run *run, const OciReference *reference, const char *revision,
			      bool has_artifact)
{
	autofree char *shown = oci_reference_text(reference);
	autofree char *message = mem_printf("new revision '%s' for '%s'", revision, shown);
	source_note_change(run, "NewRevision", has_artifact, message);
	run_progress(run);
}

static void announce(Run *run, const OCIRepository *repo, const Artifact *before,
		     const Artifact *now, bool failed_before)
{
	Buf message = {0};
	autofree char *shown = url_redacted(repo->url);
	buf_printf(&message, "stored artifact with revision '%s' from '%s'", now->revision, shown);
	autofree char *address = url_redacted(json_text_or(now->metadata, ORIGIN_SOURCE, ""));
	autofree char *source = visible_text(address, ORIGIN_MAX);
	autofree char *revision =
		visible_text(json_text(now->metadata, ORIGIN_REVISION), ORIGIN_MAX);
	if (!cstr_empty(source) && !cstr_empty(revision))
		buf_printf(&message, ", origin source '%s', origin revision '%s'", source,
			   revision);
	autofree char *text = buf_steal(&message);
	source_announce(run, before, now, failed_before, text);
}

/* --- steps --- */

static Registry *open_registry(Run *run, const OCIRepository *repo, OciReference *reference,
			       Error *err)
{
	const SourceRegistry spec = {.url = repo->url,
				     .provider = repo->provider,
				     .secret_name = repo->secret_name,
				     .cert_secret_name = repo->cert_secret_name,
				     .proxy_secret_name = repo->proxy_secret_name,
				     .service_account = repo->service_account,
				     .insecure = repo->insecure,
				     .timeout_ms = repo->timeout_ms};
	Registry *registry = source_registry_open(run, &spec, reference, err);
	if (registry)
		return registry;
	autofree char *reason = mem_strdup(err->reason);
	source_fail(run, "FetchFailed", reason, err);
	return NULL;
}

/* A tag that the stored artifact has is expected to stand still, which a HEAD tells; any other is
 * about to be pulled. */
static bool look_up(Registry *registry, const char *tag, const Artifact *stored, OciDescriptor *out,
		    Error *err)
{
	size_t len = strlen(tag);
	const char *revision = stored->revision;
	bool is_stored = revision && strncmp(revision, tag, len) == 0 && revision[len] == '@';
	return is_stored ? registry_resolve(registry, tag, out, err)
			 : registry_resolve_to_pull(registry, tag, out, err);
}

/* The revision that upstream has now: "tag@sha256:..." or "sha256:...". NULL and err. Owned. */
static char *resolve(Run *run, const OCIRepository *repo, Registry *registry,
		     const Artifact *stored, OciReference *reference, Error *err)
{
	autofree char *wanted = ocirepository_reference(registry, repo, err);
	if (!wanted) {
		autofree char *shown = url_redacted(repo->url);
		err_wrap(err, "failed to determine the artifact tag for '%s'", shown);
		source_fail(run, "FetchFailed", "ReadOperationFailed", err);
		return NULL;
	}
	bool by_digest = !cstr_empty(repo->digest);
	autoocidescriptor OciDescriptor found = {0};
	if (by_digest ? oci_digest_check(wanted, err)
		      : look_up(registry, wanted, stored, &found, err)) {
		char *revision =
			by_digest ? mem_strdup(wanted) : mem_printf("%s@%s", wanted, found.digest);
		*(by_digest ? &reference->digest : &reference->tag) = steal(&wanted);
		return revision;
	}
	err_wrap(err, "failed to determine artifact digest");
	source_fail(run, "FetchFailed", "OCIArtifactPullFailed", err);
	return NULL;
}

static bool pull(Run *run, const OCIRepository *repo, Registry *registry, const char *revision,
		 Artifact *out, Error *err)
{
	if (ocirepository_pull(run, repo, registry, revision, out, err))
		return true;
	static const char *const storage[] = {"ArchiveOperationFailed", "DirectoryCreationFailed"};
	autofree char *reason = mem_strdup(err->reason ? err->reason : "OCIArtifactPullFailed");
	bool is_storage = cstr_eq(reason, storage[0]) || cstr_eq(reason, storage[1]);
	return source_fail(run, is_storage ? "StorageOperationFailed" : "FetchFailed", reason, err);
}

/* Nothing moved: no request beyond the one that told so. */
static bool keep_artifact(Run *run, const OCIRepository *repo, const Artifact *stored,
			  bool failed_before)
{
	source_clear_failures(run_object(run));
	note_stored(run_object(run), stored->revision);
	run_event(run, EVENT_TRACE, "ArtifactUpToDate", NULL,
		  "artifact up-to-date with remote revision: '%s'", stored->revision);
	announce(run, repo, stored, stored, failed_before);
	return true;
}

/* Verified before, and since then the spec has not changed. */
static bool is_verified(const json_t *object, const OCIRepository *repo)
{
	const json_t *condition = object_condition(object, "SourceVerified");
	return repo->verify && condition_is(object, "SourceVerified", "True") &&
	       json_int(condition, "observedGeneration", 0) == object_generation(object);
}

static bool verify(Run *run, const OCIRepository *repo, Registry *registry,
		   const OciReference *reference, const char *revision, Error *err)
{
	autofree char *what = mem_printf("revision %s", revision);
	const SourceVerification wanted = {.verify = repo->verify,
					   .registry = registry,
					   .reference = reference,
					   .digest = ocirepository_digest(revision),
					   .what = what};
	if (source_verify(run, &wanted, err))
		return true;
	if (!err->not_yet)
		run_verdict(run, EVENT_WARNING, err->reason, NULL, "%s", err_text(err));
	return false;
}

static bool update_from(Run *run, const OCIRepository *repo, Registry *registry,
			OciReference *reference, Error *err)
{
	json_t *object = run_object(run);
	bool failed_before = source_has_failure(object);
	autoartifact Artifact before = {0}, now = {0};
	bool has = source_artifact(run, &before);
	autofree char *revision = resolve(run, repo, registry, &before, reference, err);
	if (!revision)
		return false;
	bool same = has && cstr_eq(before.revision, revision);
	if (!same)
		note_new_revision(run, reference, revision, has);
	if (!(same && is_verified(object, repo)) &&
	    !verify(run, repo, registry, reference, revision, err))
		return false;
	if (same && inputs_unchanged(object, repo))
		return keep_artifact(run, repo, &before, failed_before);
	if (!pull(run, repo, registry, revision, &now, err))
		return false;
	source_clear_failures(object);
	source_set_artifact(run, &now, "Succeeded");
	note_stored(object, now.revision);
	source_alias(run, &now, "latest.tar.gz");
	observe_inputs(object, repo);
	announce(run, repo, has ? &before : NULL, &now, failed_before);
	return true;
}

static bool update_artifact(Run *run, const void *view, Error *err)
{
	const OCIRepository *repo = view;
	autoocireference OciReference reference = {0};
	autoregistry Registry *registry = open_registry(run, repo, &reference, err);
	if (!registry)
		return false;
	if (update_from(run, repo, registry, &reference, err))
		return true;
	source_registry_failed(run, registry, err);
	return false;
}

Outcome ocirepository_reconcile(Run *run, Error *err)
{
	OCIRepository repo;
	ocirepository_parse(run_object(run), &repo);
	return source_run(run, order, repo.interval_ms, update_artifact, &repo, err);
}
