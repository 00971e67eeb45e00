/* Git over real HTTP: nginx, fcgiwrap and git-http-backend. */
#include "../cmocka_all.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "../net/test_names.h"
#include "fixture.h"

static int set_up(void **state)
{
	return served_repos_start(state, 2000);
}

static char *url_of(const ServedRepos *f, const char *path)
{
	return mem_printf("http://127.0.0.1:%d/%s", f->server.port, path);
}

static Client open_path(const ServedRepos *f, const char *path)
{
	autofree char *url = url_of(f, path);
	return client_open((GitRemoteConfig){.url = url});
}

static GitStore *new_store(const ServedRepos *f, const char *name)
{
	autoerror Error err = {0};
	autofree char *path = path_join(f->dir, name);
	GitStore *store = git_store_open(path, &err);
	assert_non_null(store);
	return store;
}

static bool count_entry(void *arg, const GitEntry *entry, Error *err)
{
	(void)entry, (void)err;
	++*(int *)arg;
	return true;
}

static int count_entries(GitStore *store, const char *commit)
{
	autoerror Error err = {0};
	int count = 0;
	if (!git_store_walk(store, commit, count_entry, &count, &err))
		fail_msg("walk: %s", err_text(&err));
	return count;
}

/* --- lists --- */

static void check_list(const ServedRepos *f, const char *path)
{
	autoclient Client client = open_path(f, path);
	autoerror Error err = {0};
	autogitrefs GitRefs refs = {0};
	autofree char *main_hash = rev(f->dir, "main");
	autofree char *tag_hash = rev(f->dir, "v1.0.0");
	autofree char *tagged = rev(f->dir, "v1.0.0^{}");
	if (!git_remote_list(client.remote, NULL, &refs, &err))
		fail_msg("%s", err_text(&err));
	assert_int_equal(refs.len, 6);
	const GitRef *head = git_refs_find(&refs, "HEAD");
	assert_string_equal(head->hash, main_hash);
	assert_string_equal(head->symref, "refs/heads/main");
	const GitRef *tag = git_refs_find(&refs, "refs/tags/v1.0.0");
	assert_string_equal(tag->hash, tag_hash);
	assert_string_equal(tag->peeled, tagged);
	assert_string_equal(git_refs_find(&refs, "refs/tags/v0.1.0")->peeled, "");
	assert_non_null(git_refs_find(&refs, "refs/pull/7/head"));
}

static void S21_list_with_protocol_2(void **state)
{
	check_list(*state, "v2/repo.git");
}

static void S21_list_with_protocol_0(void **state)
{
	check_list(*state, "v0/repo.git");
}

static void prefixes_limit_the_list(void **state)
{
	static const char *const prefixes[] = {"refs/heads/", NULL};
	static const char *const paths[] = {"v2/repo.git", "v0/repo.git"};
	for (size_t i = 0; i < COUNT(paths); i++) {
		autoclient Client client = open_path(*state, paths[i]);
		autoerror Error err = {0};
		autogitrefs GitRefs refs = {0};
		assert_true(git_remote_list(client.remote, prefixes, &refs, &err));
		assert_int_equal(refs.len, 2);
		assert_non_null(git_refs_find(&refs, "refs/heads/feature/one"));
	}
}

static void S27_empty_repository_has_no_references(void **state)
{
	static const char *const paths[] = {"v2/empty.git", "v0/empty.git"};
	const ServedRepos *f = *state;
	free(shell(f->dir, "git init -q --bare empty.git"));
	for (size_t i = 0; i < COUNT(paths); i++) {
		autoclient Client client = open_path(f, paths[i]);
		autoerror Error err = {0};
		autogitrefs GitRefs refs = {0};
		assert_true(git_remote_list(client.remote, NULL, &refs, &err));
		assert_int_equal(refs.len, 0);
	}
}

/* --- fetches --- */

