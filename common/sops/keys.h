/* A file's data key from its master keys. */
#ifndef SOPS_KEYS_H
#define SOPS_KEYS_H

#include "base/vec.h"
#include "sops/metadata.h"
#include "sops/sops.h"

/* Asks the services for the key of each group, in upstream's order (age, PGP, then the rest), and
 * puts Shamir parts together. ERR_UNAUTHORIZED names each master key that failed and why. */
bool data_key_get(const Metadata *metadata, const SopsOptions *options,
		  unsigned char out[DATA_KEY_SIZE], Error *err) MUST_USE;

/*
 * Joins Shamir parts over GF(2^8), each with its x in the last byte; `parts` are Buf *, two at
 * least. ERR_INVALID for parts that do not belong together.
 */
bool shamir_join(const Vec *parts, Buf *out, Error *err) MUST_USE;

#endif
