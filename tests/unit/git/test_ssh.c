/* Git over a real sshd, on a port of its own, for the user that runs the test. */
#include "../cmocka_all.h"

#include <pwd.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "fixture.h"

typedef struct {
	char *dir, *user;
	pid_t sshd, sshd_v2; /* the second takes GIT_PROTOCOL */
	int port, port_v2;
} Fixture;

static const char make_keys[] = "for t in rsa ecdsa ed25519; do\n"
				"  ssh-keygen -q -t $t -N '' -f host_$t\n"
				"  ssh-keygen -q -t $t -N '' -f id_$t\n"
				"  ssh-keygen -q -t $t -N 'pass phrase' -f enc_$t\n"
				"done\n"
				"ssh-keygen -q -t rsa -m PEM -N '' -f id_rsa_pem\n"
				"ssh-keygen -q -t rsa -m PEM -N 'pass phrase' -f enc_rsa_pem\n"
				"ssh-keygen -q -t ecdsa -m PKCS8 -N '' -f id_ecdsa_pkcs8\n"
				"ssh-keygen -q -t ed25519 -N '' -f stranger\n"
				"cat id_*.pub enc_*.pub > authorized_keys\n";

static const char sshd_conf[] = "ListenAddress 127.0.0.1\n"
				"HostKey %1$s/host_rsa\n"
				"HostKey %1$s/host_ecdsa\n"
				"HostKey %1$s/host_ed25519\n"
				"AuthorizedKeysFile %1$s/authorized_keys\n"
				"PidFile none\n"
				"StrictModes no\n"
				"UsePAM no\n"
				"PermitRootLogin yes\n"
				"PasswordAuthentication no\n"
				"LogLevel ERROR\n"
				"%2$s\n";

static pid_t start_sshd(const Fixture *f, const char *name, const char *more, int port)
{
	autofree char *conf = mem_printf(sshd_conf, f->dir, more);
	autofree char *path = path_join(f->dir, name);
	autofree char *port_text = mem_printf("%d", port);
	write_file(f->dir, name, conf);
	const char *const argv[] = {"/usr/sbin/sshd", "-D", "-e", "-f", path, "-p",
				    port_text,	      NULL};
	pid_t pid = spawn(f->dir, argv);
	wait_for_port(port);
	return pid;
}

static int set_up(void **state)
{
	Fixture *f = mem_zalloc(1, sizeof(*f));
	*state = f;
	f->dir = temp_dir();
	f->user = mem_strdup(getpwuid(getuid())->pw_name);
	mkdir("/run/sshd", 0755); /* sshd's own; there or not ours to make */
	make_repo(f->dir);
	free(shell(f->dir, "%s", make_keys));
	f->port = free_port();
	f->sshd = start_sshd(f, "sshd.conf", "", f->port);
	f->port_v2 = free_port();
	f->sshd_v2 = start_sshd(f, "sshd2.conf", "AcceptEnv GIT_PROTOCOL", f->port_v2);
	return 0;
}

static int tear_down(void **state)
{
	Fixture *f = *state;
	stop(f->sshd);
	stop(f->sshd_v2);
	dir_auto_remove(&f->dir);
	free(f->user);
	free(f);
	return 0;
}

/* A known_hosts line for the server with the host key of a type. */
static char *known(const Fixture *f, int port, const char *type)
{
	return shell(f->dir, "echo \"[127.0.0.1]:%d $(cut -d' ' -f1,2 host_%s.pub)\"", port, type);
}

typedef struct {
	const char *identity, *passphrase, *known_hosts, *path, *kex, *hostkeys;
	const char *proxy, *proxy_password;
	int port;
	int64_t timeout_ms;
} Attempt;

static bool attempt(const Fixture *f, const Attempt *a, GitRefs *refs, Error *err)
{
	int port = a->port ? a->port : f->port;
	autofree char *url = mem_printf("ssh://%s@127.0.0.1:%d%s/%s", f->user, port, f->dir,
					a->path ? a->path : "repo.git");
	autofree char *identity = read_file(f->dir, a->identity);
	autofree char *hosts =
		a->known_hosts ? mem_strdup(a->known_hosts) : known(f, port, "ed25519");
	GitRemoteConfig config = {.url = url,
				  .ssh_identity = identity,
				  .ssh_passphrase = a->passphrase,
				  .ssh_known_hosts = hosts,
				  .ssh_kex_algos = a->kex,
				  .ssh_hostkey_algos = a->hostkeys,
				  .proxy = a->proxy,
				  .proxy_user = "user",
				  .proxy_password = a->proxy_password,
				  .timeout_ms = a->timeout_ms ? a->timeout_ms : 20000};
	autoloop Loop *loop = loop_new(err);
	autogitremote GitRemote *remote = git_remote_new(loop, &config, err);
	return remote && git_remote_list(remote, NULL, refs, err);
}

static void must_work(const Fixture *f, const Attempt *a)
{
	autoerror Error err = {0};
	autogitrefs GitRefs refs = {0};
	if (!attempt(f, a, &refs, &err))
		fail_msg("%s: %s", a->identity, err_text(&err));
	assert_int_equal(refs.len, 6);
}

static void must_fail(const Fixture *f, const Attempt *a, ErrorCode code, const char *text)
{
	autoerror Error err = {0};
	autogitrefs GitRefs refs = {0};
	assert_false(attempt(f, a, &refs, &err));
	if (err.code != code || !strstr(err.message, text))
		fail_msg("%s, not %s: %s", err_code_name(err.code), err_code_name(code),
			 err_text(&err));
}

static void S29_identities_of_all_kinds(void **state)
{
	static const char *const names[] = {"id_rsa", "id_rsa_pem", "id_ecdsa", "id_ecdsa_pkcs8",
					    "id_ed25519"};
	for (size_t i = 0; i < COUNT(names); i++)
		must_work(*state, &(Attempt){.identity = names[i]});
}

