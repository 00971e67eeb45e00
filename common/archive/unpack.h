/*
 * Unpacks a tar.gz from outside below a directory descriptor. Names that are empty, absolute, hold
 * `\` or `..` are refused; symbolic links are skipped or refused; devices and other types refused;
 * the first damage fails (K9, S60). Limits on bytes, entries, depth and compression ratio.
 */
#ifndef ARCHIVE_UNPACK_H
#define ARCHIVE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"

typedef struct {
	uint64_t max_bytes;   /* unpacked, in sum; 0: 1 GiB */
	uint64_t max_entries; /* 0: 200,000 */
	bool refuse_links;    /* else symbolic links are skipped */
} UnpackLimits;

/* Streaming: feed compressed bytes as they arrive. */
typedef struct Unpacker Unpacker;
Unpacker *unpacker_new(int dir_fd, const UnpackLimits *limits);
bool unpacker_feed(Unpacker *unpacker, const void *bytes, size_t len, Error *err) MUST_USE;

/* Where entries go when they are to be no files. */
typedef struct {
	void *arg;
	/* An entry's name as the target has it; owned. NULL and err refuse it. No function: clean
	 * and relative, or refused. */
	char *(*name)(void *arg, const char *raw, Error *err);
	/* NULL: directories, links and the like are passed over. */
	bool (*dir)(void *arg, const char *path, unsigned mode, Error *err);
	bool (*open)(void *arg, const char *path, unsigned mode, uint64_t size, Error *err);
	bool (*data)(void *arg, const void *bytes, size_t len, Error *err);
	bool (*close)(void *arg, Error *err);
} UnpackTarget;

/* As unpacker_new; what the target's arg points at must outlive it. */
Unpacker *unpacker_new_for(const UnpackTarget *target, const UnpackLimits *limits);

/* ERR_INVALID when the archive is truncated. */
bool unpacker_finish(Unpacker *unpacker, Error *err) MUST_USE;
void unpacker_free(Unpacker *unpacker);
AUTO_POINTER(Unpacker, unpacker_free, auto_unpacker);
#define autounpacker __attribute__((cleanup(auto_unpacker)))

/* From a descriptor to its end. */
bool unpack_fd(int fd, int dir_fd, const UnpackLimits *limits, Error *err) MUST_USE;
bool unpack_fd_for(int fd, const UnpackTarget *target, const UnpackLimits *limits,
		   Error *err) MUST_USE;

#endif
