/* Bucket: its typed view, and the steps that its files share. */
#ifndef SOURCE_CONTROLLER_BUCKET_H
#define SOURCE_CONTROLLER_BUCKET_H

#include "bucket_memory.h"
#include "cloud/bucket.h"
#include "data/digest.h"
#include "internal.h"

/* Ignore rules at the bucket's root. */
#define BUCKET_IGNORE_FILE ".sourceignore"

/* spec, parsed once; all borrowed from the run's object. */
typedef struct {
	int64_t interval_ms, timeout_ms;
	const char *provider, *bucket_name, *endpoint, *region, *prefix;
	const char *service_account;
	const char *ignore; /* NULL differs from "" */
	const char *secret_name, *cert_secret_name, *proxy_secret_name;
	const json_t *sts; /* or NULL */
	bool insecure;
} Bucket;

void bucket_parse(const json_t *object, Bucket *out);

/* The bucket with its client and credentials; *http must outlive it. On failure err has the reason
 * AuthenticationFailed, or one that stalls. */
CloudBucket *bucket_open(Run *run, const Bucket *view, HttpClient **http, Error *err) MUST_USE;

/* What a listing said: BucketObject pointers, sorted by key, one a key. */
typedef struct {
	Vec objects;
} BucketIndex;
void bucket_index_dispose(BucketIndex *index);
#define autobucketindex __attribute__((cleanup(bucket_index_dispose)))

/* "algo:hex" of the lines "KEY ETAG\n" (S81), without those that vanished. */
void bucket_index_digest(const BucketIndex *index, DigestAlgo algo, char out[DIGEST_TEXT_SIZE]);

/* The root's .sourceignore, when there is one. */
typedef struct {
	bool found;
	Buf text;
} BucketIgnore;
void bucket_ignore_dispose(BucketIgnore *ignore);

/* Lists what the rules leave (S81, S82). *ignore is what the bucket's own rules are. */
bool bucket_make_index(CloudBucket *bucket, const Bucket *view, BucketIndex *out,
		       BucketIgnore *ignore, Error *err) MUST_USE;

/* The artifact that is stored, for what of it is still the bucket's. All borrowed. */
typedef struct {
	Store *store;
	const Artifact *artifact;
	const uint64_t *marks; /* of its objects; NULL: not known */
	size_t count;
} BucketStored;

/*
 * Puts the index's objects below `dir`, each key confined to it (S84): those that `stored` has from
 * there, the others by download; the index is brought up to date (S85). Of two keys that come to
 * one path the one that sorts later is taken.
 */
bool bucket_download(CloudBucket *bucket, const Bucket *view, BucketIndex *index,
		     const BucketIgnore *ignore, const BucketStored *stored, const char *dir,
		     Error *err) MUST_USE;

/* Marks of the index's objects; *out_count of them. Owned. */
uint64_t *bucket_index_marks(const BucketIndex *index, size_t *out_count);

#endif
