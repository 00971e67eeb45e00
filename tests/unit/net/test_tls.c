#include "../cmocka_all.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../ports.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/httpc.h"
#include "net/httpd.h"
#include "pki.h"
#include "raw_server.h"

typedef struct {
	char *dir;
	pid_t pid;
	int port;
} Nginx;

typedef struct {
	Loop *loop;
	Httpd *httpd;
	char *url;
	Nginx nginx;
	Identity ca, other_ca, server, named, client, stranger;
} Fixture;

static void serve(void *arg, HttpdRequest *request)
{
	(void)arg;
	const HttpdClient *client = httpd_client(request);
	autobuf Buf text = {0};
	buf_puts(&text, !client ? "nobody" : client->refused ? "refused" : client->name);
	for (size_t i = 0; client && i < client->organizations.len; i++)
		buf_printf(&text, "|%s", (char *)client->organizations.items[i]);
	httpd_reply(request, 200, NULL, text.ptr, text.len);
}

static Httpd *start_server(const Identity *server, const Identity *ca, Error *err)
{
	HttpdConfig config = {.address = "127.0.0.1:0",
			      .handler = serve,
			      .cert_pem = server->cert_pem,
			      .key_pem = server->key_pem,
			      .client_ca_pem = ca->cert_pem};
	return httpd_start(&config, err);
}

static int set_up(void **state)
{
	static const char *const ca[] = {"CN", "ca", NULL}, *const other[] = {"CN", "other", NULL},
				 *const server[] = {"CN", "server", NULL},
				 *const client[] = {"O",  "system:masters", "O", "a+b",
						    "CN", "admin,O=x",	    NULL};
	autoerror Error err = {0};
	Fixture *f = mem_zalloc(1, sizeof(*f));
	f->ca = pki_make(NULL, ca, NULL);
	f->other_ca = pki_make(NULL, other, NULL);
	f->server = pki_make(&f->ca, server, "IP:127.0.0.1,DNS:localhost");
	f->named = pki_make(&f->ca, server, "DNS:api.example");
	f->client = pki_make(&f->ca, client, NULL);
	/* Of the CA's name but not its key: a client withholds what names no CA that is asked for.
	 */
	Identity fake_ca = pki_make(NULL, ca, NULL);
	f->stranger = pki_make(&fake_ca, client, NULL);
	pki_dispose(&fake_ca);
	f->loop = loop_new(&err);
	f->httpd = start_server(&f->server, &f->ca, &err);
	f->url = mem_printf("https://127.0.0.1:%d/", httpd_port(f->httpd));
	*state = f;
	return err_is_set(&err);
}

static void nginx_stop(Nginx *nginx)
{
	if (nginx->pid <= 0)
		return;
	kill(nginx->pid, SIGTERM);
	waitpid(nginx->pid, NULL, 0);
	dir_auto_remove(&nginx->dir);
}

static int tear_down(void **state)
{
	Fixture *f = *state;
	nginx_stop(&f->nginx); /* here, so that a failed test leaves none behind */
	httpd_stop(f->httpd, 1000);
	loop_free(f->loop);
	Identity *all[] = {&f->ca, &f->other_ca, &f->server, &f->named, &f->client, &f->stranger};
	for (size_t i = 0; i < COUNT(all); i++)
		pki_dispose(all[i]);
	free(f->url);
	free(f);
	return 0;
}

/* The reply's text, or NULL with err. */
static char *get(Loop *loop, const HttpClientConfig *config, const char *url, Error *err)
{
	autohttpresponse HttpResponse reply = {0};
	autohttpc HttpClient *client = httpc_new(loop, config, err);
	if (!client ||
	    !httpc_do(client, &(HttpRequest){.url = url, .timeout_ms = 10000}, &reply, err))
		return NULL;
	return mem_printf("%d %s", reply.status, buf_text(&reply.body));
}

static void assert_refused(Fixture *f, const HttpClientConfig *config, const char *url)
{
	autoerror Error err = {0};
	autofree char *text = get(f->loop, config, url, &err);
	assert_null(text);
	assert_int_equal(err.code, ERR_UNAUTHORIZED);
	if (!cstr_starts(err.message, "tls: "))
		fail_msg("%s", err.message);
}

