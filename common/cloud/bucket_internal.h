/* What bucket.c (lists), bucket_fetch.c (transfers) and the providers (s3.c, gcs.c, azure_blob.c)
 * share. */
#ifndef CLOUD_BUCKET_INTERNAL_H
#define CLOUD_BUCKET_INTERNAL_H

#include "base/vec.h"
#include "cloud/bucket.h"

/* A GET ready to be sent; owned, its headers are secrets. */
typedef struct {
	char *url;
	Vec headers; /* "Name: value", without the NULL at the end */
} BucketRequest;

void bucket_request_dispose(BucketRequest *request);
#define autobucketrequest __attribute__((cleanup(bucket_request_dispose)))

/* The headers as what signs or sends them wants it: NULL-terminated. Borrowed until more come. */
const char *const *bucket_headers(BucketRequest *request);

/* The GET of an object, signed: with its etag and version, when they are known. `extra` is one more
 * header, or NULL. */
bool bucket_object_request(CloudBucket *bucket, const BucketObject *object, const char *extra,
			   BucketRequest *out, Error *err) MUST_USE;

/* Sends a request and takes a 2xx reply of at most max_body bytes. */
bool bucket_call(CloudBucket *bucket, BucketRequest *request, size_t max_body, int64_t deadline_ms,
		 HttpResponse *out, Error *err) MUST_USE;

/* False and ERR_CANCELLED when the caller wants no more. */
bool bucket_goes_on(const CloudBucket *bucket, Error *err) MUST_USE;

/* True when another try may cure `err` in time; `failures` counts those so far. */
bool bucket_may_retry(const Error *err, int failures, int64_t deadline_ms, int64_t *out_wait_ms);

/* One service. Functions that make a request sign it for now. */
typedef struct {
	bool (*list)(CloudBucket *bucket, const char *prefix, const char *marker,
		     BucketRequest *out, Error *err);
	bool (*parse)(Str body, BucketPage *out, Error *err);
	/* An object's own URL, with its version when that is known. Owned. */
	char *(*object_url)(const CloudBucket *bucket, const BucketObject *object);
	bool (*sign)(const CloudBucket *bucket, BucketRequest *request, Error *err);
	const char *if_match; /* what stands around an etag in that header; NULL: it is not sent */
	/* The reply's etag in the index's form, or NULL. Owned. */
	char *(*etag)(const HttpResponse *reply);
	/* The object is not what it was: finds out, when a request is needed for it. May be NULL.
	 */
	bool (*refresh)(CloudBucket *bucket, BucketObject *object, int64_t deadline_ms, Error *err);
	const char *no_bucket; /* the service's code for a bucket that is not there */
} BucketService;

extern const BucketService s3_service, gcs_service, azure_service;

/* Belongs to one run: one thread at a time, but `http`'s callbacks. */
struct CloudBucket {
	const BucketService *service;
	HttpClient *http;
	bool (*is_cancelled)(void *arg);
	void *cancel_arg;
	char *base;  /* "scheme://host[:port][/path]" without a slash at the end */
	char *query; /* sent with all requests, percent-encoded; NULL: none */
	char *name;
	char *region; /* S3 */
	bool region_given, virtual_host, list_v1;
	Credential keys;
	char *bearer, *account, *account_key;
};

/* Fills what is the service's own. */
bool s3_init(CloudBucket *bucket, const CloudBucketConfig *config, Error *err) MUST_USE;
bool gcs_init(CloudBucket *bucket, const CloudBucketConfig *config, Error *err) MUST_USE;
bool azure_init(CloudBucket *bucket, const CloudBucketConfig *config, Error *err) MUST_USE;

/* S3: after `err`, when its reply names another region than was signed for: true once, and requests
 * are then signed for that one. */
bool s3_learn_region(CloudBucket *bucket, const HttpResponse *reply, const Error *err);

/* Takes a base URL apart into bucket->base and bucket->query. ERR_INVALID. */
bool bucket_set_base(CloudBucket *bucket, const char *url, Error *err) MUST_USE;

/* Puts a bearer token into the headers; ERR_INVALID when the base is neither https nor this
 * machine. */
bool bucket_add_bearer(const CloudBucket *bucket, BucketRequest *request, Error *err) MUST_USE;

/* An object with what a listing said of it, pushed to the page. ERR_INVALID for a key that is empty
 * or no UTF-8, and for an etag with control characters. */
bool bucket_page_add(BucketPage *page, const char *key, const char *etag, const char *version,
		     const char *size, Error *err) MUST_USE;

#endif
