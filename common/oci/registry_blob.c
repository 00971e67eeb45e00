/*
 * Blobs: hashed and written as they come, resumed where a connection was cut. Nobody waits between
 * two tries; two that bring no byte end it.
 */
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "data/digest.h"
#include "net/retry.h"
#include "oci/registry_internal.h"

enum { MAX_TRIES = 10, MAX_FRUITLESS = 2, OK = 200, PARTIAL = 206, SLOWEST_BYTES_S = 64 << 10 };

/* Written by the loop's thread while a call runs, else the worker's. */
typedef struct {
	const OciDescriptor *blob;
	Digest *digest;
	int fd; /* or -1: */
	Buf *buf;
	uint64_t received;
	uint64_t skip;	/* bytes of this reply that are there already */
	bool begun;	/* this reply's head was looked at */
	bool was_whole; /* this reply was the whole blob, to its end */
	Error err;	/* why on_data ended the call */
} Sink;

static void sink_dispose(Sink *sink)
{
	digest_free(sink->digest);
	error_dispose(&sink->err);
}
#define autosink __attribute__((cleanup(sink_dispose)))

/* A whole body is skipped up to where we are; a part must begin there. */
static bool begin(Sink *sink, const HttpResponse *head)
{
	sink->begun = true;
	sink->skip = head->status == OK ? sink->received : 0;
	if (head->status == OK)
		return true;
	autofree char *range = http_response_header(head, "content-range");
	autofree char *prefix = mem_printf("bytes %llu-", (unsigned long long)sink->received);
	if (cstr_starts(range ? range : "", prefix))
		return true;
	return err_set(&sink->err, ERR_INVALID, "blob %s: another range than the one asked for",
		       sink->blob->digest);
}

static bool on_data(void *arg, const HttpResponse *head, const char *bytes, size_t len)
{
	Sink *sink = arg;
	if (!sink->begun && !begin(sink, head))
		return false;
	size_t drop = sink->skip < len ? (size_t)sink->skip : len;
	sink->skip -= drop;
	bytes += drop;
	len -= drop;
	if (len > (uint64_t)sink->blob->size - sink->received)
		return err_set(&sink->err, ERR_INVALID, "blob %s is larger than its %lld bytes",
			       sink->blob->digest, (long long)sink->blob->size);
	digest_update(sink->digest, bytes, len);
	sink->received += len;
	if (sink->fd >= 0)
		return fd_write_all(sink->fd, bytes, len, &sink->err);
	buf_append(sink->buf, bytes, len);
	return true;
}

static bool check_digest(Sink *sink, Error *err)
{
	char got[DIGEST_TEXT_SIZE];
	digest_final(sink->digest, got);
	if (digest_equal(got, sink->blob->digest))
		return true;
	return err_set(err, ERR_INVALID, "blob %s has the digest %s", sink->blob->digest, got);
}

/* One call, from where we are. True when nothing is wrong; the blob may be incomplete. */
static bool try_once(Registry *registry, const char *path, Sink *sink, Error *err)
{
	autofree char *range = mem_printf("Range: bytes=%llu-", (unsigned long long)sink->received);
	const char *const headers[] = {sink->received ? range : NULL, NULL};
	const RegistryCall call = {
		.method = "GET", .path = path, .headers = headers, .on_data = on_data, .arg = sink};
	autohttpresponse HttpResponse reply = {0};
	autofree char *url = NULL;
	sink->begun = false;
	bool ok = registry_call(registry, &call, &reply, &url, err);
	if (err_is_set(&sink->err)) {
		error_dispose(err);
		return err_move(err, &sink->err);
	}
	sink->was_whole = ok && reply.status == OK;
	if (ok && reply.status != OK && reply.status != PARTIAL)
		return registry_reply_fail(registry, "GET", url, &reply, err);
	return ok;
}

static bool download(Registry *registry, Sink *sink, Error *err)
{
	autofree char *path = mem_printf("%s/blobs/%s", registry->repository, sink->blob->digest);
	int fruitless = 0;
	for (int try = 0; try < MAX_TRIES && fruitless < MAX_FRUITLESS; try++) {
		uint64_t before = sink->received;
		error_dispose(err);
		bool ok = try_once(registry, path, sink, err);
		if (ok && sink->received == (uint64_t)sink->blob->size)
			return check_digest(sink, err);
		if (!ok && (err->http_status || !retry_is_worth_it(err)))
			return false;
		if (ok)
			err_set(err, ERR_INVALID, "blob %s ends after %llu of %lld bytes",
				sink->blob->digest, (unsigned long long)sink->received,
				(long long)sink->blob->size);
		if (sink->was_whole)
			return false; /* nothing was cut: there is no more */
		fruitless = sink->received == before ? fruitless + 1 : 0;
	}
	return false;
}

static bool check_size(const OciDescriptor *blob, uint64_t max_bytes, Error *err)
{
	if ((uint64_t)blob->size <= max_bytes)
		return true;
	return err_set(err, ERR_LIMIT, "blob %s has %lld bytes, more than %llu", blob->digest,
		       (long long)blob->size, (unsigned long long)max_bytes);
}

static DigestAlgo algo_of(const OciDescriptor *blob)
{
	return cstr_starts(blob->digest, "sha512:") ? DIGEST_SHA512 : DIGEST_SHA256;
}

/* A large blob over a slow line would never arrive, tried ever again from its start: its bytes have
 * time of their own, as long as they come. */
static void allow_time(Registry *registry, const OciDescriptor *blob)
{
	registry->deadline_ms += blob->size * 1000 / SLOWEST_BYTES_S;
}

bool registry_blob(Registry *registry, const OciDescriptor *blob, uint64_t max_bytes, int fd,
		   Error *err)
{
	if (!check_size(blob, max_bytes, err))
		return false;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_errno(err, "rewind");
	allow_time(registry, blob);
	autosink Sink sink = {.blob = blob, .digest = digest_new(algo_of(blob)), .fd = fd};
	return download(registry, &sink, err);
}

bool registry_blob_read(Registry *registry, const OciDescriptor *blob, size_t max_bytes, Buf *out,
			Error *err)
{
	autobuf Buf bytes = {0};
	if (!check_size(blob, max_bytes, err))
		return false;
	autosink Sink sink = {
		.blob = blob, .digest = digest_new(algo_of(blob)), .fd = -1, .buf = &bytes};
	if (!download(registry, &sink, err))
		return false;
	buf_add(out, buf_str(&bytes));
	return true;
}
