/*
 * S3 and what speaks like it: lists of version 2 (1 for Google's endpoint), SigV4 or anonymous. The
 * bucket is in the host where the endpoint is one of Amazon's, Google's or Aliyun's, else in the
 * path.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rune.h"
#include "cloud/bucket_internal.h"
#include "cloud/sigv4.h"
#include "data/regex.h"
#include "data/xml.h"
#include "net/url.h"

enum { PAGE_KEYS = 1000 };

#define DEFAULT_REGION "us-east-1"
#define REGION_HEADER "x-amz-bucket-region"

/* --- where --- */

/* Hosts that name their region; the first group is it. */
static const char *const region_hosts[] = {
	"s3-fips\\.dualstack\\.([a-z0-9-]+)\\.amazonaws\\.com",
	"s3-fips\\.([a-z0-9-]+)\\.amazonaws\\.com",
	"s3\\.dualstack\\.([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?",
	"(?:bucket|accesspoint)\\.vpce-[^.]+\\.s3\\.([a-z0-9-]+)\\.vpce\\.amazonaws\\.com",
	"s3[.-]([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?",
};

/* The region of one of Amazon's hosts, or NULL. Owned. */
static char *region_of_host(const char *host)
{
	for (size_t i = 0; i < COUNT(region_hosts); i++) {
		autoerror Error ignored = {0};
		autoregex Regex *regex = regex_new(region_hosts[i], REGEX_ANCHORED, &ignored);
		long spans[4];
		if (regex && !cstr_eq(host, "s3-external-1.amazonaws.com") &&
		    regex_find(regex, host, strlen(host), 0, spans, 2))
			return mem_strndup(host + spans[2], (size_t)(spans[3] - spans[2]));
	}
	return NULL;
}

static bool is_virtual(const char *host, const char *region, bool insecure, const char *bucket)
{
	bool known = region || cstr_eq(host, "s3.amazonaws.com") ||
		     cstr_eq(host, "s3-external-1.amazonaws.com") ||
		     cstr_eq(host, "storage.googleapis.com") || cstr_ends(host, "aliyuncs.com");
	/* A dot would make the certificate's wildcard miss. */
	return known && (insecure || !strchr(bucket, '.'));
}

/* Amazon's host for all regions answers for buckets of others with a redirect. */
static void move_host(CloudBucket *bucket)
{
	if (!cstr_ends(bucket->base, "://s3.amazonaws.com"))
		return;
	char *base = mem_printf("%.*s://s3.%s.amazonaws.com",
				(int)(strchr(bucket->base, ':') - bucket->base), bucket->base,
				bucket->region);
	free(bucket->base);
	bucket->base = base;
}

bool s3_init(CloudBucket *bucket, const CloudBucketConfig *config, Error *err)
{
	autourl Url url = {0};
	autofree char *text =
		mem_printf("%s://%s", config->insecure ? "http" : "https", config->endpoint);
	if (strpbrk(config->endpoint, "/?#@") || !url_parse(text, &url, err) ||
	    !bucket_set_base(bucket, text, err)) {
		autofree char *shown = url_redacted(config->endpoint);
		error_dispose(err);
		return err_set(err, ERR_INVALID,
			       "endpoint '%s' must be a host or host:port, without scheme or path",
			       shown);
	}
	autofree char *own = region_of_host(url.host);
	bucket->virtual_host = is_virtual(url.host, own, config->insecure, config->name);
	bucket->list_v1 = cstr_eq(url.host, "storage.googleapis.com");
	bucket->region_given = !cstr_empty(config->region);
	bucket->region = bucket->region_given ? mem_strdup(config->region) : steal(&own);
	if (!bucket->region)
		bucket->region = mem_strdup(DEFAULT_REGION);
	if (bucket->region_given)
		move_host(bucket);
	return true;
}

/* The region that an error names, in its header or as <Region>. Owned. */
static char *named_region(const HttpResponse *reply)
{
	enum { REGION_MAX = 64 };
	char *region = http_response_header(reply, REGION_HEADER);
	if (region)
		return region;
	Str body = buf_str(&reply->body), rest, value;
	ptrdiff_t at = str_find(body, STR("<Region>"));
	if (at < 0)
		return NULL;
	rest = str_slice(body, (size_t)at + strlen("<Region>"), body.len);
	str_cut(rest, '<', &value, &rest);
	return value.len && value.len <= REGION_MAX ? str_dup(value) : NULL;
}

bool s3_learn_region(CloudBucket *bucket, const HttpResponse *reply, const Error *err)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	bool about_region =
		err->http_status == 301 || err->http_status == 307 || err->http_status == 400;
	if (!about_region || bucket->region_given || bucket->service != &s3_service)
		return false;
	autofree char *region = named_region(reply);
	if (!region || cstr_eq(region, bucket->region) || strspn(region, safe) != strlen(region))
		return false;
	free(bucket->region);
	bucket->region = steal(&region);
	bucket->region_given = true;
	move_host(bucket);
	return true;
}

/* --- requests --- */

/* Path and query are percent-encoded. */
static char *url_of(const CloudBucket *bucket, const char *path, const char *query)
{
	autofree char *name = url_escape(bucket->name, false);
	const char *mark = *query ? "?" : "";
	if (!bucket->virtual_host)
		return mem_printf("%s/%s%s%s%s%s", bucket->base, name, *path ? "/" : "", path, mark,
				  query);
	const char *host = strstr(bucket->base, "://") + strlen("://");
	return mem_printf("%.*s%s.%s/%s%s%s", (int)(host - bucket->base), bucket->base, name, host,
			  path, mark, query);
}

