#include "../cmocka_all.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/tokens.h"

enum { HOUR_MS = 3600000, THREADS = 8 };

static Credential token_of(const char *secret, int64_t life_ms)
{
	return (Credential){.user = mem_strdup("whose"),
			    .secret = mem_strdup(secret),
			    .expires_ms = life_ms ? clock_wall_ms() + life_ms : 0};
}

static void put(TokenCache *tokens, const char *key, const char *secret, int64_t life_ms)
{
	autocredential Credential token = token_of(secret, life_ms);
	token_cache_put(tokens, key, &token);
}

static bool has(TokenCache *tokens, const char *key, const char *secret)
{
	autocredential Credential got = {0};
	return token_cache_get(tokens, key, NULL, &got) && cstr_eq(got.secret, secret) &&
	       cstr_eq(got.user, "whose");
}

static void S54_tokens_are_kept_while_they_are_good(void **state)
{
	(void)state;
	autotokencache TokenCache *tokens = token_cache_new(10, HOUR_MS);
	put(tokens, "good", "a", HOUR_MS);
	put(tokens, "over", "b", -1000);
	put(tokens, "endless", "c", 0);
	put(tokens, "nearly", "d", 4); /* 80 % of it in whole milliseconds is none */
	assert_true(has(tokens, "good", "a"));
	assert_false(has(tokens, "over", "b"));
	assert_false(has(tokens, "endless", "c"));
	assert_false(has(tokens, "nearly", "d"));
	assert_false(has(NULL, "good", "a"));
	autotokencache TokenCache *none = token_cache_new(0, HOUR_MS);
	put(none, "good", "a", HOUR_MS);
	assert_false(has(none, "good", "a"));
}

typedef struct {
	char told[200];
} Told;

static void note_event(void *arg, const TokenUser *user, bool hit)
{
	Told *told = arg;
	size_t len = strlen(told->told);
	snprintf(told->told + len, sizeof(told->told) - len, "%s %s/%s/%s %s\n",
		 hit ? "hit" : "miss", user->kind, user->ns, user->name,
		 token_operation_name(user->operation));
}

static bool give(void *arg, Credential *out, Error *err)
{
	if (arg)
		return err_set(err, ERR_UNAVAILABLE, "no");
	*out = token_of("new", HOUR_MS);
	return true;
}

static void S54_who_asks_is_told_of(void **state)
{
	(void)state;
	autotokencache TokenCache *tokens = token_cache_new(2, HOUR_MS);
	autotokencache TokenCache *none = token_cache_new(0, HOUR_MS);
	Told told = {""}, untold = {""};
	const TokenUser bucket = {"Bucket", "b", "ns", TOKEN_RECONCILE}, nobody = {0};
	const TokenUser ks = {"Kustomization", "k", "ns", TOKEN_DECRYPT_WITH_GCP};
	autoerror Error err = {0};
	token_cache_on_event(tokens, note_event, &told);
	token_cache_on_event(none, note_event, &untold);
	for (int i = 0; i < 2; i++) {
		autocredential Credential got = {0}, other = {0}, third = {0}, last = {0};
		assert_true(token_cache_fetch(tokens, "a", &bucket, give, NULL, &got, &err));
		assert_true(token_cache_fetch(tokens, "a", &nobody, give, NULL, &other, &err));
		assert_true(token_cache_fetch(tokens, "a", NULL, give, NULL, &third, &err));
		assert_true(token_cache_fetch(none, "a", &bucket, give, NULL, &last, &err));
	}
	autocredential Credential got = {0};
	assert_false(token_cache_fetch(tokens, "b", &ks, give, &told, &got, &err));
	assert_true(token_cache_get(tokens, "a", &ks, &got));
	assert_string_equal(told.told, "miss Bucket/ns/b reconcile\nhit Bucket/ns/b reconcile\n"
				       "miss Kustomization/ns/k decrypt_with_gcp\n"
				       "hit Kustomization/ns/k decrypt_with_gcp\n");
	assert_string_equal(untold.told, "");
}

