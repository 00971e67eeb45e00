/* Signed tree heads of transparency logs: notes (C2SP signed-note) that hold an origin, a size and
 * a root hash (C2SP tlog-checkpoint). */
#ifndef SIGN_CHECKPOINT_H
#define SIGN_CHECKPOINT_H

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "sign/merkle.h"
#include "sign/public_key.h"

enum { CHECKPOINT_MAX = 64 * 1024, CHECKPOINT_MAX_SIGNATURES = 100 };

typedef struct {
	Str origin; /* borrowed from the note */
	uint64_t size;
	unsigned char root[MERKLE_HASH];
} Checkpoint;

/* ERR_INVALID for what is no checkpoint. Verifies nothing. */
bool checkpoint_parse(Str note, Checkpoint *out, Error *err) MUST_USE;

/* True for origins of the kind "HOST - TREEID", which logs of Rekor's first version have. */
bool checkpoint_has_tree_id(const Checkpoint *checkpoint);

/* As Rekor's first version is checked: every signature of the note must be the key's.
 * ERR_FORBIDDEN, ERR_INVALID. */
bool checkpoint_verify_all(Str note, const PublicKey *key, Error *err) MUST_USE;

/* As its second version is: a signature in the name of `origin`, which the checkpoint must have,
 * must be the key's; those of witnesses do not count. ERR_FORBIDDEN, ERR_INVALID. */
bool checkpoint_verify_origin(Str note, const char *origin, const PublicKey *key,
			      Error *err) MUST_USE;

#endif