/* Signs what is in `request`; its headers are signed too. */
static bool sign_request(const CloudBucket *bucket, BucketRequest *request, Error *err)
{
	if (!bucket->keys.user)
		return true;
	const SigV4Request sign = {.credential = &bucket->keys,
				   .region = bucket->region,
				   .service = "s3",
				   .now_ms = clock_wall_ms(),
				   .method = "GET",
				   .url = request->url,
				   .headers = bucket_headers(request),
				   .payload_hash = SIGV4_EMPTY};
	return sigv4_sign(&sign, &request->headers, err);
}

static bool list_request(CloudBucket *bucket, const char *prefix, const char *marker,
			 BucketRequest *out, Error *err)
{
	autobuf Buf query = {0};
	autofree char *count = mem_printf("%d", PAGE_KEYS);
	if (!bucket->list_v1)
		cloud_form_add(&query, "list-type", "2");
	cloud_form_add(&query, "encoding-type", "url");
	cloud_form_add(&query, "max-keys", count);
	cloud_form_add(&query, "prefix", prefix ? prefix : "");
	if (marker)
		cloud_form_add(&query, bucket->list_v1 ? "marker" : "continuation-token", marker);
	out->url = url_of(bucket, "", buf_text(&query));
	return sign_request(bucket, out, err);
}

static char *object_url(const CloudBucket *bucket, const BucketObject *object)
{
	autofree char *path = url_escape(object->key, true);
	return url_of(bucket, path, "");
}

/* Without the quotes, as minio-go has it. */
static char *bare(Str etag)
{
	etag = str_trim(etag);
	if (str_starts(etag, STR("W/")))
		etag = str_slice(etag, 2, etag.len);
	while (etag.len && etag.ptr[0] == '"')
		etag = str_slice(etag, 1, etag.len);
	while (etag.len && etag.ptr[etag.len - 1] == '"')
		etag.len--;
	return str_dup(etag);
}

static char *etag_of(const HttpResponse *reply)
{
	autofree char *etag = http_response_header(reply, "etag");
	return etag ? bare(str_of(etag)) : NULL;
}

/* --- pages --- */

typedef struct {
	BucketPage *page;
	bool encoded, truncated;
	char *key, *etag, *size;	/* of the entry being read */
	char *next_token, *next_marker; /* versions 2 and 1 */
} Reading;

static void reading_dispose(Reading *reading)
{
	free(reading->key);
	free(reading->etag);
	free(reading->size);
	free(reading->next_token);
	free(reading->next_marker);
}
#define autoreading __attribute__((cleanup(reading_dispose)))

static void put(char **slot, char *take_value)
{
	free(*slot);
	*slot = take_value;
}

static bool end_entry(Reading *reading, Error *err)
{
	bool ok = bucket_page_add(reading->page, reading->key, reading->etag, NULL, reading->size,
				  err);
	put(&reading->key, NULL);
	put(&reading->etag, NULL);
	put(&reading->size, NULL);
	return ok;
}

static bool on_end(void *arg, const char *path, Str text, Error *err)
{
	Reading *reading = arg;
	const char *name = strchr(path, '/');
	const struct {
		const char *name;
		char **slot;
	} rows[] = {{"/Contents/Key", &reading->key},
		    {"/Contents/Size", &reading->size},
		    {"/NextContinuationToken", &reading->next_token},
		    {"/NextMarker", &reading->next_marker}};
	for (size_t i = 0; name && i < COUNT(rows); i++)
		if (cstr_eq(name, rows[i].name))
			put(rows[i].slot, str_dup(text));
	if (cstr_eq(name, "/Contents/ETag"))
		put(&reading->etag, bare(text));
	else if (cstr_eq(name, "/IsTruncated"))
		reading->truncated = str_eq(str_trim(text), STR("true"));
	else if (cstr_eq(name, "/EncodingType"))
		reading->encoded = str_eq(str_trim(text), STR("url"));
	else if (cstr_eq(name, "/Contents"))
		return end_entry(reading, err);
	else if (!name && !cstr_eq(path, "ListBucketResult"))
		return err_set(err, ERR_INVALID, "the reply is no list of objects");
	return true;
}

/* Keys come percent-encoded when the reply says so, wherever in it that stands. */
static bool decode_keys(BucketPage *page, Error *err)
{
	for (size_t i = 0; i < page->objects.len; i++) {
		BucketObject *object = page->objects.items[i];
		char *plain = url_unescape(object->key, true);
		if (!plain || !*plain || !rune_all_valid(str_of(plain))) {
			free(plain);
			return err_set(err, ERR_INVALID, "an object's key is badly encoded");
		}
		put(&object->key, plain);
	}
	return true;
}

static char *next_of(Reading *reading)
{
	const BucketPage *page = reading->page;
	if (!reading->truncated)
		return NULL;
	if (reading->next_token)
		return steal(&reading->next_token);
	if (reading->next_marker)
		return reading->encoded ? url_unescape(reading->next_marker, true)
					: steal(&reading->next_marker);
	if (!page->objects.len)
		return NULL;
	const BucketObject *last = page->objects.items[page->objects.len - 1];
	return mem_strdup(last->key);
}

bool s3_parse_page(Str body, BucketPage *out, Error *err)
{
	autobucketpage BucketPage page = {0};
	autoreading Reading reading = {.page = &page};
	const XmlHandler handler = {.on_end = on_end, .arg = &reading};
	if (!xml_parse(body, &handler, err) || (reading.encoded && !decode_keys(&page, err)))
		return false;
	page.next = next_of(&reading);
	*out = page;
	page = (BucketPage){0};
	return true;
}

const BucketService s3_service = {.list = list_request,
				  .parse = s3_parse_page,
				  .object_url = object_url,
				  .sign = sign_request,
				  .if_match = "\"",
				  .etag = etag_of,
				  .no_bucket = "NoSuchBucket"};