static void S34_encrypted_identities(void **state)
{
	static const char *const names[] = {"enc_rsa", "enc_rsa_pem", "enc_ecdsa", "enc_ed25519"};
	for (size_t i = 0; i < COUNT(names); i++) {
		Attempt a = {.identity = names[i], .passphrase = "pass phrase"};
		must_work(*state, &a);
		a.passphrase = "wrong";
		must_fail(*state, &a, ERR_INVALID, "password does not open");
		a.passphrase = NULL;
		must_fail(*state, &a, ERR_INVALID, "encrypted and needs a password");
	}
	must_fail(*state, &(Attempt){.identity = "id_rsa.pub"}, ERR_INVALID, "not a private key");
}

static void S30_refused_key(void **state)
{
	must_fail(*state, &(Attempt){.identity = "stranger"}, ERR_UNAUTHORIZED,
		  "authentication required");
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
	must_work(f, &(Attempt){.identity = "id_ed25519", .known_hosts = hashed});
	must_fail(f, &(Attempt){.identity = "id_ed25519", .known_hosts = other}, ERR_UNAUTHORIZED,
		  "not the one in known_hosts");
	must_fail(f, &(Attempt){.identity = "id_ed25519", .known_hosts = elsewhere},
		  ERR_UNAUTHORIZED, "not in known_hosts");
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
	must_fail(*state, &(Attempt){.identity = "id_ed25519", .path = "absent.git"}, ERR_NOT_FOUND,
		  "does not appear to be a git repository");
	/* Quotes reach the server's shell as part of the name. */
	must_fail(*state, &(Attempt){.identity = "id_ed25519", .path = "a'%20;echo%20x!'.git"},
		  ERR_NOT_FOUND, "a' ;echo x!'.git");
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

/* A proxy for CONNECT and for SOCKS5 by name or address, which wants user and pass. */
static const char proxy_script[] =
	"import socket, sys, threading, base64, struct\n"
	"s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
	"def pump(a, b):\n"
	"    try:\n"
	"        while (d := a.recv(65536)): b.sendall(d)\n"
	"    except OSError: pass\n"
	"    b.close()\n"
	"def exact(c, n):\n"
	"    d = b''\n"
	"    while len(d) < n: d += c.recv(n - len(d))\n"
	"    return d\n"
	"def serve(c):\n"
	"    first = exact(c, 1)\n"
	"    if first == b'\\x05':\n"
	"        exact(c, exact(c, 1)[0]); c.sendall(b'\\x05\\x02')\n"
	"        exact(c, 1); u = exact(c, exact(c, 1)[0]); p = exact(c, exact(c, 1)[0])\n"
	"        ok = (u, p) == (b'user', b'pass')\n"
	"        c.sendall(b'\\x01' + (b'\\0' if ok else b'\\1'))\n"
	"        if not ok: return c.close()\n"
	"        kind = exact(c, 4)[3]\n"
	"        host = socket.inet_ntoa(exact(c, 4)) if kind == 1 else exact(c, exact(c, 1)[0])\n"
	"        port = struct.unpack('>H', exact(c, 2))[0]\n"
	"        reply = b'\\x05\\0\\0\\x01\\0\\0\\0\\0\\0\\0'\n"
	"    else:\n"
	"        head = first\n"
	"        while not head.endswith(b'\\r\\n\\r\\n'): head += exact(c, 1)\n"
	"        if base64.b64encode(b'user:pass') not in head:\n"
	"            c.sendall(b'HTTP/1.1 407 no\\r\\nContent-Length: 0\\r\\n\\r\\n'); return "
	"c.close()\n"
	"        host, port = head.split()[1].decode().split(':')\n"
	"        reply = b'HTTP/1.1 200 ok\\r\\n\\r\\n'\n"
	"    t = socket.create_connection((host, int(port))); c.sendall(reply)\n"
	"    threading.Thread(target=pump, args=(t, c), daemon=True).start(); pump(c, t)\n"
	"while True:\n"
	"    c = s.accept()[0]; threading.Thread(target=serve, args=(c,), daemon=True).start()\n";

static void S36_proxies_with_login(void **state)
{
	static const char *const schemes[] = {"http", "socks5"};
	const Fixture *f = *state;
	int port = free_port();
	autofree char *port_text = mem_printf("%d", port);
	const char *const argv[] = {"python3", "-c", proxy_script, port_text, NULL};
	pid_t pid = spawn(f->dir, argv);
	wait_for_port(port);
	for (size_t i = 0; i < COUNT(schemes); i++) {
		autofree char *proxy = mem_printf("%s://127.0.0.1:%d", schemes[i], port);
		Attempt a = {.identity = "id_ed25519", .proxy = proxy, .proxy_password = "pass"};
		must_work(f, &a);
		a.proxy_password = "wrong";
		must_fail(f, &a, ERR_UNAVAILABLE, "connect");
	}
	stop(pid);
	must_fail(f, &(Attempt){.identity = "id_ed25519", .proxy = "ftp://127.0.0.1:1"},
		  ERR_INVALID, "scheme");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S29_identities_of_all_kinds),
		cmocka_unit_test(S34_encrypted_identities),
		cmocka_unit_test(S30_refused_key),
		cmocka_unit_test(S33_host_keys),
		cmocka_unit_test(S35_host_key_algorithms),
		cmocka_unit_test(absent_repository_is_not_found),
		cmocka_unit_test(unreachable_server),
		cmocka_unit_test(fetch_by_protocol_0_and_2),
		cmocka_unit_test(S36_proxies_with_login),
		cmocka_unit_test(S38_timeout_ends_a_silent_server),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
