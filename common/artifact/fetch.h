/*
 * A consumer's side: fetch, verify and unpack once per revision, however many objects use it. The
 * cache holds trees by digest, in files without names, bounded by count and bytes; trees in use are
 * never evicted.
 */
#ifndef ARTIFACT_FETCH_H
#define ARTIFACT_FETCH_H

#include "archive/file_tree.h"
#include "artifact/artifact.h"
#include "net/httpc.h"

#define ARTIFACT_FILE "artifact.tar.gz"

typedef struct ArtifactCache ArtifactCache;
typedef struct ArtifactTree ArtifactTree;

typedef struct {
	/* Where trees live: a temporary directory of the daemon's own, made when absent. What an
	 * earlier process left there is removed. */
	const char *dir;
	int retries;	       /* --http-retry: 9 */
	int64_t retry_wait_ms; /* first wait; 5000 */
	size_t max_trees;      /* idle ones kept; 0: 8 */
	size_t max_bytes;      /* unpacked bytes of one tree; 0: 1 GiB */
	/* Consumers that read the archive themselves: a tree is a directory with the verified file
	 * ARTIFACT_FILE in it, as it was served, and max_bytes bounds that. */
	bool as_files;
	int64_t idle_timeout_ms; /* of a download, without a byte; 0: 30 s */
	/* SOURCE_CONTROLLER_LOCALHOST replaces the URL's host, SOURCE_WATCHER_LOCALHOST one that
	 * begins with "source-watcher"; NULL: not set. */
	const char *localhost_env;
	const char *watcher_localhost_env;
} ArtifactCacheConfig;

/* Strings are copied; http is borrowed. */
ArtifactCache *artifact_cache_new(HttpClient *http, const ArtifactCacheConfig *config,
				  Error *err) MUST_USE;

/* All trees must have been given back; removes them from disk. */
void artifact_cache_free(ArtifactCache *cache);
AUTO_POINTER(ArtifactCache, artifact_cache_free, auto_artifact_cache);
#define autoartifactcache __attribute__((cleanup(auto_artifact_cache)))

/*
 * The unpacked tree of an artifact, fetched when it is not there. Concurrent calls for one digest
 * wait for one fetch. ERR_NOT_FOUND: 404 (K8); ERR_INVALID: digest missing, unknown or wrong, or a
 * hostile archive (K7, K9); the code of err_code_of_http for other replies. Nobody waits here
 * between two tries: a failure that another try may cure says `not_yet` and retry_after_ms, until
 * then every call gets it, and after the last of the retries it is ERR_UNAVAILABLE for good; the
 * count starts anew. Give back with artifact_tree_unref.
 */
ArtifactTree *artifact_cache_get(ArtifactCache *cache, const Artifact *artifact,
				 Error *err) MUST_USE;
void artifact_tree_unref(ArtifactTree *tree);
AUTO_POINTER(ArtifactTree, artifact_tree_unref, auto_artifact_tree);
#define autoartifacttree __attribute__((cleanup(auto_artifact_tree)))

/* What it holds; borrowed. NULL in a cache of archives as they came. */
const FileTree *artifact_tree_files(const ArtifactTree *tree);

/* The directory that has the archive, read-only for everybody; borrowed. NULL in a cache of trees.
 */
const char *artifact_tree_path(const ArtifactTree *tree);

#endif
