/*
 * The storage over HTTP, as Go's http.FileServer answers: files with ranges, directories as lists
 * of links, `DIR` redirected to `DIR/`. Opens are beneath the root; the store's own links
 * (absolute, into the root: S17) are followed once, all others are not. Bounds: entries of a
 * listing, connections, each of which is a thread.
 */
#include "artifact/serve.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "artifact/conditional.h"
#include "artifact/store_internal.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "net/url.h"

enum { MAX_LISTED = 100000, MAX_CONNECTIONS = 512, MAX_KEPT = 256 };

static const struct {
	const char *ending, *type;
} content_types[] = {
	{".gz", "application/gzip"},	       {".tgz", "application/gzip"},
	{".yaml", "application/yaml"},	       {".json", "application/json"},
	{".txt", "text/plain; charset=utf-8"},
};

static const char *content_type(const char *path)
{
	for (size_t i = 0; i < COUNT(content_types); i++) {
		if (cstr_ends(path, content_types[i].ending))
			return content_types[i].type;
	}
	return "application/octet-stream";
}

static void reply_text(HttpdRequest *request, int status, const char *text)
{
	httpd_reply(request, status, "text/plain; charset=utf-8", text, strlen(text));
}

/* Where a link of the store leads, below the root; NULL when it leads elsewhere. Owned. */
static char *link_target(const Store *store, const char *path)
{
	autoerror Error ignored = {0};
	autofree char *dir = path_dir(path);
	autofd int dir_fd =
		fd_open_beneath(store_root_fd(store), dir, O_RDONLY | O_DIRECTORY, 0, &ignored);
	if (dir_fd < 0)
		return NULL;
	char target[PATH_MAX];
	ssize_t len = readlinkat(dir_fd, path_base(path), target, sizeof(target) - 1);
	if (len <= 0)
		return NULL;
	target[len] = '\0';
	const char *root = store_root(store);
	if (!path_is_below(target, root))
		return NULL;
	const char *rest = target + strlen(root);
	return mem_strdup(rest + strspn(rest, "/"));
}

/* A file or directory by relative path; -1 when it is not there or not to be had. */
static int open_served(const Store *store, const char *path)
{
	autoerror Error first = {0}, ignored = {0};
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
	if (cstr_starts(path, STORE_TEMP_PREFIX))
		return -1;
	int fd = fd_open_beneath(store_root_fd(store), *path ? path : ".", flags, 0, &first);
	if (fd >= 0)
		return fd;
	autofree char *target = link_target(store, path);
	if (!target)
		return -1;
	return fd_open_beneath(store_root_fd(store), target, flags, 0, &ignored);
}

static void add_escaped(Buf *html, const char *text)
{
	static const struct {
		char byte;
		const char *escape;
	} rows[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&#34;"}, {'\'', "&#39;"}};
	for (; *text; text++) {
		const char *escape = NULL;
		for (size_t i = 0; i < COUNT(rows); i++) {
			if (rows[i].byte == *text)
				escape = rows[i].escape;
		}
		if (escape)
			buf_puts(html, escape);
		else
			buf_putc(html, *text);
	}
}

static void add_link(Buf *html, int dir_fd, const char *name)
{
	struct stat st;
	bool is_dir = fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
	autofree char *url = url_escape(name, false);
	buf_printf(html, "<a href=\"./%s%s\">", url, is_dir ? "/" : "");
	add_escaped(html, name);
	buf_puts(html, is_dir ? "/</a>\n" : "</a>\n");
}

static void reply_listing(HttpdRequest *request, int dir_fd)
{
	autoerror Error err = {0};
	autostrings Vec names = {0};
	if (!dir_names(dir_fd, MAX_LISTED, &names, &err)) {
		reply_text(request, 500, "Error reading directory\n");
		return;
	}
	autobuf Buf html = {0};
	buf_puts(&html, "<pre>\n");
	for (size_t i = 0; i < names.len; i++)
		if (!cstr_starts(names.items[i], STORE_TEMP_PREFIX))
			add_link(&html, dir_fd, names.items[i]);
	buf_puts(&html, "</pre>\n");
	httpd_reply(request, 200, "text/html; charset=utf-8", html.ptr, html.len);
}

static void reply_redirect(HttpdRequest *request)
{
	/* Relative to the last part: nothing of the request's host or a "//" start comes back. */
	autofree char *to = mem_printf("./%s/", path_base(httpd_path(request)));
	httpd_set_header(request, "Location", to);
	reply_text(request, 301, "");
}

static void reply_file(HttpdRequest *request, int take_fd, const struct stat *st, const char *path)
{
	autofd int fd = take_fd;
	if (!conditional_answered(request, st))
		httpd_reply_file(request, fd_steal(&fd), content_type(path));
}

static void reply_path(const Store *store, HttpdRequest *request, const char *path, bool has_slash)
{
	autofd int fd = open_served(store, path);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0) {
		reply_text(request, 404, "404 page not found\n");
		return;
	}
	if (S_ISDIR(st.st_mode) && !has_slash)
		reply_redirect(request);
	else if (S_ISDIR(st.st_mode))
		reply_listing(request, fd);
	else if (S_ISREG(st.st_mode) && !has_slash)
		reply_file(request, fd_steal(&fd), &st, path);
	else
		reply_text(request, 404, "404 page not found\n");
}

/* True when a part of the path is "..". */
static bool has_dotdot(const char *path)
{
	Str rest = str_of(path), part;
	while (str_next(&rest, '/', &part)) {
		if (str_eq(part, STR("..")))
			return true;
	}
	return false;
}

static void serve_request(void *arg, HttpdRequest *request)
{
	const Store *store = arg;
	const char *method = httpd_method(request);
	if (!cstr_eq(method, "GET") && !cstr_eq(method, "HEAD")) {
		httpd_set_header(request, "Allow", "GET, HEAD");
		reply_text(request, 405, "405 method not allowed\n");
		return;
	}
	autofree char *decoded = url_unescape(httpd_path(request), false);
	if (!decoded || has_dotdot(decoded)) {
		reply_text(request, 400, "invalid URL path\n");
		return;
	}
	autofree char *rooted = mem_printf("/%s", decoded);
	autofree char *clean = path_clean(rooted);
	reply_path(store, request, clean + 1, cstr_ends(decoded, "/") || !clean[1]);
}

Httpd *artifact_serve(Store *store, const char *address, Error *err)
{
	const HttpdConfig config = {.address = address,
				    .handler = serve_request,
				    .arg = store,
				    .thread_each = true,
				    .max_connections = MAX_CONNECTIONS,
				    .max_kept = MAX_KEPT};
	Httpd *httpd = httpd_start(&config, err);
	return httpd ? httpd : err_wrap_null(err, "serve artifacts");
}