static uint64_t fetch(Client *client, GitStore *store, const GitFetch *what)
{
	autoerror Error err = {0};
	uint64_t bytes = 0;
	if (!git_remote_fetch(client->remote, store, what, &bytes, &err))
		fail_msg("%s", err_text(&err));
	return bytes;
}

static void check_shallow_fetch(const ServedRepos *f, const char *path, const char *revision)
{
	autoclient Client client = open_path(f, path);
	autogitstore GitStore *store = new_store(f, path);
	autofree char *hash = rev(f->dir, revision);
	autofree char *parent_rev = mem_printf("%s^{}~1", revision);
	autofree char *parent = rev(f->dir, parent_rev);
	fetch(&client, store, &(GitFetch){.hash = hash});
	assert_true(git_store_has(store, hash));
	assert_false(git_store_has(store, parent));
}

static void fetch_depth_1(void **state)
{
	const ServedRepos *f = *state;
	check_shallow_fetch(f, "v2/repo.git", "main");
	check_shallow_fetch(f, "v0/repo.git", "main");
	autogitstore GitStore *store = new_store(f, "v2/repo.git");
	autofree char *hash = rev(f->dir, "main");
	assert_int_equal(count_entries(store, hash), 7);
}

static void S23_fetch_by_a_bare_hash(void **state)
{
	const ServedRepos *f = *state;
	autoclient Client client = open_path(f, "v2/repo.git");
	autogitstore GitStore *store = new_store(f, "bare-hash");
	autofree char *old = rev(f->dir, "main~2");
	fetch(&client, store, &(GitFetch){.hash = old});
	assert_int_equal(count_entries(store, old), 1);
}

/* A v0 server offers tips only: the reference is fetched in full instead. */
static void S24_old_commit_of_a_protocol_0_server(void **state)
{
	const ServedRepos *f = *state;
	autofree char *old = rev(f->dir, "main~2");
	autofree char *newest = rev(f->dir, "main");
	static const char *const refs[] = {"refs/heads/main", NULL};
	for (size_t i = 0; i < COUNT(refs); i++) {
		autoclient Client client = open_path(f, "v0/repo.git");
		autofree char *name = mem_printf("old-%zu", i);
		autogitstore GitStore *store = new_store(f, name);
		fetch(&client, store, &(GitFetch){.hash = old, .ref = refs[i]});
		assert_true(git_store_has(store, newest));
		assert_int_equal(count_entries(store, old), 1);
	}
}

static void S21_peeled_commit_of_a_tag_from_a_protocol_0_server(void **state)
{
	const ServedRepos *f = *state;
	autoclient Client client = open_path(f, "v0/repo.git");
	autogitstore GitStore *store = new_store(f, "peeled");
	autofree char *commit = rev(f->dir, "v1.0.0^{}");
	autofree char *parent = rev(f->dir, "v1.0.0^{}~1");
	/* Not advertised but behind the tag. */
	free(shell(f->dir, "git -C repo.git update-ref -d refs/tags/v0.1.0"));
	fetch(&client, store, &(GitFetch){.hash = commit, .ref = "refs/tags/v1.0.0"});
	free(shell(f->dir, "git -C repo.git update-ref refs/tags/v0.1.0 v1.0.0^{}"));
	assert_true(git_store_has(store, commit));
	assert_false(git_store_has(store, parent));
}

static void S26_unknown_hash_is_not_found(void **state)
{
	static const char nowhere[] = "1111111111111111111111111111111111111111";
	static const char *const paths[] = {"v2/repo.git", "v0/repo.git"};
	for (size_t i = 0; i < COUNT(paths); i++) {
		autoclient Client client = open_path(*state, paths[i]);
		autogitstore GitStore *store = new_store(*state, "unknown");
		autoerror Error err = {0};
		assert_false(git_remote_fetch(client.remote, store, &(GitFetch){.hash = nowhere},
					      NULL, &err));
		assert_int_equal(err.code, ERR_NOT_FOUND);
	}
}

