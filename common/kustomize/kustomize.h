/*
 * kustomize build (facts kustomize-build.md, B1..B107): kustomization directories in, objects out.
 * Pure: files come through KustomizeFiles, nothing touches the network. An engine run uses one
 * thread; several may run at once, sharing a KustomizeCache.
 */
#ifndef KUSTOMIZE_KUSTOMIZE_H
#define KUSTOMIZE_KUSTOMIZE_H

#include <stdatomic.h>

#include "base/vec.h"
#include "data/json.h"

typedef enum { KUSTOMIZE_NONE, KUSTOMIZE_FILE, KUSTOMIZE_DIR } KustomizeNode;

/* Where files come from. Paths are clean and relative to the source's root ("." is the root); the
 * implementation refuses what leads out of it (symbolic links too) with ERR_FORBIDDEN. */
typedef struct {
	void *arg;
	KustomizeNode (*stat)(void *arg, const char *path);
	bool (*read)(void *arg, const char *path, Buf *out, Error *err);
	/* Names of the entries of a directory, sorted, as owned strings pushed to out. */
	bool (*list)(void *arg, const char *path, Vec *out, Error *err);
	/* The path without symbolic links, owned: itself when there are none on it, NULL when they
	 * lead nowhere or out. NULL instead of a function: there are no links. */
	char *(*resolve)(void *arg, const char *path);
} KustomizeFiles;

/* What sources of files hold to: bytes of a file, names in a directory. */
enum { KUSTOMIZE_FILE_MAX = 50 * 1024 * 1024, KUSTOMIZE_NAMES_MAX = 100000 };

/* Files below a directory descriptor (borrowed): opened beneath it, 50 MiB at most each. Below the
 * file system's own root nothing can lead out, so absolute links are followed there. */
typedef struct KustomizeDirFiles KustomizeDirFiles;
KustomizeDirFiles *kustomize_dir_files_new(int dir_fd);
void kustomize_dir_files_free(KustomizeDirFiles *files);
AUTO_POINTER(KustomizeDirFiles, kustomize_dir_files_free, auto_kustomize_dir_files);
const KustomizeFiles *kustomize_dir_files(const KustomizeDirFiles *files);

/* Parsed files shared by builds of one immutable source (an artifact's tree): by path. Thread-safe;
 * bounded by bytes of source text. */
typedef struct KustomizeCache KustomizeCache;
KustomizeCache *kustomize_cache_new(size_t max_bytes);
void kustomize_cache_free(KustomizeCache *cache);
AUTO_POINTER(KustomizeCache, kustomize_cache_free, auto_kustomize_cache);

/* What a remote entry is wanted as: any text, or objects: a file of them or a directory. */
typedef enum { KUSTOMIZE_TEXT, KUSTOMIZE_BASE } KustomizeWanted;

/* How paths begin that were fetched: they are of one build and not shared by the cache. */
#define KUSTOMIZE_FETCHED "remote:/"

/* Bounds of one build; 0 is the default. What passes one is ERR_LIMIT. */
typedef struct {
	size_t max_file_bytes; /* of a file; 50 MiB, which is also the most */
	size_t max_bytes;      /* of all files read; 512 MiB */
	size_t max_objects;    /* loaded and generated; 200000 */
	int64_t max_ms;	       /* that it takes; 2 min */
} KustomizeLimits;

typedef struct {
	const KustomizeFiles *files;
	KustomizeCache *cache; /* or NULL */
	/* Who builds, for the cache: it keeps what a second one asks for, so that files of one
	 * builder's own do not fill it; NULL: it keeps all. */
	const char *builder;
	atomic_size_t *parsed; /* one more for each file of objects that is parsed; or NULL */
	KustomizeLimits limits;

	/* The root kustomization in place of the file in the root directory, which then need not
	 * exist; borrowed; NULL: read the file. Unknown fields of it are ignored (K19). */
	const json_t *root;

	/* What the caller calls the entries that it has put into that root behind the file's own so
	 * many, as "spec" for "spec.patches[0]"; NULL: all are the file's. */
	const char *added;
	size_t own_patches, own_components;

	/* Files outside the kustomization's own directory: refused (the tool's default) unless set,
	 * as Flux does; the source's root is never left (B102). */
	bool load_anywhere;

	/* Objects keep scalars as they were written (data/written.h): kustomize_emit then prints
	 * integers up to 2^64-1 as they are. Unless set, what is large becomes a real, as the API
	 * server reads it. */
	bool keep_written;

	/* As the tool does where neither sortOptions nor --reorder say: objects in legacy order. */
	bool legacy_order;

	/* The label that buildMetadata's managedByLabel gives, whatever the file says. */
	bool managed_by_label;

	/* Flux keeps the built-in schema beside a custom one (facts 7 openapi). */
	bool keep_builtin_schema;

	/* Fetches a remote base or file (http, git) that the kustomization in directory `from` of
	 * `files` names; NULL: remote ones are an error. The result is a path within `files`,
	 * owned, that begins with KUSTOMIZE_FETCHED; of a clone "CLONE//SUBPATH", which bases
	 * inside it never leave (B105). */
	char *(*fetch)(void *arg, const char *from, const char *url, KustomizeWanted wanted,
		       Error *err);
	void *fetch_arg;
} KustomizeOptions;

/* One built object with where it came from. */
typedef struct {
	json_t *object; /* owned */
	char *file;	/* path of the file that defined it, within the source; "" for generated */
	size_t line;	/* 1-based; 0 unknown */
} KustomizeResource;

typedef struct {
	KustomizeResource *items;
	size_t len;
} KustomizeResult;

void kustomize_result_dispose(KustomizeResult *result);
#define autokustomizeresult __attribute__((cleanup(kustomize_result_dispose)))

/* Builds directory `dir` of the source. Errors name file and, where known, line. */
bool kustomize_build(const char *dir, const KustomizeOptions *options, KustomizeResult *out,
		     Error *err) MUST_USE;

/* The root file's name in a directory ("kustomization.yaml", ...), static; NULL when there is none;
 * err is set when there are several (B1). */
const char *kustomize_find_root(const KustomizeFiles *files, const char *dir, Error *err);

/* The objects as a YAML stream separated by "---" lines, as the tool prints. */
void kustomize_emit(const KustomizeResult *result, Buf *out);

#endif
