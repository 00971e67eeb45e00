#include "../cmocka_all.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "artifact/serve.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "net/httpc.h"

/* The most that the kernel was given of a file at once: libmicrohttpd calls this one. */
static atomic_size_t largest_piece;

__attribute__((visibility("default"))) ssize_t sendfile64(int out_fd, int in_fd, off64_t *offset,
							  size_t count)
{
	size_t before = atomic_load(&largest_piece);
	while (count > before && !atomic_compare_exchange_weak(&largest_piece, &before, count))
		;
	return syscall(SYS_sendfile, out_fd, in_fd, offset, count);
}

/* A store with one artifact, its server and a client. */
typedef struct {
	char *root;
	Store *store;
	Httpd *httpd;
	Loop *loop;
	HttpClient *http;
	Artifact artifact;
} Site;

static void put(const char *dir, const char *name, const char *text)
{
	autoerror Error err = {0};
	autofree char *path = path_join(dir, name);
	autofree char *above = path_dir(path);
	assert_true(dir_make(above, 0700, &err));
	assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
}

static int site_open(void **state)
{
	autoerror Error err = {0};
	Site *site = mem_zalloc(1, sizeof(*site));
	site->root = dir_make_temp("/tmp", "sluice-serve", &err);
	assert_non_null(site->root);
	const StoreConfig config = {
		.root = site->root, .adv_addr = "x", .algo = DIGEST_SHA256, .records = 2};
	site->store = store_new(&config, &err);
	put(site->root, "in", "0123456789");
	autofree char *in = path_join(site->root, "in");
	autofd int fd = fd_open(in, O_RDONLY, 0, &err);
	assert_true(store_put_file(site->store, "OCIRepository", "ns", "n", "sha256:ab.tar.gz", "r",
				   fd, &site->artifact, &err));
	assert_true(store_link(site->store, &site->artifact, "latest.tar.gz", &err));
	site->httpd = artifact_serve(site->store, "127.0.0.1:0", &err);
	assert_non_null(site->httpd);
	site->loop = loop_new(&err);
	const HttpClientConfig client = {0};
	site->http = httpc_new(site->loop, &client, &err);
	assert_non_null(site->http);
	*state = site;
	return 0;
}

static int site_close(void **state)
{
	Site *site = *state;
	httpc_free(site->http);
	loop_free(site->loop);
	httpd_stop(site->httpd, 0);
	store_free(site->store);
	artifact_dispose(&site->artifact);
	dir_auto_remove(&site->root);
	free(site);
	return 0;
}

static void ask_with(const Site *site, const char *method, const char *path,
		     const char *const *headers, HttpResponse *out)
{
	autoerror Error err = {0};
	autofree char *url = mem_printf("http://127.0.0.1:%d%s", httpd_port(site->httpd), path);
	const HttpRequest request = {
		.method = method, .url = url, .headers = headers, .timeout_ms = 10000};
	http_response_dispose(out);
	assert_true(httpc_do(site->http, &request, out, &err));
}

static void ask(const Site *site, const char *method, const char *path, const char *header,
		HttpResponse *out)
{
	const char *const headers[] = {header, NULL};
	ask_with(site, method, path, headers, out);
}

static void S3_files_answer_with_ranges(void **state)
{
	const Site *site = *state;
	autohttpresponse HttpResponse got = {0};
	autofree char *path = path_join("/", site->artifact.path);
	ask(site, "GET", path, NULL, &got);
	assert_int_equal(got.status, 200);
	assert_string_equal(buf_text(&got.body), "0123456789");
	autofree char *type = http_response_header(&got, "content-type");
	assert_string_equal(type, "application/gzip");
	ask(site, "GET", path, "Range: bytes=2-4", &got);
	assert_int_equal(got.status, 206);
	assert_string_equal(buf_text(&got.body), "234");
	ask(site, "GET", path, "Range: bytes=50-", &got);
	assert_int_equal(got.status, 416);
	ask(site, "HEAD", path, NULL, &got);
	assert_int_equal(got.status, 200);
	assert_int_equal(got.body.len, 0);
	ask(site, "GET", "/ocirepository/ns/n/sha256%3Aab.tar.gz", NULL, &got);
	assert_int_equal(got.status, 200);
}

/* What a call costs besides its bytes is what large artifacts are slow by. */
static void S3_a_large_file_goes_in_large_pieces(void **state)
{
	enum { SIZE = 8 << 20 };
	const Site *site = *state;
	autoerror Error err = {0};
	autofree char *bytes = mem_zalloc(1, SIZE), *path = path_join(site->root, "large");
	autohttpresponse HttpResponse got = {0};
	memset(bytes, 'x', SIZE);
	assert_true(file_write_atomic(path, bytes, SIZE, 0600, &err));
	ask(site, "GET", "/large", NULL, &got);
	assert_int_equal(got.status, 200);
	assert_int_equal(got.body.len, SIZE);
	assert_memory_equal(got.body.ptr, bytes, SIZE);
	assert_true(atomic_load(&largest_piece) >= 1 << 20);
}