static void own_ca_is_trusted(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	autofree char *bundle = mem_printf("text\n%s\n%s", f->other_ca.cert_pem, f->ca.cert_pem);
	const HttpClientConfig configs[] = {
		{.ca_pem = f->ca.cert_pem},
		{.ca_pem = bundle},
		{.ca_pem = f->ca.cert_pem, .add_system_roots = true},
		{.insecure_skip_verify = true},
		{.ca_pem = f->other_ca.cert_pem, .insecure_skip_verify = true},
		{.ca_pem = f->server.cert_pem}, /* pinned */
	};
	for (size_t i = 0; i < COUNT(configs); i++) {
		autofree char *text = get(f->loop, &configs[i], f->url, &err);
		assert_non_null(text);
		assert_string_equal(text, "200 nobody");
	}
}

static void unknown_ca_is_refused(void **state)
{
	Fixture *f = *state;
	assert_refused(f, &(HttpClientConfig){.ca_pem = f->other_ca.cert_pem}, f->url);
	assert_refused(f, &(HttpClientConfig){0}, f->url);
	assert_refused(
		f, &(HttpClientConfig){.ca_pem = f->other_ca.cert_pem, .add_system_roots = true},
		f->url);
}

static void wrong_name_is_refused_and_server_name_overrides(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	Httpd *named = start_server(&f->named, &f->ca, &err);
	autofree char *url = mem_printf("https://127.0.0.1:%d/", httpd_port(named));
	assert_refused(f, &(HttpClientConfig){.ca_pem = f->ca.cert_pem}, url);
	assert_refused(f, &(HttpClientConfig){.ca_pem = f->ca.cert_pem, .server_name = "api.other"},
		       url);
	HttpClientConfig config = {.ca_pem = f->ca.cert_pem, .server_name = "api.example"};
	autofree char *text = get(f->loop, &config, url, &err);
	assert_non_null(text);
	config.server_name = "127.0.0.1";
	autofree char *by_ip = get(f->loop, &config, f->url, &err);
	assert_non_null(by_ip);
	assert_refused(f, &config, url);
	httpd_stop(named, 0);
}

static void client_certificate_arrives(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	HttpClientConfig config = {.ca_pem = f->ca.cert_pem,
				   .cert_pem = f->client.cert_pem,
				   .key_pem = f->client.key_pem};
	autofree char *text = get(f->loop, &config, f->url, &err);
	assert_non_null(text);
	assert_string_equal(text, "200 admin,O=x|system:masters|a+b");
	/* A chain, and a key that belongs to another certificate. */
	autofree char *chain = mem_printf("%s%s", f->client.cert_pem, f->ca.cert_pem);
	config.cert_pem = chain;
	autofree char *again = get(f->loop, &config, f->url, &err);
	assert_string_equal(again, text);
	config.key_pem = f->server.key_pem;
	assert_null(get(f->loop, &config, f->url, &err));
	assert_int_equal(err.code, ERR_INVALID);
}

static void stranger_certificate_is_told_as_refused(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	HttpClientConfig config = {.ca_pem = f->ca.cert_pem,
				   .cert_pem = f->stranger.cert_pem,
				   .key_pem = f->stranger.key_pem};
	autofree char *text = get(f->loop, &config, f->url, &err);
	assert_non_null(text);
	assert_string_equal(text, "200 refused");
}

