/* Text that is seldom looked at, kept small in memory: deflated (RFC 1951), in one allocation. */
#ifndef DATA_PACKED_H
#define DATA_PACKED_H

#include <stddef.h>

typedef struct Packed Packed;

/* `len` bytes, at most PACKED_MAX. Owned; NULL when they are more, or memory is out. */
enum { PACKED_MAX = 16 << 20 };
Packed *packed_new(const char *text, size_t len);

/* Wiped first: what was packed may be secret. NULL is passed over. */
void packed_free(Packed *packed);

/* What was packed, owned, with a NUL behind it; NULL when memory is out. */
char *packed_text(const Packed *packed, size_t *out_len);

/* Bytes of memory that it takes. */
size_t packed_size(const Packed *packed);

#endif
