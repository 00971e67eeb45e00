/* spec.verify of OCIRepository and of HelmChart: the signatures of one OCI digest, checked with
 * what the object's Secrets trust (source.md 4 "Cosign", "Notation"). */
#ifndef SOURCE_CONTROLLER_SOURCE_VERIFY_H
#define SOURCE_CONTROLLER_SOURCE_VERIFY_H

#include "ctrl/manager.h"
#include "oci/reference.h"
#include "oci/registry.h"

/* What is to be verified; all borrowed. */
typedef struct {
	const json_t *verify; /* spec.verify; NULL: nothing is asked for */
	Registry *registry;   /* opened for the repository of `reference` */
	const OciReference *reference;
	const char *digest; /* "sha256:...", what is pulled afterwards and nothing else */
	const char *what;   /* for SourceVerified: "revision latest@sha256:...", "version 1.2.3" */
} SourceVerification;

/*
 * Verifies, and sets SourceVerified: True when a signature is good, False with VerificationError
 * (also err's reason) when none is. Removed when nothing is asked for, and when a trust policy lets
 * the artifact pass without a good signature (S59): then the result is true. Emits no event: the
 * kinds say a failure in words of their own. An err that is not_yet leaves the condition alone.
 */
bool source_verify(Run *run, const SourceVerification *verification, Error *err) MUST_USE;

#endif
