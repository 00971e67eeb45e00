/*
 * A bucket's listing, page by page. Who is asked and how is the service's row; what is the same for
 * all is here: retries, limits, errors.
 */
#include "cloud/bucket.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"
#include "base/rune.h"
#include "cloud/bucket_internal.h"
#include "cloud/sigv4.h"
#include "cloud/token.h"
#include "data/json.h"
#include "net/retry.h"
#include "net/url.h"

enum {
	PAGE_MAX = 16 << 20,
	PAGES_MAX = 100000,
	KEY_MAX = 4096,
	ETAG_MAX = 1024,
	IDLE_TIMEOUT_MS = 30000
};

static const RetryPolicy retries = {.max_tries = 4, .base_ms = 100, .max_ms = 2000, .jitter = 0.3};

/* --- objects and pages --- */

BucketObject *bucket_object_new(const char *key, const char *etag, int64_t size)
{
	BucketObject *object = mem_zalloc(1, sizeof(*object));
	object->key = mem_strdup(key);
	object->etag = mem_strdup(etag);
	object->size = size;
	return object;
}

void bucket_object_free(void *pointer)
{
	BucketObject *object = pointer;
	if (!object)
		return;
	free(object->key);
	free(object->etag);
	free(object->version);
	free(object);
}

void bucket_objects_dispose(Vec *objects)
{
	vec_dispose_with(objects, bucket_object_free);
}

void bucket_page_dispose(BucketPage *page)
{
	bucket_objects_dispose(&page->objects);
	free(page->next);
	page->next = NULL;
}

static bool is_clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

bool bucket_page_add(BucketPage *page, const char *key, const char *etag, const char *version,
		     const char *size, Error *err)
{
	unsigned long long bytes = 0;
	if (cstr_empty(key) || strlen(key) > KEY_MAX || !rune_all_valid(str_of(key)))
		return err_set(err, ERR_INVALID, "an object's key is empty, too long or no UTF-8");
	if (etag && (strlen(etag) > ETAG_MAX || !is_clean(etag) || !rune_all_valid(str_of(etag))))
		return err_set(err, ERR_INVALID, "object '%s' has an impossible etag", key);
	bool known = size && str_to_u64(str_of(size), &bytes) && bytes < INT64_MAX;
	BucketObject *object = bucket_object_new(key, etag, known ? (int64_t)bytes : -1);
	object->version = mem_strdup(version);
	vec_push(&page->objects, object);
	return true;
}

/* --- requests --- */

void bucket_request_dispose(BucketRequest *request)
{
	if (request->url)
		mem_wipe(request->url, strlen(request->url));
	free(request->url);
	request->url = NULL;
	sigv4_headers_dispose(&request->headers);
}

const char *const *bucket_headers(BucketRequest *request)
{
	vec_push(&request->headers, NULL);
	request->headers.len--;
	return (const char *const *)request->headers.items;
}

bool bucket_set_base(CloudBucket *bucket, const char *text, Error *err)
{
	autourl Url url = {0};
	if (!url_parse(text, &url, err))
		return err_wrap(err, "endpoint");
	if (!cstr_eq(url.scheme, "http") && !cstr_eq(url.scheme, "https"))
		return err_set(err, ERR_INVALID, "endpoint '%s' is neither http nor https",
			       url.host);
	bucket->query = steal(&url.query);
	free(bucket->base);
	bucket->base = url_text(&url, true);
	size_t len = strlen(bucket->base);
	while (len && bucket->base[len - 1] == '/')
		bucket->base[--len] = '\0';
	return true;
}

bool bucket_add_bearer(const CloudBucket *bucket, BucketRequest *request, Error *err)
{
	autourl Url url = {0};
	if (!bucket->bearer)
		return true;
	if (!url_parse(bucket->base, &url, err))
		return false;
	if (!cstr_eq(url.scheme, "https") && !cloud_is_loopback(url.host))
		return err_set(err, ERR_INVALID, "an access token is sent by https only");
	vec_push(&request->headers, mem_printf("Authorization: Bearer %s", bucket->bearer));
	return true;
}

bool bucket_goes_on(const CloudBucket *bucket, Error *err)
{
	if (bucket->is_cancelled && bucket->is_cancelled(bucket->cancel_arg))
		return err_set(err, ERR_CANCELLED, "the daemon stops");
	return true;
}

