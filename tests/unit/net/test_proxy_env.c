/* The proxies that the environment names. Where requests go then: test_httpc.c. */
#include "../cmocka_all.h"

#include <stdlib.h>

#include "base/mem.h"
#include "net/proxy_env.h"

static const char *const names[] = {"HTTP_PROXY",  "http_proxy", "HTTPS_PROXY",
				    "https_proxy", "NO_PROXY",	 "no_proxy",
				    "ALL_PROXY",   "all_proxy",	 "REQUEST_METHOD"};
#define SELF "localhost,127.0.0.0/8,::1"

static int clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		unsetenv(names[i]);
	return 0;
}

static void test_names_and_forms(void **state)
{
	static const struct {
		const char *name, *value, *settled, *want;
	} rows[] = {
		{"HTTP_PROXY", "http://a:1", "http_proxy", "http://a:1"},
		{"HTTP_PROXY", "http://a:1", "https_proxy", NULL},
		{"HTTPS_PROXY", "a:1", "https_proxy", "a:1"},
		{"HTTPS_PROXY", "", "https_proxy", NULL},
		{"http_proxy", "socks5://u:p@a:1", "http_proxy", "socks5h://u:p@a:1"},
		{"ALL_PROXY", "http://a:1", "http_proxy", NULL},
		{NULL, NULL, "no_proxy", SELF},
		{"NO_PROXY", "a.test", "no_proxy", "a.test," SELF},
		{"no_proxy", " a.test , *.b.test,10.0.0.0/8 ", "no_proxy",
		 "a.test,.b.test,10.0.0.0/8," SELF},
		{"NO_PROXY", "a.test, * ", "no_proxy", "*"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		clear(state);
		if (rows[i].name)
			setenv(rows[i].name, rows[i].value, 1);
		proxy_env_settle();
		const char *got = getenv(rows[i].settled);
		assert_string_equal(got ? got : "none", rows[i].want ? rows[i].want : "none");
	}
}

static void test_capitals_come_first(void **state)
{
	(void)state;
	setenv("HTTP_PROXY", "http://a:1", 1);
	setenv("http_proxy", "http://b:1", 1);
	setenv("NO_PROXY", "a.test", 1);
	setenv("no_proxy", "b.test", 1);
	proxy_env_settle();
	assert_string_equal(getenv("http_proxy"), "http://a:1");
	assert_string_equal(getenv("no_proxy"), "a.test," SELF);
}

/* There, HTTP_PROXY is a client's header "Proxy". */
static void test_a_header_of_cgi_is_no_proxy(void **state)
{
	(void)state;
	setenv("REQUEST_METHOD", "GET", 1);
	setenv("HTTP_PROXY", "http://a:1", 1);
	proxy_env_settle();
	assert_null(getenv("http_proxy"));
}

/* golang.org/x/net/http/httpproxy: an entry with a port counts for that port alone. */
static void test_entries_with_ports(void **state)
{
	static const struct {
		const char *list, *url, *want;
	} rows[] = {
		{"a.test,b.test", "http://a.test/", NULL},
		{"a.test:8080,b.test", "http://a.test:8080/", "a.test,b.test," SELF ","},
		{"a.test:8080,b.test", "http://a.test/", "b.test," SELF ","},
		{"a.test:443", "https://a.test/x", "a.test," SELF ","},
		{"*.a.test:80", "http://x.a.test/", ".a.test," SELF ","},
		{"[2001:db8::1]:80", "http://[2001:db8::1]/", "2001:db8::1," SELF ","},
		{"[2001:db8::1]:81", "http://[2001:db8::1]/", SELF ","},
		{"2001:db8::1", "http://[2001:db8::1]/", NULL},
		{":80,a.test", "http://a.test/", "a.test," SELF ","},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		clear(state);
		setenv("NO_PROXY", rows[i].list, 1);
		proxy_env_settle();
		autofree char *got = proxy_env_exempt(rows[i].url);
		assert_string_equal(got ? got : "none", rows[i].want ? rows[i].want : "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_names_and_forms, clear),
		cmocka_unit_test_setup(test_capitals_come_first, clear),
		cmocka_unit_test_setup(test_a_header_of_cgi_is_no_proxy, clear),
		cmocka_unit_test_setup(test_entries_with_ports, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