static uint64_t fetch_big(const ServedRepos *f, const char *path, const char *store_name,
			  const char *revision, const char *have, bool deep)
{
	autofree char *hash = shell(f->dir, "git -C big.git rev-parse %s", revision);
	autofree char *base = have ? shell(f->dir, "git -C big.git rev-parse %s", have) : NULL;
	autoclient Client client = open_path(f, path);
	autogitstore GitStore *store = new_store(f, store_name);
	uint64_t bytes =
		fetch(&client, store, &(GitFetch){.hash = hash, .have = base, .deep = deep});
	assert_int_equal(count_entries(store, hash), 51);
	return bytes;
}

static void fetch_of_depth_1_moves_little(void **state)
{
	const ServedRepos *f = *state;
	uint64_t full = fetch_big(f, "v2/big.git", "full", "main", NULL, true);
	uint64_t shallow = fetch_big(f, "v2/big.git", "one", "main", NULL, false);
	assert_true(full > 2500000);
	assert_true(shallow * 20 < full);
	uint64_t again = fetch_big(f, "v0/big.git", "one0", "main", NULL, false);
	assert_true(again * 20 < full);
}

static void fetch_on_top_of_a_commit_moves_the_difference(void **state)
{
	static const char *const paths[] = {"v2/big.git", "v0/big.git"};
	const ServedRepos *f = *state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		autofree char *name = mem_printf("step-%zu", i);
		free(shell(f->dir, "git -C big.git update-ref refs/heads/base main~2"));
		uint64_t first = fetch_big(f, paths[i], name, "main~2", NULL, false);
		free(shell(f->dir, "git -C big.git update-ref refs/heads/next main~1"));
		uint64_t second = fetch_big(f, paths[i], name, "main~1", "main~2", false);
		assert_true(second > 0 && second * 10 < first);
		uint64_t third = fetch_big(f, paths[i], name, "main", "main~1", false);
		assert_true(third > 0 && third * 10 < first);
		/* All of it, on top of a shallow store. */
		uint64_t rest = fetch_big(f, paths[i], name, "main", "main", true);
		assert_true(rest > 20 * first);
	}
}

