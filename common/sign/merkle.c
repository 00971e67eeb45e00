#include "sign/merkle.h"

#include "data/digest.h"

enum { LEAF = 0, NODE = 1 };

void merkle_leaf(Str entry, unsigned char out[MERKLE_HASH])
{
	static const unsigned char prefix = LEAF;
	unsigned char raw[DIGEST_MAX_BYTES];
	autodigest Digest *digest = digest_new(DIGEST_SHA256);
	digest_update(digest, &prefix, 1);
	digest_update(digest, entry.ptr, entry.len);
	digest_final_raw(digest, raw);
	memcpy(out, raw, MERKLE_HASH);
}

static void node(const unsigned char *left, const unsigned char *right,
		 unsigned char out[MERKLE_HASH])
{
	static const unsigned char prefix = NODE;
	unsigned char raw[DIGEST_MAX_BYTES];
	autodigest Digest *digest = digest_new(DIGEST_SHA256);
	digest_update(digest, &prefix, 1);
	digest_update(digest, left, MERKLE_HASH);
	digest_update(digest, right, MERKLE_HASH);
	digest_final_raw(digest, raw);
	memcpy(out, raw, MERKLE_HASH);
}

bool merkle_includes(const unsigned char leaf[MERKLE_HASH], uint64_t index, uint64_t size,
		     const unsigned char (*proof)[MERKLE_HASH], size_t count,
		     const unsigned char root[MERKLE_HASH])
{
	unsigned char hash[MERKLE_HASH];
	if (index >= size)
		return false;
	uint64_t at = index, last = size - 1;
	memcpy(hash, leaf, MERKLE_HASH);
	for (size_t i = 0; i < count; i++) {
		if (last == 0)
			return false;
		bool is_right = (at & 1) != 0 || at == last;
		if (is_right)
			node(proof[i], hash, hash);
		else
			node(hash, proof[i], hash);
		/* The last of a level that has no sibling climbs to where it has one. */
		while (is_right && (at & 1) == 0 && at != 0) {
			at >>= 1;
			last >>= 1;
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && memcmp(hash, root, MERKLE_HASH) == 0;
}
