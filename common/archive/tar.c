/*
 * Own writer, because the bytes must depend on the tree alone: ustar headers, a pax record for what
 * ustar cannot say (names over 100 bytes that do not split, names that are not ASCII, sizes from
 * 8 GiB on), as Go's archive/tar writes them. Input of deflate is cut into blocks of one size, so
 * that the callers' chunks do not show in the output. Bounds: one block of each, a name of 4096.
 */
#include "archive/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "archive/tar_internal.h"
#include "archive/walk_internal.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

enum {
	BLOCK_BYTES = 65536,
	GZIP_LEVEL = 6,
	GZIP_WINDOW = 15 + 16, /* zlib: +16 asks for a gzip header */
	GZIP_MEM_LEVEL = 8,
	GZIP_OS_UNKNOWN = 255,
	MODE_DIR = 0750,
	MODE_FILE = 0600,
	MODE_EXECUTABLE = 0700,
	MODE_CHART_FILE = 0644,
};

static const uint64_t USTAR_MAX_SIZE = (1ULL << 33) - 1; /* 11 octal digits */

struct TarWriter {
	TarSink *sink;
	void *arg;
	z_stream zip;
	gz_header head;
	unsigned file_mode;
	size_t len; /* bytes in `in` */
	unsigned char in[BLOCK_BYTES];
	unsigned char out[BLOCK_BYTES];
};

/* Deflates what is in `in`. */
static bool deflate_block(TarWriter *tar, int flush, Error *err)
{
	tar->zip.next_in = tar->in;
	tar->zip.avail_in = (uInt)tar->len;
	int got;
	do {
		tar->zip.next_out = tar->out;
		tar->zip.avail_out = BLOCK_BYTES;
		got = deflate(&tar->zip, flush);
		if (got == Z_STREAM_ERROR)
			return err_set(err, ERR_INTERNAL, "deflate: stream error");
		size_t made = BLOCK_BYTES - tar->zip.avail_out;
		if (made && !tar->sink(tar->arg, tar->out, made, err))
			return false;
	} while (tar->zip.avail_out == 0 || (flush == Z_FINISH && got != Z_STREAM_END));
	tar->len = 0;
	return true;
}

static bool put(TarWriter *tar, const void *bytes, size_t len, Error *err)
{
	const unsigned char *at = bytes;
	while (len) {
		size_t room = BLOCK_BYTES - tar->len;
		size_t part = len < room ? len : room;
		memcpy(tar->in + tar->len, at, part);
		tar->len += part;
		at += part;
		len -= part;
		if (tar->len == BLOCK_BYTES && !deflate_block(tar, Z_NO_FLUSH, err))
			return false;
	}
	return true;
}

/* Zeros up to the next record of 512 bytes. */
static bool put_padding(TarWriter *tar, uint64_t size, Error *err)
{
	static const char zeros[TAR_RECORD] = {0};
	size_t over = (size_t)(size % TAR_RECORD);
	return over == 0 || put(tar, zeros, TAR_RECORD - over, err);
}

static void put_octal(char *field, size_t width, uint64_t value)
{
	field[width - 1] = '\0';
	for (size_t i = width - 1; i-- > 0;) {
		field[i] = (char)('0' + (value & 7));
		value >>= 3;
	}
}

typedef struct {
	char type;
	unsigned mode;
	uint64_t size;
} Entry;

/* Everything of a header but the name. */
static void header_fill(TarHeader *header, const Entry *entry)
{
	put_octal(header->mode, sizeof(header->mode), entry->mode);
	put_octal(header->uid, sizeof(header->uid), 0);
	put_octal(header->gid, sizeof(header->gid), 0);
	put_octal(header->size, sizeof(header->size),
		  entry->size > USTAR_MAX_SIZE ? 0 : entry->size);
	put_octal(header->mtime, sizeof(header->mtime), 0);
	header->type = entry->type;
	memcpy(header->magic, "ustar", sizeof(header->magic));
	memcpy(header->version, "00", sizeof(header->version));
	if (entry->type == 'x')
		return; /* Go leaves the device numbers of its pax headers away */
	put_octal(header->dev_major, sizeof(header->dev_major), 0);
	put_octal(header->dev_minor, sizeof(header->dev_minor), 0);
}

static bool put_header(TarWriter *tar, TarHeader *header, Error *err)
{
	memset(header->checksum, ' ', sizeof(header->checksum));
	unsigned sum = 0;
	const unsigned char *bytes = (const unsigned char *)header;
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	put_octal(header->checksum, sizeof(header->checksum) - 1, sum);
	return put(tar, header, sizeof(*header), err);
}

/* Fills name, or prefix and name cut at a slash; false when the path fits neither way. */
static bool header_name(TarHeader *header, const char *path)
{
	size_t len = strlen(path);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)path[i] >= 0x80)
			return false;
	}
	if (len <= sizeof(header->name)) {
		memcpy(header->name, path, len);
		return true;
	}
	size_t cut = len - 1 < sizeof(header->prefix) ? len - 1 : sizeof(header->prefix);
	while (cut > 0 && path[cut] != '/')
		cut--;
	size_t rest = len - cut - 1;
	if (cut == 0 || rest == 0 || rest > sizeof(header->name))
		return false;
	memcpy(header->prefix, path, cut);
	memcpy(header->name, path + cut + 1, rest);
	return true;
}

/* The first 100 bytes that are ASCII, for readers that know no pax. */
static void header_short_name(TarHeader *header, const char *path)
{
	size_t len = 0;
	for (; *path && len < sizeof(header->name); path++) {
		if ((unsigned char)*path < 0x80)
			header->name[len++] = *path;
	}
	while (*path && len && header->name[len - 1] == '/')
		header->name[--len] = '\0';
}

