#include "net/tokens.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "data/digest.h"

typedef struct {
	char *token, *note;
	int64_t until_ms; /* monotonic */
} Kept;

struct TokenCache {
	size_t max;
	int64_t max_ms;
	pthread_mutex_t lock; /* guards map */
	Map *map;	      /* key -> Kept, oldest first */
};

static void free_kept(void *value)
{
	Kept *kept = value;
	mem_wipe(kept->token, strlen(kept->token));
	free(kept->token);
	free(kept->note);
	free(kept);
}

TokenCache *token_cache_new(size_t max, int64_t max_ms)
{
	enum { HOUR_MS = 3600000 };
	TokenCache *tokens = mem_zalloc(1, sizeof(*tokens));
	tokens->max = max;
	tokens->max_ms = max_ms < HOUR_MS ? max_ms : HOUR_MS;
	pthread_mutex_init(&tokens->lock, NULL);
	tokens->map = map_new(free_kept);
	return tokens;
}

void token_cache_free(TokenCache *tokens)
{
	if (!tokens)
		return;
	map_free(tokens->map);
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

char *token_cache_get(TokenCache *tokens, const char *key, char **out_note)
{
	if (!tokens)
		return NULL;
	pthread_mutex_lock(&tokens->lock);
	const Kept *kept = map_get(tokens->map, key);
	char *token = NULL;
	if (kept && kept->until_ms > clock_mono_ms()) {
		token = mem_strdup(kept->token);
		*out_note = mem_strdup(kept->note);
	} else if (kept) {
		map_remove(tokens->map, key);
	}
	pthread_mutex_unlock(&tokens->lock);
	return token;
}

static void drop_oldest(TokenCache *tokens)
{
	size_t at = 0;
	const char *key;
	void *value;
	if (map_next(tokens->map, &at, &key, &value))
		map_remove(tokens->map, key);
}

void token_cache_put(TokenCache *tokens, const char *key, const char *token, const char *note,
		     int64_t expires_ms)
{
	int64_t keep_ms = (expires_ms - clock_wall_ms()) / 5 * 4;
	if (!tokens || !tokens->max || keep_ms <= 0)
		return;
	Kept *kept = mem_zalloc(1, sizeof(*kept));
	kept->token = mem_strdup(token);
	kept->note = mem_strdup(note);
	kept->until_ms = clock_mono_ms() + (keep_ms < tokens->max_ms ? keep_ms : tokens->max_ms);
	pthread_mutex_lock(&tokens->lock);
	if (!map_has(tokens->map, key) && map_len(tokens->map) >= tokens->max)
		drop_oldest(tokens);
	map_put(tokens->map, key, kept);
	pthread_mutex_unlock(&tokens->lock);
}

void token_cache_forget(TokenCache *tokens, const char *key)
{
	if (!tokens)
		return;
	pthread_mutex_lock(&tokens->lock);
	map_remove(tokens->map, key);
	pthread_mutex_unlock(&tokens->lock);
}
