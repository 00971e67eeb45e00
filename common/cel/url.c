/* URLs (library/urls.go), as Go's net/url takes them apart. */
#include "cel/url.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "cel/cel_internal.h"

enum { KUBE = CEL_LIB_KUBERNETES };

struct CelUrl {
	Str text;
	char *scheme;
	Str authority, host, path, query;
};

static bool bad(Error *err, Str text, const char *why)
{
	return err_set(err, ERR_INVALID, "parse \"%.*s\": %s", (int)text.len, text.ptr, why);
}

/* The length of "scheme:", 0 without one, -1 for a colon in front. */
static ptrdiff_t scheme_length(Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (byte == ':')
			return i == 0 ? -1 : (ptrdiff_t)i + 1;
		if (isalpha(byte) || (i > 0 && (isdigit(byte) || strchr("+-.", byte))))
			continue;
		return 0;
	}
	return 0;
}

static bool check_escapes(Str whole, Str part, Error *err)
{
	for (size_t i = 0; i < part.len; i++) {
		if (part.ptr[i] != '%')
			continue;
		if (i + 2 < part.len && isxdigit((unsigned char)part.ptr[i + 1]) &&
		    isxdigit((unsigned char)part.ptr[i + 2]))
			continue;
		Str seen = str_slice(part, i, i + 3);
		autofree char *why =
			mem_printf("invalid URL escape \"%.*s\"", (int)seen.len, seen.ptr);
		return bad(err, whole, why);
	}
	return true;
}

/* "host" or "host:digits", "[v6]" likewise. */
static bool check_host(Str whole, Str host, Error *err)
{
	const char *close = memrchr(host.ptr, ']', host.len);
	bool bracket = host.len > 0 && *host.ptr == '[';
	if (bracket && !close)
		return bad(err, whole, "missing ']' in host");
	Str rest = bracket ? str_slice(host, (size_t)(close + 1 - host.ptr), host.len) : host;
	ptrdiff_t colon = -1;
	for (size_t i = 0; i < rest.len; i++)
		colon = rest.ptr[i] == ':' ? (ptrdiff_t)i : colon;
	Str port = bracket ? rest : colon >= 0 ? str_slice(rest, (size_t)colon, rest.len) : STR("");
	bool fine = port.len == 0 || *port.ptr == ':';
	for (size_t i = 1; i < port.len; i++)
		fine &= isdigit((unsigned char)port.ptr[i]) != 0;
	if (!fine) {
		autofree char *why =
			mem_printf("invalid port \"%.*s\" after host", (int)port.len, port.ptr);
		return bad(err, whole, why);
	}
	for (size_t i = 0; i < host.len; i++) {
		unsigned char byte = (unsigned char)host.ptr[i];
		if (byte >= 0x80 || isalnum(byte) || strchr("-_.~!$&'()*+,;=:[]<>\"%", byte))
			continue;
		autofree char *why = mem_printf("invalid character \"%c\" in host name", byte);
		return bad(err, whole, why);
	}
	return true;
}

static bool check_user(Str whole, Str user, Error *err)
{
	for (size_t i = 0; i < user.len; i++) {
		unsigned char byte = (unsigned char)user.ptr[i];
		if (!isalnum(byte) && !strchr("-._:~!$&'()*+,;=%@", byte))
			return bad(err, whole, "net/url: invalid userinfo");
	}
	return check_escapes(whole, user, err);
}

static bool parse_authority(Str whole, Str rest, CelUrl *out, Error *err)
{
	Str authority = rest;
	for (size_t i = 2; i < rest.len; i++) {
		if (rest.ptr[i] == '/') {
			authority = str_slice(rest, 0, i);
			break;
		}
	}
	out->path = str_slice(rest, authority.len, rest.len);
	authority = str_slice(authority, 2, authority.len);
	const char *at = memrchr(authority.ptr, '@', authority.len);
	size_t user = at ? (size_t)(at + 1 - authority.ptr) : 0;
	out->host = str_slice(authority, user, authority.len);
	if (at && !check_user(whole, str_slice(authority, 0, user - 1), err))
		return false;
	return check_host(whole, out->host, err);
}

