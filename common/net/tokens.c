/* A credential being fetched is a Flight that those who want the same one wait for. */
#include "net/tokens.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/digest.h"

typedef struct {
	Credential credential;
	int64_t until_ms; /* monotonic */
} Kept;

/* Someone's fetch under way. Guarded by the cache's lock, as long as it is in the map or `waiting`
 * is not 0; the result is written once, before `done`. */
typedef struct {
	size_t waiting; /* who fetches counts */
	bool done;
	Credential credential;
	Error err;
} Flight;

struct TokenCache {
	size_t max;
	int64_t max_ms;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t landed;
	Map *kept;	      /* key -> Kept, oldest first */
	Map *flights;	      /* key -> Flight, not owned */
	TokenStats stats;     /* but for items */
	TokenEvent *on_event; /* set before the threads; or NULL */
	void *event_arg;
};

void credential_dispose(Credential *credential)
{
	char *const parts[] = {credential->user, credential->secret, credential->session};
	for (size_t i = 0; i < COUNT(parts); i++) {
		if (parts[i])
			mem_wipe(parts[i], strlen(parts[i]));
		free(parts[i]);
	}
	*credential = (Credential){0};
}

static void credential_copy(const Credential *from, Credential *out)
{
	*out = (Credential){.user = mem_strdup(from->user),
			    .secret = mem_strdup(from->secret),
			    .session = mem_strdup(from->session),
			    .expires_ms = from->expires_ms};
}

static void free_kept(void *value)
{
	Kept *kept = value;
	credential_dispose(&kept->credential);
	free(kept);
}

TokenCache *token_cache_new(size_t max, int64_t max_ms)
{
	enum { HOUR_MS = 3600000 };
	TokenCache *tokens = mem_zalloc(1, sizeof(*tokens));
	tokens->max = max;
	tokens->max_ms = max_ms < HOUR_MS ? max_ms : HOUR_MS;
	pthread_mutex_init(&tokens->lock, NULL);
	pthread_cond_init(&tokens->landed, NULL);
	tokens->kept = map_new(free_kept);
	tokens->flights = map_new(NULL);
	return tokens;
}

void token_cache_free(TokenCache *tokens)
{
	if (!tokens)
		return;
	map_free(tokens->kept);
	map_free(tokens->flights);
	pthread_cond_destroy(&tokens->landed);
	pthread_mutex_destroy(&tokens->lock);
	free(tokens);
}

char *token_cache_key(const char *const *parts)
{
	autodigest Digest *digest = digest_new(DIGEST_SHA256);
	for (; *parts; parts++)
		digest_update(digest, *parts, strlen(*parts) + 1);
	char text[DIGEST_TEXT_SIZE];
	digest_final(digest, text);
	return mem_strdup(text);
}

/* --- `lock` is held in what follows --- */

static bool take_kept(TokenCache *tokens, const char *key, Credential *out)
{
	const Kept *kept = map_get(tokens->kept, key);
	if (!kept)
		return false;
	if (kept->until_ms <= clock_mono_ms()) {
		map_remove(tokens->kept, key);
		return false;
	}
	credential_copy(&kept->credential, out);
	return true;
}

static void drop_oldest(TokenCache *tokens)
{
	size_t at = 0;
	const char *key;
	void *value;
	if (!map_next(tokens->kept, &at, &key, &value))
		return;
	map_remove(tokens->kept, key);
	tokens->stats.evicted++;
}

static void keep(TokenCache *tokens, const char *key, const Credential *credential)
{
	int64_t keep_ms = (credential->expires_ms - clock_wall_ms()) / 5 * 4;
	if (keep_ms > tokens->max_ms)
		keep_ms = tokens->max_ms;
	if (!tokens->max || !credential->expires_ms || keep_ms <= 0)
		return;
	Kept *kept = mem_zalloc(1, sizeof(*kept));
	credential_copy(credential, &kept->credential);
	kept->until_ms = clock_mono_ms() + keep_ms;
	if (!map_has(tokens->kept, key) && map_len(tokens->kept) >= tokens->max)
		drop_oldest(tokens);
	map_put(tokens->kept, key, kept);
}

static void leave(Flight *flight)
{
	if (--flight->waiting)
		return;
	credential_dispose(&flight->credential);
	error_dispose(&flight->err);
	free(flight);
}

static bool take_result(Flight *flight, Credential *out, Error *err)
{
	bool ok = !err_is_set(&flight->err);
	if (ok)
		credential_copy(&flight->credential, out);
	else
		err_copy(err, &flight->err);
	leave(flight);
	return ok;
}

