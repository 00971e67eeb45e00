/* known_hosts: OpenSSH's own lines, and tables. */
#include "../cmocka_all.h"

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/base64.h"
#include "fixture.h"
#include "git/known_hosts.h"

/* Keys in wire form are only compared: type and some bytes. */
static char *key_text(const char *type, char fill)
{
	autobuf Buf key = {0};
	char head[4] = {0, 0, 0, (char)strlen(type)};
	buf_append(&key, head, 4);
	buf_puts(&key, type);
	for (int i = 0; i < 32; i++)
		buf_putc(&key, fill);
	return base64_encode(key.ptr, key.len);
}

static KnownHosts *parse(const char *text)
{
	autoerror Error err = {0};
	KnownHosts *hosts = known_hosts_parse(text, &err);
	if (!hosts)
		fail_msg("%s: %s", text, err_text(&err));
	return hosts;
}

static KnownHostVerdict check(const KnownHosts *hosts, const char *host, int port, char fill)
{
	autoerror Error err = {0};
	autofree char *text = key_text("ssh-ed25519", fill);
	autobuf Buf key = {0};
	assert_true(base64_decode(text, strlen(text), &key, &err));
	return known_hosts_check(hosts, host, port, key.ptr, key.len);
}

static void S33_patterns(void **state)
{
	(void)state;
	static const struct {
		const char *patterns, *host;
		int port;
		bool matches;
	} rows[] = {
		{"example.org", "example.org", 22, true},
		{"example.org", "EXAMPLE.org", 22, true},
		{"Example.ORG", "example.org", 22, true},
		{"example.org", "example.org", 2222, false},
		{"[example.org]:2222", "example.org", 2222, true},
		{"[example.org]:2222", "example.org", 22, false},
		{"[example.org]:22", "example.org", 22, true},
		{"[example.org]:x", "example.org", 22, false},
		{"a,example.org,b", "example.org", 22, true},
		{"*.example.org", "git.example.org", 22, true},
		{"*.example.org", "example.org", 22, false},
		{"*.example.org,!evil.example.org", "evil.example.org", 22, false},
		{"!evil.example.org,*.example.org", "evil.example.org", 22, false},
		{"*.example.org,!evil.example.org", "good.example.org", 22, true},
		{"!other", "example.org", 22, false},
		{"git?.example.org", "git1.example.org", 22, true},
		{"git?.example.org", "git12.example.org", 22, false},
		{"*", "anything", 22, true},
		{"[*]:2222", "anything", 2222, true},
		{"a*b*c", "aXXbYYbZc", 22, true},
		{"a*b*c", "aXXbYYbZ", 22, false},
		{"::1", "::1", 22, true},
		{"[::1]:2222", "::1", 2222, true},
		{"127.0.0.1", "127.0.0.1", 22, true},
	};
	autofree char *key = key_text("ssh-ed25519", 'k');
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *text = mem_printf("%s ssh-ed25519 %s", rows[i].patterns, key);
		autoknownhosts KnownHosts *hosts = parse(text);
		KnownHostVerdict verdict = check(hosts, rows[i].host, rows[i].port, 'k');
		KnownHostVerdict want = rows[i].matches ? KNOWN_HOST_OK : KNOWN_HOST_UNKNOWN;
		if (verdict != want)
			fail_msg("%s on %s:%d", rows[i].patterns, rows[i].host, rows[i].port);
	}
}

static void S33_verdicts(void **state)
{
	(void)state;
	autofree char *a = key_text("ssh-ed25519", 'a'), *b = key_text("ssh-ed25519", 'b'),
		      *r = key_text("ssh-ed25519", 'r');
	autofree char *text = mem_printf("# comment\n\n"
					 "host ssh-ed25519 %s a comment\r\n"
					 "host\tssh-ed25519\t%s\n"
					 "@revoked * ssh-ed25519 %s\n"
					 "host ssh-ed25519 %s\n"
					 "@cert-authority *.ca ssh-ed25519 %s\n"
					 "   indented ssh-ed25519 %s\n",
					 a, b, r, r, a, a);
	autoknownhosts KnownHosts *hosts = parse(text);
	assert_int_equal(check(hosts, "host", 22, 'a'), KNOWN_HOST_OK);
	assert_int_equal(check(hosts, "host", 22, 'b'), KNOWN_HOST_OK);
	assert_int_equal(check(hosts, "host", 22, 'c'), KNOWN_HOST_CHANGED);
	assert_int_equal(check(hosts, "host", 22, 'r'), KNOWN_HOST_REVOKED);
	assert_int_equal(check(hosts, "elsewhere", 22, 'r'), KNOWN_HOST_REVOKED);
	assert_int_equal(check(hosts, "elsewhere", 22, 'a'), KNOWN_HOST_UNKNOWN);
	/* An authority's own key is no host key. */
	assert_int_equal(check(hosts, "x.ca", 22, 'a'), KNOWN_HOST_AUTHORITY);
	assert_int_equal(check(hosts, "indented", 22, 'a'), KNOWN_HOST_OK);
}