/* `request`: as ParseRequestURI, which knows no fragment. */
static bool parse(Str text, bool request, CelUrl *out, Error *err)
{
	Str whole = text, tail;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			return bad(err, whole, "net/url: invalid control character in URL");
	if (text.len == 0)
		return bad(err, whole, "empty url");
	if (!request)
		(void)str_cut(text, '#', &text, &tail);
	ptrdiff_t scheme = scheme_length(text);
	if (scheme < 0)
		return bad(err, whole, "missing protocol scheme");
	out->host = out->path = out->query = STR("");
	out->scheme = mem_strndup(text.ptr, scheme > 0 ? (size_t)scheme - 1 : 0);
	for (char *c = out->scheme; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	Str rest = str_slice(text, (size_t)scheme, text.len);
	(void)str_cut(rest, '?', &rest, &out->query);
	if (!str_starts(rest, STR("/")))
		return scheme > 0 || bad(err, whole, "invalid URI for request");
	out->path = rest;
	if (scheme > 0 && str_starts(rest, STR("//")) && !parse_authority(whole, rest, out, err))
		return false;
	return check_escapes(whole, out->path, err);
}

static void dispose(CelUrl *url)
{
	free(url->scheme);
}
#define autourl __attribute__((cleanup(dispose)))

bool url_check(Str text, Error *err)
{
	autourl CelUrl url = {0};
	return parse(text, true, &url, err);
}

static CelValue url(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	autourl CelUrl url = {.text = args[0].text};
	autoerror Error err = {0};
	CelUrl *copy = cel_alloc(run, sizeof(*copy));
	if (!copy)
		return cel_error(run, "memory limit exceeded");
	if (!url_check(args[0].text, &err) || !parse(args[0].text, false, &url, &err))
		return cel_error(run, "URL parse error during conversion from string: %s",
				 err_text(&err));
	*copy = url;
	copy->scheme = arena_strdup(run->arena, url.scheme);
	return (CelValue){.kind = CEL_URL, .url = copy};
}

bool cel_url_equal(const CelUrl *a, const CelUrl *b)
{
	return str_eq(a->text, b->text);
}

static CelValue is_url(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	autoerror Error err = {0};
	return cel_bool(url_check(args[0].text, &err));
}

static CelValue view(Str text)
{
	return (CelValue){.kind = CEL_STRING, .text = text};
}

static CelValue get_scheme(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return view(str_of(args[0].url->scheme));
}

static CelValue get_host(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return view(args[0].url->host);
}

/* Where the port's colon is, or the length. */
static size_t port_colon(Str host)
{
	for (size_t i = host.len; i > 0 && host.ptr[i - 1] != ']'; i--)
		if (host.ptr[i - 1] == ':')
			return i - 1;
	return host.len;
}

static CelValue get_hostname(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	Str host = str_slice(args[0].url->host, 0, port_colon(args[0].url->host));
	if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
		host = str_slice(host, 1, host.len - 1);
	return view(host);
}

static CelValue get_port(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	Str host = args[0].url->host;
	return view(str_slice(host, port_colon(host) + 1, host.len));
}

static CelValue get_path(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	Str path = args[0].url->path;
	autobuf Buf out = {0};
	for (size_t i = 0; i < path.len; i++) {
		unsigned char byte = (unsigned char)path.ptr[i];
		if (isalnum(byte) || (byte && strchr("-_.~$&+,/:;=@!'()*[]%", byte)))
			buf_putc(&out, (char)byte);
		else
			buf_printf(&out, "%%%02X", byte);
	}
	return cel_text_value(run, buf_text(&out), out.len);
}

static int hex_digit(char byte)
{
	return byte <= '9' ? byte - '0' : (byte | 0x20) - 'a' + 10;
}

/* Decodes a key or value of a query; false when an escape is wrong. */
static bool decode(CelRun *run, Str text, CelValue *out)
{
	autobuf Buf plain = {0};
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '%') {
			buf_putc(&plain, text.ptr[i] == '+' ? ' ' : text.ptr[i]);
			continue;
		}
		if (i + 2 >= text.len || !isxdigit((unsigned char)text.ptr[i + 1]) ||
		    !isxdigit((unsigned char)text.ptr[i + 2]))
			return false;
		buf_putc(&plain,
			 (char)(hex_digit(text.ptr[i + 1]) << 4 | hex_digit(text.ptr[i + 2])));
		i += 2;
	}
	*out = cel_text_value(run, buf_text(&plain), plain.len);
	return !cel_is_error(out);
}

static CelValue get_query(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	Str rest = args[0].url->query, pair, name, text;
	CelValue map = cel_map_new(run);
	while (!cel_is_error(&map) && cel_tick(run) && str_next(&rest, '&', &pair)) {
		CelValue key, value, list;
		(void)str_cut(pair, '=', &name, &text);
		if (pair.len == 0 || memchr(pair.ptr, ';', pair.len) || !decode(run, name, &key) ||
		    !decode(run, text, &value))
			continue;
		if (!cel_map_find(run, map.map, key, &list)) {
			list = cel_list_new(run, 1);
			if (cel_is_error(&list) || !cel_map_put(run, map.map, key, list))
				return cel_error(run, "memory limit exceeded");
		}
		(void)cel_list_add(run, list.list, value);
	}
	return map;
}

static const CelFunction rows[] = {
	{"url", false, KUBE, "s>W", url},
	{"isURL", false, KUBE, "s>b", is_url},
	{"getScheme", true, KUBE, "W>s", get_scheme},
	{"getHost", true, KUBE, "W>s", get_host},
	{"getHostname", true, KUBE, "W>s", get_hostname},
	{"getPort", true, KUBE, "W>s", get_port},
	{"getEscapedPath", true, KUBE, "W>s", get_path},
	{"getQuery", true, KUBE, "W>MsLs", get_query},
};

const CelFunctions cel_functions_url = {rows, COUNT(rows)};