/* "LEN key=value\n", LEN counting itself. */
static void add_record(Buf *records, const char *key, const char *value)
{
	size_t rest = strlen(key) + strlen(value) + 3;
	size_t total = rest + 1;
	for (size_t last = 0; last != total;) {
		last = total;
		total = rest + (size_t)snprintf(NULL, 0, "%zu", last);
	}
	buf_printf(records, "%zu %s=%s\n", total, key, value);
}

static bool put_pax(TarWriter *tar, const char *path, const Buf *records, Error *err)
{
	autofree char *dir = path_dir(path);
	autofree char *name = cstr_eq(dir, ".")
				      ? mem_printf("PaxHeaders.0/%s", path)
				      : mem_printf("%s/PaxHeaders.0/%s", dir, path_base(path));
	TarHeader header = {0};
	const Entry entry = {.type = 'x', .size = records->len};
	header_short_name(&header, name);
	for (size_t len = strnlen(header.name, sizeof(header.name));
	     len && header.name[len - 1] == '/'; len--)
		header.name[len - 1] = '\0';
	header_fill(&header, &entry);
	return put_header(tar, &header, err) && put(tar, records->ptr, records->len, err) &&
	       put_padding(tar, records->len, err);
}

static bool put_entry(TarWriter *tar, const char *path, const Entry *entry, Error *err)
{
	if (!*path || strlen(path) >= PATH_MAX)
		return err_set(err, ERR_INVALID, "entry name of %zu bytes", strlen(path));
	TarHeader header = {0};
	autobuf Buf records = {0};
	if (!header_name(&header, path)) {
		header_short_name(&header, path);
		add_record(&records, "path", path);
	}
	if (entry->size > USTAR_MAX_SIZE) {
		char size[24];
		snprintf(size, sizeof(size), "%llu", (unsigned long long)entry->size);
		add_record(&records, "size", size);
	}
	if (records.len && !put_pax(tar, path, &records, err))
		return false;
	header_fill(&header, entry);
	return put_header(tar, &header, err);
}

static bool put_dir(TarWriter *tar, const char *path, Error *err)
{
	const Entry entry = {.type = '5', .mode = MODE_DIR};
	return put_entry(tar, path, &entry, err);
}

static bool put_file_entry(TarWriter *tar, const char *path, bool executable, uint64_t size,
			   Error *err)
{
	const Entry entry = {
		.type = '0', .mode = executable ? MODE_EXECUTABLE : tar->file_mode, .size = size};
	return put_entry(tar, path, &entry, err);
}

static TarWriter *open_writer(TarSink *sink, void *arg, unsigned file_mode, Error *err)
{
	autotarwriter TarWriter *tar = mem_zalloc(1, sizeof(*tar));
	tar->sink = sink;
	tar->arg = arg;
	tar->file_mode = file_mode;
	if (deflateInit2(&tar->zip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return err_null(err, ERR_INTERNAL, "deflate: cannot start");
	tar->head.os = GZIP_OS_UNKNOWN;
	if (deflateSetHeader(&tar->zip, &tar->head) != Z_OK)
		return err_null(err, ERR_INTERNAL, "deflate: cannot set the header");
	return steal(&tar);
}

TarWriter *tar_writer_new(TarSink *sink, void *arg, Error *err)
{
	autotarwriter TarWriter *tar = open_writer(sink, arg, MODE_FILE, err);
	return tar && put_dir(tar, ".", err) ? steal(&tar) : NULL;
}

TarWriter *tar_writer_new_chart(TarSink *sink, void *arg, Error *err)
{
	return open_writer(sink, arg, MODE_CHART_FILE, err);
}

void tar_writer_free(TarWriter *tar)
{
	if (!tar)
		return;
	deflateEnd(&tar->zip);
	free(tar);
}

bool tar_writer_dir(TarWriter *tar, const char *path, Error *err)
{
	return put_dir(tar, path, err) || err_wrap(err, "pack %s", path);
}

bool tar_writer_file(TarWriter *tar, const char *path, bool executable, const void *bytes,
		     size_t len, Error *err)
{
	bool ok = put_file_entry(tar, path, executable, len, err) && put(tar, bytes, len, err) &&
		  put_padding(tar, len, err);
	return ok || err_wrap(err, "pack %s", path);
}

/* Copies exactly `size` bytes: the header has promised them. */
static bool put_from_fd(TarWriter *tar, int fd, uint64_t size, Error *err)
{
	autofree char *chunk = mem_alloc(BLOCK_BYTES);
	while (size) {
		size_t want = size < BLOCK_BYTES ? (size_t)size : BLOCK_BYTES;
		ssize_t got = read(fd, chunk, want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "read");
		if (got == 0)
			return err_set(err, ERR_IO, "shrank while it was packed");
		if (!put(tar, chunk, (size_t)got, err))
			return false;
		size -= (uint64_t)got;
	}
	return true;
}

bool tar_writer_file_fd(TarWriter *tar, const char *path, bool executable, int fd, uint64_t size,
			Error *err)
{
	bool ok = put_file_entry(tar, path, executable, size, err) &&
		  put_from_fd(tar, fd, size, err) && put_padding(tar, size, err);
	return ok || err_wrap(err, "pack %s", path);
}

bool tar_writer_finish(TarWriter *tar, Error *err)
{
	static const char end[2 * TAR_RECORD] = {0};
	return put(tar, end, sizeof(end), err) && deflate_block(tar, Z_FINISH, err);
}