static void S3_conditional_requests(void **state)
{
	const Site *site = *state;
	autohttpresponse HttpResponse got = {0};
	autofree char *path = path_join("/", site->artifact.path);
	ask(site, "GET", path, NULL, &got);
	autofree char *tag = http_response_header(&got, "etag");
	autofree char *date = http_response_header(&got, "last-modified");
	assert_non_null(tag);
	assert_non_null(date);
	const struct {
		const char *header, *value;
		int status;
	} rows[] = {
		{"If-None-Match", tag, 304},
		{"If-None-Match", "\"a\", *", 304},
		{"If-None-Match", "\"a\"", 200},
		{"If-Match", tag, 200},
		{"If-Match", "\"a\"", 412},
		{"If-Modified-Since", date, 304},
		{"If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", 200},
		{"If-Modified-Since", "rubbish", 200},
		{"If-Unmodified-Since", date, 200},
		{"If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", 412},
		{"Range: bytes=2-4\nIf-Range", tag, 206},
		{"Range: bytes=2-4\nIf-Range", "\"a\"", 200},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *header = mem_printf("%s: %s", rows[i].header, rows[i].value);
		char *next = strchr(header, '\n');
		if (next)
			*next++ = '\0';
		const char *const headers[] = {header, next, NULL};
		ask_with(site, "GET", path, headers, &got);
		if (got.status != rows[i].status)
			fail_msg("%s %s gives %d", header, next ? next : "", got.status);
	}
	autofree char *weak = mem_printf("If-None-Match: W/%s", tag);
	ask(site, "HEAD", path, weak, &got);
	assert_int_equal(got.status, 304);
	/* The same name, another file. */
	put(site->root, site->artifact.path, "9876543210");
	autofree char *old = mem_printf("If-None-Match: %s", tag);
	ask(site, "GET", path, old, &got);
	assert_int_equal(got.status, 200);
}

static void S3_unknown_paths_answer_404(void **state)
{
	const Site *site = *state;
	autohttpresponse HttpResponse got = {0};
	static const char *const paths[] = {"/nope", "/ocirepository/ns/n/none", "/in/x", "/in/"};
	for (size_t i = 0; i < COUNT(paths); i++) {
		ask(site, "GET", paths[i], NULL, &got);
		assert_int_equal(got.status, 404);
	}
}

static void S3_directories_are_listed(void **state)
{
	const Site *site = *state;
	autohttpresponse HttpResponse got = {0};
	put(site->root, "dir/a&<b>", "x");
	ask(site, "GET", "/dir/", NULL, &got);
	assert_int_equal(got.status, 200);
	assert_string_equal(buf_text(&got.body),
			    "<pre>\n<a href=\"./a%26%3Cb%3E\">a&amp;&lt;b&gt;</a>\n</pre>\n");
	ask(site, "GET", "/dir", NULL, &got);
	assert_int_equal(got.status, 301);
	autofree char *to = http_response_header(&got, "location");
	assert_string_equal(to, "./dir/");
	ask(site, "GET", "/", NULL, &got);
	assert_int_equal(got.status, 200);
	assert_non_null(strstr(buf_text(&got.body), "<a href=\"./dir/\">dir/</a>"));
}

static void S17_the_link_is_served(void **state)
{
	const Site *site = *state;
	autohttpresponse HttpResponse got = {0};
	ask(site, "GET", "/ocirepository/ns/n/latest.tar.gz", NULL, &got);
	assert_int_equal(got.status, 200);
	assert_string_equal(buf_text(&got.body), "0123456789");
}

static void nothing_outside_is_served(void **state)
{
	const Site *site = *state;
	static const struct {
		const char *path;
		int status;
	} rows[] = {
		{"/../../../etc/passwd", 400},
		{"/%2e%2e/%2e%2e/etc/passwd", 400},
		{"/..%2f..%2fetc%2fpasswd", 400},
		{"//etc/passwd", 404},
		{"/link", 404},
		{"/linkdir/passwd", 404},
		{"/up/etc/passwd", 404},
		{"/x%00y", 400},
		{"/sibling", 404},
		{"/twice", 404},
	};
	autoerror Error err = {0};
	autofree char *sibling = mem_printf("%s-sibling", site->root);
	assert_true(file_write_atomic(sibling, "secret", 6, 0600, &err));
	const struct {
		const char *name, *target;
	} links[] = {{"link", "/etc/passwd"},
		     {"linkdir", "/etc"},
		     {"up", "../.."},
		     {"sibling", sibling}};
	for (size_t i = 0; i < COUNT(links); i++) {
		autofree char *path = path_join(site->root, links[i].name);
		assert_int_equal(symlink(links[i].target, path), 0);
	}
	/* A link into the root that is a link out of it. */
	autofree char *twice = path_join(site->root, "twice");
	autofree char *first = path_join(site->root, "link");
	assert_int_equal(symlink(first, twice), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		autohttpresponse HttpResponse got = {0};
		ask(site, "GET", rows[i].path, NULL, &got);
		if (strstr(buf_text(&got.body), "root:") || strstr(buf_text(&got.body), "secret"))
			fail_msg("%s leaks", rows[i].path);
		/* The client may have taken the dots out itself. */
		if (got.status != rows[i].status && got.status != 404)
			fail_msg("%s: %d", rows[i].path, got.status);
	}
	unlink(sibling);
}

static void only_reading_is_allowed(void **state)
{
	const Site *site = *state;
	static const char *const methods[] = {"POST", "PUT", "DELETE"};
	for (size_t i = 0; i < COUNT(methods); i++) {
		autohttpresponse HttpResponse got = {0};
		ask(site, methods[i], "/in", NULL, &got);
		assert_int_equal(got.status, 405);
		autofree char *allowed = http_response_header(&got, "allow");
		assert_string_equal(allowed, "GET, HEAD");
	}
}

#define SITE_TEST(name) cmocka_unit_test_setup_teardown(name, site_open, site_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SITE_TEST(S3_files_answer_with_ranges),
		SITE_TEST(S3_a_large_file_goes_in_large_pieces),
		SITE_TEST(S3_conditional_requests),
		SITE_TEST(S3_unknown_paths_answer_404),
		SITE_TEST(S3_directories_are_listed),
		SITE_TEST(S17_the_link_is_served),
		SITE_TEST(nothing_outside_is_served),
		SITE_TEST(only_reading_is_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
