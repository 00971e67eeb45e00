/*
 * The public keys of issuers (OpenID Connect Discovery 1.0, RFC 7517). Kept for ten minutes; a
 * token of an unknown key makes them be fetched again, but not more often than every ten seconds,
 * so that whoever sends rubbish cannot make us a nuisance to the issuer.
 */
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "notify/jwt.h"
#include "receiver.h"

enum {
	KEEP_MS = 600000,
	FRESH_MS = 10000,
	FETCH_MS = 10000,
	REPLY_MAX = 1 << 20,
	SETS_MAX = 64,
};

typedef struct {
	json_t *keys;
	int64_t fetched_ms;
} KeySet;

struct KeyCache {
	HttpClient *http;
	pthread_mutex_t lock; /* guards sets */
	Map *sets;	      /* URL of a key set, or of an issuer -> KeySet */
};

static void free_set(void *value)
{
	KeySet *set = value;
	json_decref(set->keys);
	free(set);
}

KeyCache *key_cache_new(Loop *loop, Error *err)
{
	HttpClient *http = httpc_new(loop, &(HttpClientConfig){.env_proxy = true}, err);
	if (!http)
		return NULL;
	KeyCache *cache = mem_zalloc(1, sizeof(*cache));
	cache->http = http;
	pthread_mutex_init(&cache->lock, NULL);
	cache->sets = map_new(free_set);
	return cache;
}

void key_cache_free(KeyCache *cache)
{
	if (!cache)
		return;
	httpc_free(cache->http);
	map_free(cache->sets);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static json_t *fetch(KeyCache *cache, const char *url, Error *err)
{
	autohttpresponse HttpResponse reply = {0};
	if (!httpc_do(cache->http,
		      &(HttpRequest){.url = url,
				     .timeout_ms = FETCH_MS,
				     .max_body = REPLY_MAX,
				     .follow_redirects = true},
		      &reply, err))
		return err_wrap_null(err, "failed to fetch %s", url);
	if (reply.status != 200)
		return err_null(err, ERR_UNAVAILABLE, "%s answered %d", url, reply.status);
	json_t *value = json_parse(buf_text(&reply.body), reply.body.len, REPLY_MAX, err);
	return value ? value : err_wrap_null(err, "%s", url);
}

static json_t *fetch_keys(KeyCache *cache, const char *url, Error *err)
{
	autojson json_t *keys = fetch(cache, url, err);
	if (keys && !json_list(keys, "keys"))
		return err_null(err, ERR_INVALID, "%s has no keys", url);
	return steal(&keys);
}

/* Discovery: the issuer must say of itself what it is asked as, else one could speak for another.
 */
static json_t *fetch_issuer_keys(KeyCache *cache, const char *issuer, Error *err)
{
	size_t len = strlen(issuer);
	while (len && issuer[len - 1] == '/')
		len--;
	autofree char *url = mem_printf("%.*s/.well-known/openid-configuration", (int)len, issuer);
	autojson json_t *about = fetch(cache, url, err);
	if (!about)
		return NULL;
	if (!cstr_eq(json_text(about, "issuer"), issuer))
		return err_null(err, ERR_UNAUTHORIZED, "%s is of another issuer", url);
	const char *keys_url = json_text(about, "jwks_uri");
	if (cstr_empty(keys_url))
		return err_null(err, ERR_INVALID, "%s has no jwks_uri", url);
	return fetch_keys(cache, keys_url, err);
}

typedef json_t *FetchFn(KeyCache *cache, const char *url, Error *err);

/* The keys kept for the URL when they are younger than max_age_ms; an owned copy. */
static json_t *kept(KeyCache *cache, const char *url, int64_t max_age_ms)
{
	pthread_mutex_lock(&cache->lock);
	const KeySet *set = map_get(cache->sets, url);
	json_t *keys = set && clock_mono_ms() - set->fetched_ms < max_age_ms
			       ? json_deep_copy(set->keys)
			       : NULL;
	pthread_mutex_unlock(&cache->lock);
	return keys;
}

static json_t *keys_of(KeyCache *cache, const char *url, FetchFn *fetch_fn, int64_t max_age_ms,
		       Error *err)
{
	json_t *keys = kept(cache, url, max_age_ms);
	if (keys)
		return keys;
	keys = fetch_fn(cache, url, err);
	if (!keys)
		return NULL;
	KeySet *set = mem_zalloc(1, sizeof(*set));
	set->keys = json_deep_copy(keys);
	set->fetched_ms = clock_mono_ms();
	pthread_mutex_lock(&cache->lock);
	if (map_len(cache->sets) >= SETS_MAX)
		map_clear(cache->sets);
	map_put(cache->sets, url, set);
	pthread_mutex_unlock(&cache->lock);
	return keys;
}

static json_t *verify(KeyCache *cache, const char *url, FetchFn *fetch_fn, const char *token,
		      const JwtRules *rules, Error *err)
{
	autoerror Error first = {0};
	autojson json_t *keys = keys_of(cache, url, fetch_fn, KEEP_MS, err);
	if (!keys)
		return NULL;
	json_t *claims = jwt_verify(token, keys, rules, &first);
	if (claims)
		return claims;
	if (first.code != ERR_NOT_FOUND) {
		err_move(err, &first);
		return NULL;
	}
	autojson json_t *fresh = keys_of(cache, url, fetch_fn, FRESH_MS, err);
	return fresh ? jwt_verify(token, fresh, rules, err) : NULL;
}

json_t *oidc_verify(KeyCache *cache, const char *issuer, const char *audience, const char *token,
		    Error *err)
{
	JwtRules rules = {.issuer = issuer, .audience = audience, .now_ms = clock_wall_ms()};
	return verify(cache, issuer, fetch_issuer_keys, token, &rules, err);
}

json_t *oidc_verify_with_keys(KeyCache *cache, const char *keys_url, const char *audience,
			      const char *token, Error *err)
{
	JwtRules rules = {.audience = audience, .now_ms = clock_wall_ms()};
	return verify(cache, keys_url, fetch_keys, token, &rules, err);
}
