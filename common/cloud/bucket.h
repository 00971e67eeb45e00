/*
 * Buckets of S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage: listed page by
 * page, downloaded in parallel to files. For workers. Bounds: bytes of a page, objects, bytes in
 * sum, time. Nothing is redirected; what a URL's query holds is in no error.
 */
#ifndef CLOUD_BUCKET_H
#define CLOUD_BUCKET_H

#include "base/str.h"
#include "base/vec.h"
#include "cloud/cloud.h"

typedef enum { BUCKET_S3, BUCKET_GCS, BUCKET_AZURE } BucketType;

enum { BUCKET_MAX_OBJECTS = 1000000, BUCKET_MAX_TRANSFERS = 16 };
#define BUCKET_MAX_BYTES (UINT64_C(4) << 30)

/* All strings are copied. One kind of credential, or none: anonymous. */
typedef struct {
	BucketType type;
	/* S3: host or host:port; GCS: URL or NULL (Google's); Azure: URL of the account's service,
	 * whose query is sent along. */
	const char *endpoint;
	const char *name;
	const char *region;		 /* S3; NULL: found out */
	bool insecure;			 /* S3: http */
	HttpClient *http;		 /* borrowed */
	bool (*is_cancelled)(void *arg); /* asked now and then: true ends all with ERR_CANCELLED */
	void *cancel_arg;
	const Credential *keys;	 /* S3 */
	const char *bearer;	 /* GCS, Azure: an access token; by https only */
	const char *account_key; /* Azure; the account is the endpoint's first label */
	const char *sas;	 /* Azure: a shared access signature's query */
} CloudBucketConfig;

typedef struct CloudBucket CloudBucket;

/* ERR_INVALID for an endpoint that is none, and what does not fit it. Owned by the caller. */
CloudBucket *bucket_new(const CloudBucketConfig *config, Error *err) MUST_USE;
void bucket_free(CloudBucket *bucket);
AUTO_POINTER(CloudBucket, bucket_free, auto_bucket);
#define autobucket __attribute__((cleanup(auto_bucket)))

typedef struct {
	char *key;     /* UTF-8 */
	char *etag;    /* as it goes into the index (source.md 6), or NULL: not known */
	char *version; /* GCS: the generation; else NULL */
	int64_t size;  /* bytes; -1: not known */
	bool gone;     /* after bucket_fetch: it vanished (S85) */
} BucketObject;

/* Items of Vecs are BucketObject pointers. */
BucketObject *bucket_object_new(const char *key, const char *etag, int64_t size);
void bucket_object_free(void *object);
void bucket_objects_dispose(Vec *objects);
#define autobucketobjects __attribute__((cleanup(bucket_objects_dispose)))

/*
 * Calls visit(arg, take_object) for each object whose key starts with `prefix` (NULL: all), which
 * then owns it; false ends the listing. ERR_NOT_FOUND when the bucket is not there; ERR_LIMIT past
 * BUCKET_MAX_OBJECTS; errors that another run may cure have retry_after_ms when the service said
 * when. deadline_ms is monotonic.
 */
typedef bool BucketVisit(void *arg, BucketObject *take_object, Error *err);
bool bucket_list(CloudBucket *bucket, const char *prefix, int64_t deadline_ms, BucketVisit *visit,
		 void *arg, Error *err) MUST_USE;

/*
 * Downloads the objects (BUCKET_MAX_TRANSFERS at a time) into what `open(arg, object, err)` opens
 * for each on the caller's thread (-1: fails all; it is closed here). A transfer that is cut goes
 * on where it stopped; an object that changed since it was listed is taken as it is now, with its
 * etag brought up to date; one that vanished gets `gone`. The first failure ends all.
 */
typedef int BucketOpen(void *arg, const BucketObject *object, Error *err);
bool bucket_fetch(CloudBucket *bucket, const Vec *objects, int64_t deadline_ms, BucketOpen *open,
		  void *arg, Error *err) MUST_USE;

/* One small object into memory. ERR_NOT_FOUND when it, or the bucket, is not there. */
bool bucket_get(CloudBucket *bucket, const char *key, size_t limit, int64_t deadline_ms, Buf *out,
		Error *err) MUST_USE;

/* True when `err` says that the service does not take the login any more, and it was a kept one:
 * that is forgotten, and a bucket that is opened anew has another. */
bool bucket_login_ended(const CloudBucket *bucket, TokenCache *tokens, const Error *err);

/* What a page of a listing says, for bucket.c and for fuzzing. Pure. */
typedef struct {
	Vec objects;
	char *next; /* marker of the next page; NULL at the end */
} BucketPage;
void bucket_page_dispose(BucketPage *page);
#define autobucketpage __attribute__((cleanup(bucket_page_dispose)))

bool s3_parse_page(Str body, BucketPage *out, Error *err) MUST_USE;
bool gcs_parse_page(Str body, BucketPage *out, Error *err) MUST_USE;
bool azure_parse_page(Str body, BucketPage *out, Error *err) MUST_USE;

#endif
