/* Replies that were not wanted, as errors; and where a reply may lead. */
#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "data/json.h"
#include "net/url.h"
#include "oci/reference.h"
#include "oci/registry_internal.h"

enum { MAX_ERRORS = 5, MAX_SHOWN = 500, DEFAULT_RETRY_MS = 5000 };

/* --- errors --- */

static const char *status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} rows[] = {
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{416, "Range Not Satisfiable"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].status == status)
			return rows[i].text;
	return "";
}

/* What stands in an error body may go into a condition: one line of visible text. */
static void add_shown(Buf *out, const char *text)
{
	size_t start = out->len;
	for (; *text && out->len - start < MAX_SHOWN; text++)
		buf_putc(out, (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text);
}

/* {"errors": [{"code", "message"}]} (distribution-spec, "Error Codes"); false when it is not. */
static bool add_errors(Buf *out, const HttpResponse *reply)
{
	autoerror Error ignored = {0};
	if (reply->body.len == 0)
		return false;
	autojson json_t *root =
		json_parse(reply->body.ptr, reply->body.len, REGISTRY_MAX_ERROR_BODY, &ignored);
	const json_t *errors = root ? json_list(root, "errors") : NULL;
	size_t count = json_array_size(errors);
	if (count > 1)
		buf_puts(out, "multiple errors returned: ");
	for (size_t i = 0; i < count && i < MAX_ERRORS; i++) {
		const json_t *item = json_array_get(errors, i);
		buf_puts(out, i ? "; " : "");
		add_shown(out, json_text_or(item, "code", "UNKNOWN"));
		buf_puts(out, ": ");
		add_shown(out, json_text_or(item, "message", ""));
	}
	return count > 0;
}

static void hide_secrets(const Registry *registry, Error *err)
{
	const char *const secrets[] = {registry->auth.password, registry->auth.identity_token,
				       registry->auth.registry_token, registry->token};
	for (size_t i = 0; i < COUNT(secrets); i++)
		if (secrets[i])
			err_hide(err, secrets[i]);
}

bool registry_reply_fail(const Registry *registry, const char *method, const char *url,
			 const HttpResponse *reply, Error *err)
{
	autobuf Buf text = {0};
	int status = reply->status;
	if (!add_errors(&text, reply)) {
		buf_printf(&text, "unexpected status code %d %s", status, status_text(status));
		if (cstr_eq(method, "HEAD"))
			buf_puts(&text, " (HEAD responses have no body, use GET for details)");
		else if (reply->body.len)
			buf_puts(&text, ": ");
		add_shown(&text, buf_text(&reply->body));
	}
	autofree char *shown = url_redacted(url);
	ErrorCode code = status < 400 ? ERR_INVALID : err_code_of_http(status);
	err_set(err, code, "%s %s: %s", method, shown, buf_text(&text));
	hide_secrets(registry, err);
	err->http_status = status;
	err->retry_after_ms = http_response_retry_after_ms(reply);
	if (status == 429) {
		err->code = ERR_TOO_MANY;
		err->not_yet = true;
		if (!err->retry_after_ms)
			err->retry_after_ms = DEFAULT_RETRY_MS;
	}
	return false;
}

/* --- where to --- */

bool http_status_redirects(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static int port_of(const Url *url)
{
	return url->port ? url->port : cstr_eq(url->scheme, "https") ? 443 : 80;
}

bool url_same_origin(const char *a, const char *b)
{
	autoerror Error ignored = {0};
	autourl Url left = {0}, right = {0};
	return url_parse(a, &left, &ignored) && url_parse(b, &right, &ignored) &&
	       cstr_eq(left.scheme, right.scheme) && strcasecmp(left.host, right.host) == 0 &&
	       port_of(&left) == port_of(&right);
}

/* RFC 3986 5.2 without dot segments: servers send absolute URLs, paths or names beside the base. */
char *url_resolve(const char *base, const char *location, Error *err)
{
	autourl Url url = {0}, to = {0};
	if (!url_parse(base, &url, err))
		return NULL;
	autofree char *text = NULL;
	const char *slashes = strstr(base, "://");
	size_t authority = (size_t)(slashes - base) + 3 + strcspn(slashes + 3, "/?#");
	size_t path = strcspn(base, "?#");
	while (path > authority && base[path - 1] != '/')
		path--;
	if (cstr_starts(location, "//"))
		text = mem_printf("%s:%s", url.scheme, location);
	else if (location[0] == '/')
		text = mem_printf("%.*s%s", (int)authority, base, location);
	else if (location[0] == '?')
		text = mem_printf("%.*s%s", (int)strcspn(base, "?#"), base, location);
	else if (strstr(location, "://"))
		text = mem_strdup(location);
	else
		text = mem_printf("%.*s%s%s", (int)path, base, path == authority ? "/" : "",
				  location);
	return url_parse(text, &to, err) ? steal(&text) : NULL;
}

typedef enum { ADDRESS_PUBLIC, ADDRESS_PRIVATE, ADDRESS_INTERNAL } AddressKind;

static AddressKind kind_of_v4(uint32_t value)
{
	static const struct {
		uint32_t net, mask;
		AddressKind kind;
	} rows[] = {
		{0x00000000, 0xffffffff, ADDRESS_INTERNAL}, /* unspecified */
		{0x7f000000, 0xff000000, ADDRESS_INTERNAL}, /* loopback */
		{0xa9fe0000, 0xffff0000, ADDRESS_INTERNAL}, /* link-local, cloud metadata */
		{0xe0000000, 0xffffff00, ADDRESS_INTERNAL}, /* link-local multicast */
		{0x0a000000, 0xff000000, ADDRESS_PRIVATE},
		{0xac100000, 0xfff00000, ADDRESS_PRIVATE},
		{0xc0a80000, 0xffff0000, ADDRESS_PRIVATE},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if ((value & rows[i].mask) == rows[i].net)
			return rows[i].kind;
	return ADDRESS_PUBLIC;
}

/* Of a literal; names count as public: what they resolve to is the network's to guard. */
static AddressKind kind_of_host(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (cstr_eq(host, "localhost") || cstr_ends(host, ".localhost"))
		return ADDRESS_INTERNAL;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return kind_of_v4(ntohl(v4.s_addr));
	if (inet_pton(AF_INET6, host, &v6) != 1)
		return ADDRESS_PUBLIC;
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		memcpy(&v4, &v6.s6_addr[12], sizeof(v4));
		return kind_of_v4(ntohl(v4.s_addr));
	}
	if (IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6) ||
	    IN6_IS_ADDR_LINKLOCAL(&v6) || IN6_IS_ADDR_MC_LINKLOCAL(&v6))
		return ADDRESS_INTERNAL;
	return (v6.s6_addr[0] & 0xfe) == 0xfc ? ADDRESS_PRIVATE : ADDRESS_PUBLIC; /* RFC 4193 */
}

bool url_check_follow(const Registry *registry, const char *from, const char *to, Error *err)
{
	autourl Url before = {0}, after = {0};
	autofree char *shown = url_redacted(to);
	if (!url_parse(from, &before, err) || !url_parse(to, &after, err))
		return false;
	if (!cstr_eq(after.scheme, "https") &&
	    !(cstr_eq(after.scheme, "http") && cstr_eq(before.scheme, "http")))
		return err_set(err, ERR_FORBIDDEN, "redirect from %s to %s refused", before.scheme,
			       shown);
	if (kind_of_host(after.host) == ADDRESS_INTERNAL && !oci_host_is_local(registry->host))
		return err_set(err, ERR_FORBIDDEN, "redirect to an internal address refused: %s",
			       shown);
	return true;
}

bool url_check_realm(const Registry *registry, const char *scheme, const char *realm, Error *err)
{
	autourl Url url = {0};
	autofree char *shown = url_redacted(realm);
	autofree char *own = mem_printf("%s://%s", scheme, registry->host);
	if (!url_parse(realm, &url, err))
		return err_wrap(err, "invalid realm in www-authenticate");
	if (!cstr_eq(url.scheme, "https") &&
	    !(cstr_eq(url.scheme, "http") && cstr_eq(scheme, "http")))
		return err_set(err, ERR_FORBIDDEN,
			       "invalid realm in www-authenticate: scheme of %s not allowed",
			       shown);
	bool named = strcasecmp(url.host, "localhost") == 0;
	if (!url_same_origin(own, realm) && kind_of_host(url.host) != ADDRESS_PUBLIC &&
	    !(named && oci_host_is_local(registry->host)))
		return err_set(err, ERR_FORBIDDEN,
			       "invalid realm in www-authenticate: %s is a private or link-local "
			       "address",
			       shown);
	return true;
}