bool bucket_object_request(CloudBucket *bucket, const BucketObject *object, const char *extra,
			   BucketRequest *out, Error *err)
{
	const BucketService *service = bucket->service;
	const char *quote = service->if_match;
	out->url = service->object_url(bucket, object);
	if (object->etag && quote)
		vec_push(&out->headers, mem_printf("If-Match: %s%s%s", quote, object->etag, quote));
	if (extra)
		vec_push(&out->headers, mem_strdup(extra));
	return service->sign(bucket, out, err);
}

bool bucket_call(CloudBucket *bucket, BucketRequest *request, size_t max_body, int64_t deadline_ms,
		 HttpResponse *out, Error *err)
{
	int64_t left_ms = deadline_ms - clock_mono_ms();
	if (!bucket_goes_on(bucket, err))
		return false;
	if (left_ms <= 0)
		return err_set(err, ERR_TIMEOUT, "out of time");
	const HttpRequest http = {.url = request->url,
				  .headers = bucket_headers(request),
				  .timeout_ms = left_ms,
				  .idle_timeout_ms = IDLE_TIMEOUT_MS,
				  .max_body = max_body,
				  .path_as_is = true};
	return httpc_do(bucket->http, &http, out, err) &&
	       (out->status == 200 || cloud_refused(&http, out, err));
}

/* What services say of a login that was good before, or is no more than an hour old; a missing
 * right is another matter. Azure says 403 and AuthenticationFailed to a token that is over. */
static bool says_ended(const Error *err)
{
	enum { UNAUTHORIZED = 401 };
	static const char *const codes[] = {"ExpiredToken",	    "ExpiredTokenException",
					    "InvalidToken",	    "InvalidAccessKeyId",
					    "TokenRefreshRequired", "AuthenticationFailed"};
	if (err->http_status == UNAUTHORIZED)
		return true;
	for (size_t i = 0; i < COUNT(codes); i++)
		if (cstr_eq(err->reason, codes[i]))
			return true;
	return false;
}

bool bucket_login_ended(const CloudBucket *bucket, TokenCache *tokens, const Error *err)
{
	const char *secret = bucket->bearer	    ? bucket->bearer
			     : bucket->keys.session ? bucket->keys.session
						    : bucket->keys.secret;
	return secret && says_ended(err) && token_cache_forget_secret(tokens, secret);
}

/* Waits between two tries; the run that waits is bounded by its deadline. */
static void pause_for(int64_t wait_ms)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond;
	int64_t until_ms = clock_mono_ms() + wait_ms;
	cond_init(&cond);
	pthread_mutex_lock(&lock);
	while (cond_wait_until(&cond, &lock, until_ms))
		;
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&cond);
}

bool bucket_may_retry(const Error *err, int failures, int64_t deadline_ms, int64_t *out_wait_ms)
{
	*out_wait_ms = retry_wait_ms(&retries, failures, err);
	return retry_is_worth_it(err) && failures < retries.max_tries &&
	       *out_wait_ms <= retries.max_ms && clock_mono_ms() + *out_wait_ms < deadline_ms;
}

/* A GET that is made anew for each try: its signature has a time. */
typedef bool MakeRequest(CloudBucket *bucket, const void *what, BucketRequest *out, Error *err);

static bool try_call(CloudBucket *bucket, MakeRequest *make, const void *what, size_t max_body,
		     int64_t deadline_ms, HttpResponse *out, Error *err)
{
	autobucketrequest BucketRequest request = {0};
	http_response_dispose(out);
	*out = (HttpResponse){0};
	return make(bucket, what, &request, err) &&
	       bucket_call(bucket, &request, max_body, deadline_ms, out, err);
}

static bool call(CloudBucket *bucket, MakeRequest *make, const void *what, size_t max_body,
		 int64_t deadline_ms, HttpResponse *out, Error *err)
{
	for (int failures = 1;; failures++) {
		int64_t wait_ms = 0;
		if (try_call(bucket, make, what, max_body, deadline_ms, out, err))
			return true;
		if (s3_learn_region(bucket, out, err)) {
			error_dispose(err);
			continue;
		}
		if (!bucket_may_retry(err, failures, deadline_ms, &wait_ms))
			return false;
		error_dispose(err);
		pause_for(wait_ms);
	}
}

/* --- the listing --- */

typedef struct {
	const char *prefix, *marker;
} PageAsked;

static bool make_list(CloudBucket *bucket, const void *what, BucketRequest *out, Error *err)
{
	const PageAsked *asked = what;
	return bucket->service->list(bucket, asked->prefix, asked->marker, out, err);
}

