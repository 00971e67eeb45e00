#include "../cmocka_all.h"

#include "tar_bytes.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "tree.h"

void tar_seal(TarHeader *header)
{
	memset(header->checksum, ' ', sizeof(header->checksum));
	unsigned sum = 0;
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += ((const unsigned char *)header)[i];
	snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
}

TarHeader tar_header_of(const char *name, char type, size_t size)
{
	TarHeader header = {0};
	memcpy(header.name, name, strnlen(name, sizeof(header.name)));
	snprintf(header.mode, sizeof(header.mode), "%07o", 0644);
	for (size_t i = sizeof(header.size) - 1; i-- > 0; size >>= 3)
		header.size[i] = (char)('0' + (size & 7));
	memcpy(header.magic, "ustar", sizeof(header.magic));
	memcpy(header.version, "00", sizeof(header.version));
	header.type = type;
	tar_seal(&header);
	return header;
}

void tar_add_header(Buf *tar, const TarHeader *header)
{
	buf_append(tar, header, sizeof(*header));
}

void tar_add_data(Buf *tar, const char *data, size_t len)
{
	static const char zeros[TAR_RECORD] = {0};
	buf_append(tar, data, len);
	buf_append(tar, zeros, (TAR_RECORD - len % TAR_RECORD) % TAR_RECORD);
}

void tar_add(Buf *tar, const char *name, char type, const char *data)
{
	TarHeader header = tar_header_of(name, type, strlen(data));
	tar_add_header(tar, &header);
	tar_add_data(tar, data, strlen(data));
}

void tar_add_end(Buf *tar)
{
	static const char zeros[2 * TAR_RECORD] = {0};
	buf_append(tar, zeros, sizeof(zeros));
}

void tar_gzip(const Buf *tar, Buf *out)
{
	z_stream zip = {0};
	assert_int_equal(deflateInit2(&zip, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	size_t bound = deflateBound(&zip, tar->len) + 64;
	buf_reserve(out, bound);
	zip.next_in = (unsigned char *)tar->ptr;
	zip.avail_in = (uInt)tar->len;
	zip.next_out = (unsigned char *)out->ptr + out->len;
	zip.avail_out = (uInt)bound;
	assert_int_equal(deflate(&zip, Z_FINISH), Z_STREAM_END);
	out->len += bound - zip.avail_out;
	out->ptr[out->len] = '\0';
	deflateEnd(&zip);
}

bool tar_unpack(const Buf *tar, const char *dir, const UnpackLimits *limits, Error *err)
{
	autobuf Buf bytes = {0};
	tar_gzip(tar, &bytes);
	autofd int fd = tree_fd(dir);
	autounpacker Unpacker *unpacker = unpacker_new(fd, limits);
	return unpacker_feed(unpacker, bytes.ptr, bytes.len, err) && unpacker_finish(unpacker, err);
}