static void plain_peer_is_unavailable(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	RawServer raw;
	raw_start(&raw, "HTTP/1.1 400 Bad\r\n\r\n", false);
	autofree char *url = mem_printf("https://127.0.0.1:%d/", raw.port);
	autofree char *text =
		get(f->loop, &(HttpClientConfig){.ca_pem = f->ca.cert_pem}, url, &err);
	raw_stop(&raw);
	assert_null(text);
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

static void bad_server_certificates(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	Identity broken = {.cert_pem = f->server.cert_pem};
	assert_null(start_server(&broken, &f->ca, &err));
	assert_int_equal(err.code, ERR_INVALID);
	error_dispose(&err);
	char text[] = "nonsense";
	broken.key_pem = text;
	assert_null(start_server(&broken, &f->ca, &err));
	assert_int_equal(err.code, ERR_IO);
}

/* --- HTTP/2, against nginx --- */

static void write_text(const char *dir, const char *name, const char *text)
{
	autoerror Error err = {0};
	autofree char *path = mem_printf("%s/%s", dir, name);
	assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
}

static const char nginx_config[] =
	"daemon off; master_process off; pid %s/pid; error_log %s/error.log;\n"
	"events { worker_connections 256; }\n"
	"http { access_log off; client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path "
	"%s;\n"
	" uwsgi_temp_path %s; scgi_temp_path %s;\n"
	" server { listen 127.0.0.1:%d ssl http2; ssl_certificate %s/cert; ssl_certificate_key "
	"%s/key;\n"
	"  keepalive_requests 100000; http2_max_concurrent_streams 128;\n"
	"  add_header X-Connection $connection; add_header X-Protocol $server_protocol;\n"
	"  location / { return 200 \"$request_method $uri $content_length\"; } } }\n";

static bool nginx_start(Nginx *nginx, const Identity *server)
{
	static const char program[] = "/usr/sbin/nginx";
	autoerror Error err = {0};
	if (access(program, X_OK) != 0)
		return false;
	nginx->dir = dir_make_temp("/tmp", "nginx", &err);
	nginx->port = free_port();
	const char *d = nginx->dir;
	autofree char *config = mem_printf(nginx_config, d, d, d, d, d, d, d, nginx->port, d, d);
	write_text(d, "config", config);
	write_text(d, "cert", server->cert_pem);
	write_text(d, "key", server->key_pem);
	autofree char *path = mem_printf("%s/config", d);
	autofree char *log = mem_printf("%s/error.log", d);
	char *argv[] = {mem_strdup(program), mem_strdup("-c"), path, mem_strdup("-e"), log, NULL};
	char *env[] = {NULL};
	int failure = posix_spawn(&nginx->pid, program, NULL, NULL, argv, env);
	free(argv[0]);
	free(argv[1]);
	free(argv[3]);
	return failure == 0;
}

enum { MANY = 2000 };

static void check_replies(HttpResponse *replies, Error *errors, char **out_connection)
{
	for (int i = 0; i < MANY; i++) {
		autofree char *connection = http_response_header(&replies[i], "x-connection");
		autofree char *protocol = http_response_header(&replies[i], "x-protocol");
		assert_int_equal(replies[i].status, 200);
		assert_string_equal(protocol, "HTTP/2.0");
		assert_non_null(connection);
		if (!*out_connection)
			*out_connection = mem_strdup(connection);
		assert_string_equal(connection, *out_connection);
		http_response_dispose(&replies[i]);
		error_dispose(&errors[i]);
	}
}

/* The whole batch, twice, over one and the same connection. */
static void http2_multiplexes_over_one_connection(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	if (!nginx_start(&f->nginx, &f->server)) {
		print_message("SKIPPED: no nginx\n");
		skip();
	}
	autofree char *url = mem_printf("https://localhost:%d/x", f->nginx.port);
	wait_for_port(f->nginx.port, f->nginx.pid);
	autohttpc HttpClient *client =
		httpc_new(f->loop, &(HttpClientConfig){.ca_pem = f->ca.cert_pem}, &err);
	autofree HttpRequest *requests = mem_zalloc(MANY, sizeof(HttpRequest));
	autofree HttpResponse *replies = mem_zalloc(MANY, sizeof(HttpResponse));
	autofree Error *errors = mem_zalloc(MANY, sizeof(Error));
	for (int i = 0; i < MANY; i++)
		requests[i] = (HttpRequest){.url = url, .timeout_ms = 30000};
	autofree char *connection = NULL;
	for (int round = 0; round < 2; round++) {
		struct timespec before, after;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
		assert_int_equal(httpc_do_all(client, requests, replies, errors, MANY), MANY);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
		print_message("%d requests: %ld ms of processor\n", MANY,
			      (after.tv_sec - before.tv_sec) * 1000 +
				      (after.tv_nsec - before.tv_nsec) / 1000000);
		check_replies(replies, errors, &connection);
	}
	autohttpresponse HttpResponse reply = {0};
	HttpRequest post = {.method = "PATCH", .url = url, .body = "hello", .body_len = 5};
	assert_true(httpc_do(client, &post, &reply, &err));
	assert_string_equal(buf_text(&reply.body), "PATCH /x 5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_ca_is_trusted),
		cmocka_unit_test(unknown_ca_is_refused),
		cmocka_unit_test(wrong_name_is_refused_and_server_name_overrides),
		cmocka_unit_test(client_certificate_arrives),
		cmocka_unit_test(stranger_certificate_is_told_as_refused),
		cmocka_unit_test(plain_peer_is_unavailable),
		cmocka_unit_test(bad_server_certificates),
		cmocka_unit_test(http2_multiplexes_over_one_connection),
	};
	return cmocka_run_group_tests_name("net/tls", tests, set_up, tear_down);
}
