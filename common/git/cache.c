/*
 * A store is a directory named by the hash of its key. Beside objects/ and shallow it has `tips`:
 * "HASH REF" lines of the commits whose trees are whole, newest last; one of them is what the next
 * fetch says it has. A store of many packs is begun anew: that costs one fetch of depth 1 in fifty.
 * What a crash left half written is no pack yet and goes when the store is taken over.
 */
#include "git/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "data/digest.h"
#include "git/protocol.h"
#include "git/store_internal.h"

enum {
	MAX_PACKS = 50,
	MAX_STORES = 10 * 1000, /* credentials change, and with them the keys */
	MAX_TIPS = 16,
	MAX_TIPS_BYTES = 1 << 20,
	MAX_NAMES = 100 * 1000,
	MAX_SEARCHED = 1000,
};

typedef struct {
	GitCache *cache;
	char *path;
	pthread_mutex_t fetching; /* one fetch at a time */
	/* Below: guarded by cache->lock. */
	int leases;
	bool spoilt;
	uint64_t bytes;
	int64_t used_ms;
} Entry;

struct GitCache {
	char *dir;
	uint64_t max_bytes;
	pthread_mutex_t lock;
	Map *entries;  /* hash of the key -> Entry */
	Map *searched; /* "ENTRY HASH REF" -> tips that do not reach it, as GitFetch has them */
};

struct GitLease {
	Entry *entry;
	GitStore *store;
};

/* --- entries on disk --- */

