/* Access tokens that cost a request, kept for 80 % of their life and an hour at most
 * (notification.md 5). Thread-safe. */
#ifndef NOTIFY_TOKENS_H
#define NOTIFY_TOKENS_H

#include <stdint.h>

#include "notify/notify.h"

/* A key of all that makes a token another one; NULL-terminated, NULL inside ends it. Owned. */
char *notify_tokens_key(const char *const *parts);

/* A kept token, owned; NULL when there is none. *out_note (owned) is what was put beside it. A NULL
 * store keeps nothing. */
char *notify_tokens_get(NotifyTokens *tokens, const char *key, char **out_note);

/* Keeps a token until shortly before expires_ms (wall clock); `note` may be NULL. */
void notify_tokens_put(NotifyTokens *tokens, const char *key, const char *token, const char *note,
		       int64_t expires_ms);

#endif
