/* Where a reply may lead: redirects, realms, locations. */
#include "../cmocka_all.h"

#include "base/mem.h"
#include "base/str.h"
#include "oci/registry_internal.h"

static Registry registry_at(const char *host)
{
	return (Registry){.host = mem_strdup(host)};
}

static void S54_redirects(void **state)
{
	(void)state;
	static const struct {
		const char *host, *from, *to;
		bool good;
	} rows[] = {
		{"r.test", "https://r.test/v2/", "https://blobs.test/x", true},
		{"r.test", "https://r.test/v2/", "http://blobs.test/x", false},
		{"r.test", "http://r.test/v2/", "http://blobs.test/x", true},
		{"r.test", "http://r.test/v2/", "https://blobs.test/x", true},
		{"r.test", "https://r.test/v2/", "ftp://blobs.test/x", false},
		{"r.test", "https://r.test/v2/", "https://169.254.169.254/latest", false},
		{"r.test", "http://r.test/v2/", "http://127.0.0.1:8080/", false},
		{"r.test", "http://r.test/v2/", "http://127.1.2.3:8080/", false},
		{"r.test", "https://r.test/v2/", "https://localhost/", false},
		{"r.test", "https://r.test/v2/", "https://[::1]/", false},
		{"r.test", "https://r.test/v2/", "https://[fe80::1]/", false},
		{"r.test", "https://r.test/v2/", "https://[::ffff:127.0.0.1]/", false},
		{"r.test", "https://r.test/v2/", "https://0.0.0.0/", false},
		{"r.test", "https://r.test/v2/", "https://0/", false},
		{"r.test", "https://r.test/v2/", "https://127.1/", false},
		{"r.test", "https://r.test/v2/", "https://2130706433/", false},
		{"r.test", "https://r.test/v2/", "https://0x7f.1/", false},
		{"r.test", "https://r.test/v2/", "https://0177.0.0.1/", false},
		{"r.test", "https://r.test/v2/", "https://127.0.0.1./", false},
		{"r.test", "https://r.test/v2/", "https://LocalHost./", false},
		{"r.test", "https://r.test/v2/", "https://x.LOCALHOST/", false},
		{"r.test", "https://r.test/v2/", "https://127.0.0.%31/", false},
		{"r.test", "https://r.test/v2/", "https://\357\274\22127.0.0.1/", false},
		{"r.test", "https://r.test/v2/", "https://[::127.0.0.1]/", false},
		{"r.test", "https://r.test/v2/", "https://[fe80::1%25lo]/", false},
		{"r.test", "https://r.test/v2/", "https://[2001:db8::1]/", true},
		{"r.test", "https://r.test/v2/", "https://127.example/", true},
		{"r.test", "https://r.test/v2/", "https://10.0.0.1/blob", true},
		{"127.0.0.1:5000", "http://127.0.0.1:5000/v2/", "http://127.0.0.1:9000/", true},
		{"10.0.0.1:5000", "http://10.0.0.1:5000/v2/", "http://169.254.169.254/", false},
		{"10.0.0.1:5000", "http://10.0.0.1:5000/v2/", "http://localhost/", false},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		Registry registry = registry_at(rows[i].host);
		if (url_check_follow(&registry, rows[i].from, rows[i].to, &err) != rows[i].good)
			fail_msg("%s -> %s: %s", rows[i].from, rows[i].to, err_text(&err));
		free(registry.host);
	}
}

/* A reply that holds the secret behind so many bytes, as text or as the protocol's errors. */
static void expect_hidden(const Registry *registry, const char *secret, size_t before, bool plain)
{
	autoerror Error err = {0};
	autohttpresponse HttpResponse reply = {.status = 403};
	buf_puts(&reply.body, plain ? "" : "{\"errors\":[{\"code\":\"X\",\"message\":\"");
	while (before--)
		buf_putc(&reply.body, '.');
	buf_printf(&reply.body, "%s%s", secret, plain ? "" : "\"}]}");
	registry_reply_fail(registry, "GET", "https://r.test/", &reply, &err);
	autofree char *beginning = mem_strndup(secret, 5);
	if (strstr(err_text(&err), beginning) || !strstr(err_text(&err), "***"))
		fail_msg("%s", err_text(&err));
}