static bool get_page(CloudBucket *bucket, const PageAsked *asked, int64_t deadline_ms,
		     BucketPage *out, Error *err)
{
	autohttpresponse HttpResponse reply = {0};
	return call(bucket, make_list, asked, PAGE_MAX, deadline_ms, &reply, err) &&
	       bucket->service->parse(buf_str(&reply.body), out, err);
}

/* What does not start with the prefix was not asked for. */
static bool visit_page(BucketPage *page, const char *prefix, BucketVisit *visit, void *arg,
		       Error *err)
{
	for (size_t i = 0; i < page->objects.len; i++) {
		BucketObject *object = page->objects.items[i];
		page->objects.items[i] = NULL;
		if (!cstr_starts(object->key, prefix ? prefix : ""))
			bucket_object_free(object);
		else if (!visit(arg, object, err))
			return false;
	}
	return true;
}

bool bucket_list(CloudBucket *bucket, const char *prefix, int64_t deadline_ms, BucketVisit *visit,
		 void *arg, Error *err)
{
	autofree char *marker = NULL;
	size_t seen = 0;
	for (int pages = 0; pages < PAGES_MAX; pages++) {
		autobucketpage BucketPage page = {0};
		const PageAsked asked = {.prefix = prefix, .marker = marker};
		if (!get_page(bucket, &asked, deadline_ms, &page, err))
			return false;
		seen += page.objects.len;
		if (seen > BUCKET_MAX_OBJECTS)
			return err_set(err, ERR_LIMIT, "more than %d objects", BUCKET_MAX_OBJECTS);
		if (!visit_page(&page, prefix, visit, arg, err))
			return false;
		if (!page.next)
			return true;
		if (cstr_eq(page.next, marker))
			return err_set(err, ERR_INVALID, "the listing does not get on");
		free(marker);
		marker = steal(&page.next);
	}
	return err_set(err, ERR_LIMIT, "more than %d pages", PAGES_MAX);
}

/* --- one object --- */

static bool make_get(CloudBucket *bucket, const void *what, BucketRequest *out, Error *err)
{
	return bucket_object_request(bucket, what, NULL, out, err);
}

bool bucket_get(CloudBucket *bucket, const char *key, size_t limit, int64_t deadline_ms, Buf *out,
		Error *err)
{
	const BucketObject object = {.key = (char *)(uintptr_t)key, .size = -1};
	autohttpresponse HttpResponse reply = {0};
	if (!call(bucket, make_get, &object, limit, deadline_ms, &reply, err))
		return false;
	buf_dispose(out);
	*out = reply.body;
	reply.body = (Buf){0};
	return true;
}

/* --- life --- */

CloudBucket *bucket_new(const CloudBucketConfig *config, Error *err)
{
	static const struct {
		const BucketService *service;
		bool (*init)(CloudBucket *bucket, const CloudBucketConfig *config, Error *err);
	} rows[] = {[BUCKET_S3] = {&s3_service, s3_init},
		    [BUCKET_GCS] = {&gcs_service, gcs_init},
		    [BUCKET_AZURE] = {&azure_service, azure_init}};
	autobucket CloudBucket *bucket = mem_zalloc(1, sizeof(*bucket));
	bucket->service = rows[config->type].service;
	bucket->http = config->http;
	bucket->is_cancelled = config->is_cancelled;
	bucket->cancel_arg = config->cancel_arg;
	bucket->name = mem_strdup(config->name);
	bucket->bearer = mem_strdup(config->bearer);
	bucket->account_key = mem_strdup(config->account_key);
	if (config->keys)
		bucket->keys = (Credential){.user = mem_strdup(config->keys->user),
					    .secret = mem_strdup(config->keys->secret),
					    .session = mem_strdup(config->keys->session)};
	return rows[config->type].init(bucket, config, err) ? steal(&bucket) : NULL;
}

void bucket_free(CloudBucket *bucket)
{
	char *const secrets[] = {bucket->query, bucket->bearer, bucket->account_key};
	for (size_t i = 0; i < COUNT(secrets); i++) {
		if (secrets[i])
			mem_wipe(secrets[i], strlen(secrets[i]));
		free(secrets[i]);
	}
	credential_dispose(&bucket->keys);
	free(bucket->base);
	free(bucket->name);
	free(bucket->region);
	free(bucket->account);
	free(bucket);
}
