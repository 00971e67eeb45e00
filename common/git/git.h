/*
 * Git over the wire without a clone: list a remote's references, fetch what one commit needs
 * (protocol v2 with depth 1; v0/v1 for servers that know no more), read its tree from libgit2's
 * object database. HTTP(S) goes through httpc, SSH through libssh, or OpenSSH's program for hosts
 * that show certificates (source.md 3).
 */
#ifndef GIT_GIT_H
#define GIT_GIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"
#include "net/loop.h"

enum {
	GIT_HASH_SIZE = 41,	/* 40 hex digits and NUL */
	GIT_SEARCHED_SIZE = 65, /* 64 hex digits and NUL */
};

/* How to reach and authenticate (all borrowed for the call of git_remote_new). */
typedef struct {
	const char *url;      /* http, https or ssh; userinfo is used when username is NULL */
	const char *named_by; /* host of the repository whose .gitmodules names this one, which must
				 not lead from outside inside (net/address.h); NULL: nobody */
	const char *username, *password, *bearer_token;
	const char *ca_pem, *cert_pem, *key_pem; /* CA is added to the system's (S32) */
	const char *proxy, *proxy_user, *proxy_password;
	const char *ssh_identity; /* private key, PEM or OpenSSH */
	const char *ssh_passphrase;
	const char *ssh_known_hosts;		       /* needed for ssh */
	const char *ssh_kex_algos, *ssh_hostkey_algos; /* comma-separated, or NULL */
	int64_t timeout_ms;			       /* of each operation, whole */
	bool (*is_cancelled)(void *arg); /* asked twice a second of a wait: ends it with
					    ERR_CANCELLED; NULL: never */
	void *cancel_arg;
} GitRemoteConfig;

typedef struct GitRemote GitRemote;

/* ERR_INVALID, with reason AuthenticationFailed where credentials lack a part, or a passphrase is
 * not given (S31, S34); without a reason where what is there cannot be used. No connection yet. */
GitRemote *git_remote_new(Loop *loop, const GitRemoteConfig *config, Error *err) MUST_USE;
void git_remote_free(GitRemote *remote);
AUTO_POINTER(GitRemote, git_remote_free, auto_git_remote);
#define autogitremote __attribute__((cleanup(auto_git_remote)))

typedef struct {
	char *name;		    /* "refs/heads/main", "HEAD" */
	char hash[GIT_HASH_SIZE];   /* what it points at */
	char peeled[GIT_HASH_SIZE]; /* the commit behind an annotated tag, else "" */
	char *symref;		    /* target of a symbolic reference, or NULL */
} GitRef;

typedef struct {
	GitRef *items;
	size_t len;
} GitRefs;

void git_refs_dispose(GitRefs *refs);
#define autogitrefs __attribute__((cleanup(git_refs_dispose)))
const GitRef *git_refs_find(const GitRefs *refs, const char *name);

/* The remote's references whose names start with one of `prefixes` (NULL-terminated; NULL: all).
 * Errors are redacted of credentials (S30). An empty repository gives none. */
bool git_remote_list(GitRemote *remote, const char *const *prefixes, GitRefs *out,
		     Error *err) MUST_USE;

/* A bare object database in a directory of its own (made when absent). */
typedef struct GitStore GitStore;
GitStore *git_store_open(const char *path, Error *err) MUST_USE;
void git_store_free(GitStore *store);
AUTO_POINTER(GitStore, git_store_free, auto_git_store);
#define autogitstore __attribute__((cleanup(auto_git_store)))
bool git_store_has(GitStore *store, const char *hash);

typedef struct {
	const char *hash;   /* the object wanted: a commit or tag */
	const char *ref;    /* a reference that reaches it: for servers that refuse bare hashes */
	bool deep;	    /* with all history, else depth 1 */
	const char *have;   /* a commit in the store to build upon, or NULL */
	char *searched;	    /* which tips were fetched with all they reach and without the hash: in
			       and out, "" at first, GIT_SEARCHED_SIZE bytes; or NULL */
	uint64_t max_bytes; /* of the pack; 0: 2 GiB */
} GitFetch;

/* Fetches into the store. ERR_NOT_FOUND where the remote has no such object: nothing of what was
 * searched for it stays, and tips that were searched before are not fetched again. *out_bytes (may
 * be NULL): pack bytes received, of a fetch that fails too. */
bool git_remote_fetch(GitRemote *remote, GitStore *store, const GitFetch *fetch,
		      uint64_t *out_bytes, Error *err) MUST_USE;

/* What is known of a commit or annotated tag; texts owned. */
typedef struct {
	char hash[GIT_HASH_SIZE];
	char tree[GIT_HASH_SIZE];   /* commits */
	char target[GIT_HASH_SIZE]; /* tags: the object behind */
	bool target_is_commit;
	char *name; /* tags: the name inside the object, which a reference may belie; else NULL */
	char *message;
	char *author, *committer; /* "Name <mail>" */
	int64_t time_s;		  /* committer's */
	char *signature;	  /* armored, or NULL */
	char *signed_payload;	  /* the bytes that the signature covers, NULL without one */
} GitCommit;

void git_commit_dispose(GitCommit *commit);
#define autogitcommit __attribute__((cleanup(git_commit_dispose)))
bool git_store_commit(GitStore *store, const char *hash, GitCommit *out, Error *err) MUST_USE;

/* An annotated tag object; hash is the tag's. ERR_INVALID when it is none. */
bool git_store_tag(GitStore *store, const char *hash, GitCommit *out, Error *err) MUST_USE;

/* One entry of a walk in lexical order, directories before their content. `path` has no leading
 * slash. Only called for blobs and trees; links and submodules come with their mode. */
typedef struct {
	const char *path;
	unsigned mode; /* 040000, 0100644, 0100755, 0120000, 0160000 */
	const char *hash;
} GitEntry;

/* Walks a commit's tree. False from fn with err set ends it. Depth and count are limited. */
bool git_store_walk(GitStore *store, const char *commit_hash,
		    bool (*fn)(void *arg, const GitEntry *entry, Error *err), void *arg,
		    Error *err) MUST_USE;

/* A blob's bytes, borrowed until the handle is given back; ERR_LIMIT above max bytes. */
typedef struct GitBlob GitBlob;
GitBlob *git_store_blob(GitStore *store, const char *hash, uint64_t max_bytes, Error *err) MUST_USE;
const void *git_blob_bytes(const GitBlob *blob, size_t *out_len);
void git_blob_free(GitBlob *blob);
AUTO_POINTER(GitBlob, git_blob_free, auto_git_blob);
#define autogitblob __attribute__((cleanup(auto_git_blob)))

#endif
