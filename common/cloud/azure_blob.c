/* Azure Blob Storage: flat lists, Shared Key, bearer token, shared access signature or public. */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cloud/azure.h"
#include "cloud/bucket_internal.h"
#include "data/xml.h"
#include "net/url.h"

#define API_VERSION "x-ms-version: 2021-12-02"

/* --- where and as whom --- */

/* As upstream: the first label of three or more. */
static char *account_of(const char *endpoint, Error *err)
{
	autourl Url url = {0};
	if (!url_parse(endpoint, &url, err))
		return NULL;
	Str first, rest;
	bool dotted = str_cut(str_of(url.host), '.', &first, &rest);
	if (!dotted || str_find_char(rest, '.') < 0)
		return err_null(err, ERR_INVALID,
				"failed to extract account name from endpoint: expected '%s' to be "
				"a subdomain",
				url.host);
	return str_dup(first);
}

static bool is_query(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f || *text == '#')
			return false;
	return true;
}

static bool has_parameter(Str query, Str wanted)
{
	Str pair, name, value;
	while (str_next(&query, '&', &pair)) {
		str_cut(pair, '=', &name, &value);
		if (str_eq(name, wanted))
			return true;
	}
	return false;
}

/* The signature's parameters, and those of the endpoint that it does not have. */
static bool set_sas(CloudBucket *bucket, const char *sas, Error *err)
{
	sas += *sas == '?' ? 1 : 0;
	if (!is_query(sas))
		return err_set(err, ERR_INVALID, "unable to parse SAS token");
	Buf query = {0};
	buf_puts(&query, sas);
	Str rest = str_of(bucket->query), pair, name, value;
	while (str_next(&rest, '&', &pair)) {
		str_cut(pair, '=', &name, &value);
		if (!has_parameter(str_of(sas), name))
			buf_printf(&query, "&%.*s", (int)pair.len, pair.ptr);
	}
	free(bucket->query);
	bucket->query = buf_steal(&query);
	return true;
}

bool azure_init(CloudBucket *bucket, const CloudBucketConfig *config, Error *err)
{
	if (!bucket_set_base(bucket, config->endpoint, err))
		return false;
	if (config->account_key) {
		bucket->account = account_of(config->endpoint, err);
		return bucket->account != NULL;
	}
	return !config->sas || set_sas(bucket, config->sas, err);
}

/* --- requests --- */

/* "x-ms-date: Fri, 24 May 2013 00:00:00 GMT" (RFC 9110 5.6.7) */
static char *date_header(void)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;
	gmtime_r(&now, &tm);
	return mem_printf("x-ms-date: %s, %02d %s %d %02d:%02d:%02d GMT", days[tm.tm_wday],
			  tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
			  tm.tm_sec);
}

static char *url_of(const CloudBucket *bucket, const char *path, const char *query)
{
	autofree char *name = url_escape(bucket->name, false);
	autobuf Buf all = {0};
	buf_puts(&all, query);
	if (!cstr_empty(bucket->query))
		buf_printf(&all, "%s%s", all.len ? "&" : "", bucket->query);
	return mem_printf("%s/%s%s%s%s%s", bucket->base, name, *path ? "/" : "", path,
			  all.len ? "?" : "", buf_text(&all));
}

static bool sign_request(const CloudBucket *bucket, BucketRequest *request, Error *err)
{
	vec_push(&request->headers, mem_strdup(API_VERSION));
	vec_push(&request->headers, date_header());
	if (!bucket->account_key)
		return bucket_add_bearer(bucket, request, err);
	autofree char *value = azure_shared_key(bucket->account, bucket->account_key, "GET",
						request->url, bucket_headers(request), err);
	if (!value)
		return false;
	vec_push(&request->headers, mem_printf("Authorization: %s", value));
	return true;
}

