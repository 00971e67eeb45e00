/* Random bytes from the kernel. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/* Fills `bytes`; ends the process when the kernel has none (it always has). */
void rand_bytes(void *bytes, size_t len);

/* Uniform in [0, bound); bound > 0. */
uint64_t rand_below(uint64_t bound);

/* `len` characters of the alphabet that Kubernetes uses for generated names, and a NUL, into
 * `out`, which has len + 1 bytes. */
void rand_name(char *out, size_t len);

/* A version 4 UUID (RFC 9562) in lower case into out. */
void rand_uuid(char out[37]);

#endif
