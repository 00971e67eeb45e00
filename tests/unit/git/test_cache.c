/* The cache of objects, against a real server: what moves, what is shared, what goes. */
#include "../cmocka_all.h"
#include "../descriptors.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "fixture.h"
#include "git/cache.h"

static int set_up(void **state)
{
	return served_repos_start(state, 60);
}

static GitCache *open_cache(const ServedRepos *f, const char *name, uint64_t max_bytes)
{
	autoerror Error err = {0};
	autofree char *dir = path_join(f->dir, name);
	GitCache *cache = git_cache_new(dir, max_bytes, &err);
	if (!cache)
		fail_msg("%s", err_text(&err));
	return cache;
}

/* Fetches a revision of big.git by a lease; pack bytes that moved. */
static uint64_t fetch(const ServedRepos *f, GitCache *cache, const char *key, const char *revision)
{
	autoerror Error err = {0};
	autofree char *url = mem_printf("http://127.0.0.1:%d/v2/big.git", f->server.port);
	autofree char *hash = shell(f->dir, "git -C big.git rev-parse %s", revision);
	free(shell(f->dir, "git -C big.git update-ref refs/heads/wanted %s", revision));
	autoclient Client client = client_open((GitRemoteConfig){.url = url});
	autogitlease GitLease *lease = git_cache_take(cache, key, &err);
	uint64_t bytes = 0;
	GitFetch wanted = {.hash = hash, .ref = "refs/heads/wanted"};
	if (!lease || !git_lease_fetch(lease, client.remote, &wanted, &bytes, &err))
		fail_msg("%s", err_text(&err));
	assert_true(git_store_has(git_lease_store(lease), hash));
	return bytes;
}

static int count_entries(const ServedRepos *f, const char *name)
{
	autofree char *text = shell(f->dir, "ls %s | wc -l", name);
	return atoi(text);
}

static void later_fetches_move_the_difference(void **state)
{
	const ServedRepos *f = *state;
	autogitcache GitCache *cache = open_cache(f, "later", 1 << 30);
	uint64_t first = fetch(f, cache, "k", "main~3");
	assert_true(first > 50 * 1504);
	uint64_t second = fetch(f, cache, "k", "main~2");
	assert_true(second > 0 && second * 10 < first);
	assert_int_equal(fetch(f, cache, "k", "main~2"), 0);
	/* Back to an older one that was never fetched: nearly all of it is there. */
	uint64_t older = fetch(f, cache, "k", "main~5");
	assert_true(older > 0 && older * 5 < first);
}

static void other_credentials_share_nothing(void **state)
{
	const ServedRepos *f = *state;
	autogitcache GitCache *cache = open_cache(f, "others", 1 << 30);
	uint64_t first = fetch(f, cache, "url\nann", "main");
	assert_int_equal(fetch(f, cache, "url\nbob", "main"), first);
	assert_int_equal(count_entries(f, "others"), 2);
}

static void what_was_used_least_goes_first(void **state)
{
	const ServedRepos *f = *state;
	autogitcache GitCache *cache = open_cache(f, "bounded", 220 * 1000);
	uint64_t first = fetch(f, cache, "a", "main");
	fetch(f, cache, "b", "main");
	assert_int_equal(fetch(f, cache, "a", "main"), 0);
	fetch(f, cache, "c", "main"); /* b is older than a */
	assert_int_equal(count_entries(f, "bounded"), 2);
	assert_int_equal(fetch(f, cache, "a", "main"), 0);
	assert_int_equal(fetch(f, cache, "b", "main"), first);
}

static void a_store_in_use_stays(void **state)
{
	const ServedRepos *f = *state;
	autoerror Error err = {0};
	autogitcache GitCache *cache = open_cache(f, "tiny", 1);
	autogitlease GitLease *lease = git_cache_take(cache, "a", &err);
	fetch(f, cache, "a", "main");
	assert_int_equal(count_entries(f, "tiny"), 1);
	git_lease_free(steal(&lease));
	assert_int_equal(count_entries(f, "tiny"), 0);
}

