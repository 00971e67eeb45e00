/* GitHub Apps: a token of an installation for Git over HTTPS (source.md 3 "github"). */
#ifndef SOURCE_CONTROLLER_GITHUB_APP_H
#define SOURCE_CONTROLLER_GITHUB_APP_H

#include "base/error.h"
#include "net/httpc.h"
#include "net/tokens.h"

/* All borrowed; NULL or "" when absent. Exactly one of the two installations is needed. */
typedef struct {
	const char *id, *private_key;
	const char *installation_id, *installation_owner;
	const char *base_url; /* of the API; default https://api.github.com */
	int64_t timeout_ms;
} GithubApp;

/* A token, kept in `tokens` until shortly before its end; owned, a secret. ERR_INVALID for unusable
 * keys, ERR_UNAUTHORIZED and others as GitHub answers. */
char *github_app_token(TokenCache *tokens, const TokenUser *user, HttpClient *http,
		       const GithubApp *app, Error *err) MUST_USE;

#endif
