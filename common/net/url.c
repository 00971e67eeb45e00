/*
 * URLs by RFC 3986 section 3, hierarchical ones with an authority only. The fragment is dropped:
 * it never goes to a server. At most 64 KiB.
 */
#include "net/url.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_URL = 65536 };

static const char hidden[] = "***";

/* --- escapes --- */

static bool is_unreserved(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-._~", c));
}

char *url_escape(const char *text, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";
	Buf out = {0};
	for (const char *at = text; *at; at++) {
		if (is_unreserved(*at) || (keep_slash && *at == '/')) {
			buf_putc(&out, *at);
			continue;
		}
		unsigned char byte = (unsigned char)*at;
		buf_putc(&out, '%');
		buf_putc(&out, digits[byte >> 4]);
		buf_putc(&out, digits[byte & 15]);
	}
	return buf_steal(&out);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	char lower = (char)(c | 0x20);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte of the escape at text[at], or -1 when it is bad or a NUL. */
static int escaped_byte(Str text, size_t at)
{
	if (at + 2 >= text.len)
		return -1;
	int high = hex_value(text.ptr[at + 1]), low = hex_value(text.ptr[at + 2]);
	int byte = high < 0 || low < 0 ? -1 : high * 16 + low;
	return byte == 0 ? -1 : byte;
}

static char *unescape(Str text, bool form)
{
	autobuf Buf out = {0};
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '%') {
			int byte = escaped_byte(text, i);
			if (byte < 0)
				return NULL;
			c = (char)byte;
			i += 2;
		} else if (c == '+' && form) {
			c = ' ';
		}
		buf_putc(&out, c);
	}
	return buf_steal(&out);
}

char *url_unescape(const char *text, bool form)
{
	return unescape(str_of(text), form);
}

/* --- parsing --- */

typedef struct {
	Str scheme, authority, path, query;
	bool has_query;
} Parts;

static bool scheme_is_good(Str scheme)
{
	if (scheme.len == 0 || !isalpha((unsigned char)scheme.ptr[0]))
		return false;
	for (size_t i = 0; i < scheme.len; i++)
		if (!isalnum((unsigned char)scheme.ptr[i]) && !strchr("+-.", scheme.ptr[i]))
			return false;
	return true;
}

/* Cuts the text; false without "scheme://". */
static bool split(Str text, Parts *out)
{
	Str fragment;
	str_cut(text, '#', &text, &fragment);
	ptrdiff_t at = str_find(text, STR("://"));
	if (at <= 0 || !scheme_is_good(str_slice(text, 0, (size_t)at)))
		return false;
	out->scheme = str_slice(text, 0, (size_t)at);
	Str rest = str_slice(text, (size_t)at + 3, text.len);
	out->has_query = str_cut(rest, '?', &rest, &out->query);
	ptrdiff_t slash = str_find_char(rest, '/');
	size_t end = slash < 0 ? rest.len : (size_t)slash;
	out->authority = str_slice(rest, 0, end);
	out->path = str_slice(rest, end, rest.len);
	return true;
}

static bool only_visible(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return false;
	return true;
}

static bool host_is_good(Str host, bool bracketed)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.ptr[i];
		bool good = bracketed ? isxdigit((unsigned char)c) || strchr(":.%", c) ||
						is_unreserved(c)
				      : is_unreserved(c) || (c & 0x80);
		if (!good)
			return false;
	}
	return host.len > 0;
}

static bool parse_port(Str text, int *out)
{
	unsigned long long port;
	if (!str_to_u64(text, &port) || port == 0 || port > 65535)
		return false;
	*out = (int)port;
	return true;
}

static bool parse_host_port(Str text, Url *url)
{
	Str host, rest;
	bool bracketed = text.len > 0 && text.ptr[0] == '[';
	if (bracketed) {
		if (!str_cut(str_slice(text, 1, text.len), ']', &host, &rest))
			return false;
	} else {
		ptrdiff_t colon = str_find_char(text, ':');
		host = str_slice(text, 0, colon < 0 ? text.len : (size_t)colon);
		rest = str_slice(text, host.len, text.len);
	}
	if (!host_is_good(host, bracketed))
		return false;
	/* RFC 3986 3.2.3 allows an empty port after the colon. */
	if (rest.len && rest.ptr[0] != ':')
		return false;
	if (rest.len > 1 && !parse_port(str_slice(rest, 1, rest.len), &url->port))
		return false;
	url->host = str_dup(host);
	return true;
}

/* The last "@" ends the userinfo, as browsers and curl have it. */
static Str userinfo_of(Str authority, Str *host)
{
	const char *at = authority.len ? memrchr(authority.ptr, '@', authority.len) : NULL;
	size_t len = at ? (size_t)(at - authority.ptr) : 0;
	*host = at ? str_slice(authority, len + 1, authority.len) : authority;
	return str_slice(authority, 0, len);
}