static bool list_request(CloudBucket *bucket, const char *prefix, const char *marker,
			 BucketRequest *out, Error *err)
{
	autobuf Buf query = {0};
	cloud_form_add(&query, "restype", "container");
	cloud_form_add(&query, "comp", "list");
	cloud_form_add(&query, "maxresults", "1000");
	if (!cstr_empty(prefix))
		cloud_form_add(&query, "prefix", prefix);
	if (marker)
		cloud_form_add(&query, "marker", marker);
	out->url = url_of(bucket, "", buf_text(&query));
	return sign_request(bucket, out, err);
}

static char *object_url(const CloudBucket *bucket, const BucketObject *object)
{
	autofree char *path = url_escape(object->key, true);
	return url_of(bucket, path, "");
}

/* Lists have it bare, downloads in quotes; upstream's revision is of the latter (source.md 6 [Q]).
 */
static char *quoted(Str etag)
{
	etag = str_trim(etag);
	if (str_starts(etag, STR("\"")))
		return str_dup(etag);
	return mem_printf("\"%.*s\"", (int)etag.len, etag.ptr);
}

static char *etag_of(const HttpResponse *reply)
{
	autofree char *etag = http_response_header(reply, "etag");
	return etag ? quoted(str_of(etag)) : NULL;
}

/* --- pages --- */

typedef struct {
	BucketPage *page;
	bool encoded; /* the name being read is percent-encoded */
	char *name, *etag, *size;
} Reading;

static void reading_clear(Reading *reading)
{
	free(reading->name);
	free(reading->etag);
	free(reading->size);
	reading->name = reading->etag = reading->size = NULL;
}
#define autoreading __attribute__((cleanup(reading_clear)))

#define BLOB "EnumerationResults/Blobs/Blob"

static bool on_start(void *arg, const char *path, const char *const *attributes, Error *err)
{
	(void)err;
	Reading *reading = arg;
	if (!cstr_eq(path, BLOB "/Name"))
		return true;
	reading->encoded = false;
	for (; attributes[0]; attributes += 2)
		if (cstr_eq(attributes[0], "Encoded"))
			reading->encoded = cstr_eq(attributes[1], "true");
	return true;
}

static void put(char **slot, char *take_value)
{
	free(*slot);
	*slot = take_value;
}

static char *name_of(const Reading *reading, Str text)
{
	autofree char *raw = str_dup(text);
	return reading->encoded ? url_unescape(raw, false) : steal(&raw);
}

static bool on_end(void *arg, const char *path, Str text, Error *err)
{
	Reading *reading = arg;
	if (cstr_eq(path, BLOB "/Name"))
		put(&reading->name, name_of(reading, text));
	else if (cstr_eq(path, BLOB "/Properties/Etag"))
		put(&reading->etag, quoted(text));
	else if (cstr_eq(path, BLOB "/Properties/Content-Length"))
		put(&reading->size, str_dup(text));
	else if (cstr_eq(path, "EnumerationResults/NextMarker") && str_trim(text).len)
		put(&reading->page->next, str_dup(str_trim(text)));
	else if (!strchr(path, '/') && !cstr_eq(path, "EnumerationResults"))
		return err_set(err, ERR_INVALID, "the reply is no list of blobs");
	if (!cstr_eq(path, BLOB))
		return true;
	bool ok = bucket_page_add(reading->page, reading->name, reading->etag, NULL, reading->size,
				  err);
	reading_clear(reading);
	return ok;
}

bool azure_parse_page(Str body, BucketPage *out, Error *err)
{
	autobucketpage BucketPage page = {0};
	autoreading Reading reading = {.page = &page};
	const XmlHandler handler = {.on_start = on_start, .on_end = on_end, .arg = &reading};
	if (str_starts(body, STR("\xef\xbb\xbf")))
		body = str_slice(body, 3, body.len);
	if (!xml_parse(body, &handler, err))
		return false;
	*out = page;
	page = (BucketPage){0};
	return true;
}

const BucketService azure_service = {.list = list_request,
				     .parse = azure_parse_page,
				     .object_url = object_url,
				     .sign = sign_request,
				     .if_match = "",
				     .etag = etag_of,
				     .no_bucket = "ContainerNotFound"};