static void what_cannot_be_fetched_leaves_nothing(void **state)
{
	const ServedRepos *f = *state;
	autogitcache GitCache *cache = open_cache(f, "failed", 1 << 30);
	autofree char *url = mem_printf("http://127.0.0.1:%d/v2/none.git", f->server.port);
	autoclient Client client = client_open((GitRemoteConfig){.url = url});
	size_t before = descriptors_open();
	for (int i = 0; i < 5; i++) {
		autoerror Error err = {0};
		autofree char *key = mem_printf("key %d", i);
		autogitlease GitLease *lease = git_cache_take(cache, key, &err);
		GitFetch wanted = {.hash = "0123456789012345678901234567890123456789"};
		assert_false(git_lease_fetch(lease, client.remote, &wanted, NULL, &err));
	}
	assert_int_equal(count_entries(f, "failed"), 0);
	/* One connection may be kept. */
	assert_in_range(descriptors_open(), before, before + 5);
}

/* Asks for a commit that is nowhere, by refs/heads/searched; pack bytes that moved. */
static uint64_t search(const ServedRepos *f, GitCache *cache, const char *protocol)
{
	autoerror Error err = {0};
	autofree char *url = mem_printf("http://127.0.0.1:%d/%s/big.git", f->server.port, protocol);
	autoclient Client client = client_open((GitRemoteConfig){.url = url});
	autogitlease GitLease *lease = git_cache_take(cache, protocol, &err);
	GitFetch wanted = {.hash = "0123456789012345678901234567890123456789",
			   .ref = "refs/heads/searched"};
	uint64_t bytes = 0;
	assert_non_null(lease);
	assert_false(git_lease_fetch(lease, client.remote, &wanted, &bytes, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_non_null(strstr(err_text(&err), "object not found: 0123456789"));
	return bytes;
}

static void S24_a_commit_that_is_nowhere_costs_one_history(void **state)
{
	static const char *const protocols[] = {"v2", "v0"};
	const ServedRepos *f = *state;
	for (size_t i = 0; i < COUNT(protocols); i++) {
		autogitcache GitCache *cache = open_cache(f, protocols[i], 1 << 30);
		free(shell(f->dir, "git -C big.git update-ref refs/heads/searched main~2"));
		assert_true(search(f, cache, protocols[i]) > 50 * 1504);
		assert_int_equal(count_entries(f, protocols[i]), 0);
		assert_int_equal(search(f, cache, protocols[i]), 0);
		/* Where the branch has moved it may be. */
		free(shell(f->dir, "git -C big.git update-ref refs/heads/searched main~1"));
		assert_true(search(f, cache, protocols[i]) > 50 * 1504);
		assert_int_equal(search(f, cache, protocols[i]), 0);
	}
}

static void S24_what_was_searched_in_vain_leaves_a_store_as_it_was(void **state)
{
	const ServedRepos *f = *state;
	autogitcache GitCache *cache = open_cache(f, "vain", 1 << 30);
	fetch(f, cache, "v2", "main~3");
	autofree char *before = shell(f->dir, "cd vain/* && find . -type f | sort && cat shallow");
	free(shell(f->dir, "git -C big.git update-ref refs/heads/searched main"));
	assert_true(search(f, cache, "v2") > 0);
	autofree char *after = shell(f->dir, "cd vain/* && find . -type f | sort && cat shallow");
	assert_string_equal(after, before);
	uint64_t step = fetch(f, cache, "v2", "main~2");
	assert_true(step > 0 && step < 10 * 1504);
}

static void many_packs_begin_anew(void **state)
{
	const ServedRepos *f = *state;
	autogitcache GitCache *cache = open_cache(f, "many", 1 << 30);
	uint64_t first = fetch(f, cache, "k", "main~55"), largest = 0;
	for (int i = 54; i >= 0; i--) {
		autofree char *revision = mem_printf("main~%d", i);
		uint64_t bytes = fetch(f, cache, "k", revision);
		largest = bytes > largest ? bytes : largest;
	}
	assert_true(largest * 10 > first * 9); /* once */
	autofree char *packs = shell(f->dir, "ls many/*/objects/pack/*.pack | wc -l");
	assert_true(atoi(packs) <= 50);
}

static void a_crash_leaves_a_usable_store(void **state)
{
	const ServedRepos *f = *state;
	autofree char *live = path_join(f->dir, "crash"), *kept = path_join(f->dir, "kept");
	autogitcache GitCache *before = open_cache(f, "crash", 1 << 30);
	fetch(f, before, "k", "main~1");
	assert_int_equal(rename(live, kept), 0); /* as if nobody had tidied up */
	free(shell(f->dir, "cd kept/* && touch objects/pack/pack_git2_a1b2c3 && mkdir incoming && "
			   "touch incoming/pack_git2_d4e5f6"));
	autogitcache GitCache *after = open_cache(f, "kept", 1 << 30);
	assert_int_equal(fetch(f, after, "k", "main~1"), 0);
	free(shell(f->dir, "! ls kept/*/objects/pack/pack_git2_a1b2c3 && ! ls -d kept/*/incoming"));
	uint64_t step = fetch(f, after, "k", "main");
	assert_true(step > 0 && step < 10 * 1504);
}

static void a_damaged_store_is_fetched_again(void **state)
{
	const ServedRepos *f = *state;
	autoerror Error err = {0};
	autogitcache GitCache *cache = open_cache(f, "damaged", 1 << 30);
	uint64_t first = fetch(f, cache, "k", "main~1");
	autogitlease GitLease *lease = git_cache_take(cache, "k", &err);
	git_lease_spoil(lease);
	git_lease_free(steal(&lease));
	assert_int_equal(count_entries(f, "damaged"), 0);
	assert_int_equal(fetch(f, cache, "k", "main~1"), first);
	/* The commit is there, what it needs is not: the thin pack cannot be completed. */
	free(shell(f->dir, "d=$(ls -d damaged/*) && git -C big.git rev-parse main~1 > tip && "
			   "rm $d/objects/pack/* && git -C big.git pack-objects -q "
			   "$PWD/$d/objects/pack/pack < tip"));
	uint64_t again = fetch(f, cache, "k", "main");
	assert_true(again > 0);
}

static void foreign_directories_are_refused(void **state)
{
	const ServedRepos *f = *state;
	static const char *const rows[] = {
		"mkdir foreign && chmod 755 foreign",
		"rmdir foreign && mkdir -m 700 real && ln -s real foreign",
		"rm foreign && touch foreign",
	};
	autofree char *dir = path_join(f->dir, "foreign");
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		free(shell(f->dir, "%s", rows[i]));
		assert_null(git_cache_new(dir, 1, &err));
		assert_int_equal(err.code, ERR_FORBIDDEN);
	}
}

static void an_orderly_end_leaves_nothing(void **state)
{
	const ServedRepos *f = *state;
	GitCache *cache = open_cache(f, "orderly", 1 << 30);
	fetch(f, cache, "k", "main");
	git_cache_free(cache);
	free(shell(f->dir, "! ls orderly"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(later_fetches_move_the_difference),
		cmocka_unit_test(other_credentials_share_nothing),
		cmocka_unit_test(what_was_used_least_goes_first),
		cmocka_unit_test(a_store_in_use_stays),
		cmocka_unit_test(what_cannot_be_fetched_leaves_nothing),
		cmocka_unit_test(S24_a_commit_that_is_nowhere_costs_one_history),
		cmocka_unit_test(S24_what_was_searched_in_vain_leaves_a_store_as_it_was),
		cmocka_unit_test(many_packs_begin_anew),
		cmocka_unit_test(a_crash_leaves_a_usable_store),
		cmocka_unit_test(a_damaged_store_is_fetched_again),
		cmocka_unit_test(foreign_directories_are_refused),
		cmocka_unit_test(an_orderly_end_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, set_up, served_repos_stop);
}