static void pack_over_the_limit_is_refused(void **state)
{
	const ServedRepos *f = *state;
	autofree char *hash = shell(f->dir, "git -C big.git rev-parse main");
	autoclient Client client = open_path(f, "v2/big.git");
	autogitstore GitStore *store = new_store(f, "limit");
	autoerror Error err = {0};
	GitFetch what = {.hash = hash, .deep = true, .max_bytes = 100000};
	assert_false(git_remote_fetch(client.remote, store, &what, NULL, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_false(git_store_has(store, hash));
	autofree char *left = shell(f->dir, "ls limit/objects/pack | wc -l");
	assert_string_equal(left, "0"); /* S102 */
}

/* --- credentials --- */

static bool list_with(GitRemoteConfig config, Error *err)
{
	autoclient Client client = client_open(config);
	autogitrefs GitRefs refs = {0};
	return git_remote_list(client.remote, NULL, &refs, err) && refs.len > 0;
}

static void S29_basic_bearer_and_userinfo(void **state)
{
	const ServedRepos *f = *state;
	autoerror Error err = {0};
	autofree char *basic = url_of(f, "basic/repo.git"), *bearer = url_of(f, "bearer/repo.git");
	autofree char *userinfo =
		mem_printf("http://user:s3cret@127.0.0.1:%d/basic/repo.git", f->server.port);
	autofree char *name_only =
		mem_printf("http://user@127.0.0.1:%d/basic/repo.git", f->server.port);
	assert_true(list_with(
		(GitRemoteConfig){.url = basic, .username = "user", .password = "s3cret"}, &err));
	assert_true(list_with((GitRemoteConfig){.url = userinfo}, &err));
	assert_true(list_with((GitRemoteConfig){.url = name_only, .password = "s3cret"}, &err));
	assert_true(list_with((GitRemoteConfig){.url = bearer, .bearer_token = "t0ken"}, &err));
}

static void S30_refused_credentials_do_not_leak(void **state)
{
	const ServedRepos *f = *state;
	autofree char *basic = url_of(f, "basic/repo.git"), *bearer = url_of(f, "bearer/repo.git");
	autofree char *userinfo =
		mem_printf("http://user:hunter2@127.0.0.1:%d/basic/repo.git", f->server.port);
	autofree char *forbidden =
		mem_printf("http://user:hunter2@127.0.0.1:%d/forbidden/x", f->server.port);
	const GitRemoteConfig configs[] = {
		{.url = basic},
		{.url = basic, .username = "user", .password = "hunter2"},
		{.url = userinfo},
		{.url = forbidden},
		{.url = bearer, .bearer_token = "hunter2"},
	};
	for (size_t i = 0; i < COUNT(configs); i++) {
		autoerror Error err = {0};
		assert_false(list_with(configs[i], &err));
		assert_int_equal(err.code, ERR_UNAUTHORIZED);
		assert_null(strstr(err.message, "hunter2"));
		assert_true(strstr(err.message, "authentication required") ||
			    strstr(err.message, "authorization failed"));
	}
}

static void S31_half_credentials_are_refused(void **state)
{
	(void)state;
	const struct {
		GitRemoteConfig config;
		const char *text;
	} rows[] = {
		{{.url = "http://h/x", .password = "p"}, "a password needs a username"},
		{{.url = "http://u:p@h/x", .bearer_token = "t"}, "a bearer token and a user"},
		{{.url = "ssh://git@h/x", .ssh_known_hosts = "h ssh-ed25519 AAAA"},
		 "needs an identity"},
		{{.url = "ssh://git@h/x", .ssh_identity = "x"}, "needs known_hosts"},
	};
	autoerror Error loop_err = {0};
	autoloop Loop *loop = loop_new(&loop_err);
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		assert_null(git_remote_new(loop, &rows[i].config, &err));
		assert_non_null(strstr(err_text(&err), rows[i].text));
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.reason, "AuthenticationFailed");
	}
}

