/*
 * Inflates what is fed and hands it to the tar reader a block at a time, so that memory is bounded
 * whatever comes. A gzip file may have several members (RFC 1952 2.2); their checksums are
 * verified. Bounds: see unpack.h; a ratio over 400 is a bomb once 64 MiB came out (deflate can do
 * 1032).
 */
#include "archive/unpack.h"

#include <errno.h>
#include <unistd.h>
#include <zlib.h>

#include "archive/unpack_internal.h"
#include "base/mem.h"

enum {
	BLOCK_BYTES = 65536,
	GZIP_WINDOW = 15 + 16, /* zlib: +16 wants a gzip header */
	MAX_RATIO = 400,
	RATIO_FREE_BYTES = 64 << 20,
};

static const UnpackLimits default_limits = {.max_bytes = 1ULL << 30, .max_entries = 200000};

typedef enum { MEMBER_START, MEMBER_INSIDE } MemberState;

struct Unpacker {
	TreeWriter tree; /* where the target is a directory */
	TarReader tar;
	z_stream zip;
	MemberState member;
	uint64_t in_total;
	uint64_t out_total;
	bool failed; /* what follows damage is not looked at */
	unsigned char out[BLOCK_BYTES];
};

static Unpacker *start(Unpacker *unpacker, const UnpackTarget *target, const UnpackLimits *limits)
{
	UnpackLimits own = limits ? *limits : default_limits;
	if (!own.max_bytes)
		own.max_bytes = default_limits.max_bytes;
	if (!own.max_entries)
		own.max_entries = default_limits.max_entries;
	tar_reader_init(&unpacker->tar, target, &own);
	/* Fails only when memory is out. */
	unpacker->failed = inflateInit2(&unpacker->zip, GZIP_WINDOW) != Z_OK;
	return unpacker;
}

Unpacker *unpacker_new(int dir_fd, const UnpackLimits *limits)
{
	Unpacker *unpacker = mem_zalloc(1, sizeof(*unpacker));
	tree_writer_init(&unpacker->tree, dir_fd);
	const UnpackTarget target = tree_writer_target(&unpacker->tree);
	return start(unpacker, &target, limits);
}

Unpacker *unpacker_new_for(const UnpackTarget *target, const UnpackLimits *limits)
{
	Unpacker *unpacker = mem_zalloc(1, sizeof(*unpacker));
	tree_writer_init(&unpacker->tree, -1);
	return start(unpacker, target, limits);
}

void unpacker_free(Unpacker *unpacker)
{
	if (!unpacker)
		return;
	inflateEnd(&unpacker->zip);
	tar_reader_dispose(&unpacker->tar);
	tree_writer_dispose(&unpacker->tree);
	free(unpacker);
}

static bool check_ratio(const Unpacker *unpacker, Error *err)
{
	bool is_bomb = unpacker->out_total > RATIO_FREE_BYTES &&
		       unpacker->out_total / MAX_RATIO > unpacker->in_total;
	if (is_bomb)
		return err_set(err, ERR_LIMIT, "archive inflates more than %d times", MAX_RATIO);
	return true;
}

/* One call of inflate and what came out of it. */
static bool inflate_block(Unpacker *unpacker, Error *err)
{
	z_stream *zip = &unpacker->zip;
	zip->next_out = unpacker->out;
	zip->avail_out = BLOCK_BYTES;
	uInt before = zip->avail_in;
	unpacker->member = MEMBER_INSIDE;
	int got = inflate(zip, Z_NO_FLUSH);
	if (got != Z_OK && got != Z_STREAM_END && got != Z_BUF_ERROR)
		return err_set(err, ERR_INVALID, "archive is damaged: gzip: %s",
			       zip->msg ? zip->msg : "data error");
	unpacker->in_total += before - zip->avail_in;
	size_t made = BLOCK_BYTES - zip->avail_out;
	unpacker->out_total += made;
	if (!check_ratio(unpacker, err))
		return false;
	if (!tar_reader_feed(&unpacker->tar, (const char *)unpacker->out, made, err))
		return false;
	if (got != Z_STREAM_END)
		return true;
	unpacker->member = MEMBER_START;
	if (inflateReset(zip) != Z_OK)
		return err_set(err, ERR_INTERNAL, "inflate: cannot start again");
	return true;
}

static bool feed_part(Unpacker *unpacker, const void *bytes, size_t len, Error *err)
{
	z_stream *zip = &unpacker->zip;
	/* zlib reads but never writes through next_in. */
	zip->next_in = (unsigned char *)(uintptr_t)bytes;
	zip->avail_in = (uInt)len;
	bool is_full;
	do {
		if (!inflate_block(unpacker, err))
			return false;
		is_full = zip->avail_out == 0 && unpacker->member == MEMBER_INSIDE;
	} while (zip->avail_in || is_full);
	zip->next_in = NULL;
	return true;
}

bool unpacker_feed(Unpacker *unpacker, const void *bytes, size_t len, Error *err)
{
	if (unpacker->failed)
		return err_set(err, ERR_INVALID, "archive has failed before");
	const char *at = bytes;
	while (len) {
		size_t part = len < BLOCK_BYTES ? len : BLOCK_BYTES;
		unpacker->failed = !feed_part(unpacker, at, part, err);
		if (unpacker->failed)
			return false;
		at += part;
		len -= part;
	}
	return true;
}

bool unpacker_finish(Unpacker *unpacker, Error *err)
{
	if (unpacker->failed)
		return err_set(err, ERR_INVALID, "archive has failed before");
	unpacker->failed = true; /* nothing may follow */
	if (unpacker->member != MEMBER_START || unpacker->in_total == 0)
		return err_set(err, ERR_INVALID, "archive is truncated: gzip");
	if (unpacker->tar.state != AT_END)
		return err_set(err, ERR_INVALID, "archive is truncated: tar");
	return true;
}

static bool unpack_all(Unpacker *unpacker, int fd, Error *err)
{
	autofree char *chunk = mem_alloc(BLOCK_BYTES);
	for (;;) {
		ssize_t got = read(fd, chunk, BLOCK_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "read archive");
		if (got == 0)
			return unpacker_finish(unpacker, err);
		if (!unpacker_feed(unpacker, chunk, (size_t)got, err))
			return false;
	}
}

bool unpack_fd(int fd, int dir_fd, const UnpackLimits *limits, Error *err)
{
	autounpacker Unpacker *unpacker = unpacker_new(dir_fd, limits);
	return unpack_all(unpacker, fd, err);
}

bool unpack_fd_for(int fd, const UnpackTarget *target, const UnpackLimits *limits, Error *err)
{
	autounpacker Unpacker *unpacker = unpacker_new_for(target, limits);
	return unpack_all(unpacker, fd, err);
}
