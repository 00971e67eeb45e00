#include "charts/client.h"

#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/url.h"

enum {
	OK = 200,
	NOT_MODIFIED = 304,
	UNAUTHORIZED = 401,
	FORBIDDEN = 403,
	MAX_ERROR_BODY = 1 << 20
};

struct HelmClient {
	HttpClient *http;
	bool own_http;
	char *base; /* normalized */
	char *named_by;
	char *user, *password;
	bool pass_all;
	int64_t timeout_ms;
};

void helm_got_dispose(HelmGot *got)
{
	free(got->etag);
	*got = (HelmGot){0};
}

void helm_client_free(HelmClient *client)
{
	if (client->own_http)
		httpc_free(client->http);
	text_wipe(&client->user);
	text_wipe(&client->password);
	free(client->base);
	free(client->named_by);
	free(client);
}

HelmClient *helm_client_new(const HelmClientConfig *config, Error *err)
{
	char *base = helm_url_normal(config->url, err);
	if (!base)
		return NULL;
	HelmClient *client = mem_zalloc(1, sizeof(*client));
	client->http = config->http;
	client->own_http = config->own_http;
	client->base = base;
	client->named_by = mem_strdup(config->named_by);
	client->user = config->user ? mem_strdup(config->user) : NULL;
	client->password = config->password ? mem_strdup(config->password) : NULL;
	client->pass_all = config->pass_all;
	client->timeout_ms = config->timeout_ms;
	return client;
}

/* --- URLs --- */

char *helm_url_normal(const char *url, Error *err)
{
	autourl Url parts = {0};
	if (!url_parse(url, &parts, err))
		return NULL;
	bool is_oci = cstr_eq(parts.scheme, "oci");
	size_t len = strlen(parts.path);
	while (len && parts.path[len - 1] == '/')
		len--;
	autofree char *path = mem_printf("%.*s%s", (int)len, parts.path, is_oci ? "" : "/");
	free(parts.path);
	parts.path = steal(&path);
	return url_text(&parts, false);
}

/* The name below the base's path, the base's query kept. */
static char *index_url(const HelmClient *client)
{
	size_t path_end = strcspn(client->base, "?#");
	return mem_printf("%.*sindex.yaml%s", (int)path_end, client->base, client->base + path_end);
}

static bool is_absolute(const char *url)
{
	const char *end = strstr(url, "://");
	return end && end > url &&
	       end == url + strspn(url, "abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ+-.");
}

/* Indexes name archives as their files are called, blanks and all: what no path of a URL has is
 * escaped, as Helm does. Owned. */
static char *escape_path(const char *url)
{
	const char *authority = strstr(url, "//");
	const char *path = authority && (authority == url || is_absolute(url))
				   ? authority + 2 + strcspn(authority + 2, "/?#")
				   : url;
	const char *end = path + strcspn(path, "?#");
	Buf out = {0};
	buf_append(&out, url, (size_t)(path - url));
	for (const char *at = path; at < end; at++) {
		bool is_plain = (unsigned char)*at < 0x80 && !strchr(" \"<>\\^`{|}", *at);
		is_plain ? buf_putc(&out, *at) : buf_printf(&out, "%%%02X", (unsigned char)*at);
	}
	buf_puts(&out, end);
	return buf_steal(&out);
}

char *helm_client_resolve(const HelmClient *client, const char *url, Error *err)
{
	autofree char *escaped = escape_path(url);
	if (is_absolute(escaped))
		return steal(&escaped);
	autofree char *joined = url_resolve(client->base, escaped, err);
	if (!joined) {
		autofree char *shown = url_redacted(url);
		return err_wrap_null(err, "failed to parse %s as URL", shown);
	}
	const char *query = strchr(client->base, '?');
	return mem_printf("%.*s%s", (int)strcspn(joined, "?#"), joined, query ? query : "");
}

/* --- GET --- */

/* Written by the loop's thread until httpc_stream returns. */
typedef struct {
	const HelmGet *get;
	HttpResponse head;
	uint64_t size;
	Error err;
} Download;

static void download_dispose(Download *download)
{
	http_response_dispose(&download->head);
	error_dispose(&download->err);
}

