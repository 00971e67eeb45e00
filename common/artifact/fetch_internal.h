/* What fetch.c (the cache) takes from fetch_download.c (one artifact). */
#ifndef ARTIFACT_FETCH_INTERNAL_H
#define ARTIFACT_FETCH_INTERNAL_H

#include "artifact/fetch.h"
#include "data/digest.h"

/* Names of what lies in the cache's directory, so that a restart can remove it. */
#define FETCH_TREE_PREFIX "tree"

/* One artifact to get; all borrowed. */
typedef struct {
	HttpClient *http;
	const char *url; /* as it is asked for */
	DigestAlgo algo;
	const char *hex;
	size_t max_bytes;
	const char *dir;
	int64_t idle_timeout_ms;
} FetchJob;

/*
 * One try: downloads to a file without a name, verifies its digest, and only then unpacks it.
 * Retriable errors: retry_is_worth_it.
 */
FileTree *fetch_tree(const FetchJob *job, Error *err) MUST_USE;

/* The same without unpacking: the path of a new directory with ARTIFACT_FILE in it. Owned. */
char *fetch_file(const FetchJob *job, Error *err) MUST_USE;

/* The URL with its host and port replaced (SOURCE_CONTROLLER_LOCALHOST). Owned. */
char *fetch_url_with_host(const char *url, const char *host);

#endif
