/*
 * The cache of unpacked trees, by digest. A tree's life: FETCHING (one thread works, others wait on
 * the condition) -> READY (in the map until it is evicted) or FAILED (out of the map; freed by the
 * last who waited). Idle trees beyond max_trees go, the one unused for longest first. What failed
 * and may be tried again is remembered by digest and URL, so that a caller's queue can do the
 * waiting.
 */
#include "artifact/fetch.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>

#include "artifact/fetch_internal.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "net/retry.h"

enum {
	DEFAULT_RETRIES = 9,
	DEFAULT_WAIT_MS = 5000,
	DEFAULT_IDLE_MS = 30000,
	WAIT_CAP_FACTOR = 6, /* 5 s .. 30 s, as upstream */
	DEFAULT_TREES = 8,
	DEFAULT_BYTES = 1 << 30,
	MAX_LEFTOVERS = 100000,
	MAX_ATTEMPTS = 1024, /* remembered; beyond, all start anew */
};

typedef enum { TREE_FETCHING, TREE_READY, TREE_FAILED } TreeState;

/* All but `cache`, `key`, `url` is guarded by the cache's lock; files and path stay while READY. */
struct ArtifactTree {
	ArtifactCache *cache;
	char *key; /* "algo:hex" */
	char *url; /* that it was asked for with */
	TreeState state;
	size_t refs;
	uint64_t used;	 /* of the cache's clock, when the last reference went */
	FileTree *files; /* or, in a cache of archives: */
	char *path;
	Error err; /* when FAILED */
};

/* Tries that failed, of which the last was before next_ms. */
typedef struct {
	int tries;
	int64_t next_ms;
	Error err;
} Attempts;

struct ArtifactCache {
	HttpClient *http;
	char *dir;
	RetryPolicy policy;
	size_t max_trees, max_bytes;
	bool as_files;
	int64_t idle_timeout_ms;
	char *localhost, *watcher_localhost;
	pthread_mutex_t lock;	/* guards what follows and the trees */
	pthread_cond_t changed; /* a tree's state */
	Map *trees;		/* key -> ArtifactTree, FETCHING and READY */
	Map *attempts;		/* "key url" -> Attempts */
	uint64_t clock;
};

static void tree_free(void *value)
{
	ArtifactTree *tree = value;
	autoerror Error ignored = {0};
	file_tree_free(tree->files);
	if (tree->path)
		dir_remove(tree->path, &ignored);
	free(tree->path);
	free(tree->key);
	free(tree->url);
	error_dispose(&tree->err);
	free(tree);
}

static void attempts_free(void *value)
{
	Attempts *attempts = value;
	error_dispose(&attempts->err);
	free(attempts);
}

/* What a killed process left. Its own directory: nobody else's trees can be here. */
static bool remove_leftovers(const char *dir, Error *err)
{
	autofd int fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, err);
	autostrings Vec names = {0};
	if (fd < 0 || !dir_names(fd, MAX_LEFTOVERS, &names, err))
		return false;
	for (size_t i = 0; i < names.len; i++) {
		const char *name = names.items[i];
		autofree char *path = path_join(dir, name);
		bool is_ours = cstr_starts(name, FETCH_TREE_PREFIX "-") ||
			       cstr_starts(name, FD_NAMELESS_PREFIX);
		if (is_ours && !dir_remove(path, err))
			return false;
	}
	return true;
}

static RetryPolicy policy_of(const ArtifactCacheConfig *config)
{
	int64_t wait_ms = config->retry_wait_ms ? config->retry_wait_ms : DEFAULT_WAIT_MS;
	return (RetryPolicy){
		.max_tries = (config->retries < 0 ? DEFAULT_RETRIES : config->retries) + 1,
		.base_ms = wait_ms,
		.max_ms = wait_ms * WAIT_CAP_FACTOR,
	};
}

