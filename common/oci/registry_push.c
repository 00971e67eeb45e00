/*
 * Pushing (distribution-spec, "Pushing a blob in chunks"): a chunk is what is held of a blob. Each
 * reply says where the next chunk goes.
 */
#include <unistd.h>

#include "base/mem.h"
#include "net/url.h"
#include "oci/registry_internal.h"

enum { CHUNK = 4 << 20, OK = 200, CREATED = 201, ACCEPTED = 202, NOT_FOUND = 404 };

/* Where the upload goes on: on the registry's own host, which is shown our credentials. */
static char *next_location(Registry *registry, const char *url, const HttpResponse *reply,
			   Error *err)
{
	autofree char *location = http_response_header(reply, "location");
	if (!location)
		return err_null(err, ERR_INVALID, "%s does not say where the upload goes on",
				registry->host);
	autofree char *next = url_resolve(url, location, err);
	if (!next || !url_check_follow(registry, url, next, err))
		return NULL;
	if (!url_same_origin(url, next))
		return err_null(err, ERR_FORBIDDEN, "%s sends the upload to another host",
				registry->host);
	return steal(&next);
}

static bool blob_is_there(Registry *registry, const OciDescriptor *blob, bool *out, Error *err)
{
	autofree char *path = mem_printf("%s/blobs/%s", registry->repository, blob->digest);
	const RegistryCall call = {.method = "HEAD", .path = path};
	autohttpresponse HttpResponse reply = {0};
	autofree char *url = NULL;
	if (!registry_call(registry, &call, &reply, &url, err))
		return false;
	*out = reply.status == OK;
	return reply.status == OK || reply.status == NOT_FOUND ||
	       registry_reply_fail(registry, "HEAD", url, &reply, err);
}

/* A call of the upload; *location moves on. */
static bool step(Registry *registry, const RegistryCall *call, int want, char **location,
		 Error *err)
{
	autohttpresponse HttpResponse reply = {0};
	autofree char *url = NULL;
	if (!registry_call(registry, call, &reply, &url, err))
		return false;
	if (reply.status != want)
		return registry_reply_fail(registry, call->method, url, &reply, err);
	char *next = next_location(registry, url, &reply, err);
	if (!next)
		return false;
	free(*location);
	*location = next;
	return true;
}

static bool send_chunk(Registry *registry, const void *bytes, size_t len, int64_t at,
		       char **location, Error *err)
{
	autofree char *range = mem_printf("Content-Range: %lld-%lld", (long long)at,
					  (long long)at + (long long)len - 1);
	const char *const headers[] = {range, "Content-Type: application/octet-stream", NULL};
	const RegistryCall call = {.method = "PATCH",
				   .path = *location,
				   .headers = headers,
				   .body = bytes,
				   .body_len = len};
	return step(registry, &call, ACCEPTED, location, err);
}

static bool send_all(Registry *registry, const OciDescriptor *blob, int fd, char **location,
		     Error *err)
{
	autofree char *chunk = mem_alloc(CHUNK);
	for (int64_t at = 0; at < blob->size;) {
		ssize_t got = pread(fd, chunk, CHUNK, at);
		if (got < 0)
			return err_errno(err, "read blob %s", blob->digest);
		if (got == 0 || got > blob->size - at)
			return err_set(err, ERR_INVALID, "blob %s does not have %lld bytes",
				       blob->digest, (long long)blob->size);
		if (!send_chunk(registry, chunk, (size_t)got, at, location, err))
			return false;
		at += got;
	}
	return true;
}

bool registry_push_blob(Registry *registry, const OciDescriptor *blob, int fd, Error *err)
{
	bool there = false;
	if (!blob_is_there(registry, blob, &there, err))
		return err_wrap(err, "push blob %s", blob->digest);
	if (there)
		return true;
	autofree char *location = NULL;
	autofree char *path = mem_printf("%s/blobs/uploads/", registry->repository);
	const RegistryCall begin = {.method = "POST", .path = path, .body = "", .body_len = 0};
	if (!step(registry, &begin, ACCEPTED, &location, err) ||
	    !send_all(registry, blob, fd, &location, err))
		return err_wrap(err, "push blob %s", blob->digest);
	autofree char *digest = url_escape(blob->digest, false);
	autofree char *end =
		mem_printf("%s%sdigest=%s", location, strchr(location, '?') ? "&" : "?", digest);
	const RegistryCall call = {.method = "PUT", .path = end, .body = "", .body_len = 0};
	autohttpresponse HttpResponse reply = {0};
	return registry_expect(registry, &call, CREATED, &reply, err) ||
	       err_wrap(err, "push blob %s", blob->digest);
}

bool registry_push_manifest(Registry *registry, const char *reference, const char *media_type,
			    Str text, Error *err)
{
	autofree char *path = mem_printf("%s/manifests/%s", registry->repository, reference);
	autofree char *type = mem_printf("Content-Type: %s", media_type);
	const RegistryCall call = {.method = "PUT",
				   .path = path,
				   .headers = (const char *const[]){type, NULL},
				   .body = text.ptr,
				   .body_len = text.len};
	autohttpresponse HttpResponse reply = {0};
	return registry_expect(registry, &call, CREATED, &reply, err) ||
	       err_wrap(err, "push manifest %s", reference);
}
