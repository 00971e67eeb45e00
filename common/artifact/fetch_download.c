/*
 * One artifact from HTTP to verified files. The loop's thread writes and hashes what comes; the
 * worker compares, and unpacks from the file. Nothing is unpacked before its digest is known to be
 * right. Bounds: bytes of the download, 30 s without a byte, and those of archive/unpack.h.
 */
#include "artifact/fetch_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "net/url.h"

enum { HTTP_OK = 200, HTTP_NOT_FOUND = 404, MAX_ERROR_BODY = 1 << 20 };

/* Written by the loop's thread until httpc_stream returns, then the worker's. */
typedef struct {
	HttpResponse head;
	int fd;
	Digest *digest;
	size_t size, limit;
	Error err; /* why on_data ended the call */
} Download;

static void download_dispose(Download *d)
{
	auto_close(&d->fd);
	digest_free(d->digest);
	http_response_dispose(&d->head);
	error_dispose(&d->err);
}
#define autodownload __attribute__((cleanup(download_dispose)))

static bool on_data(void *arg, const char *bytes, size_t len)
{
	Download *d = arg;
	d->size += len;
	if (d->head.status != HTTP_OK)
		return d->size <= MAX_ERROR_BODY; /* an error page: not wanted */
	if (d->size > d->limit)
		return err_set(&d->err, ERR_INVALID, "artifact is larger than %zu bytes", d->limit);
	digest_update(d->digest, bytes, len);
	return fd_write_all(d->fd, bytes, len, &d->err);
}

static bool check_status(const Download *d, const char *url, Error *err)
{
	int status = d->head.status;
	if (status == HTTP_OK)
		return true;
	if (status == HTTP_NOT_FOUND)
		err_set(err, ERR_NOT_FOUND, "artifact not found at %s", url);
	else
		err_set(err, err_code_of_http(status < 400 ? 500 : status),
			"download artifact from %s: HTTP status %d", url, status);
	err->http_status = status;
	err->retry_after_ms = http_response_retry_after_ms(&d->head);
	return false;
}

static bool check_digest(const Download *d, const FetchJob *job, const char *url, Error *err)
{
	char got[DIGEST_TEXT_SIZE];
	digest_final(d->digest, got);
	if (digest_equal(strchr(got, ':') + 1, job->hex))
		return true;
	return err_set(err, ERR_INVALID, "artifact from %s: digest is %s, want %s:%s", url, got,
		       digest_algo_name(job->algo), job->hex);
}

static bool download(Download *d, const FetchJob *job, Error *err)
{
	autofree char *shown = url_redacted(job->url);
	const HttpRequest request = {
		.url = job->url, .idle_timeout_ms = job->idle_timeout_ms, .follow_redirects = true};
	autoerror Error http_err = {0};
	bool ok = httpc_stream(job->http, &request, on_data, d, &d->head, &http_err);
	if (err_is_set(&d->err)) {
		err_move(err, &d->err);
		return err_wrap(err, "download artifact from %s to %s", shown, job->dir);
	}
	/* A status that came counts, even when its page was cut. */
	if (d->head.status && !check_status(d, shown, err))
		return false;
	if (!ok) {
		err_move(err, &http_err);
		return err_wrap(err, "download artifact from %s", shown);
	}
	return check_digest(d, job, shown, err);
}

static FileTree *unpack(int fd, const FetchJob *job, Error *err)
{
	if (lseek(fd, 0, SEEK_SET) != 0) {
		err_errno(err, "rewind");
		return NULL;
	}
	const UnpackLimits limits = {.max_bytes = job->max_bytes};
	FileTree *tree = file_tree_unpack(fd, job->dir, &limits, err);
	if (tree)
		return tree;
	/* The same bytes would fail again: no limit of ours is worth another try. */
	if (err->code == ERR_LIMIT || err->code == ERR_FORBIDDEN)
		err->code = ERR_INVALID;
	return err_wrap_null(err, "unpack artifact into %s", job->dir);
}

char *fetch_file(const FetchJob *job, Error *err)
{
	autotempdir char *dir = dir_make_temp(job->dir, FETCH_TREE_PREFIX, err);
	if (!dir)
		return NULL;
	autofree char *path = path_join(dir, ARTIFACT_FILE);
	autodownload Download d = {.fd = fd_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, err),
				   .digest = digest_new(job->algo),
				   .limit = job->max_bytes};
	return d.fd >= 0 && download(&d, job, err) ? steal(&dir) : NULL;
}

FileTree *fetch_tree(const FetchJob *job, Error *err)
{
	autodownload Download d = {.fd = fd_nameless(job->dir, err),
				   .digest = digest_new(job->algo),
				   .limit = job->max_bytes};
	return d.fd >= 0 && download(&d, job, err) ? unpack(d.fd, job, err) : NULL;
}

char *fetch_url_with_host(const char *url, const char *host)
{
	const char *start = strstr(url, "://");
	if (!start)
		return mem_strdup(url);
	start += 3;
	size_t len = strcspn(start, "/?#");
	/* Userinfo stays. */
	const char *at = memrchr(start, '@', len);
	size_t kept = (size_t)((at ? at + 1 : start) - url);
	return mem_printf("%.*s%s%s", (int)kept, url, host, start + len);
}