static void S54_what_was_sent_is_not_told(void **state)
{
	(void)state;
	enum { CUT = 500 };
	static const char *const secrets[] = {"hunter2-hunter2",
					      "YW5uOmh1bnRlcjItaHVudGVyMg==", "shown-token",
					      "cHg6cHJveHktcHc=", "proxy-pw"};
	const Registry registry = {
		.auth = {.username = (char[]){"ann"}, .password = (char[]){"hunter2-hunter2"}},
		.token = (char[]){"shown-token"},
		.proxy_user = (char[]){"px"},
		.proxy_password = (char[]){"proxy-pw"}};
	for (size_t i = 0; i < COUNT(secrets); i++) {
		expect_hidden(&registry, secrets[i], 0, true);
		expect_hidden(&registry, secrets[i], 0, false);
		expect_hidden(&registry, secrets[i], CUT - 6, true);
		expect_hidden(&registry, secrets[i], CUT - 6, false);
	}
}

static void S54_realms(void **state)
{
	(void)state;
	static const struct {
		const char *host, *scheme, *realm;
		bool good;
	} rows[] = {
		{"r.test", "https", "https://auth.test/token", true},
		{"r.test", "https", "http://auth.test/token", false},
		{"r.test", "http", "http://auth.test/token", true},
		{"r.test", "http", "gopher://auth.test/", false},
		{"r.test", "https", "https://169.254.169.254/", false},
		{"r.test", "https", "https://[fd00:ec2::254]/", false},
		{"r.test", "https", "https://192.168.1.1/", false},
		{"192.168.1.1:5000", "https", "https://192.168.1.1:5000/token", true},
		{"192.168.1.1:5000", "https", "https://192.168.1.1:5001/token", false},
		{"127.0.0.1:5000", "https", "https://localhost:5001/token", true},
		{"r.test", "https", "https://localhost:5001/token", false},
		{"r.test", "https", "https://3232235777/", false},
		{"r.test", "https", "junk", false},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		Registry registry = registry_at(rows[i].host);
		if (url_check_realm(&registry, rows[i].scheme, rows[i].realm, &err) != rows[i].good)
			fail_msg("%s: %s: %s", rows[i].host, rows[i].realm, err_text(&err));
		free(registry.host);
	}
}

static void locations_are_resolved(void **state)
{
	(void)state;
	static const struct {
		const char *base, *location, *result; /* NULL: refused */
	} rows[] = {
		{"https://r.test/v2/a?x=1", "/v2/b?y=2", "https://r.test/v2/b?y=2"},
		{"https://r.test/v2/a", "b", "https://r.test/v2/b"},
		{"https://r.test/v2/a?u=/x/", "b", "https://r.test/v2/b"},
		{"https://r.test", "b", "https://r.test/b"},
		{"https://r.test?x", "/b", "https://r.test/b"},
		{"https://r.test/v2/a?x=1", "?n=2", "https://r.test/v2/a?n=2"},
		{"https://r.test/a", "//other.test/b", "https://other.test/b"},
		{"https://r.test/a", "http://o.test/b", "http://o.test/b"},
		{"https://r.test/a", "https://bad host/", NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autofree char *got = url_resolve(rows[i].base, rows[i].location, &err);
		if (!cstr_eq(got, rows[i].result))
			fail_msg("%s + %s: %s", rows[i].base, rows[i].location, got ? got : "NULL");
	}
}

static void S54_origins(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"https://r.test/x", "https://R.test:443/y", true},
		{"http://r.test/x", "http://r.test:80/y", true},
		{"https://r.test/x", "http://r.test:443/x", false},
		{"https://r.test", "https://r.test:444", false},
		{"https://r.test", "https://r.test.evil.test", false},
		{"https://r.test", "https://evil@r.test", true},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (url_same_origin(rows[i].a, rows[i].b) != rows[i].same)
			fail_msg("%s %s", rows[i].a, rows[i].b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S54_redirects), cmocka_unit_test(S54_what_was_sent_is_not_told),
		cmocka_unit_test(S54_realms),	 cmocka_unit_test(locations_are_resolved),
		cmocka_unit_test(S54_origins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
