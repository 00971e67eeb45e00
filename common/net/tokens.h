/*
 * Credentials that cost a request, kept for 80 % of their life and a given time at most
 * (notification.md 5, source.md 7 "token-cache"), so that nobody starts with one that ends before
 * the work does. Thread-safe. They are wiped when they go.
 */
#ifndef NET_TOKENS_H
#define NET_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"

/* What was got; all owned, NULL for what it has not. Bearer tokens: secret alone, and in `user`
 * whatever belongs to them. AWS: the access key's id, the secret key, the session token. */
typedef struct {
	char *user, *secret, *session;
	int64_t expires_ms; /* wall clock; 0: never */
} Credential;

void credential_dispose(Credential *credential);
#define autocredential __attribute__((cleanup(credential_dispose)))

typedef struct TokenCache TokenCache;

/* Keeps `max` of them (0: none), each for max_ms at most, an hour being the upper bound. Owned. */
TokenCache *token_cache_new(size_t max, int64_t max_ms);
void token_cache_free(TokenCache *tokens);
AUTO_POINTER(TokenCache, token_cache_free, auto_token_cache);
#define autotokencache __attribute__((cleanup(auto_token_cache)))

/* For what a credential is asked for, in the words of upstream's metrics. */
typedef enum {
	TOKEN_RECONCILE,
	TOKEN_POST,
	TOKEN_FETCH_KUBECONFIG,
	TOKEN_DECRYPT_WITH_AWS,
	TOKEN_DECRYPT_WITH_AZURE,
	TOKEN_DECRYPT_WITH_GCP,
	TOKEN_OPERATIONS
} TokenOperation;
const char *token_operation_name(TokenOperation operation);

/* For which object; all borrowed. Without a kind it is none. */
typedef struct {
	const char *kind, *name, *ns;
	TokenOperation operation;
} TokenUser;

/* Tells of each request for an object whether a kept one, or one that was being fetched, answered
 * it; a cache that keeps nothing tells nothing. To be set before anybody asks; called without a
 * lock, on the thread that asks. */
typedef void TokenEvent(void *arg, const TokenUser *user, bool hit);
void token_cache_on_event(TokenCache *tokens, TokenEvent *fn, void *arg);

/* A key of all that makes a credential another one; NULL-terminated, NULL inside ends it. They may
 * be secrets: the key is their hash. Owned. */
char *token_cache_key(const char *const *parts);

/* A kept one into *out (a copy); false when there is none. A NULL cache keeps nothing. `user` may
 * be NULL. */
bool token_cache_get(TokenCache *tokens, const char *key, const TokenUser *user, Credential *out);

/* Keeps a copy until shortly before it ends; one that has no end is not kept. */
void token_cache_put(TokenCache *tokens, const char *key, const Credential *credential);

/* Drops one that turned out to be refused: `secret` says which, in case another one came since. */
void token_cache_forget(TokenCache *tokens, const char *key, const char *secret);

/* The same where only the secret, or the session, is known, whatever it is kept under; true when it
 * was kept. */
bool token_cache_forget_secret(TokenCache *tokens, const char *secret);

/*
 * The one that is kept, or what `fetch` gets, which is then kept. For workers: of several who ask
 * at once one fetches, within its own time limit, and the others wait for its answer. A failure is
 * told to all who waited for it and forgotten. `user` may be NULL.
 */
typedef bool TokenFetch(void *arg, Credential *out, Error *err);
bool token_cache_fetch(TokenCache *tokens, const char *key, const TokenUser *user,
		       TokenFetch *fetch, void *arg, Credential *out, Error *err) MUST_USE;

/* How the cache has done so far. */
typedef struct {
	uint64_t items, succeeded, failed, evicted; /* kept now; answers; kept ones that gave way */
} TokenStats;
TokenStats token_cache_stats(TokenCache *tokens);

#endif
