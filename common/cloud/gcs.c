/* Google Cloud Storage by its JSON API; objects are read by generation. */
#include <string.h>

#include "base/mem.h"
#include "cloud/bucket_internal.h"
#include "data/json.h"
#include "net/url.h"

enum { PAGE_MAX = 16 << 20, META_MAX = 1 << 20 };

#define ENDPOINT "https://storage.googleapis.com"

bool gcs_init(CloudBucket *bucket, const CloudBucketConfig *config, Error *err)
{
	return bucket_set_base(bucket, config->endpoint ? config->endpoint : ENDPOINT, err);
}

/* "BASE/storage/v1/b/NAME/o" and what follows. Owned. */
static char *url_of(const CloudBucket *bucket, const char *object, const Buf *query)
{
	autofree char *name = url_escape(bucket->name, false);
	autofree char *key = object ? url_escape(object, false) : mem_strdup("");
	return mem_printf("%s/storage/v1/b/%s/o%s%s?%s", bucket->base, name, object ? "/" : "", key,
			  buf_text(query));
}

static bool list_request(CloudBucket *bucket, const char *prefix, const char *marker,
			 BucketRequest *out, Error *err)
{
	autobuf Buf query = {0};
	cloud_form_add(&query, "alt", "json");
	cloud_form_add(&query, "fields", "items(name,etag,generation,size),nextPageToken");
	cloud_form_add(&query, "maxResults", "1000");
	cloud_form_add(&query, "prefix", prefix ? prefix : "");
	cloud_form_add(&query, "projection", "noAcl");
	if (marker)
		cloud_form_add(&query, "pageToken", marker);
	out->url = url_of(bucket, NULL, &query);
	return bucket_add_bearer(bucket, out, err);
}

static char *object_url(const CloudBucket *bucket, const BucketObject *object)
{
	autobuf Buf query = {0};
	cloud_form_add(&query, "alt", "media");
	if (object->version)
		cloud_form_add(&query, "generation", object->version);
	return url_of(bucket, object->key, &query);
}

static bool add_item(BucketPage *page, const json_t *item, Error *err)
{
	const char *generation = json_text(item, "generation");
	unsigned long long number;
	if (generation && !str_to_u64(str_of(generation), &number))
		return err_set(err, ERR_INVALID, "an object's generation is no number");
	return bucket_page_add(page, json_text(item, "name"), json_text(item, "etag"), generation,
			       json_text(item, "size"), err);
}

bool gcs_parse_page(Str body, BucketPage *out, Error *err)
{
	autobucketpage BucketPage page = {0};
	autojson json_t *reply = json_parse(body.ptr, body.len, PAGE_MAX, err);
	if (!reply)
		return false;
	if (!json_is_object(reply))
		return err_set(err, ERR_INVALID, "the reply is no list of objects");
	size_t i;
	json_t *item;
	json_array_foreach(json_list(reply, "items"), i, item)
	{
		if (!add_item(&page, item, err))
			return false;
	}
	const char *next = json_text(reply, "nextPageToken");
	page.next = cstr_empty(next) ? NULL : mem_strdup(next);
	*out = page;
	page = (BucketPage){0};
	return true;
}

/* The etag of a download is the content's, not the object's. */
static char *etag_of(const HttpResponse *reply)
{
	(void)reply;
	return NULL;
}

/* A generation that is gone may only have been followed by another. */
static bool refresh(CloudBucket *bucket, BucketObject *object, int64_t deadline_ms, Error *err)
{
	autobucketrequest BucketRequest request = {0};
	autohttpresponse HttpResponse reply = {0};
	autobuf Buf query = {0};
	autobucketpage BucketPage page = {0};
	cloud_form_add(&query, "alt", "json");
	request.url = url_of(bucket, object->key, &query);
	if (!bucket_add_bearer(bucket, &request, err) ||
	    !bucket_call(bucket, &request, META_MAX, deadline_ms, &reply, err)) {
		object->gone = err->code == ERR_NOT_FOUND;
		if (object->gone)
			error_dispose(err);
		return object->gone;
	}
	autojson json_t *item = json_parse(reply.body.ptr, reply.body.len, META_MAX, err);
	if (!item || !add_item(&page, item, err))
		return false;
	BucketObject *now = page.objects.items[0];
	bool same = cstr_eq(now->version, object->version);
	free(object->etag);
	free(object->version);
	object->etag = steal(&now->etag);
	object->version = steal(&now->version);
	object->size = now->size;
	return !same || err_set(err, ERR_NOT_FOUND, "generation %s is listed and not to be had",
				object->version);
}

const BucketService gcs_service = {.list = list_request,
				   .parse = gcs_parse_page,
				   .object_url = object_url,
				   .sign = bucket_add_bearer,
				   .etag = etag_of,
				   .refresh = refresh};
