/* Host certificates: a real sshd that shows one, and OpenSSH's client program on our side. */
#include "../cmocka_all.h"

#include <signal.h>
#include <sys/prctl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "ssh_fixture.h"

/* A certificate's name follows from its key's, so each has a copy of the host key. */
static const char make_certificates[] =
	"for t in rsa ecdsa ed25519; do ssh-keygen -q -t $t -N '' -f ca_$t; done\n"
	"certify() { n=$1; k=$2; ca=$3; shift 3\n"
	"  cp $k $n; cp $k.pub $n.pub; ssh-keygen -q -s $ca -I host \"$@\" $n.pub; }\n"
	"for t in rsa ecdsa ed25519; do\n"
	"  certify by_$t host_ed25519 ca_$t -h -n 127.0.0.1\n"
	"  certify of_$t host_$t ca_ed25519 -h -n 127.0.0.1\n"
	"done\n"
	"certify many host_ed25519 ca_ed25519 -h -n example.org,127.0.0.1\n"
	"certify nobody host_ed25519 ca_ed25519 -h\n"
	"certify principal host_ed25519 ca_ed25519 -h -n example.org\n"
	"certify expired host_ed25519 ca_ed25519 -h -n 127.0.0.1 -V 20200101:20200102\n"
	"certify early host_ed25519 ca_ed25519 -h -n 127.0.0.1 -V 20900101:20900102\n"
	"certify user host_ed25519 ca_ed25519 -n 127.0.0.1\n";

static int set_up(void **state)
{
	/* As every daemon of ours: others, of our own user too, find nothing in its /proc. */
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0);
	ssh_set_up(state);
	Fixture *f = *state;
	free(shell(f->dir, "%s", make_certificates));
	return 0;
}

/* The extra server shows one host key with its certificate; a failed test's is ended, too. */
static void serve(Fixture *f, const char *name)
{
	static const char format[] = "ListenAddress 127.0.0.1\nHostKey %1$s/%2$s\n"
				     "HostCertificate %1$s/%2$s-cert.pub\n"
				     "AuthorizedKeysFile %1$s/authorized_keys\n"
				     "PidFile none\nStrictModes no\nUsePAM no\n"
				     "PermitRootLogin yes\nLogLevel ERROR\n"
				     "AcceptEnv GIT_PROTOCOL\n";
	autofree char *conf = mem_printf(format, f->dir, name);
	ssh_serve_extra(f, conf);
}

/* known_hosts: a line with the marker, the pattern ("%" is the port) and the key DIR/NAME.pub. */
static char *line(const Fixture *f, const char *marker, const char *pattern, const char *name)
{
	return shell(f->dir, "echo \"%s $(echo '%s' | sed s/%%/%d/g) $(cut -d' ' -f1,2 %s.pub)\"",
		     marker, pattern, f->port_extra, name);
}

static char *authority(const Fixture *f, const char *name)
{
	return line(f, "@cert-authority", "[127.0.0.1]:%", name);
}

static void must_refuse(const Fixture *f, const char *hosts, const char *text)
{
	must_fail(f,
		  &(Attempt){.identity = "id_ed25519", .known_hosts = hosts, .port = f->port_extra},
		  ERR_UNAUTHORIZED, text);
}

static void must_trust(const Fixture *f, const char *hosts)
{
	must_work(
		f,
		&(Attempt){.identity = "id_ed25519", .known_hosts = hosts, .port = f->port_extra});
}

static void S33_certificates_of_every_type(void **state)
{
	static const char *const names[][2] = {
		{"by_rsa", "ca_rsa"},	  {"by_ecdsa", "ca_ecdsa"},   {"by_ed25519", "ca_ed25519"},
		{"of_rsa", "ca_ed25519"}, {"of_ecdsa", "ca_ed25519"}, {"many", "ca_ed25519"},
		{"nobody", "ca_ed25519"}};
	Fixture *f = *state;
	for (size_t i = 0; i < COUNT(names); i++) {
		serve(f, names[i][0]);
		autofree char *hosts = authority(f, names[i][1]);
		must_trust(f, hosts);
	}
}

