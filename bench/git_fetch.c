/*
 * git_fetch URL DIR REF: for each line on stdin brings the reference's commit into a cache at DIR,
 * as source-controller does, and prints "milliseconds bytes": what listing and fetching took and
 * how large the pack was. For bench/git.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "git/cache.h"

static bool step(GitRemote *remote, GitCache *cache, const char *url, const char *ref,
		 uint64_t *bytes, Error *err)
{
	const char *const prefixes[] = {ref, NULL};
	autogitrefs GitRefs refs = {0};
	if (!git_remote_list(remote, prefixes, &refs, err))
		return false;
	const GitRef *found = git_refs_find(&refs, ref);
	if (!found)
		return err_set(err, ERR_NOT_FOUND, "no %s", ref);
	autogitlease GitLease *lease = git_cache_take(cache, url, err);
	GitFetch fetch = {.hash = found->hash, .ref = ref};
	return lease && git_lease_fetch(lease, remote, &fetch, bytes, err);
}

static bool serve(Loop *loop, GitCache *cache, const char *url, const char *ref, Error *err)
{
	char line[16];
	while (fgets(line, sizeof(line), stdin)) {
		uint64_t bytes = 0;
		int64_t start_ns = clock_wall_ns();
		GitRemoteConfig config = {.url = url, .timeout_ms = 600 * 1000};
		autogitremote GitRemote *remote = git_remote_new(loop, &config, err);
		if (!remote || !step(remote, cache, url, ref, &bytes, err))
			return false;
		printf("%.3f %llu\n", (double)(clock_wall_ns() - start_ns) / 1e6,
		       (unsigned long long)bytes);
		fflush(stdout);
	}
	return true;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	autoerror Error err = {0};
	Loop *loop = loop_new(&err);
	GitCache *cache = loop ? git_cache_new(argv[2], 1ull << 40, &err) : NULL;
	bool ok = cache && serve(loop, cache, argv[1], argv[3], &err);
	if (!ok)
		fprintf(stderr, "%s\n", err_text(&err));
	git_cache_free(cache);
	loop_free(loop);
	return ok ? 0 : 1;
}