static bool parse_authority(Str authority, Url *url)
{
	Str host, user, password;
	Str userinfo = userinfo_of(authority, &host);
	if (userinfo.len) {
		bool has_password = str_cut(userinfo, ':', &user, &password);
		url->user = unescape(user, false);
		url->password = has_password ? unescape(password, false) : NULL;
		if (!url->user || (has_password && !url->password))
			return false;
	}
	return parse_host_port(host, url);
}

bool url_parse(const char *text, Url *out, Error *err)
{
	autourl Url url = {0};
	Parts parts = {0};
	Str all = str_of(text);
	if (all.len > MAX_URL)
		return err_set(err, ERR_INVALID, "URL of more than %d bytes", MAX_URL);
	if (!only_visible(all) || !split(all, &parts) || !parse_authority(parts.authority, &url)) {
		autofree char *shown = url_redacted(text);
		return err_set(err, ERR_INVALID, "not a URL: \"%s\"", shown);
	}
	url.scheme = str_dup(parts.scheme);
	for (char *c = url.scheme; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	url.path = str_dup(parts.path);
	url.query = parts.has_query ? str_dup(parts.query) : NULL;
	*out = url;
	url = (Url){0};
	return true;
}

void url_dispose(Url *url)
{
	if (url->password)
		mem_wipe(url->password, strlen(url->password));
	free(url->scheme);
	free(url->user);
	free(url->password);
	free(url->host);
	free(url->path);
	free(url->query);
	*url = (Url){0};
}

/* --- text --- */

static void put_userinfo(Buf *out, const Url *url)
{
	autofree char *user = url_escape(url->user, false);
	buf_puts(out, user);
	if (url->password) {
		autofree char *password = url_escape(url->password, false);
		buf_putc(out, ':');
		buf_puts(out, password);
	}
	buf_putc(out, '@');
}

char *url_text(const Url *url, bool redact)
{
	Buf out = {0};
	buf_printf(&out, "%s://", url->scheme);
	if (url->user && !redact)
		put_userinfo(&out, url);
	bool bracketed = strchr(url->host, ':') != NULL;
	buf_printf(&out, bracketed ? "[%s]" : "%s", url->host);
	if (url->port)
		buf_printf(&out, ":%d", url->port);
	buf_puts(&out, url->path);
	if (url->query)
		buf_printf(&out, "?%s", url->query);
	return buf_steal(&out);
}

static void put_visible(Buf *out, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		buf_putc(out, c < ' ' || c == 0x7f ? '?' : text.ptr[i]);
	}
}

static void put_query_keys(Buf *out, Str query)
{
	Str piece, key, value;
	for (char lead = '?'; str_next(&query, '&', &piece); lead = '&') {
		bool has_value = str_cut(piece, '=', &key, &value);
		buf_putc(out, lead);
		put_visible(out, key);
		if (has_value)
			buf_printf(out, "=%s", value.len ? hidden : "");
	}
}

/* A "/" in an unescaped password cuts the authority short; what then stands in the port's place is
 * the password's beginning. */
static bool looks_like_cut_userinfo(Str host, Str path)
{
	Str name, port;
	if (str_starts(host, STR("[")) || !str_cut(host, ':', &name, &port) || port.len == 0)
		return false;
	int ignored;
	return !parse_port(port, &ignored) || str_find_char(path, '@') >= 0;
}

char *url_redacted(const char *text)
{
	Buf out = {0};
	Parts parts = {0};
	Str all = str_of(text), host;
	if (!split(all, &parts)) {
		/* No URL: an scp-like address, or a mistake that may hold a secret anywhere. */
		str_cut(all, '#', &all, &host);
		parts.has_query = str_cut(all, '?', &parts.authority, &parts.query);
		userinfo_of(parts.authority, &host);
		put_visible(&out, host);
	} else {
		userinfo_of(parts.authority, &host);
		put_visible(&out, parts.scheme);
		buf_puts(&out, "://");
		bool cut = looks_like_cut_userinfo(host, parts.path);
		put_visible(&out, cut ? str_of(hidden) : host);
		put_visible(&out, cut ? str_of("") : parts.path);
	}
	put_query_keys(&out, parts.query);
	return buf_steal(&out);
}

int url_port(const Url *url)
{
	return url->port ? url->port : cstr_eq(url->scheme, "https") ? 443 : 80;
}

bool url_is_same_origin(const Url *a, const Url *b)
{
	return cstr_eq(a->scheme, b->scheme) && strcasecmp(a->host, b->host) == 0 &&
	       url_port(a) == url_port(b);
}