static bool wait_for(TokenCache *tokens, Flight *flight, Credential *out, Error *err)
{
	flight->waiting++;
	while (!flight->done)
		pthread_cond_wait(&tokens->landed, &tokens->lock);
	return take_result(flight, out, err);
}

/* The lock is given up while the fetch runs. */
static bool fly(TokenCache *tokens, const char *key, TokenFetch *fetch, void *arg, Credential *out,
		Error *err)
{
	Flight *flight = mem_zalloc(1, sizeof(*flight));
	flight->waiting = 1;
	map_put(tokens->flights, key, flight);
	pthread_mutex_unlock(&tokens->lock);
	autocredential Credential got = {0};
	autoerror Error why = {0};
	bool ok = fetch(arg, &got, &why);
	pthread_mutex_lock(&tokens->lock);
	if (ok) {
		flight->credential = got;
		got = (Credential){0};
		keep(tokens, key, &flight->credential);
	} else {
		err_move(&flight->err, &why);
	}
	flight->done = true;
	map_take(tokens->flights, key);
	pthread_cond_broadcast(&tokens->landed);
	return take_result(flight, out, err);
}

/* --- what others call --- */

const char *token_operation_name(TokenOperation operation)
{
	static const char *const names[TOKEN_OPERATIONS] = {
		[TOKEN_RECONCILE] = "reconcile",
		[TOKEN_POST] = "post",
		[TOKEN_FETCH_KUBECONFIG] = "fetch_kubeconfig",
		[TOKEN_DECRYPT_WITH_AWS] = "decrypt_with_aws",
		[TOKEN_DECRYPT_WITH_AZURE] = "decrypt_with_azure",
		[TOKEN_DECRYPT_WITH_GCP] = "decrypt_with_gcp",
	};
	return names[operation];
}

void token_cache_on_event(TokenCache *tokens, TokenEvent *fn, void *arg)
{
	tokens->on_event = fn;
	tokens->event_arg = arg;
}

static void tell(TokenCache *tokens, const TokenUser *user, bool hit)
{
	if (tokens->on_event && tokens->max && user && user->kind)
		tokens->on_event(tokens->event_arg, user, hit);
}

bool token_cache_get(TokenCache *tokens, const char *key, const TokenUser *user, Credential *out)
{
	if (!tokens)
		return false;
	pthread_mutex_lock(&tokens->lock);
	bool found = take_kept(tokens, key, out);
	tokens->stats.succeeded += found;
	pthread_mutex_unlock(&tokens->lock);
	tell(tokens, user, found);
	return found;
}

void token_cache_put(TokenCache *tokens, const char *key, const Credential *credential)
{
	if (!tokens)
		return;
	pthread_mutex_lock(&tokens->lock);
	keep(tokens, key, credential);
	tokens->stats.succeeded++;
	pthread_mutex_unlock(&tokens->lock);
}

void token_cache_forget(TokenCache *tokens, const char *key, const char *secret)
{
	pthread_mutex_lock(&tokens->lock);
	const Kept *kept = map_get(tokens->kept, key);
	if (kept && cstr_eq(kept->credential.secret, secret))
		map_remove(tokens->kept, key);
	pthread_mutex_unlock(&tokens->lock);
}

bool token_cache_forget_secret(TokenCache *tokens, const char *secret)
{
	bool found = false;
	size_t at = 0;
	const char *key;
	void *value;
	pthread_mutex_lock(&tokens->lock);
	while (map_next(tokens->kept, &at, &key, &value)) {
		const Kept *kept = value;
		if (!cstr_eq(kept->credential.secret, secret) &&
		    !cstr_eq(kept->credential.session, secret))
			continue;
		map_remove(tokens->kept, key);
		found = true;
		break;
	}
	pthread_mutex_unlock(&tokens->lock);
	return found;
}

bool token_cache_fetch(TokenCache *tokens, const char *key, const TokenUser *user,
		       TokenFetch *fetch, void *arg, Credential *out, Error *err)
{
	pthread_mutex_lock(&tokens->lock);
	Flight *flight = map_get(tokens->flights, key);
	bool kept = take_kept(tokens, key, out);
	bool ok = kept || (flight ? wait_for(tokens, flight, out, err)
				  : fly(tokens, key, fetch, arg, out, err));
	tokens->stats.succeeded += ok;
	tokens->stats.failed += !ok;
	pthread_mutex_unlock(&tokens->lock);
	tell(tokens, user, kept || (flight && ok));
	return ok;
}

TokenStats token_cache_stats(TokenCache *tokens)
{
	pthread_mutex_lock(&tokens->lock);
	TokenStats stats = tokens->stats;
	stats.items = map_len(tokens->kept);
	pthread_mutex_unlock(&tokens->lock);
	return stats;
}
