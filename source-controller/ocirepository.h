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

/*
 * spec.ref to a tag or digest: digest > semver > tag > latest (S48, S49). Only semver asks the
 * registry. Owned.
 */
char *ocirepository_reference(Registry *registry, const OCIRepository *repo, Error *err) MUST_USE;

/* The artifact of a digest, pulled and stored: *out is filled but for its revision, which the
 * caller gives. Errors have a reason. */
bool ocirepository_pull(Run *run, const OCIRepository *repo, Registry *registry,
			const char *revision, Artifact *out, Error *err) MUST_USE;

/* "sha256:..." of a revision. Borrowed. */
const char *ocirepository_digest(const char *revision);

#endif
