/* OCIRepository: its typed view, and the steps that its files share. */
#ifndef SOURCE_CONTROLLER_OCIREPOSITORY_H
#define SOURCE_CONTROLLER_OCIREPOSITORY_H

#include "internal.h"
#include "oci/reference.h"
#include "oci/registry.h"

/* spec, parsed once; all borrowed from the run's object. */
typedef struct {
	const char *url;
	int64_t interval_ms, timeout_ms;
	const char *provider;
	const char *secret_name, *cert_secret_name, *proxy_secret_name;
	const char *service_account;
	const char *tag, *semver, *semver_filter, *digest; /* NULL or "": not asked for */
	const json_t *layer_selector;
	const char *media_type; /* of the layer; NULL or "": the first one */
	bool copy;		/* operation: keep the layer's bytes */
	const char *ignore;	/* NULL differs from "" (source.md 2 "Ignore") */
	const json_t *verify;
	bool insecure;
} OCIRepository;

void ocirepository_parse(const json_t *object, OCIRepository *out);

/* Host and repository of spec.url; ERR_INVALID for a URL with a tag (S50) and for no such URL. */
bool ocirepository_url(const OCIRepository *repo, OciReference *out, Error *err) MUST_USE;

/* The registry with credentials, TLS and proxy from the Secrets (S54, S55). Errors have the reason
 * AuthenticationFailed, URLInvalid or FeatureGateDisabled. */
Registry *ocirepository_registry(Run *run, const OCIRepository *repo, OciReference *out_url,
				 Error *err) MUST_USE;

/*
 * spec.ref to a tag or digest: digest > semver > tag > latest (S48, S49). Only semver asks the
 * registry. Owned.
 */
char *ocirepository_reference(Registry *registry, const OCIRepository *repo, Error *err) MUST_USE;

/* The artifact of a digest, pulled and stored: *out is filled but for its revision, which the
 * caller gives. Errors have a reason. */
bool ocirepository_pull(Run *run, const OCIRepository *repo, Registry *registry,
			const char *revision, Artifact *out, Error *err) MUST_USE;

/* What of spec.verify this version cannot do, or NULL. Static. */
const char *ocirepository_unsupported_verify(const OCIRepository *repo);

/* Verifies the revision's digest as spec.verify says, unless that was done (S57, S58). Sets
 * SourceVerified; err has the reason VerificationError. */
bool ocirepository_verify(Run *run, const OCIRepository *repo, Registry *registry,
			  const OciReference *reference, const char *revision, bool same_revision,
			  Error *err) MUST_USE;

/* "sha256:..." of a revision. Borrowed. */
const char *ocirepository_digest(const char *revision);

#endif