ArtifactCache *artifact_cache_new(HttpClient *http, const ArtifactCacheConfig *config, Error *err)
{
	if (!dir_make(config->dir, 0700, err) || !remove_leftovers(config->dir, err))
		return err_wrap_null(err, "artifact cache");
	ArtifactCache *cache = mem_zalloc(1, sizeof(*cache));
	cache->http = http;
	cache->dir = mem_strdup(config->dir);
	cache->policy = policy_of(config);
	cache->max_trees = config->max_trees ? config->max_trees : DEFAULT_TREES;
	cache->max_bytes = config->max_bytes ? config->max_bytes : DEFAULT_BYTES;
	cache->as_files = config->as_files;
	cache->idle_timeout_ms =
		config->idle_timeout_ms ? config->idle_timeout_ms : DEFAULT_IDLE_MS;
	cache->localhost = mem_strdup(config->localhost_env);
	cache->watcher_localhost = mem_strdup(config->watcher_localhost_env);
	cache->trees = map_new(tree_free);
	cache->attempts = map_new(attempts_free);
	pthread_cond_init(&cache->changed, NULL);
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void artifact_cache_free(ArtifactCache *cache)
{
	if (!cache)
		return;
	size_t at = 0;
	const char *key;
	void *value;
	while (map_next(cache->trees, &at, &key, &value))
		assert(((ArtifactTree *)value)->refs == 0);
	map_free(cache->trees);
	map_free(cache->attempts);
	pthread_cond_destroy(&cache->changed);
	pthread_mutex_destroy(&cache->lock);
	free(cache->dir);
	free(cache->localhost);
	free(cache->watcher_localhost);
	free(cache);
}

/* --- tries that failed; with the lock --- */

static char *attempts_key(const char *key, const char *url)
{
	return mem_printf("%s %s", key, url);
}

/* True when the next try is not due yet; err is what the last one said. */
static bool is_too_early(ArtifactCache *cache, const char *key, const char *url, Error *err)
{
	autofree char *id = attempts_key(key, url);
	const Attempts *attempts = map_get(cache->attempts, id);
	int64_t now = clock_mono_ms();
	if (!attempts || attempts->next_ms <= now)
		return false;
	err_copy(err, &attempts->err);
	err->retry_after_ms = attempts->next_ms - now;
	return true;
}

/* Notes a failure of a tree, and in err whether it is one for good. */
static void note_failure(ArtifactCache *cache, const ArtifactTree *tree, Error *err)
{
	autofree char *id = attempts_key(tree->key, tree->url);
	if (map_len(cache->attempts) >= MAX_ATTEMPTS)
		map_clear(cache->attempts);
	Attempts *attempts = map_get(cache->attempts, id);
	if (!attempts) {
		attempts = mem_zalloc(1, sizeof(*attempts));
		map_put(cache->attempts, id, attempts);
	}
	bool again = retry_is_worth_it(err) && ++attempts->tries < cache->policy.max_tries;
	if (!again) {
		map_remove(cache->attempts, id);
		if (retry_is_worth_it(err))
			err->code = ERR_UNAVAILABLE;
		return;
	}
	err->not_yet = true;
	err->retry_after_ms = retry_wait_ms(&cache->policy, attempts->tries, err);
	attempts->next_ms = clock_mono_ms() + err->retry_after_ms;
	error_dispose(&attempts->err);
	err_copy(&attempts->err, err);
}

static void note_success(ArtifactCache *cache, const ArtifactTree *tree)
{
	autofree char *id = attempts_key(tree->key, tree->url);
	map_remove(cache->attempts, id);
}

/* --- one tree, by the thread that fetches it --- */

/* The URL to ask for: in development the daemons run outside the cluster (K7's neighbours). */
static char *url_to_ask(const ArtifactCache *cache, const char *url)
{
	const char *host =
		strstr(url, "//source-watcher") ? cache->watcher_localhost : cache->localhost;
	return cstr_empty(host) ? mem_strdup(url) : fetch_url_with_host(url, host);
}

/* Into *out_files or *out_path, as the cache has it. */
static bool fetch(const ArtifactTree *tree, FileTree **out_files, char **out_path, Error *err)
{
	const ArtifactCache *cache = tree->cache;
	autofree char *url = url_to_ask(cache, tree->url);
	FetchJob job = {.http = cache->http,
			.url = url,
			.max_bytes = cache->max_bytes,
			.dir = cache->dir,
			.idle_timeout_ms = cache->idle_timeout_ms};
	if (!digest_parse(tree->key, &job.algo, &job.hex, err))
		return false;
	if (cache->as_files)
		*out_path = fetch_file(&job, err);
	else
		*out_files = fetch_tree(&job, err);
	/* A file of ours that is gone says nothing about the artifact. */
	if (!*out_path && !*out_files && err->code == ERR_NOT_FOUND && !err->http_status)
		err->code = ERR_IO;
	return *out_path || *out_files;
}

/* --- the cache --- */

/* With the lock: takes the idle trees beyond max_trees out of the map, for freeing without it. */
static void evict(ArtifactCache *cache, Vec *out)
{
	for (;;) {
		size_t at = 0, idle = 0;
		const char *key;
		void *value;
		ArtifactTree *oldest = NULL;
		while (map_next(cache->trees, &at, &key, &value)) {
			ArtifactTree *tree = value;
			if (tree->refs)
				continue;
			idle++;
			if (!oldest || tree->used < oldest->used)
				oldest = tree;
		}
		if (idle <= cache->max_trees)
			return;
		vec_push(out, map_take(cache->trees, oldest->key));
	}
}

/* With the lock: gives one reference back. What must be freed comes into *out. */
static void release(ArtifactTree *tree, Vec *out)
{
	ArtifactCache *cache = tree->cache;
	tree->refs--;
	tree->used = ++cache->clock;
	if (tree->refs == 0 && tree->state == TREE_FAILED)
		vec_push(out, tree);
	else
		evict(cache, out);
}

void artifact_tree_unref(ArtifactTree *tree)
{
	if (!tree)
		return;
	ArtifactCache *cache = tree->cache;
	Vec gone = {0};
	pthread_mutex_lock(&cache->lock);
	release(tree, &gone);
	pthread_mutex_unlock(&cache->lock);
	vec_dispose_with(&gone, tree_free);
}

/* Fetches the tree that the caller has put into the map; its reference is the caller's. */
static ArtifactTree *fetch_new(ArtifactTree *tree, Error *err)
{
	ArtifactCache *cache = tree->cache;
	char *path = NULL;
	FileTree *files = NULL;
	bool ok = fetch(tree, &files, &path, err);
	Vec gone = {0};
	pthread_mutex_lock(&cache->lock);
	tree->path = path;
	tree->files = files;
	tree->state = ok ? TREE_READY : TREE_FAILED;
	if (ok) {
		note_success(cache, tree);
	} else {
		note_failure(cache, tree, err);
		err_copy(&tree->err, err);
		map_take(cache->trees, tree->key);
		release(tree, &gone);
	}
	pthread_cond_broadcast(&cache->changed);
	pthread_mutex_unlock(&cache->lock);
	vec_dispose_with(&gone, tree_free);
	return ok ? tree : NULL;
}

static ArtifactTree *tree_new(ArtifactCache *cache, const char *key, const char *url)
{
	ArtifactTree *tree = mem_zalloc(1, sizeof(*tree));
	tree->cache = cache;
	tree->key = mem_strdup(key);
	tree->url = mem_strdup(url);
	tree->refs = 1;
	return tree;
}

/*
 * With the lock, which is dropped while waiting: the tree that is there, or a new one to fetch
 * (*out_new), or NULL and err when the fetch that was waited for failed or the next try is not due.
 * A failure under another URL says nothing about ours, then this call fetches itself.
 */
static ArtifactTree *find_or_add(ArtifactCache *cache, const char *key, const char *url,
				 bool *out_new, Vec *gone, Error *err)
{
	for (;;) {
		ArtifactTree *tree = map_get(cache->trees, key);
		*out_new = !tree;
		if (!tree && is_too_early(cache, key, url, err))
			return NULL;
		if (!tree) {
			tree = tree_new(cache, key, url);
			map_put(cache->trees, key, tree);
			return tree;
		}
		tree->refs++;
		while (tree->state == TREE_FETCHING)
			pthread_cond_wait(&cache->changed, &cache->lock);
		if (tree->state == TREE_READY)
			return tree;
		bool is_ours = cstr_eq(tree->url, url) || tree->err.code == ERR_CANCELLED;
		if (is_ours)
			err_copy(err, &tree->err);
		release(tree, gone);
		if (is_ours)
			return NULL;
	}
}

/* "algo:hex" whatever the form of the digest (K7). */
static bool digest_key(const Artifact *artifact, char out[DIGEST_TEXT_SIZE], Error *err)
{
	DigestAlgo algo;
	const char *hex;
	if (cstr_empty(artifact->digest))
		return err_set(err, ERR_INVALID, "artifact has no digest");
	if (!digest_parse(artifact->digest, &algo, &hex, err))
		return err_wrap(err, "artifact digest");
	if (algo == DIGEST_SHA1)
		return err_set(err, ERR_INVALID, "artifact digest: sha1 is not accepted");
	snprintf(out, DIGEST_TEXT_SIZE, "%s:%s", digest_algo_name(algo), hex);
	return true;
}

ArtifactTree *artifact_cache_get(ArtifactCache *cache, const Artifact *artifact, Error *err)
{
	char key[DIGEST_TEXT_SIZE];
	if (cstr_empty(artifact->url))
		return err_null(err, ERR_INVALID, "artifact has no URL");
	if (!digest_key(artifact, key, err))
		return NULL;
	Vec gone = {0};
	bool is_new;
	pthread_mutex_lock(&cache->lock);
	ArtifactTree *tree = find_or_add(cache, key, artifact->url, &is_new, &gone, err);
	pthread_mutex_unlock(&cache->lock);
	vec_dispose_with(&gone, tree_free);
	return tree && is_new ? fetch_new(tree, err) : tree;
}

const char *artifact_tree_path(const ArtifactTree *tree)
{
	return tree->path;
}

const FileTree *artifact_tree_files(const ArtifactTree *tree)
{
	return tree->files;
}
