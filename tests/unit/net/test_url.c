#include "../cmocka_all.h"

#include "base/mem.h"
#include "base/str.h"
#include "net/retry.h"
#include "net/url.h"

typedef struct {
	const char *text, *scheme, *user, *password, *host, *path, *query;
	int port;
} Good;

static const Good good[] = {
	{"https://example.com", "https", NULL, NULL, "example.com", "", NULL, 0},
	{"HTTP://h:80/", "http", NULL, NULL, "h", "/", NULL, 80},
	{"ssh://git@host:22/a/b.git", "ssh", "git", NULL, "host", "/a/b.git", NULL, 22},
	{"https://u:p%40ss@h/x?y=1&z#frag", "https", "u", "p@ss", "h", "/x", "y=1&z", 0},
	{"https://u:@h?q", "https", "u", "", "h", "", "q", 0},
	{"https://a@b@h/", "https", "a@b", NULL, "h", "/", NULL, 0},
	{"http://[::1]:8080/p", "http", NULL, NULL, "::1", "/p", NULL, 8080},
	{"http://h:/p", "http", NULL, NULL, "h", "/p", NULL, 0},
	{"oci://ghcr.io/a/b", "oci", NULL, NULL, "ghcr.io", "/a/b", NULL, 0},
	{"http://svc.ns.svc.cluster.local./x", "http", NULL, NULL, "svc.ns.svc.cluster.local.",
	 "/x", NULL, 0},
};

static void parses_into_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		autourl Url url = {0};
		autoerror Error err = {0};
		assert_true(url_parse(good[i].text, &url, &err));
		assert_string_equal(url.scheme, good[i].scheme);
		assert_true(cstr_eq(url.user, good[i].user));
		assert_true(cstr_eq(url.password, good[i].password));
		assert_string_equal(url.host, good[i].host);
		assert_int_equal(url.port, good[i].port);
		assert_string_equal(url.path, good[i].path);
		assert_true(cstr_eq(url.query, good[i].query));
	}
}

static void refuses_what_is_no_url(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"example.com",
		"/path",
		"://h",
		"1http://h",
		"http://",
		"http:///p",
		"http://h:0/",
		"http://h:x/",
		"http://h:65536",
		"http://h:-1",
		"http://[::1",
		"http://[::1]x",
		"http://h h/",
		"http://h/\n",
		"http://h/\x01",
		"http://%zz@h/",
		"http://u%00@h/",
		"http://a,b/",
		"git@host:path",
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		Url url = {.port = 77};
		autoerror Error err = {0};
		if (url_parse(bad[i], &url, &err))
			fail_msg("accepted \"%s\"", bad[i]);
		assert_int_equal(err.code, ERR_INVALID);
		assert_int_equal(url.port, 77);
	}
	autofree char *big = mem_alloc(70000);
	memset(big, 'a', 69999);
	big[69999] = '\0';
	Url url = {0};
	autoerror Error err = {0};
	assert_false(url_parse(big, &url, &err));
	assert_true(strlen(err_text(&err)) < 100);
}

static void errors_hide_the_password(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"https://user:sec/ret@host/x",	 "https://user:secret@ho st/x",
		"https://user:secret@host:bad",	 "user:secret@host",
		"https://host/a b?token=secret", "https://user:sec?ret@h",
		"https://user:12/secret@h",
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autofree char *shown = url_redacted(bad[i]);
		assert_null(strstr(shown, "secret"));
		assert_null(strstr(shown, "sec/"));
		assert_null(strstr(shown, "user"));
	}
}

static void redacts(void **state)
{
	(void)state;
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{"https://u:p@h:1/x?a=1&b=2&c&d=", "https://h:1/x?a=***&b=***&c&d="},
		{"https://h/@scope/pkg", "https://h/@scope/pkg"},
		{"https://h:443/@scope/pkg", "https://***"}, /* may be a cut password */
		{"git@github.com:a/b", "github.com:a/b"},
		{"http://h/a\nb", "http://h/a?b"},
		{"", ""},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *shown = url_redacted(rows[i].text);
		assert_string_equal(shown, rows[i].shown);
	}
}