static void S33_certificates_that_do_not_count(void **state)
{
	static const char *const rows[][2] = {
		{"principal", "Certificate invalid: name is not a listed principal"},
		{"expired", "Certificate invalid: expired"},
		{"early", "Certificate invalid: not yet valid"},
		{"user", "Certificate invalid: not a host certificate"},
		{"by_rsa", "did not sign the host key"},
	};
	Fixture *f = *state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		serve(f, rows[i][0]);
		autofree char *hosts = authority(f, "ca_ed25519");
		must_refuse(f, hosts, rows[i][1]);
	}
}

static void S33_lines_that_name_an_authority(void **state)
{
	static const struct {
		const char *pattern;
		bool matches;
	} rows[] = {
		{"[127.0.0.1]:%", true},
		{"[127.0.0.?]:%", true},
		{"[*]:%", true},
		{"example.org,[127.0.0.1]:%", true},
		{"[*]:%,![127.0.0.1]:%", false},
		{"127.0.0.1", false}, /* that is port 22 */
		{"[127.0.0.2]:%", false},
	};
	Fixture *f = *state;
	serve(f, "by_ed25519");
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *hosts = line(f, "@cert-authority", rows[i].pattern, "ca_ed25519");
		if (rows[i].matches)
			must_trust(f, hosts);
		else
			must_refuse(f, hosts, "not in known_hosts");
	}
	autofree char *plain = authority(f, "ca_ed25519");
	autofree char *hashed = shell(f->dir,
				      "printf '%%s\\n' '%s' | sed 's/^@cert-authority //' > kh &&"
				      "ssh-keygen -q -H -f kh >/dev/null 2>&1 &&"
				      "sed 's/^/@cert-authority /' kh",
				      plain);
	assert_null(strstr(hashed, "127"));
	must_trust(f, hashed);
}

static void S33_revoked_authorities_and_keys(void **state)
{
	static const char *const revoked[] = {"ca_ed25519", "host_ed25519"};
	Fixture *f = *state;
	serve(f, "by_ed25519");
	autofree char *ca = authority(f, "ca_ed25519");
	for (size_t i = 0; i < COUNT(revoked); i++) {
		autofree char *mark = line(f, "@revoked", "*", revoked[i]);
		autofree char *hosts = mem_printf("%s\n%s\n", ca, mark);
		must_refuse(f, hosts, "revoked");
	}
	autofree char *other = line(f, "@revoked", "*", "ca_rsa");
	autofree char *hosts = mem_printf("%s\n%s\n", ca, other);
	must_trust(f, hosts);
}

/* Keys and authorities of one host: either is enough, neither is not. */
static void S33_keys_beside_an_authority(void **state)
{
	Fixture *f = *state;
	autofree char *stale = NULL;
	serve(f, "by_ed25519");
	autofree char *ca = authority(f, "ca_ed25519"), *other_ca = authority(f, "ca_rsa");
	autofree char *key = known(f, f->port_extra, "ed25519"), *hosts = NULL, *changed = NULL;
	stale = line(f, "", "[127.0.0.1]:%", "stranger");
	hosts = mem_printf("%s\n%s\n", ca, stale);
	must_trust(f, hosts);
	free(hosts);
	hosts = mem_printf("%s\n%s\n", other_ca, key);
	must_trust(f, hosts);
	changed = mem_printf("%s\n%s\n", other_ca, stale);
	must_refuse(f, changed, "not the one in known_hosts");
}

static void S34_identities_of_all_kinds(void **state)
{
	Fixture *f = *state;
	serve(f, "by_ed25519");
	autofree char *hosts = authority(f, "ca_ed25519");
	check_identities(f, (Attempt){.known_hosts = hosts, .port = f->port_extra});
	check_sealed_identities(f, (Attempt){.known_hosts = hosts, .port = f->port_extra});
}

/* A flag that lists no certificates leaves the key alone to be judged. */
static void S35_flags(void **state)
{
	Fixture *f = *state;
	serve(f, "by_ed25519");
	autofree char *hosts = authority(f, "ca_ed25519");
	Attempt a = {.identity = "id_ed25519", .known_hosts = hosts, .port = f->port_extra};
	a.hostkeys = "ssh-ed25519-cert-v01@openssh.com";
	a.kex = "ecdh-sha2-nistp256";
	must_work(f, &a);
	a.hostkeys = "rsa-sha2-512-cert-v01@openssh.com";
	must_fail(f, &a, ERR_UNAVAILABLE, "no matching host key type");
	a.hostkeys = "ssh-ed25519";
	must_fail(f, &a, ERR_UNAUTHORIZED, "certificate authority");
	a.hostkeys = NULL;
	a.kex = "no-such-thing";
	must_fail(f, &a, ERR_INVALID, "KexAlgorithms");
}

