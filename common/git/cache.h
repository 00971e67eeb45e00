/*
 * Objects on disk that later fetches build upon: one store for each remote with its credentials,
 * shared by all who use both. Bounded in bytes; what was used least goes first. Whoever loses it
 * fetches again: it is never the only copy of anything.
 */
#ifndef GIT_CACHE_H
#define GIT_CACHE_H

#include "git/git.h"

typedef struct GitCache GitCache;

/* Stores live below `dir`, which is made (0700) and must belong to us; what an earlier process left
 * there is taken over. ERR_FORBIDDEN when it is another user's or a link. Thread-safe. */
GitCache *git_cache_new(const char *dir, uint64_t max_bytes, Error *err) MUST_USE;

/* All leases must be back. The directory goes too: a process that ends in order needs it no more,
 * one that crashed finds it again. */
void git_cache_free(GitCache *cache);
AUTO_POINTER(GitCache, git_cache_free, auto_git_cache);
#define autogitcache __attribute__((cleanup(auto_git_cache)))

/* The right to use one store; one thread at a time each, any number for a store. */
typedef struct GitLease GitLease;

/* `key` is whatever tells remote and credentials from others; it is hashed. */
GitLease *git_cache_take(GitCache *cache, const char *key, Error *err) MUST_USE;

/* Gives the lease back. */
void git_lease_free(GitLease *lease);
AUTO_POINTER(GitLease, git_lease_free, auto_git_lease);
#define autogitlease __attribute__((cleanup(auto_git_lease)))

/* Borrowed. */
GitStore *git_lease_store(GitLease *lease);

/* As git_remote_fetch, but nothing moves when the object is there already; else the commits that
 * were fetched last are built upon. Leases of one store fetch one after another. fetch->have is
 * chosen here. */
bool git_lease_fetch(GitLease *lease, GitRemote *remote, const GitFetch *fetch, uint64_t *out_bytes,
		     Error *err) MUST_USE;

/* The store turned out to be damaged: it is dropped once all leases are back. */
void git_lease_spoil(GitLease *lease);

#endif
