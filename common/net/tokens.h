/*
 * Access tokens that cost a request, kept for 80 % of their life and a given time at most
 * (notification.md 5, source.md 7 "token-cache"). Thread-safe. Tokens are wiped when they go.
 */
#ifndef NET_TOKENS_H
#define NET_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

typedef struct TokenCache TokenCache;

/* Keeps `max` tokens (0: none), each for max_ms at most, an hour being the upper bound. Owned. */
TokenCache *token_cache_new(size_t max, int64_t max_ms);
void token_cache_free(TokenCache *tokens);
AUTO_POINTER(TokenCache, token_cache_free, auto_token_cache);
#define autotokencache __attribute__((cleanup(auto_token_cache)))

/* A key of all that makes a token another one; NULL-terminated, NULL inside ends it. Owned. */
char *token_cache_key(const char *const *parts);

/* A kept token, owned; NULL when there is none. *out_note (owned) is what was put beside it. A NULL
 * store keeps nothing. */
char *token_cache_get(TokenCache *tokens, const char *key, char **out_note);

/* Keeps a token until shortly before expires_ms (wall clock); `note` may be NULL. */
void token_cache_put(TokenCache *tokens, const char *key, const char *token, const char *note,
		     int64_t expires_ms);

/* Drops a token that turned out to be refused. */
void token_cache_forget(TokenCache *tokens, const char *key);

#endif
