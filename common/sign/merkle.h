/* Merkle trees of transparency logs (RFC 6962 2.1), SHA-256. */
#ifndef SIGN_MERKLE_H
#define SIGN_MERKLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { MERKLE_HASH = 32, MERKLE_MAX_PROOF = 64 };

void merkle_leaf(Str entry, unsigned char out[MERKLE_HASH]);

/*
 * Whether the audit path `proof` (`count` hashes, leaf's sibling first) leads from the leaf at
 * `index` in a tree of `size` leaves to `root` (RFC 9162 2.1.3.2).
 */
bool merkle_includes(const unsigned char leaf[MERKLE_HASH], uint64_t index, uint64_t size,
		     const unsigned char (*proof)[MERKLE_HASH], size_t count,
		     const unsigned char root[MERKLE_HASH]);

#endif
