/*
 * What refers to a manifest (distribution-spec, "Listing Referrers"): the referrers API, page after
 * page, or the tag that clients keep where a registry has no such API. Of a page only the wanted
 * entries are held.
 */
#include <string.h>

#include "base/mem.h"
#include "oci/reference.h"
#include "oci/registry_internal.h"

enum {
	OK = 200,
	BAD_REQUEST = 400,
	NOT_FOUND = 404,
	NOT_ACCEPTABLE = 406,
	MAX_PAGES = 1000,
};

/* Moves the entries of that type (NULL: all) behind those that are there. */
static bool add_entries(OciManifest *to, OciManifest *from, const char *artifact_type, Error *err)
{
	to->items = mem_realloc(to->items, (to->count + from->count + 1) * sizeof(*to->items));
	for (size_t i = 0; i < from->count; i++) {
		OciDescriptor *item = &from->items[i];
		if (artifact_type && !cstr_eq(item->artifact_type, artifact_type))
			continue;
		if (to->count >= OCI_MAX_ITEMS)
			return err_set(err, ERR_LIMIT, "more than %d referrers", OCI_MAX_ITEMS);
		to->items[to->count++] = *item;
		*item = (OciDescriptor){0};
	}
	return true;
}

static bool add_text(OciManifest *to, Str text, const char *artifact_type, Error *err)
{
	autoocimanifest OciManifest page = {0};
	return oci_manifest_parse(text.ptr, text.len, OCI_TYPE_INDEX, &page, err) &&
	       add_entries(to, &page, artifact_type, err);
}

/* No such tag: nothing refers to it. */
static bool by_tag(Registry *registry, const char *digest, const char *artifact_type,
		   OciManifest *out, Error *err)
{
	autobuf Buf text = {0};
	autofree char *tag = mem_strdup(digest);
	*strchr(tag, ':') = '-';
	autoocidescriptor OciDescriptor unused = {0};
	if (registry_manifest(registry, tag, &text, &unused, err))
		return add_text(out, buf_str(&text), artifact_type, err);
	if (err->http_status != NOT_FOUND)
		return false;
	error_dispose(err);
	return true;
}

static bool is_index_type(const HttpResponse *reply)
{
	autofree char *type = http_response_header(reply, "content-type");
	return cstr_starts(type ? type : "", OCI_TYPE_INDEX);
}

/* A registry without the API may have a page of its own there. */
static bool knows_none(const HttpResponse *reply)
{
	int status = reply->status;
	return status == OK || status == NOT_FOUND || status == BAD_REQUEST ||
	       status == NOT_ACCEPTABLE;
}

/* One page at *path, which becomes that of the next one or NULL. False without err when the
 * registry has no referrers API. */
static bool read_page(Registry *registry, char **path, const char *artifact_type, OciManifest *out,
		      Error *err)
{
	const RegistryCall call = {.method = "GET",
				   .path = *path,
				   .headers =
					   (const char *const[]){"Accept: " OCI_TYPE_INDEX, NULL},
				   .max_body = OCI_MAX_MANIFEST};
	autohttpresponse HttpResponse reply = {0};
	autofree char *url = NULL;
	if (!registry_call(registry, &call, &reply, &url, err))
		return false;
	if (reply.status != OK || !is_index_type(&reply))
		return knows_none(&reply) ? false
					  : registry_reply_fail(registry, "GET", url, &reply, err);
	free(*path);
	*path = registry_next_page(registry, url, &reply, err);
	return !err_is_set(err) && add_text(out, buf_str(&reply.body), artifact_type, err);
}

static char *first_page(const Registry *registry, const char *digest, const char *artifact_type)
{
	autofree char *type = url_escape(artifact_type ? artifact_type : "", false);
	return mem_printf("%s/referrers/%s%s%s", registry->repository, digest,
			  artifact_type ? "?artifactType=" : "", type);
}

static bool list(Registry *registry, const char *digest, const char *artifact_type,
		 OciManifest *out, Error *err)
{
	autofree char *path = first_page(registry, digest, artifact_type);
	for (int page = 0; path && page < MAX_PAGES; page++) {
		if (read_page(registry, &path, artifact_type, out, err))
			continue;
		if (err_is_set(err))
			return false;
		if (page == 0)
			return by_tag(registry, digest, artifact_type, out, err);
		return err_set(err, ERR_INVALID, "a page of the list is not there");
	}
	return path ? err_set(err, ERR_LIMIT, "more than %d pages", MAX_PAGES) : true;
}

bool registry_referrers(Registry *registry, const char *digest, const char *artifact_type,
			OciManifest *out, Error *err)
{
	autoocimanifest OciManifest made = {.is_index = true};
	if (!oci_digest_check(digest, err))
		return false;
	if (!list(registry, digest, artifact_type, &made, err))
		return err_wrap(err, "referrers of %s", digest);
	*out = made;
	made = (OciManifest){0};
	return true;
}