static void text_is_the_url_again(void **state)
{
	(void)state;
	static const struct {
		const char *text, *full, *redacted;
	} rows[] = {
		{"https://u:p%40@h:1/x?q=1#f", "https://u:p%40@h:1/x?q=1", "https://h:1/x?q=1"},
		{"http://[fe80::1]/", "http://[fe80::1]/", "http://[fe80::1]/"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autourl Url url = {0};
		autoerror Error err = {0};
		assert_true(url_parse(rows[i].text, &url, &err));
		autofree char *full = url_text(&url, false);
		autofree char *redacted = url_text(&url, true);
		assert_string_equal(full, rows[i].full);
		assert_string_equal(redacted, rows[i].redacted);
	}
}

static void escapes(void **state)
{
	(void)state;
	autofree char *all = url_escape("a/b c+\xc3\xa9~-._", false);
	assert_string_equal(all, "a%2Fb%20c%2B%C3%A9~-._");
	autofree char *path = url_escape("a/b c", true);
	assert_string_equal(path, "a/b%20c");
	autofree char *plain = url_unescape("a%2fb+c%41", false);
	assert_string_equal(plain, "a/b+cA");
	autofree char *form = url_unescape("a+b", true);
	assert_string_equal(form, "a b");
	static const char *const bad[] = {"%", "%4", "%zz", "a%0", "%00", "x%4g"};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_null(url_unescape(bad[i], false));
}

static void retry_grows_to_its_cap(void **state)
{
	(void)state;
	RetryPolicy policy = {.max_tries = 5, .base_ms = 800, .max_ms = 30000};
	static const int64_t waits[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
	for (int i = 0; i < 8; i++)
		assert_int_equal(retry_wait_ms(&policy, i + 1, NULL), waits[i]);
	assert_int_equal(retry_wait_ms(&policy, 2000000000, NULL), 30000);
	policy.factor = 1;
	assert_int_equal(retry_wait_ms(&policy, 9, NULL), 800);
	policy.jitter = 1;
	bool varied = false;
	for (int i = 0; i < 100; i++) {
		int64_t wait = retry_wait_ms(&policy, 1, NULL);
		assert_in_range(wait, 800, 1600);
		varied = varied || wait != 800;
	}
	assert_true(varied);
}

static void retry_after_is_the_least(void **state)
{
	(void)state;
	RetryPolicy policy = {.base_ms = 100, .max_ms = 1000};
	Error err = {.code = ERR_TOO_MANY, .retry_after_ms = 5000};
	assert_int_equal(retry_wait_ms(&policy, 1, &err), 5000);
	err.retry_after_ms = 50;
	assert_int_equal(retry_wait_ms(&policy, 1, &err), 100);
}

static void retry_is_for_what_may_pass(void **state)
{
	(void)state;
	for (ErrorCode code = ERR_INTERNAL; code <= ERR_IO; code++) {
		Error err = {.code = code};
		bool worth = code == ERR_UNAVAILABLE || code == ERR_TIMEOUT || code == ERR_TOO_MANY;
		assert_int_equal(retry_is_worth_it(&err), worth);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_into_parts),
		cmocka_unit_test(refuses_what_is_no_url),
		cmocka_unit_test(errors_hide_the_password),
		cmocka_unit_test(redacts),
		cmocka_unit_test(text_is_the_url_again),
		cmocka_unit_test(escapes),
		cmocka_unit_test(retry_grows_to_its_cap),
		cmocka_unit_test(retry_after_is_the_least),
		cmocka_unit_test(retry_is_for_what_may_pass),
	};
	return cmocka_run_group_tests_name("net/url", tests, NULL, NULL);
}