static void S54_the_oldest_token_gives_way(void **state)
{
	(void)state;
	autotokencache TokenCache *tokens = token_cache_new(2, HOUR_MS);
	put(tokens, "1", "a", HOUR_MS);
	put(tokens, "2", "b", HOUR_MS);
	put(tokens, "2", "b2", HOUR_MS);
	put(tokens, "3", "c", HOUR_MS);
	assert_false(has(tokens, "1", "a"));
	assert_true(has(tokens, "2", "b2"));
	assert_true(has(tokens, "3", "c"));
	TokenStats stats = token_cache_stats(tokens);
	assert_int_equal(stats.items, 2);
	assert_int_equal(stats.evicted, 1);
}

/* Who was refused with a token that another one has replaced meanwhile must not undo that. */
static void S54_only_the_refused_token_is_forgotten(void **state)
{
	(void)state;
	autotokencache TokenCache *tokens = token_cache_new(2, HOUR_MS);
	put(tokens, "1", "new", HOUR_MS);
	token_cache_forget(tokens, "1", "old");
	assert_true(has(tokens, "1", "new"));
	token_cache_forget(tokens, "1", "new");
	assert_false(has(tokens, "1", "new"));
	token_cache_forget(tokens, "absent", "new");
	put(tokens, "1", "one", HOUR_MS);
	put(tokens, "2", "two", HOUR_MS);
	token_cache_forget_secret(tokens, "three");
	token_cache_forget_secret(tokens, "two");
	assert_true(has(tokens, "1", "one"));
	assert_false(has(tokens, "2", "two"));
}

static void S54_keys_tell_their_parts_apart(void **state)
{
	(void)state;
	autofree char *a = token_cache_key((const char *const[]){"ab", "c", NULL});
	autofree char *b = token_cache_key((const char *const[]){"a", "bc", NULL});
	assert_string_not_equal(a, b);
	assert_null(strstr(a, "ab"));
}

/* Many who want one token. */
typedef struct {
	TokenCache *tokens;
	atomic_int *calling, *fetches;
	bool refused;
	bool ok;
	char *text;
} Asker;

static bool fetch(void *arg, Credential *out, Error *err)
{
	const Asker *asker = arg;
	atomic_fetch_add(asker->fetches, 1);
	while (atomic_load(asker->calling) < THREADS)
		sched_yield();
	if (asker->refused)
		return err_set(err, ERR_FORBIDDEN, "no token for you");
	*out = token_of("shared", HOUR_MS);
	return true;
}

static void *ask(void *arg)
{
	Asker *asker = arg;
	autocredential Credential got = {0};
	autoerror Error err = {0};
	atomic_fetch_add(asker->calling, 1);
	asker->ok = token_cache_fetch(asker->tokens, "key", NULL, fetch, asker, &got, &err);
	asker->text = mem_strdup(asker->ok ? got.secret : err_text(&err));
	return NULL;
}

/* All must get `text`, as a token or as an error; how many of them fetched. */
static int ask_at_once(TokenCache *tokens, bool refused, bool ok, const char *text)
{
	pthread_t threads[THREADS];
	Asker askers[THREADS];
	atomic_int calling = 0, fetches = 0;
	for (size_t i = 0; i < THREADS; i++) {
		askers[i] = (Asker){.tokens = tokens,
				    .calling = &calling,
				    .fetches = &fetches,
				    .refused = refused};
		pthread_create(&threads[i], NULL, ask, &askers[i]);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(askers[i].ok, ok);
		assert_string_equal(askers[i].text, text);
		free(askers[i].text);
	}
	return fetches;
}

static void S54_of_many_who_ask_at_once_one_fetches(void **state)
{
	(void)state;
	autotokencache TokenCache *tokens = token_cache_new(2, HOUR_MS);
	assert_true(ask_at_once(tokens, true, false, "no token for you") >= 1);
	assert_int_equal(token_cache_stats(tokens).failed, THREADS);
	assert_int_equal(ask_at_once(tokens, false, true, "shared"), 1);
	assert_int_equal(ask_at_once(tokens, true, true, "shared"), 0);
	assert_int_equal(token_cache_stats(tokens).succeeded, 2 * THREADS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S54_tokens_are_kept_while_they_are_good),
		cmocka_unit_test(S54_who_asks_is_told_of),
		cmocka_unit_test(S54_the_oldest_token_gives_way),
		cmocka_unit_test(S54_only_the_refused_token_is_forgotten),
		cmocka_unit_test(S54_keys_tell_their_parts_apart),
		cmocka_unit_test(S54_of_many_who_ask_at_once_one_fetches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
