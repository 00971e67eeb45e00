/*
 * Digests by which helm-controller knows releases again (helm-controller.md 10): of a record as it
 * was stored, and of values. They are bytes that Go's encoders write, digested, so that a
 * controller which takes over finds what it would have computed itself.
 */
#ifndef HELM_DIGEST_H
#define HELM_DIGEST_H

#include "data/digest.h"
#include "helm/release.h"

/* "sha256:hex" of a record without its tests' hooks; oci_digest may be NULL. Any zone and number of
 * nanoseconds in its times counts. */
void helm_record_digest(const HelmRecord *record, const char *oci_digest, DigestAlgo algo,
			char out[DIGEST_TEXT_SIZE]);

/* Of values (an object or NULL) as YAML with sorted keys; none: of nothing (H39-H41). */
void helm_values_digest(const json_t *values, DigestAlgo algo, char out[DIGEST_TEXT_SIZE]);
/* Whether `said` is their digest, by whichever algorithm it names; false when it is none. */
bool helm_values_have_digest(const json_t *values, const char *said);

#endif
