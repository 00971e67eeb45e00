/* Git over a real sshd, on a port of its own, for the user that runs the test. */
#include "../cmocka_all.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "../net/test_names.h"
#include "ssh_fixture.h"

static void S29_S30_identities_of_all_kinds(void **state)
{
	check_identities(*state, (Attempt){0});
}

static void S34_encrypted_identities(void **state)
{
	check_sealed_identities(*state, (Attempt){0});
}

static void S33_host_keys(void **state)
{
	const Fixture *f = *state;
	autofree char *ed = known(f, f->port, "ed25519");
	autofree char *other =
		shell(f->dir, "echo \"[127.0.0.1]:%d $(cat stranger.pub)\"", f->port);
	autofree char *elsewhere = shell(f->dir, "echo \"example.org $(cat host_ed25519.pub)\"");
	autofree char *revoked = mem_printf("%s\n@revoked * %s\n", ed, strchr(ed, ' ') + 1);
	autofree char *authority = mem_printf("@cert-authority %s", ed);
	autofree char *hashed = shell(f->dir,
				      "echo '%s' > kh && ssh-keygen -q -H -f kh >/dev/null 2>&1 && "
				      "cat kh",
				      ed);
	/* What came is told as ssh-keygen shows it, the host as a line has to name it. */
	autofree char *shown = shell(f->dir, "ssh-keygen -l -f host_ed25519.pub | cut -d' ' -f2");
	autofree char *changed = mem_printf("the host key is not the one in known_hosts: "
					    "[127.0.0.1]:%d shows ssh-ed25519 %s",
					    f->port, shown);
	autofree char *unknown =
		mem_printf("the host is not in known_hosts: [127.0.0.1]:%d shows ", f->port);
	must_work(f, &(Attempt){.identity = "id_ed25519", .known_hosts = hashed});
	must_fail(f, &(Attempt){.identity = "id_ed25519", .known_hosts = other}, ERR_UNAUTHORIZED,
		  changed);
	must_fail(f, &(Attempt){.identity = "id_ed25519", .known_hosts = elsewhere},
		  ERR_UNAUTHORIZED, unknown);
	must_fail(f, &(Attempt){.identity = "id_ed25519", .known_hosts = revoked}, ERR_UNAUTHORIZED,
		  "revoked");
	must_fail(f, &(Attempt){.identity = "id_ed25519", .known_hosts = authority},
		  ERR_UNAUTHORIZED, "certificate authority");
}

/* The server has all three host keys and prefers another one than is known. */
static void S35_host_key_algorithms(void **state)
{
	const Fixture *f = *state;
	static const char *const types[] = {"rsa", "ecdsa", "ed25519"};
	for (size_t i = 0; i < COUNT(types); i++) {
		autofree char *hosts = known(f, f->port, types[i]);
		must_work(f, &(Attempt){.identity = "id_ed25519", .known_hosts = hosts});
	}
	autofree char *rsa = known(f, f->port, "rsa");
	must_work(f, &(Attempt){.identity = "id_ed25519",
				.known_hosts = rsa,
				.hostkeys = "rsa-sha2-256",
				.kex = "ecdh-sha2-nistp256"});
	/* The flag overrides what is known, so another key comes. */
	must_fail(
		f,
		&(Attempt){.identity = "id_ed25519", .known_hosts = rsa, .hostkeys = "ssh-ed25519"},
		ERR_UNAUTHORIZED, "not the one");
	must_fail(f, &(Attempt){.identity = "id_ed25519", .kex = "no-such-thing"}, ERR_INVALID,
		  "key exchange algorithms");
}

static void absent_repository_is_not_found(void **state)
{
	check_absent_repository(*state, (Attempt){.identity = "id_ed25519"});
}

static void unreachable_server(void **state)
{
	must_fail(*state, &(Attempt){.identity = "id_ed25519", .port = free_port()},
		  ERR_UNAVAILABLE, "connect");
}

static void check_fetch(const Fixture *f, int port, const char *name, bool v2)
{
	autofree char *url = mem_printf("ssh://%s@127.0.0.1:%d%s/repo.git", f->user, port, f->dir);
	autofree char *identity = read_file(f->dir, "id_rsa"), *hosts = known(f, port, "rsa");
	autofree char *path = path_join(f->dir, name);
	autofree char *hash = rev(f->dir, "main"), *parent = rev(f->dir, "main~1");
	autofree char *old = rev(f->dir, "main~2");
	autoclient Client client = client_open(
		(GitRemoteConfig){.url = url, .ssh_identity = identity, .ssh_known_hosts = hosts});
	autoerror Error err = {0};
	autogitstore GitStore *store = git_store_open(path, &err);
	uint64_t bytes = 0;
	if (!git_remote_fetch(client.remote, store, &(GitFetch){.hash = hash}, &bytes, &err))
		fail_msg("%s", err_text(&err));
	assert_true(bytes > 0);
	assert_true(git_store_has(store, hash));
	assert_false(git_store_has(store, parent));
	/* A bare hash tells the protocols apart: v0 fetches the branch in full. */
	GitFetch what = {.hash = old, .ref = "refs/heads/main", .have = hash};
	if (!git_remote_fetch(client.remote, store, &what, NULL, &err))
		fail_msg("%s", err_text(&err));
	assert_true(git_store_has(store, old));
	assert_int_equal(git_store_has(store, parent), !v2);
}

static void fetch_by_protocol_0_and_2(void **state)
{
	const Fixture *f = *state;
	check_fetch(f, f->port, "store-v0", false);
	check_fetch(f, f->port_v2, "store-v2", true);
}

static void S38_timeout_ends_a_silent_server(void **state)
{
	int port;
	UNUSED autofd int fd = silent_listener(&port);
	must_fail(*state, &(Attempt){.identity = "id_ed25519", .port = port, .timeout_ms = 300},
		  ERR_TIMEOUT, "not done within 300 ms");
}

static void S36_proxies_with_login(void **state)
{
	check_proxies(*state, (Attempt){.identity = "id_ed25519"});
}

/* Not a connection is made there; known_hosts, which has the host's key, is asked later. */
static void S37_links_lead_nowhere_inside(void **state)
{
	const Fixture *f = *state;
	autofree char *hosts =
		shell(f->dir, "echo \"[*]:%d $(cut -d' ' -f1,2 host_ed25519.pub)\"", f->port);
	static const char *const inside[] = {NULL, "localhost", "inside.test"};
	for (size_t i = 0; i < COUNT(inside); i++) {
		Attempt a = {.identity = "id_ed25519",
			     .known_hosts = hosts,
			     .host = inside[i],
			     .named_by = "public.test"};
		must_fail(f, &a, ERR_FORBIDDEN, "internal address");
		a.named_by = "127.0.0.1";
		must_work(f, &a);
	}
	must_work(f, &(Attempt){.identity = "id_ed25519",
				.known_hosts = hosts,
				.host = "public.test",
				.named_by = "public.test"});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S29_S30_identities_of_all_kinds),
		cmocka_unit_test(S34_encrypted_identities),
		cmocka_unit_test(S33_host_keys),
		cmocka_unit_test(S35_host_key_algorithms),
		cmocka_unit_test(absent_repository_is_not_found),
		cmocka_unit_test(unreachable_server),
		cmocka_unit_test(fetch_by_protocol_0_and_2),
		cmocka_unit_test(S36_proxies_with_login),
		cmocka_unit_test(S37_links_lead_nowhere_inside),
		cmocka_unit_test(S38_timeout_ends_a_silent_server),
	};
	return cmocka_run_group_tests(tests, ssh_set_up, ssh_tear_down);
}
