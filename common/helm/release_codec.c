/* A record as a Secret holds it: base64 of gzip of JSON (helm-engine.md 12). */
#include "helm/release.h"

#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "data/base64.h"

enum {
	GZIP = 16, /* added to the bits of a window: a gzip header */
	WINDOW_LEAST = 9,
	WINDOW_MOST = 15,
	LOOKAHEAD = 262, /* MIN_LOOKAHEAD of deflate: the window's end that no match reaches */
	CHUNK_BYTES = 65536,
};

/* No more of a window than the text: deflate clears and keeps 256 KiB for the largest, which takes
 * longer than a common release does. The result is the same size. */
static int window_bits(size_t len)
{
	int bits = WINDOW_LEAST;
	while (bits < WINDOW_MOST && ((size_t)1 << bits) < len + LOOKAHEAD)
		bits++;
	return bits;
}

/* zlib reads but never writes through next_in. */
static unsigned char *readable(const char *bytes)
{
	return (unsigned char *)(uintptr_t)bytes;
}

static bool compress_text(const Buf *text, Buf *out, Error *err)
{
	z_stream zip = {0};
	int bits = window_bits(text->len);
	if (deflateInit2(&zip, Z_BEST_COMPRESSION, Z_DEFLATED, bits + GZIP, bits - 7,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return err_set(err, ERR_INTERNAL, "deflate: out of memory");
	buf_reserve(out, deflateBound(&zip, text->len));
	zip.next_in = readable(buf_text(text));
	zip.avail_in = (uInt)text->len;
	zip.next_out = (unsigned char *)out->ptr + out->len;
	zip.avail_out = (uInt)(out->cap - out->len - 1);
	int got = deflate(&zip, Z_FINISH);
	out->len += zip.total_out;
	out->ptr[out->len] = '\0';
	deflateEnd(&zip);
	return got == Z_STREAM_END || err_set(err, ERR_INTERNAL, "deflate: %d", got);
}

bool helm_record_encode(const HelmRecord *record, Buf *out, Error *err)
{
	autobuf Buf text = {0}, zipped = {0};
	json_write(helm_record_tree(record), &text);
	if (text.len > HELM_RECORD_MAX_JSON)
		return err_set(err, ERR_LIMIT, "release %s.v%lld takes %zu bytes, more than %d",
			       helm_record_name(record), (long long)helm_record_version(record),
			       text.len, HELM_RECORD_MAX_JSON);
	if (!compress_text(&text, &zipped, err))
		return false;
	autofree char *encoded = base64_encode(buf_text(&zipped), zipped.len);
	size_t len = strlen(encoded);
	if (len > HELM_RECORD_MAX_STORED)
		return err_set(err, ERR_LIMIT,
			       "release %s.v%lld takes %zu bytes where a Secret holds %d: its "
			       "chart's files and manifests are too large",
			       helm_record_name(record), (long long)helm_record_version(record),
			       len, HELM_RECORD_MAX_STORED);
	buf_append(out, encoded, len);
	return true;
}

static bool inflate_all(z_stream *zip, Buf *out, Error *err)
{
	autofree unsigned char *chunk = mem_alloc(CHUNK_BYTES);
	int got;
	do {
		zip->next_out = chunk;
		zip->avail_out = CHUNK_BYTES;
		got = inflate(zip, Z_NO_FLUSH);
		if (got != Z_OK && got != Z_STREAM_END)
			return err_set(err, ERR_INVALID, "gzip: %s",
				       zip->msg ? zip->msg : "unexpected end");
		if (!buf_append_limited(out, chunk, CHUNK_BYTES - zip->avail_out,
					HELM_RECORD_MAX_JSON, err))
			return err_wrap(err, "gzip");
	} while (got != Z_STREAM_END);
	return true;
}

static bool uncompress_text(const Buf *zipped, Buf *out, Error *err)
{
	z_stream zip = {0};
	if (inflateInit2(&zip, WINDOW_MOST + GZIP) != Z_OK)
		return err_set(err, ERR_INTERNAL, "inflate: out of memory");
	zip.next_in = readable(buf_text(zipped));
	zip.avail_in = (uInt)zipped->len;
	bool ok = inflate_all(&zip, out, err);
	inflateEnd(&zip);
	return ok;
}

HelmRecord *helm_record_decode(const char *text, size_t len, Error *err)
{
	static const char magic[] = {'\x1f', '\x8b', '\x08'};
	autobuf Buf bytes = {0}, plain = {0};
	if (len > 2 * (size_t)HELM_RECORD_MAX_STORED)
		return err_null(err, ERR_LIMIT, "the release record takes %zu bytes", len);
	if (!base64_decode(text, len, &bytes, err))
		return NULL;
	bool zipped = bytes.len > 3 && memcmp(bytes.ptr, magic, sizeof(magic)) == 0;
	if (zipped && !uncompress_text(&bytes, &plain, err))
		return NULL;
	const Buf *source = zipped ? &plain : &bytes;
	json_t *tree = json_parse(buf_text(source), source->len, HELM_RECORD_MAX_JSON, err);
	return tree ? helm_record_new(tree, err) : NULL;
}
