/* Redirects into internal addresses: literal, and by a name that resolves to one. */
#include "../cmocka_all.h"

#include "httpc_fixture.h"
#include "net/address.h"
#include "test_names.h"

static void what_leads_elsewhere(void **state)
{
	static const struct {
		const char *named_by, *url;
		bool elsewhere;
	} rows[] = {
		{NULL, "http://b.test/", false},
		{"a.test", "http://b.test/", true},
		{"a.test", "https://A.test:81/x", false},
		{"127.0.0.1", "http://b.test/", false},
		{"a.test", "no URL", true},
		{NULL, "no URL", false},
		{"a.test", "http://a.test@b.test/", true},
		{"", "http://b.test/", true},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(address_leads_elsewhere(rows[i].named_by, rows[i].url),
				 rows[i].elsewhere);
}

static char *lead(const Fixture *f, const char *from, const char *to)
{
	int port = httpd_port(f->httpd);
	return mem_printf("http://%s:%d/redirect?to=http://%s:%d/end", from, port, to, port);
}

static void expect(Fixture *f, const HttpRequest *request, ErrorCode code)
{
	autohttpresponse HttpResponse reply = {0};
	autoerror Error err = {0};
	bool ok = httpc_do(f->client, request, &reply, &err);
	if (ok != (code == ERR_NONE) || err.code != code)
		fail_msg("%s: %d %s", request->url, reply.status, err_text(&err));
	if (code == ERR_FORBIDDEN)
		assert_non_null(strstr(err_text(&err), "internal address"));
	if (ok)
		assert_non_null(strstr(reply.body.ptr, "GET /end"));
}

static void redirects_lead_nowhere_inside(void **state)
{
	Fixture *f = *state;
	static const struct {
		const char *from, *to;
		bool good;
	} rows[] = {
		{"public.test", "inside.test", false}, /* by what the name resolves to */
		{"public.test", "127.0.0.1", false},   {"public.test", "localhost", false},
		{"public.test", "127.1", false},       {"public.test", "[::1]", false},
		{"public.test", "public.test", true}, /* asked for by name */
		{"127.0.0.1", "inside.test", true},   /* from inside */
		{"localhost", "127.0.0.1", true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *url = lead(f, rows[i].from, rows[i].to);
		const HttpRequest request = {.url = url, .follow_redirects = true};
		expect(f, &request, rows[i].good ? ERR_NONE : ERR_FORBIDDEN);
	}
}

/* A connection that somebody else's request has made is no way in. */
static void nor_over_a_connection_that_is_there(void **state)
{
	Fixture *f = *state;
	autofree char *own = mem_printf("http://inside.test:%d/end", httpd_port(f->httpd));
	expect(f, &(HttpRequest){.url = own}, ERR_NONE);
	autofree char *led = lead(f, "public.test", "inside.test");
	expect(f, &(HttpRequest){.url = led, .follow_redirects = true}, ERR_FORBIDDEN);
	expect(f, &(HttpRequest){.url = own, .no_internal = true}, ERR_FORBIDDEN);
	expect(f, &(HttpRequest){.url = own}, ERR_NONE);
}

/* Not a byte goes there, not even a connection. */
static void nothing_connects(void **state)
{
	Fixture *f = *state;
	RawServer inside;
	raw_start(&inside, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false);
	autofree char *url = mem_printf("http://public.test:%d/redirect?to=http://inside.test:%d/",
					httpd_port(f->httpd), inside.port);
	expect(f, &(HttpRequest){.url = url, .follow_redirects = true}, ERR_FORBIDDEN);
	raw_stop(&inside);
	assert_int_equal(inside.accepted, 0);
}

static void ask_by_proxy(Fixture *f, const HttpClientConfig *config, ErrorCode code)
{
	autoerror Error err = {0};
	HttpClient *own = f->client;
	autohttpc HttpClient *client = httpc_new(f->loop, config, &err);
	f->client = client;
	expect(f, &(HttpRequest){.url = "http://public.test/x", .follow_redirects = true}, code);
	f->client = own;
}

/* A proxy may be beside us; what a name is behind it is the proxy's to guard: followed to where the
 * redirects end. */
static void a_proxy_may_be_inside(void **state)
{
	static const char *const places[] = {"inside.test", "127.0.0.1"};
	for (size_t i = 0; i < COUNT(places); i++) {
		RawServer server;
		autofree char *reply = mem_printf("HTTP/1.1 302 F\r\nLocation: http://%s/x\r\n"
						  "Connection: close\r\nContent-Length: 0\r\n\r\n",
						  places[i]);
		raw_start(&server, reply, false);
		autofree char *proxy = mem_printf("http://127.0.0.1:%d", server.port);
		ErrorCode code = i ? ERR_FORBIDDEN : ERR_LIMIT;
		ask_by_proxy(*state, &(HttpClientConfig){.proxy = proxy}, code);
		setenv("http_proxy", proxy + strlen("http://"), 1);
		ask_by_proxy(*state, &(HttpClientConfig){.env_proxy = true}, code);
		unsetenv("http_proxy");
		raw_stop(&server);
	}
}

/* What a link names is all that can be seen of it where a proxy goes there. */
static void nor_do_links_by_a_proxy(void **state)
{
	static const struct {
		const char *host;
		ErrorCode code;
	} rows[] = {
		{"127.0.0.1:1", ERR_FORBIDDEN}, {"169.254.169.254", ERR_FORBIDDEN},
		{"localhost", ERR_FORBIDDEN},	{"10.0.0.1", ERR_NONE},
		{"public.test", ERR_NONE},
	};
	const Fixture *f = *state;
	autoerror Error err = {0};
	autofree char *proxy = mem_printf("http://127.0.0.1:%d", httpd_port(f->httpd));
	autohttpc HttpClient *client =
		httpc_new(f->loop, &(HttpClientConfig){.proxy = proxy}, &err);
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *url = mem_printf("http://%s/end", rows[i].host);
		autohttpresponse HttpResponse reply = {0};
		autoerror Error said = {0};
		const HttpRequest request = {.url = url, .no_internal = true};
		assert_int_equal(httpc_do(client, &request, &reply, &said),
				 rows[i].code == ERR_NONE);
		assert_int_equal(said.code, rows[i].code);
	}
}

static void kinds_of_hosts(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		AddressKind kind;
	} rows[] = {
		{"example.test", ADDRESS_PUBLIC},
		{"127.example", ADDRESS_PUBLIC},
		{"192.0.2.1", ADDRESS_PUBLIC},
		{"10.1.2.3", ADDRESS_PRIVATE},
		{"172.16.0.1", ADDRESS_PRIVATE},
		{"192.168.0.1", ADDRESS_PRIVATE},
		{"fd00::1", ADDRESS_PRIVATE},
		{"fd00:ec2::254", ADDRESS_INTERNAL},
		{"169.254.169.254", ADDRESS_INTERNAL},
		{"100.100.100.200", ADDRESS_INTERNAL},
		{"0.0.0.1", ADDRESS_INTERNAL},
		{"255.255.255.255", ADDRESS_INTERNAL},
		{"64:ff9b::7f00:1", ADDRESS_INTERNAL},
		{"64:ff9b::a00:1", ADDRESS_PRIVATE},
		{"::ffff:10.0.0.1", ADDRESS_PRIVATE},
		{"LOCALHOST.", ADDRESS_INTERNAL},
		{"a.localhost", ADDRESS_INTERNAL},
		{"notlocalhost", ADDRESS_PUBLIC},
		{"%31", ADDRESS_INTERNAL},
		{"2001:db8::1", ADDRESS_PUBLIC},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (address_kind_of_host(rows[i].host) != rows[i].kind)
			fail_msg("%s", rows[i].host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(redirects_lead_nowhere_inside),
		WITH_SERVER(nor_over_a_connection_that_is_there),
		WITH_SERVER(nothing_connects),
		WITH_SERVER(a_proxy_may_be_inside),
		WITH_SERVER(nor_do_links_by_a_proxy),
		cmocka_unit_test(kinds_of_hosts),
		cmocka_unit_test(what_leads_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
