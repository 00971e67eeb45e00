/* BLAKE3 hashing with 32 bytes of output. One thread at a time per state. */
#ifndef DATA_DIGEST_BLAKE3_H
#define DATA_DIGEST_BLAKE3_H

#include <stddef.h>
#include <stdint.h>

enum { BLAKE3_OUT = 32, BLAKE3_BLOCK = 64, BLAKE3_CHUNK = 1024, BLAKE3_DEPTH = 54 };

/* A plain value; blake3_init makes it ready. */
typedef struct {
	uint32_t chain[8]; /* of the current chunk */
	uint64_t chunk;	   /* its number */
	size_t chunk_len;  /* bytes compressed of it */
	unsigned char block[BLAKE3_BLOCK];
	size_t block_len;
	uint32_t stack[BLAKE3_DEPTH][8]; /* finished subtrees, largest first */
	size_t stack_len;
} Blake3;

void blake3_init(Blake3 *state);
void blake3_update(Blake3 *state, const void *bytes, size_t len);
void blake3_final(const Blake3 *state, unsigned char out[BLAKE3_OUT]);

#endif