static void S36_proxies_with_login(void **state)
{
	Fixture *f = *state;
	serve(f, "by_ed25519");
	autofree char *hosts = authority(f, "ca_ed25519");
	check_proxies(
		f,
		(Attempt){.identity = "id_ed25519", .known_hosts = hosts, .port = f->port_extra});
}

static void absent_repository_is_not_found(void **state)
{
	Fixture *f = *state;
	serve(f, "by_ed25519");
	autofree char *hosts = authority(f, "ca_ed25519");
	check_absent_repository(
		f,
		(Attempt){.identity = "id_ed25519", .known_hosts = hosts, .port = f->port_extra});
}

static void S38_timeout_ends_a_silent_server(void **state)
{
	Fixture *f = *state;
	UNUSED autofd int fd = silent_listener(&f->port_extra);
	autofree char *hosts = authority(f, "ca_ed25519");
	must_fail(f,
		  &(Attempt){.identity = "id_ed25519",
			     .known_hosts = hosts,
			     .port = f->port_extra,
			     .timeout_ms = 300},
		  ERR_TIMEOUT, "not done within 300 ms");
	/* Nothing of it runs on, and nothing is left to be reaped. */
	autofree char *left = shell(f->dir, "pgrep -fc -- '[-]p %d -l' || true", f->port_extra);
	assert_string_equal(left, "0");
}

/* Without the program a host is only reached by its key. */
static void S33_without_the_program(void **state)
{
	Fixture *f = *state;
	serve(f, "by_ed25519");
	autofree char *ca = authority(f, "ca_ed25519");
	autofree char *key = known(f, f->port_extra, "ed25519");
	autofree char *both = mem_printf("%s\n%s\n", ca, key);
	autofree char *path = mem_strdup(getenv("PATH"));
	Attempt a = {.identity = "id_ed25519", .port = f->port_extra, .known_hosts = both};
	setenv("PATH", f->dir, 1);
	must_work(f, &a);
	a.known_hosts = ca;
	must_fail(f, &a, ERR_UNSUPPORTED, "OpenSSH's client");
	setenv("PATH", path, 1);
}

static void fetch_of_a_history(void **state)
{
	Fixture *f = *state;
	serve(f, "by_ed25519");
	make_big_repo(f->dir, 40);
	autofree char *hosts = authority(f, "ca_ed25519"), *identity = read_file(f->dir, "enc_rsa");
	autofree char *url =
		mem_printf("ssh://%s@127.0.0.1:%d%s/big.git", f->user, f->port_extra, f->dir);
	autofree char *path = path_join(f->dir, "store");
	autofree char *hash = shell(f->dir, "git -C big.git rev-parse main");
	autoclient Client client = client_open((GitRemoteConfig){.url = url,
								 .ssh_identity = identity,
								 .ssh_passphrase = "pass phrase",
								 .ssh_known_hosts = hosts});
	autoerror Error err = {0};
	autogitstore GitStore *store = git_store_open(path, &err);
	GitFetch what = {.hash = hash, .deep = true};
	uint64_t bytes = 0;
	if (!git_remote_fetch(client.remote, store, &what, &bytes, &err))
		fail_msg("%s", err_text(&err));
	assert_true(bytes > 50000);
	assert_true(git_store_has(store, hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S33_certificates_of_every_type),
		cmocka_unit_test(S33_certificates_that_do_not_count),
		cmocka_unit_test(S33_lines_that_name_an_authority),
		cmocka_unit_test(S33_revoked_authorities_and_keys),
		cmocka_unit_test(S33_keys_beside_an_authority),
		cmocka_unit_test(S33_without_the_program),
		cmocka_unit_test(S34_identities_of_all_kinds),
		cmocka_unit_test(S35_flags),
		cmocka_unit_test(S36_proxies_with_login),
		cmocka_unit_test(S38_timeout_ends_a_silent_server),
		cmocka_unit_test(absent_repository_is_not_found),
		cmocka_unit_test(fetch_of_a_history),
	};
	return cmocka_run_group_tests(tests, set_up, ssh_tear_down);
}