/* Bytes and packs in a store. Files that are neither pack nor index are of a crash when `clean`. */
static uint64_t measure(const char *path, bool clean, int *out_packs)
{
	autofree char *packs = path_join(path, GIT_STORE_PACKS);
	autoerror Error ignored = {0};
	autostrings Vec names = {0};
	autofd int fd = fd_open(packs, O_RDONLY | O_DIRECTORY, 0, &ignored);
	uint64_t bytes = 0;
	*out_packs = 0;
	if (fd < 0 || !dir_names(fd, MAX_NAMES, &names, &ignored))
		return 0;
	for (size_t i = 0; i < names.len; i++) {
		struct stat st;
		bool is_pack = cstr_ends(names.items[i], ".pack");
		if (clean && !is_pack && !cstr_ends(names.items[i], ".idx"))
			unlinkat(fd, names.items[i], 0);
		else if (fstatat(fd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (uint64_t)st.st_size;
		*out_packs += is_pack;
	}
	return bytes;
}

static Entry *entry_new(GitCache *cache, const char *name)
{
	int packs;
	Entry *entry = mem_zalloc(1, sizeof(*entry));
	entry->cache = cache;
	entry->path = path_join(cache->dir, name);
	autofree char *incoming = path_join(entry->path, GIT_STORE_INCOMING);
	autoerror Error ignored = {0};
	dir_remove(incoming, &ignored);
	entry->bytes = measure(entry->path, true, &packs);
	entry->used_ms = clock_mono_ms();
	pthread_mutex_init(&entry->fetching, NULL);
	return entry;
}

static void entry_free(void *item)
{
	Entry *entry = item;
	pthread_mutex_destroy(&entry->fetching);
	free(entry->path);
	free(entry);
}

static void entry_remove(GitCache *cache, Entry *entry)
{
	autoerror Error ignored = {0};
	autofree char *name = mem_strdup(path_base(entry->path));
	dir_remove(entry->path, &ignored);
	map_remove(cache->entries, name);
}

/* --- life --- */

static bool make_private(const char *dir, Error *err)
{
	struct stat st;
	if (mkdir(dir, 0700) == 0)
		return true;
	if (errno != EEXIST)
		return err_errno(err, "make directory %s", dir);
	if (lstat(dir, &st) != 0)
		return err_errno(err, "%s", dir);
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return true;
	return err_set(err, ERR_FORBIDDEN, "%s is not a private directory of ours", dir);
}

GitCache *git_cache_new(const char *dir, uint64_t max_bytes, Error *err)
{
	autostrings Vec names = {0};
	if (!make_private(dir, err))
		return NULL;
	autofd int fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0 || !dir_names(fd, MAX_NAMES, &names, err))
		return NULL;
	GitCache *cache = mem_zalloc(1, sizeof(*cache));
	cache->dir = mem_strdup(dir);
	cache->max_bytes = max_bytes;
	cache->entries = map_new(entry_free);
	cache->searched = map_new(free);
	pthread_mutex_init(&cache->lock, NULL);
	for (size_t i = 0; i < names.len; i++)
		map_put(cache->entries, names.items[i], entry_new(cache, names.items[i]));
	return cache;
}

void git_cache_free(GitCache *cache)
{
	if (!cache)
		return;
	autoerror Error ignored = {0};
	dir_remove(cache->dir, &ignored);
	map_free(cache->entries);
	map_free(cache->searched);
	pthread_mutex_destroy(&cache->lock);
	free(cache->dir);
	free(cache);
}

/* --- bounds; with cache->lock held --- */

static Entry *least_used(GitCache *cache, uint64_t *out_total)
{
	Entry *oldest = NULL;
	size_t at = 0;
	const char *key;
	void *value;
	*out_total = 0;
	while (map_next(cache->entries, &at, &key, &value)) {
		Entry *entry = value;
		*out_total += entry->bytes;
		if (entry->leases == 0 && (!oldest || entry->used_ms < oldest->used_ms))
			oldest = entry;
	}
	return oldest;
}

/* Half of a file system that is smaller than we were allowed: others need room there too. */
static uint64_t allowed(const GitCache *cache, uint64_t total)
{
	struct statvfs fs;
	if (statvfs(cache->dir, &fs) != 0)
		return cache->max_bytes;
	uint64_t half = ((uint64_t)fs.f_bavail * fs.f_frsize + total) / 2;
	return half < cache->max_bytes ? half : cache->max_bytes;
}

static void keep_bounds(GitCache *cache)
{
	uint64_t total;
	Entry *oldest = least_used(cache, &total);
	while (oldest && (total > allowed(cache, total) || map_len(cache->entries) > MAX_STORES)) {
		entry_remove(cache, oldest);
		oldest = least_used(cache, &total);
	}
}

/* A disk is full: what can go goes, so that the next try has room. */
static void make_room(GitCache *cache)
{
	uint64_t total;
	Entry *oldest;
	pthread_mutex_lock(&cache->lock);
	while ((oldest = least_used(cache, &total)))
		entry_remove(cache, oldest);
	pthread_mutex_unlock(&cache->lock);
}

/* --- leases --- */

GitLease *git_cache_take(GitCache *cache, const char *key, Error *err)
{
	char name[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, key, strlen(key), name);
	pthread_mutex_lock(&cache->lock);
	Entry *entry = map_get(cache->entries, name);
	if (!entry) {
		entry = entry_new(cache, name);
		map_put(cache->entries, name, entry);
	}
	entry->leases++;
	pthread_mutex_unlock(&cache->lock);
	autogitlease GitLease *lease = mem_zalloc(1, sizeof(*lease));
	lease->entry = entry;
	lease->store = git_store_open(entry->path, err);
	if (!lease->store) {
		git_lease_spoil(lease);
		return NULL;
	}
	return steal(&lease);
}

void git_lease_free(GitLease *lease)
{
	if (!lease)
		return;
	Entry *entry = lease->entry;
	GitCache *cache = entry->cache;
	int packs;
	git_store_free(lease->store);
	free(lease);
	uint64_t bytes = measure(entry->path, false, &packs);
	pthread_mutex_lock(&cache->lock);
	entry->bytes = bytes;
	entry->used_ms = clock_mono_ms();
	entry->spoilt |= packs > MAX_PACKS;
	/* What could not be fetched leaves nothing worth keeping. */
	if (--entry->leases == 0 && (entry->spoilt || packs == 0))
		entry_remove(cache, entry);
	keep_bounds(cache);
	pthread_mutex_unlock(&cache->lock);
}

GitStore *git_lease_store(GitLease *lease)
{
	return lease->store;
}

void git_lease_spoil(GitLease *lease)
{
	GitCache *cache = lease->entry->cache;
	pthread_mutex_lock(&cache->lock);
	lease->entry->spoilt = true;
	pthread_mutex_unlock(&cache->lock);
}

/* --- fetching --- */

static void load_tips(const Entry *entry, Vec *out)
{
	autofree char *path = path_join(entry->path, "tips");
	autoerror Error ignored = {0};
	autobuf Buf text = {0};
	if (!file_read(path, MAX_TIPS_BYTES, &text, &ignored))
		return;
	Str rest = buf_str(&text), line;
	while (str_next(&rest, '\n', &line))
		if (line.len >= GIT_HASH_SIZE - 1 &&
		    git_hash_is_valid(str_slice(line, 0, GIT_HASH_SIZE - 1)))
			vec_push(out, str_dup(line));
}

static bool save_tips(const Entry *entry, const Vec *tips, Error *err)
{
	autofree char *path = path_join(entry->path, "tips");
	autobuf Buf text = {0};
	size_t from = tips->len > MAX_TIPS ? tips->len - MAX_TIPS : 0;
	for (size_t i = from; i < tips->len; i++)
		buf_printf(&text, "%s\n", (const char *)tips->items[i]);
	return file_write_atomic(path, buf_text(&text), text.len, 0600, err);
}

/* The newest tip of that reference, else the newest of all; "" without one. */
static void choose_have(GitStore *store, const Vec *tips, const char *ref, char out[GIT_HASH_SIZE])
{
	out[0] = '\0';
	for (size_t i = tips->len; i-- > 0;) {
		char hash[GIT_HASH_SIZE];
		const char *tip = tips->items[i];
		bool same = ref && strlen(tip) > GIT_HASH_SIZE && cstr_eq(tip + GIT_HASH_SIZE, ref);
		memcpy(hash, tip, GIT_HASH_SIZE - 1);
		hash[GIT_HASH_SIZE - 1] = '\0';
		if ((out[0] && !same) || !git_store_has(store, hash))
			continue;
		memcpy(out, hash, GIT_HASH_SIZE);
		if (same)
			return;
	}
}

/* --- what is nowhere --- */

static char *search_key(const Entry *entry, const GitFetch *fetch)
{
	return mem_printf("%s %s %s", path_base(entry->path), fetch->hash,
			  fetch->ref ? fetch->ref : "-");
}

static void recall_search(const Entry *entry, const GitFetch *fetch, char out[GIT_SEARCHED_SIZE])
{
	GitCache *cache = entry->cache;
	autofree char *key = search_key(entry, fetch);
	pthread_mutex_lock(&cache->lock);
	const char *tips = map_get(cache->searched, key);
	memcpy(out, tips ? tips : "", tips ? GIT_SEARCHED_SIZE : 1);
	pthread_mutex_unlock(&cache->lock);
}

/* In memory alone, as the store may go: it has nothing that was worth keeping. */
static void keep_search(const Entry *entry, const GitFetch *fetch, const char *tips)
{
	GitCache *cache = entry->cache;
	autofree char *key = search_key(entry, fetch);
	if (!tips[0])
		return;
	pthread_mutex_lock(&cache->lock);
	if (map_len(cache->searched) >= MAX_SEARCHED)
		map_clear(cache->searched);
	map_put(cache->searched, key, mem_strdup(tips));
	pthread_mutex_unlock(&cache->lock);
}

static bool fetch_alone(GitLease *lease, GitRemote *remote, const GitFetch *fetch,
			uint64_t *out_bytes, Error *err)
{
	autostrings Vec tips = {0};
	char have[GIT_HASH_SIZE], searched[GIT_SEARCHED_SIZE];
	if (!git_store_refresh(lease->store, err))
		return false;
	if (git_store_has(lease->store, fetch->hash))
		return true;
	load_tips(lease->entry, &tips);
	choose_have(lease->store, &tips, fetch->ref, have);
	recall_search(lease->entry, fetch, searched);
	GitFetch whole = *fetch;
	whole.searched = searched;
	GitFetch thin = whole;
	thin.have = have[0] ? have : NULL;
	autoerror Error damaged = {0};
	bool ok = git_remote_fetch(remote, lease->store, &thin, out_bytes, &damaged);
	/* What the store claims to have may be gone: once more, from nothing. */
	if (!ok && damaged.code == ERR_INVALID && thin.have)
		ok = git_remote_fetch(remote, lease->store, &whole, out_bytes, err);
	else if (!ok)
		err_move(err, &damaged);
	keep_search(lease->entry, fetch, searched);
	if (!ok)
		return false;
	vec_push(&tips, mem_printf("%s %s", fetch->hash, fetch->ref ? fetch->ref : "-"));
	return save_tips(lease->entry, &tips, err);
}

bool git_lease_fetch(GitLease *lease, GitRemote *remote, const GitFetch *fetch, uint64_t *out_bytes,
		     Error *err)
{
	if (out_bytes)
		*out_bytes = 0;
	pthread_mutex_lock(&lease->entry->fetching);
	bool ok = fetch_alone(lease, remote, fetch, out_bytes, err);
	pthread_mutex_unlock(&lease->entry->fetching);
	if (!ok && err->code == ERR_IO) {
		git_lease_spoil(lease);
		make_room(lease->entry->cache);
	}
	return ok;
}
