/* Sealed values, and the walk that opens a tree's and computes its MAC. */
#ifndef SOPS_CRYPT_H
#define SOPS_CRYPT_H

#include "sops/metadata.h"
#include "sops/tree.h"

/* An open value: its type, as text in its node. `aad`: the path, each part with ":" behind. Errors
 * quote nothing. Owned. */
Node *seal_open(Str sealed, const unsigned char key[DATA_KEY_SIZE], Str aad, Error *err) MUST_USE;

typedef struct {
	bool no_comments; /* what rules by comments would say is told by the values' looks */
	int64_t until_ms; /* of clock_mono_ms(); 0: no end. A rule may cost time for each value */
} OpenOptions;

/*
 * Opens all that is sealed, in place; mac gets the MAC of what was found, as upper-case hex. Errors
 * name the value's path. ERR_TIMEOUT.
 */
enum { MAC_TEXT_SIZE = 129 };
bool tree_open(Tree *tree, const Metadata *metadata, const unsigned char key[DATA_KEY_SIZE],
	       const OpenOptions *options, char mac[MAC_TEXT_SIZE], Error *err) MUST_USE;

#endif
