/* Manifests by tag and digest: one HEAD to know what a tag is, a verified GET to have it. */
#include <string.h>

#include "base/mem.h"
#include "data/digest.h"
#include "oci/reference.h"
#include "oci/registry_internal.h"

enum { OK = 200, MAX_DEPTH = 4 };

/* Docker schema 1 is asked for by nobody. */
static const char *const accept_all[] = {
	"Accept: " OCI_TYPE_MANIFEST ", " OCI_TYPE_INDEX ", " OCI_TYPE_DOCKER_MANIFEST
	", " OCI_TYPE_DOCKER_LIST,
	NULL,
};

static bool is_digest(const char *reference)
{
	return strchr(reference, ':') != NULL;
}

static bool check_reference(const char *reference, Error *err)
{
	return is_digest(reference) ? oci_digest_check(reference, err)
				    : oci_tag_check(reference, err);
}

/* The digest of bytes by the algorithm that `like` has (NULL: sha256). */
static void digest_like(const char *like, Str text, char out[DIGEST_TEXT_SIZE])
{
	bool is_512 = like && cstr_starts(like, "sha512:");
	digest_of(is_512 ? DIGEST_SHA512 : DIGEST_SHA256, text.ptr, text.len, out);
}

/* What is named by its digest cannot have become another. */
static bool is_kept(const Registry *registry, const char *reference)
{
	const char *digest = registry->kept_as.digest;
	return digest && is_digest(reference) && digest_equal(digest, reference);
}

bool registry_manifest(Registry *registry, const char *reference, Buf *out,
		       OciDescriptor *out_descriptor, Error *err)
{
	if (!check_reference(reference, err))
		return false;
	if (is_kept(registry, reference)) {
		buf_add(out, buf_str(&registry->kept));
		oci_descriptor_copy(out_descriptor, &registry->kept_as);
		return true;
	}
	autofree char *path = mem_printf("%s/manifests/%s", registry->repository, reference);
	const RegistryCall call = {
		.method = "GET", .path = path, .headers = accept_all, .max_body = OCI_MAX_MANIFEST};
	autohttpresponse HttpResponse reply = {0};
	if (!registry_expect(registry, &call, OK, &reply, err))
		return false;
	char digest[DIGEST_TEXT_SIZE];
	const char *wanted = is_digest(reference) ? reference : NULL;
	digest_like(wanted, buf_str(&reply.body), digest);
	if (wanted && !digest_equal(digest, wanted))
		return err_set(err, ERR_INVALID,
			       "manifest digest: \"%s\" does not match requested "
			       "digest: \"%s\" for \"%s/%s\"",
			       digest, wanted, registry->host, registry->repository);
	autofree char *type = http_response_header(&reply, "content-type");
	out_descriptor->media_type = type ? steal(&type) : mem_strdup("");
	out_descriptor->digest = mem_strdup(digest);
	out_descriptor->size = (int64_t)reply.body.len;
	buf_add(out, buf_str(&reply.body));
	return true;
}

/* What the HEAD's header says; false when it does not say all. */
static bool read_head(const HttpResponse *reply, OciDescriptor *out)
{
	autoerror Error ignored = {0};
	autofree char *digest = http_response_header(reply, "docker-content-digest");
	autofree char *type = http_response_header(reply, "content-type");
	autofree char *length = http_response_header(reply, "content-length");
	unsigned long long size;
	if (!digest || !oci_digest_check(digest, &ignored) || cstr_empty(type) || !length ||
	    !str_to_u64(str_of(length), &size) || size > INT64_MAX)
		return false;
	*out = (OciDescriptor){
		.media_type = steal(&type), .digest = steal(&digest), .size = (int64_t)size};
	return true;
}

/* A HEAD has no text to say why it was refused, and some registries know none: the GET tells. */
bool registry_resolve(Registry *registry, const char *reference, OciDescriptor *out, Error *err)
{
	if (!check_reference(reference, err))
		return false;
	autofree char *path = mem_printf("%s/manifests/%s", registry->repository, reference);
	const RegistryCall call = {.method = "HEAD", .path = path, .headers = accept_all};
	autohttpresponse HttpResponse reply = {0};
	autofree char *url = NULL;
	if (!registry_call(registry, &call, &reply, &url, err))
		return false;
	if (reply.status == 429)
		return registry_reply_fail(registry, "HEAD", url, &reply, err);
	if (reply.status == OK && read_head(&reply, out)) {
		if (!is_digest(reference) || digest_equal(reference, out->digest))
			return true;
		err_set(err, ERR_INVALID, "%s answers %s for %s", registry->host, out->digest,
			reference);
		oci_descriptor_dispose(out);
		return false;
	}
	autobuf Buf unused = {0};
	return registry_manifest(registry, reference, &unused, out, err);
}

bool registry_resolve_to_pull(Registry *registry, const char *reference, OciDescriptor *out,
			      Error *err)
{
	autobuf Buf text = {0};
	if (!registry_manifest(registry, reference, &text, out, err))
		return false;
	buf_dispose(&registry->kept);
	oci_descriptor_dispose(&registry->kept_as);
	registry->kept = text;
	text = (Buf){0};
	oci_descriptor_copy(&registry->kept_as, out);
	return true;
}

/* A child's text has the size that its index says. */
static bool check_child(const OciDescriptor *wanted, const OciDescriptor *got, Error *err)
{
	if (!wanted->digest || wanted->size == got->size)
		return true;
	return err_set(err, ERR_INVALID, "manifest %s has %lld bytes, not %lld", got->digest,
		       (long long)got->size, (long long)wanted->size);
}

bool registry_image(Registry *registry, const char *reference, OciManifest *out, Error *err)
{
	autoocidescriptor OciDescriptor next = {0};
	for (int depth = 0; depth <= MAX_DEPTH; depth++) {
		autobuf Buf text = {0};
		autoocidescriptor OciDescriptor got = {0};
		autoocimanifest OciManifest manifest = {0};
		if (!registry_manifest(registry, next.digest ? next.digest : reference, &text, &got,
				       err) ||
		    !check_child(&next, &got, err) ||
		    !oci_manifest_parse(text.ptr, text.len, got.media_type, &manifest, err))
			return false;
		if (!manifest.is_index) {
			*out = manifest;
			manifest = (OciManifest){0};
			return true;
		}
		const OciDescriptor *picked = oci_index_pick(&manifest);
		if (!picked)
			return err_set(err, ERR_NOT_FOUND,
				       "no child with platform linux/amd64 in index %s/%s@%s",
				       registry->host, registry->repository, got.digest);
		oci_descriptor_dispose(&next);
		oci_descriptor_copy(&next, picked);
	}
	return err_set(err, ERR_LIMIT, "indexes within indexes, more than %d deep", MAX_DEPTH);
}
