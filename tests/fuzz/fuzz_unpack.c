/*
 * The unpacker on any tar (and, when the first byte is odd, on any gzip). Whatever comes: no crash,
 * and nothing appears beside the directory that it was given.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "archive/unpack.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT_BYTES = 1 << 16 };

/* Stored blocks only: what the fuzzer changes stays in its place. */
static size_t wrap(const uint8_t *data, size_t size, unsigned char *out, size_t room)
{
	z_stream zip = {0};
	if (deflateInit2(&zip, 0, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	zip.next_in = (unsigned char *)(uintptr_t)data;
	zip.avail_in = (uInt)size;
	zip.next_out = out;
	zip.avail_out = (uInt)room;
	if (deflate(&zip, Z_FINISH) != Z_STREAM_END)
		abort();
	size_t len = room - zip.avail_out;
	deflateEnd(&zip);
	return len;
}

static void check_alone(const char *base)
{
	autoerror Error err = {0};
	autofd int fd = fd_open(base, O_RDONLY | O_DIRECTORY, 0, &err);
	autostrings Vec names = {0};
	if (fd < 0 || !dir_names(fd, 10, &names, &err) || names.len != 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > MAX_INPUT_BYTES)
		return 0;
	autoerror Error err = {0}, unpack_err = {0};
	bool raw = data[0] & 1;
	size_t room = size + 4096;
	autofree unsigned char *wrapped = mem_alloc(room);
	size_t len = raw ? 0 : wrap(data + 1, size - 1, wrapped, room);
	autotempdir char *base = dir_make_temp("/tmp", "sluice-fuzz", &err);
	autofree char *dir = path_join(base, "in");
	if (!dir_make(dir, 0700, &err))
		abort();
	autofd int fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, &err);
	const UnpackLimits limits = {.max_bytes = 1 << 20, .max_entries = 200};
	autounpacker Unpacker *unpacker = unpacker_new(fd, &limits);
	bool ok = unpacker_feed(unpacker, raw ? data + 1 : wrapped, raw ? size - 1 : len,
				&unpack_err);
	if (ok && !unpacker_finish(unpacker, &unpack_err) && !err_is_set(&unpack_err))
		abort();
	check_alone(base);
	return 0;
}
