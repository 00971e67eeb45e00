/* A chart's tar, gzipped here: asked who it is, loaded, packed and loaded again; no crash, and what
 * was packed is a chart. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "helm/archive.h"
#include "helm/package.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int zipped(const uint8_t *bytes, size_t size, Error *err)
{
	enum { GZIP_WINDOW = 15 + 16 };
	z_stream zip = {0};
	if (deflateInit2(&zip, Z_NO_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		abort();
	size_t room = deflateBound(&zip, size);
	autofree unsigned char *out = mem_alloc(room);
	zip.next_in = (unsigned char *)(uintptr_t)bytes;
	zip.avail_in = (uInt)size;
	zip.next_out = out;
	zip.avail_out = (uInt)room;
	if (deflate(&zip, Z_FINISH) != Z_STREAM_END)
		abort();
	size_t made = room - zip.avail_out;
	deflateEnd(&zip);
	int fd = memfd_create("chart", MFD_CLOEXEC);
	if (!fd_write_all(fd, out, made, err))
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autoerror Error err = {0}, ignored = {0};
	autofd int fd = zipped(bytes, size, &err), packed = memfd_create("packed", MFD_CLOEXEC);
	autojson json_t *metadata = helm_archive_metadata(fd, HELM_MAX_FILE_BYTES, &ignored);
	if (!metadata && !err_is_set(&ignored))
		abort();
	autoarena Arena *arena = arena_new();
	const HelmChart *chart = helm_chart_of_archive_fd(arena, fd, &err);
	if (chart && helm_chart_package(chart, packed, &err) &&
	    !helm_chart_of_archive_fd(arena, packed, &err))
		abort();
	return 0;
}