static void S33_hashed_by_ssh_keygen(void **state)
{
	(void)state;
	autotempdir char *dir = temp_dir();
	/* ssh-keygen -H wants real keys. */
	free(shell(dir, "ssh-keygen -q -t ed25519 -N '' -f k && k=$(cut -d' ' -f1,2 k.pub) &&"
			"printf '%%s\\n' \"git.example.org $k\" \"[other.org]:2222 $k\" > kh &&"
			"ssh-keygen -q -H -f kh 2>/dev/null"));
	autofree char *text = read_file(dir, "kh"), *pub = read_file(dir, "k.pub");
	assert_null(strstr(text, "example"));
	autoknownhosts KnownHosts *hosts = parse(text);
	Str type, rest, base64, comment;
	str_cut(str_of(pub), ' ', &type, &rest);
	str_cut(rest, ' ', &base64, &comment);
	autobuf Buf key = {0};
	autoerror Error err = {0};
	assert_true(base64_decode(base64.ptr, base64.len, &key, &err));
	static const struct {
		const char *host;
		int port;
		KnownHostVerdict verdict;
	} rows[] = {
		{"git.example.org", 22, KNOWN_HOST_OK},
		{"Git.Example.org", 22, KNOWN_HOST_OK},
		{"git.example.org", 2222, KNOWN_HOST_UNKNOWN},
		{"other.org", 2222, KNOWN_HOST_OK},
		{"other.org", 22, KNOWN_HOST_UNKNOWN},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(
			known_hosts_check(hosts, rows[i].host, rows[i].port, key.ptr, key.len),
			rows[i].verdict);
	assert_int_equal(check(hosts, "git.example.org", 22, 'a'), KNOWN_HOST_CHANGED);
}

static void S33_what_counts_for_one_host(void **state)
{
	(void)state;
	autofree char *a = key_text("ssh-ed25519", 'a'), *b = key_text("ssh-ed25519", 'b'),
		      *r = key_text("ssh-ed25519", 'r');
	autofree char *text = mem_printf("[Host]:2222 ssh-ed25519 %s\n"
					 "host ssh-ed25519 %s\n"
					 "@revoked elsewhere ssh-ed25519 %s\n"
					 "@cert-authority *.ca,!no.ca ssh-ed25519 %s\n",
					 a, b, r, b);
	autofree char *plain = mem_printf("* ssh-ed25519 %s\n@revoked * ssh-ed25519 %s\n", a, r);
	autofree char *authority =
		mem_printf("@revoked * ssh-ed25519 %s\n@cert-authority * ssh-ed25519 %s\n", r, b);
	autoknownhosts KnownHosts *hosts = parse(text);
	autofree char *first = known_hosts_for(hosts, "HOST", 2222);
	autofree char *second = known_hosts_for(hosts, "x.ca", 22);
	assert_string_equal(first, plain);
	assert_string_equal(second, authority);
	assert_true(known_hosts_has_authority(hosts, "x.ca", 22));
	assert_false(known_hosts_has_authority(hosts, "no.ca", 22));
	assert_false(known_hosts_has_authority(hosts, "x.ca", 2222));
	assert_false(known_hosts_has_authority(hosts, "host", 22));
	assert_true(known_hosts_has_key(hosts, "host", 22));
	assert_false(known_hosts_has_key(hosts, "x.ca", 22));
}

static void bad_lines_are_named(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"host",
		"host ssh-ed25519",
		"host ssh-ed25519 !!!!",
		"host ssh-ed25519 AAAA",
		"@strange host ssh-ed25519 AAAA",
		"@revoked",
		"|1|x ssh-ed25519 AAAA",
		"|1|AAAA|AAAA ssh-ed25519 AAAA",
		"|2|AAAA|AAAA ssh-ed25519 AAAA",
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error err = {0};
		autofree char *text = mem_printf("# one\n%s\n", bad[i]);
		assert_null(known_hosts_parse(text, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.message, "line 2"));
	}
	/* The type in words and the type in the key must agree. */
	autofree char *key = key_text("ssh-rsa", 'x');
	autofree char *text = mem_printf("host ssh-ed25519 %s", key);
	autoerror Error err = {0};
	assert_null(known_hosts_parse(text, &err));
}

static void S35_algorithms_follow_the_known_keys(void **state)
{
	(void)state;
	autofree char *rsa = key_text("ssh-rsa", 'x'), *ed = key_text("ssh-ed25519", 'x'),
		      *ec = key_text("ecdsa-sha2-nistp256", 'x');
	autofree char *text = mem_printf("old ssh-rsa %s\n"
					 "new ssh-ed25519 %s\nnew ecdsa-sha2-nistp256 %s\n"
					 "@cert-authority new ssh-rsa %s\n",
					 rsa, ed, ec, rsa);
	autoknownhosts KnownHosts *hosts = parse(text), *none = parse("");
	autofree char *old = known_hosts_algorithms(hosts, "old", 22);
	autofree char *new = known_hosts_algorithms(hosts, "NEW", 22);
	autofree char *any = known_hosts_algorithms(hosts, "absent", 22);
	assert_string_equal(old, "rsa-sha2-512,rsa-sha2-256,ssh-rsa");
	assert_string_equal(new, "ssh-ed25519,ecdsa-sha2-nistp256");
	assert_string_equal(any, "rsa-sha2-512,rsa-sha2-256,ssh-rsa,ssh-ed25519,"
				 "ecdsa-sha2-nistp256");
	assert_null(known_hosts_algorithms(none, "x", 22));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S33_patterns),
		cmocka_unit_test(S33_verdicts),
		cmocka_unit_test(S33_hashed_by_ssh_keygen),
		cmocka_unit_test(S33_what_counts_for_one_host),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(S35_algorithms_follow_the_known_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
