/* Archives built byte by byte, right or wrong. Failures end the test. */
#ifndef TESTS_ARCHIVE_TAR_BYTES_H
#define TESTS_ARCHIVE_TAR_BYTES_H

#include <stddef.h>

#include "archive/tar_internal.h"
#include "archive/unpack.h"
#include "base/buf.h"

/* A sealed header of a file of that many bytes, mode 0644. */
TarHeader tar_header_of(const char *name, char type, size_t size);

/* Sets the checksum: after each change of a header. */
void tar_seal(TarHeader *header);

void tar_add_header(Buf *tar, const TarHeader *header);

/* With the padding. */
void tar_add_data(Buf *tar, const char *data, size_t len);

/* Header and data of an entry. */
void tar_add(Buf *tar, const char *name, char type, const char *data);

/* The two records of zeros. */
void tar_add_end(Buf *tar);

/* Appends the compressed bytes to *out, as one member. */
void tar_gzip(const Buf *tar, Buf *out);

/* Compresses it and unpacks that into the directory. */
bool tar_unpack(const Buf *tar, const char *dir, const UnpackLimits *limits, Error *err) MUST_USE;

#endif
