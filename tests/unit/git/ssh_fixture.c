#include "../cmocka_all.h"
#include "../descriptors.h"

#include "ssh_fixture.h"

#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"

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

static pid_t start_sshd(const Fixture *f, const char *name, const char *conf, int port)
{
	autofree char *path = path_join(f->dir, name);
	autofree char *port_text = mem_printf("%d", port);
	write_file(f->dir, name, conf);
	const char *const argv[] = {"/usr/sbin/sshd", "-D", "-e", "-f", path, "-p",
				    port_text,	      NULL};
	pid_t pid = spawn(f->dir, argv);
	wait_for_port(port, pid);
	return pid;
}

static pid_t start_usual(const Fixture *f, const char *name, const char *more, int port)
{
	autofree char *conf = mem_printf(sshd_conf, f->dir, more);
	return start_sshd(f, name, conf, port);
}

void ssh_serve_extra(Fixture *f, const char *conf)
{
	if (f->sshd_extra)
		stop(f->sshd_extra);
	f->port_extra = free_port();
	f->sshd_extra = start_sshd(f, "sshd-extra.conf", conf, f->port_extra);
}

int ssh_set_up(void **state)
{
	Fixture *f = mem_zalloc(1, sizeof(*f));
	*state = f;
	f->dir = temp_dir();
	f->user = mem_strdup(getpwuid(getuid())->pw_name);
	mkdir("/run/sshd", 0755); /* sshd's own; there or not ours to make */
	make_repo(f->dir);
	free(shell(f->dir, "%s", make_keys));
	f->port = free_port();
	f->sshd = start_usual(f, "sshd.conf", "", f->port);
	f->port_v2 = free_port();
	f->sshd_v2 = start_usual(f, "sshd2.conf", "AcceptEnv GIT_PROTOCOL", f->port_v2);
	return 0;
}

int ssh_tear_down(void **state)
{
	Fixture *f = *state;
	stop(f->sshd);
	stop(f->sshd_v2);
	if (f->sshd_extra)
		stop(f->sshd_extra);
	dir_auto_remove(&f->dir);
	free(f->user);
	free(f);
	return 0;
}

char *known(const Fixture *f, int port, const char *type)
{
	return shell(f->dir, "echo \"[127.0.0.1]:%d $(cut -d' ' -f1,2 host_%s.pub)\"", port, type);
}

static bool list(const Fixture *f, const Attempt *a, GitRefs *refs, Error *err)
{
	int port = a->port ? a->port : f->port;
	autofree char *url =
		mem_printf("ssh://%s@%s:%d%s/%s", f->user, a->host ? a->host : "127.0.0.1", port,
			   f->dir, a->path ? a->path : "repo.git");
	autofree char *identity = read_file(f->dir, a->identity);
	autofree char *hosts =
		a->known_hosts ? mem_strdup(a->known_hosts) : known(f, port, "ed25519");
	GitRemoteConfig config = {.url = url,
				  .named_by = a->named_by,
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

/* No connection outlives its remote, however it ended. */
static bool attempt(const Fixture *f, const Attempt *a, GitRefs *refs, Error *err)
{
	size_t before = descriptors_open();
	bool ok = list(f, a, refs, err);
	assert_int_equal(descriptors_open(), before);
	return ok;
}

void must_work(const Fixture *f, const Attempt *a)
{
	autoerror Error err = {0};
	autogitrefs GitRefs refs = {0};
	if (!attempt(f, a, &refs, &err))
		fail_msg("%s: %s", a->identity, err_text(&err));
	assert_int_equal(refs.len, 6);
}

void must_fail(const Fixture *f, const Attempt *a, ErrorCode code, const char *text)
{
	autoerror Error err = {0};
	autogitrefs GitRefs refs = {0};
	assert_false(attempt(f, a, &refs, &err));
	if (err.code != code || !strstr(err.message, text))
		fail_msg("%s, not %s: %s", err_code_name(err.code), err_code_name(code),
			 err_text(&err));
}

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

void check_proxies(const Fixture *f, Attempt a)
{
	static const char *const schemes[] = {"http", "socks5"};
	int port = free_port();
	autofree char *port_text = mem_printf("%d", port);
	const char *const argv[] = {"python3", "-c", proxy_script, port_text, NULL};
	pid_t pid = spawn(f->dir, argv);
	wait_for_port(port, pid);
	for (size_t i = 0; i < COUNT(schemes); i++) {
		autofree char *proxy = mem_printf("%s://127.0.0.1:%d", schemes[i], port);
		a.proxy = proxy;
		a.proxy_password = "pass";
		must_work(f, &a);
		a.proxy_password = "wrong";
		must_fail(f, &a, ERR_UNAVAILABLE, "connect");
	}
	stop(pid);
	a.proxy = "ftp://127.0.0.1:1";
	must_fail(f, &a, ERR_INVALID, "scheme");
	a.proxy = "HTTPS://127.0.0.1:1";
	must_fail(f, &a, ERR_INVALID, "http and socks5 proxies, not https");
}

void check_identities(const Fixture *f, Attempt a)
{
	static const char *const plain[] = {"id_rsa", "id_rsa_pem", "id_ecdsa", "id_ecdsa_pkcs8",
					    "id_ed25519"};
	for (size_t i = 0; i < COUNT(plain); i++) {
		a.identity = plain[i];
		a.passphrase = i % 2 ? "not needed" : NULL;
		must_work(f, &a);
	}
	a.passphrase = NULL;
	a.identity = "stranger";
	must_fail(f, &a, ERR_UNAUTHORIZED, "authentication required");
}

void check_sealed_identities(const Fixture *f, Attempt a)
{
	static const char *const sealed[] = {"enc_rsa", "enc_rsa_pem", "enc_ecdsa", "enc_ed25519"};
	for (size_t i = 0; i < COUNT(sealed); i++) {
		a.identity = sealed[i];
		a.passphrase = "pass phrase";
		must_work(f, &a);
		a.passphrase = "wrong";
		must_fail(f, &a, ERR_INVALID, "password does not open");
		a.passphrase = NULL;
		must_fail(f, &a, ERR_INVALID, "key is encrypted but no 'password' field");
	}
	a.identity = "id_rsa.pub";
	must_fail(f, &a, ERR_INVALID, "not a private key");
}

void check_absent_repository(const Fixture *f, Attempt a)
{
	a.path = "absent.git";
	must_fail(f, &a, ERR_NOT_FOUND, "does not appear to be a git repository");
	/* Quotes reach the server's shell as part of the name. */
	a.path = "a'%20;echo%20x!'.git";
	must_fail(f, &a, ERR_NOT_FOUND, "a' ;echo x!'.git");
}