static bool on_data(void *arg, const char *bytes, size_t len)
{
	Download *download = arg;
	const HelmGet *get = download->get;
	download->size += len;
	if (download->head.status != OK)
		return download->size <= MAX_ERROR_BODY; /* an error page: not wanted */
	if (download->size > get->max_bytes)
		return err_set(&download->err, ERR_LIMIT, "%s", get->limit);
	return fd_write_all(get->fd, bytes, len, &download->err);
}

static bool has_login(const HelmClient *client)
{
	return !cstr_empty(client->user) && !cstr_empty(client->password);
}

static bool may_log_in(const HelmClient *client, const char *url)
{
	return has_login(client) && (client->pass_all || url_same_origin(client->base, url));
}

/* What the one who is to mend it would ask next. */
static void explain_refusal(const HelmClient *client, const char *url, Error *err)
{
	autourl Url base = {0};
	autoerror Error ignored = {0};
	if (!has_login(client))
		err_add(err, " (no login was given)");
	else if (may_log_in(client, url))
		err_add(err, " (the login was not accepted)");
	else if (url_parse(client->base, &base, &ignored))
		err_add(err, " (the login is for %s://%s:%d and was not passed on)", base.scheme,
			base.host, url_port(&base));
}

static bool check_status(const HelmClient *client, const Download *download, const char *url,
			 Error *err)
{
	int status = download->head.status;
	if (status == OK || (status == NOT_MODIFIED && download->get->etag))
		return true;
	autofree char *shown = url_redacted(url);
	err_set(err, err_code_of_http(status < 400 ? 500 : status), "failed to fetch %s : %d %s",
		shown, status, http_status_text(status));
	if (status == UNAUTHORIZED || status == FORBIDDEN)
		explain_refusal(client, url, err);
	err->http_status = status;
	err->retry_after_ms = http_response_retry_after_ms(&download->head);
	err->not_yet = err->code == ERR_TOO_MANY;
	return false;
}

/* An index may name charts of other hosts, and a chart such repositories. */
static bool leads_elsewhere(const HelmClient *client, const char *url)
{
	autoerror Error ignored = {0};
	autourl Url base = {0};
	return (url_parse(client->base, &base, &ignored) &&
		address_leads_elsewhere(base.host, url)) ||
	       address_leads_elsewhere(client->named_by, url);
}

static bool send_request(HelmClient *client, const char *url, Download *download, Error *err)
{
	bool may = may_log_in(client, url);
	const char *etag = download->get->etag;
	autofree char *condition = etag ? mem_printf("If-None-Match: %s", etag) : NULL;
	const char *const headers[] = {condition, NULL};
	const HttpRequest request = {.url = url,
				     .headers = headers,
				     .timeout_ms = client->timeout_ms,
				     .user = may ? client->user : NULL,
				     .password = may ? client->password : NULL,
				     .follow_redirects = true,
				     .no_internal = leads_elsewhere(client, url)};
	return httpc_stream(client->http, &request, on_data, download, &download->head, err);
}

bool helm_client_get(HelmClient *client, const HelmGet *get, HelmGot *out, Error *err)
{
	__attribute__((cleanup(download_dispose))) Download download = {.get = get};
	autoerror Error http_err = {0};
	autofree char *url = helm_client_resolve(client, get->url, err);
	if (!url)
		return false;
	bool ok = send_request(client, url, &download, &http_err);
	if (err_is_set(&download.err))
		return err_move(err, &download.err);
	/* A status that came counts, even when its page was cut. */
	if (download.head.status && !check_status(client, &download, url, err))
		return false;
	if (!ok)
		return err_move(err, &http_err);
	if (out)
		*out = (HelmGot){download.head.status == NOT_MODIFIED,
				 http_response_header(&download.head, "etag")};
	return true;
}

bool helm_client_get_index(HelmClient *client, int64_t max_bytes, const char *etag, int fd,
			   HelmGot *out, Error *err)
{
	autofree char *url = index_url(client);
	autofree char *limit = mem_printf("index exceeds the maximum index file size of %lld bytes",
					  (long long)max_bytes);
	const HelmGet get = {.url = url,
			     .max_bytes = (uint64_t)max_bytes,
			     .limit = limit,
			     .fd = fd,
			     .etag = etag};
	return helm_client_get(client, &get, out, err);
}

const char *helm_client_base(const HelmClient *client)
{
	return client->base;
}