static void S34_what_is_there_and_cannot_be_used_has_no_reason(void **state)
{
	(void)state;
	const GitRemoteConfig configs[] = {
		{.url = "https://h/x", .cert_pem = "x"},
		{.url = "https://h/x", .ca_pem = "no certificate"},
		{.url = "https://h/x", .proxy = "ftp://h"},
		{.url = "ssh://h/x", .ssh_identity = "x", .ssh_known_hosts = "h ssh-ed25519 AAAA"},
		{.url = "ssh://h/x", .ssh_identity = "x", .ssh_known_hosts = "h"},
		{.url = "git@h:x.git"},
	};
	autoerror Error loop_err = {0};
	autoloop Loop *loop = loop_new(&loop_err);
	for (size_t i = 0; i < COUNT(configs); i++) {
		autoerror Error err = {0};
		assert_null(git_remote_new(loop, &configs[i], &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_null(err.reason);
	}
}

static void S32_private_ca_and_client_certificate(void **state)
{
	const ServedRepos *f = *state;
	autofree char *url = mem_printf("https://127.0.0.1:%d/repo.git", f->server.tls_port);
	autofree char *ca = read_file(f->dir, "tls/ca.pem");
	autofree char *cert = read_file(f->dir, "tls/client.pem");
	autofree char *key = read_file(f->dir, "tls/client.key");
	autoerror Error err = {0}, unknown = {0}, no_cert = {0};
	if (!list_with(
		    (GitRemoteConfig){.url = url, .ca_pem = ca, .cert_pem = cert, .key_pem = key},
		    &err))
		fail_msg("%s", err_text(&err));
	assert_false(list_with((GitRemoteConfig){.url = url, .cert_pem = cert, .key_pem = key},
			       &unknown));
	assert_int_equal(unknown.code, ERR_UNAUTHORIZED);
	assert_non_null(strstr(unknown.message, "tls: "));
	assert_false(list_with((GitRemoteConfig){.url = url, .ca_pem = ca}, &no_cert));
}

/* --- servers that are none --- */

static void failures_have_codes(void **state)
{
	const ServedRepos *f = *state;
	static const struct {
		const char *path;
		ErrorCode code;
	} rows[] = {
		{"v2/absent.git", ERR_NOT_FOUND},     {"text/repo.git", ERR_INVALID},
		{"broken/repo.git", ERR_UNAVAILABLE}, {"loop/repo.git", ERR_INVALID},
		{"elsewhere/repo.git", ERR_INVALID},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *url = url_of(f, rows[i].path);
		autoerror Error err = {0};
		assert_false(list_with((GitRemoteConfig){.url = url}, &err));
		if (err.code != rows[i].code)
			fail_msg("%s: %s %s", url, err_code_name(err.code), err_text(&err));
	}
	autofree char *closed = mem_printf("http://127.0.0.1:%d/x", free_port());
	autoerror Error err = {0};
	assert_false(list_with((GitRemoteConfig){.url = closed}, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

static void redirects_keep_credentials_at_home(void **state)
{
	const ServedRepos *f = *state;
	autofree char *moved = url_of(f, "moved/repo.git"), *away = url_of(f, "away/repo.git");
	autofree char *hash = rev(f->dir, "main");
	autoerror Error err = {0};
	assert_true(list_with((GitRemoteConfig){.url = moved}, &err));
	/* The POST follows where the GET ended, without the password. */
	autoclient Client client = client_open(
		(GitRemoteConfig){.url = away, .username = "user", .password = "s3cret"});
	autogitstore GitStore *store = new_store(f, "redirected");
	fetch(&client, store, &(GitFetch){.hash = hash});
	autofree char *log = read_file(f->dir, "away.log");
	assert_non_null(strstr(log, "POST /repo.git/git-upload-pack"));
	assert_non_null(strstr(log, "HTTP/1.1|-\n"));
	assert_null(strstr(log, "Basic"));
}

/* To 127.0.0.1, and to a name for it, which a repository of another name must not lead to. */
static void redirects_lead_nowhere_inside(void **state)
{
	static const char *const paths[] = {"away/repo.git", "inward/repo.git"};
	const ServedRepos *f = *state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		autofree char *own = url_of(f, paths[i]);
		autofree char *url = mem_printf("http://public.test%s", strrchr(own, ':'));
		autoerror Error err = {0};
		assert_true(list_with((GitRemoteConfig){.url = own}, &err));
		assert_false(list_with((GitRemoteConfig){.url = url}, &err));
		assert_int_equal(err.code, ERR_FORBIDDEN);
		assert_non_null(strstr(err_text(&err), "internal address"));
	}
}

/* A repository's .gitmodules is as good as a redirect. */
static void S37_links_lead_nowhere_inside(void **state)
{
	static const struct {
		const char *named_by, *host, *path;
		bool good;
	} rows[] = {
		{"public.test", "127.0.0.1", "v2/repo.git", false},
		{"public.test", "localhost", "v2/repo.git", false},
		{"public.test", "inside.test", "v2/repo.git", false},
		{"10.0.0.1", "127.0.0.1", "v2/repo.git", false},
		{"public.test", "public.test", "v2/repo.git", true}, /* beside the parent */
		{"127.0.0.1", "inside.test", "v2/repo.git", true},   /* from inside */
		{"localhost", "127.0.0.1", "v2/repo.git", true},
		{"127.0.0.1", "127.0.0.1", "inward/repo.git", true},
		{"127.0.0.1", "public.test", "inward/repo.git", false}, /* out and in again */
	};
	const ServedRepos *f = *state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *url =
			mem_printf("http://%s:%d/%s", rows[i].host, f->server.port, rows[i].path);
		autoerror Error err = {0};
		const GitRemoteConfig config = {.url = url, .named_by = rows[i].named_by};
		if (list_with(config, &err) != rows[i].good)
			fail_msg("%s -> %s: %s", rows[i].named_by, url, err_text(&err));
		assert_int_equal(err.code, rows[i].good ? ERR_NONE : ERR_FORBIDDEN);
		if (!rows[i].good)
			assert_non_null(strstr(err_text(&err), "internal address"));
	}
}

static void sha256_repository_is_refused_clearly(void **state)
{
	static const char *const paths[] = {"v2/sha256.git", "v0/sha256.git"};
	const ServedRepos *f = *state;
	free(shell(f->dir, "git init -q --object-format=sha256 -b main s && cd s && git commit -q "
			   "--allow-empty -m x && git clone -q --bare . ../sha256.git"));
	for (size_t i = 0; i < COUNT(paths); i++) {
		autofree char *url = url_of(f, paths[i]);
		autoerror Error err = {0};
		assert_false(list_with((GitRemoteConfig){.url = url}, &err));
		assert_int_equal(err.code, ERR_UNSUPPORTED);
		assert_non_null(strstr(err.message, "sha256"));
	}
}

static void list_then_fetch_over_one_remote(void **state)
{
	static const char *const paths[] = {"v2/repo.git", "v0/repo.git", "moved/repo.git"};
	const ServedRepos *f = *state;
	autofree char *hash = rev(f->dir, "main");
	for (size_t i = 0; i < COUNT(paths); i++) {
		autoclient Client client = open_path(f, paths[i]);
		autofree char *name = mem_printf("both-%zu", i);
		autogitstore GitStore *store = new_store(f, name);
		autoerror Error err = {0};
		for (int k = 0; k < 2; k++) {
			autogitrefs GitRefs refs = {0};
			assert_true(git_remote_list(client.remote, NULL, &refs, &err));
			assert_int_equal(refs.len, 6);
			fetch(&client, store, &(GitFetch){.hash = hash});
		}
		assert_int_equal(count_entries(store, hash), 7);
	}
}

static void S38_timeout_ends_a_silent_server(void **state)
{
	(void)state;
	int port;
	UNUSED autofd int fd = silent_listener(&port);
	autofree char *url = mem_printf("http://127.0.0.1:%d/x.git", port);
	autoerror Error err = {0};
	assert_false(list_with((GitRemoteConfig){.url = url, .timeout_ms = 200}, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S21_list_with_protocol_2),
		cmocka_unit_test(S21_list_with_protocol_0),
		cmocka_unit_test(prefixes_limit_the_list),
		cmocka_unit_test(S27_empty_repository_has_no_references),
		cmocka_unit_test(fetch_depth_1),
		cmocka_unit_test(S23_fetch_by_a_bare_hash),
		cmocka_unit_test(S24_old_commit_of_a_protocol_0_server),
		cmocka_unit_test(S21_peeled_commit_of_a_tag_from_a_protocol_0_server),
		cmocka_unit_test(S26_unknown_hash_is_not_found),
		cmocka_unit_test(fetch_of_depth_1_moves_little),
		cmocka_unit_test(fetch_on_top_of_a_commit_moves_the_difference),
		cmocka_unit_test(pack_over_the_limit_is_refused),
		cmocka_unit_test(S29_basic_bearer_and_userinfo),
		cmocka_unit_test(S30_refused_credentials_do_not_leak),
		cmocka_unit_test(S31_half_credentials_are_refused),
		cmocka_unit_test(S34_what_is_there_and_cannot_be_used_has_no_reason),
		cmocka_unit_test(S32_private_ca_and_client_certificate),
		cmocka_unit_test(failures_have_codes),
		cmocka_unit_test(redirects_keep_credentials_at_home),
		cmocka_unit_test(redirects_lead_nowhere_inside),
		cmocka_unit_test(S37_links_lead_nowhere_inside),
		cmocka_unit_test(list_then_fetch_over_one_remote),
		cmocka_unit_test(S38_timeout_ends_a_silent_server),
		cmocka_unit_test(sha256_repository_is_refused_clearly),
	};
	return cmocka_run_group_tests(tests, set_up, served_repos_stop);
}
