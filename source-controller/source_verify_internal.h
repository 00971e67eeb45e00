/* What the files of source_verify share: a provider each, and what they find. */
#ifndef SOURCE_CONTROLLER_SOURCE_VERIFY_INTERNAL_H
#define SOURCE_CONTROLLER_SOURCE_VERIFY_INTERNAL_H

#include "kube/secret.h"
#include "source_verify.h"

enum { SOURCE_VERIFY_MAX_SIGNATURES = 100 };

/* spec.verify.KEY.name, or NULL. Borrowed. */
const char *source_verify_secret(const SourceVerification *wanted, const char *key);

/* "no matching signatures were found for ...: " and what `take_cause`, which is emptied, says of
 * the last one that was looked at, if any was (is_signed). A cause that is not_yet is the error.
 * Returns false. */
bool source_verify_none(const SourceVerification *wanted, bool is_signed, Error *take_cause,
			Error *err);

/* Cosign, with the keys of a Secret or without keys. */
bool source_verify_cosign(Run *run, const SourceVerification *wanted, Error *err) MUST_USE;

/* Notation, with the trust policy and certificates of a Secret. *out_tolerated: nothing proves the
 * artifact authentic, and the policy lets it pass. */
bool source_verify_notation(Run *run, const SourceVerification *wanted, bool *out_tolerated,
			    Error *err) MUST_USE;

#endif
