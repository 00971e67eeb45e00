#include "data/digest_blake3.h"

#include <string.h>

/*
 * BLAKE3 (O'Connor, Aumasson, Neves, Wilcox-O'Hearn; specification of 2020), section 2: the hash
 * mode only, one block at a time. OpenSSL has none. Proven by the published test vectors.
 */

enum { CHUNK_START = 1, CHUNK_END = 2, PARENT = 4, ROOT = 8 };

static const uint32_t iv[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const unsigned char permutation[16] = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};

static inline uint32_t rotate(uint32_t value, unsigned count)
{
	return value >> count | value << (32 - count);
}

static inline void quarter(uint32_t v[16], const unsigned char at[4], uint32_t x, uint32_t y)
{
	uint32_t *a = &v[at[0]], *b = &v[at[1]], *c = &v[at[2]], *d = &v[at[3]];
	*a += *b + x;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b + y;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

static void round_once(uint32_t v[16], const uint32_t m[16])
{
	static const unsigned char lanes[8][4] = {
		{0, 4, 8, 12},	{1, 5, 9, 13},	{2, 6, 10, 14}, {3, 7, 11, 15},
		{0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},	{3, 4, 9, 14},
	};
	for (size_t i = 0; i < 8; i++)
		quarter(v, lanes[i], m[2 * i], m[2 * i + 1]);
}

/* A node of the tree that waits for its flags: compressed as a chain value or as the root. */
typedef struct {
	uint32_t chain[8];
	uint32_t words[16];
	uint64_t counter;
	uint32_t len, flags;
} Node;

static void compress(const Node *node, uint32_t flags, uint32_t out[8])
{
	uint32_t v[16], m[16], next[16];
	memcpy(v, node->chain, 32);
	memcpy(v + 8, iv, 16);
	v[12] = (uint32_t)node->counter;
	v[13] = (uint32_t)(node->counter >> 32);
	v[14] = node->len;
	v[15] = node->flags | flags;
	memcpy(m, node->words, sizeof(m));
	for (int round = 0; round < 7; round++) {
		round_once(v, m);
		for (size_t i = 0; i < 16; i++)
			next[i] = m[permutation[i]];
		memcpy(m, next, sizeof(m));
	}
	for (size_t i = 0; i < 8; i++)
		out[i] = v[i] ^ v[i + 8];
}

static uint32_t load32(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* The chunk's current block as a node. */
static Node block_node(const Blake3 *state)
{
	Node node = {.counter = state->chunk, .len = (uint32_t)state->block_len};
	memcpy(node.chain, state->chain, sizeof(node.chain));
	for (size_t i = 0; i < 16; i++)
		node.words[i] = load32(state->block + 4 * i);
	node.flags = state->chunk_len == 0 ? CHUNK_START : 0;
	return node;
}

static Node parent_node(const uint32_t left[8], const uint32_t right[8])
{
	Node node = {.len = BLAKE3_BLOCK, .flags = PARENT};
	memcpy(node.chain, iv, sizeof(node.chain));
	memcpy(node.words, left, 32);
	memcpy(node.words + 8, right, 32);
	return node;
}

static void start_chunk(Blake3 *state, uint64_t number)
{
	memcpy(state->chain, iv, sizeof(iv));
	memset(state->block, 0, sizeof(state->block));
	state->chunk = number;
	state->chunk_len = state->block_len = 0;
}

void blake3_init(Blake3 *state)
{
	state->stack_len = 0;
	start_chunk(state, 0);
}

/* Merges finished subtrees: one for each trailing zero bit of the count of chunks. */
static void end_chunk(Blake3 *state)
{
	uint32_t value[8];
	Node node = block_node(state);
	compress(&node, CHUNK_END, value);
	uint64_t total = state->chunk + 1;
	for (uint64_t bits = total; (bits & 1) == 0; bits >>= 1) {
		node = parent_node(state->stack[--state->stack_len], value);
		compress(&node, 0, value);
	}
	memcpy(state->stack[state->stack_len++], value, sizeof(value));
	start_chunk(state, total);
}

/* The last block stays open, since only more input tells that it is not the end. */
static void end_block(Blake3 *state)
{
	if (state->chunk_len + BLAKE3_BLOCK == BLAKE3_CHUNK) {
		end_chunk(state);
		return;
	}
	Node node = block_node(state);
	compress(&node, 0, state->chain);
	state->chunk_len += BLAKE3_BLOCK;
	memset(state->block, 0, sizeof(state->block));
	state->block_len = 0;
}

void blake3_update(Blake3 *state, const void *bytes, size_t len)
{
	const unsigned char *in = bytes;
	while (len > 0) {
		if (state->block_len == BLAKE3_BLOCK)
			end_block(state);
		size_t take = BLAKE3_BLOCK - state->block_len;
		take = take < len ? take : len;
		memcpy(state->block + state->block_len, in, take);
		state->block_len += take;
		in += take;
		len -= take;
	}
}

void blake3_final(const Blake3 *state, unsigned char out[BLAKE3_OUT])
{
	Node node = block_node(state);
	node.flags |= CHUNK_END;
	uint32_t value[8];
	for (size_t left = state->stack_len; left > 0; left--) {
		compress(&node, 0, value);
		node = parent_node(state->stack[left - 1], value);
	}
	compress(&node, ROOT, value);
	for (size_t i = 0; i < BLAKE3_OUT; i++)
		out[i] = (unsigned char)(value[i / 4] >> (8 * (i % 4)));
}
