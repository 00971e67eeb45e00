#include "base/mem.h"
#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/* URLs as Go's net/url reads and writes them. */

typedef struct {
	Str scheme, opaque, user, password, host, path, query, fragment;
	bool has_user, has_password;
} Url;

typedef enum { ESCAPE_PATH, ESCAPE_USER, ESCAPE_HOST, ESCAPE_FRAGMENT } EscapeMode;

static bool is_alnum(char byte)
{
	return (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z');
}

static bool stays(char byte, EscapeMode mode)
{
	static const char *const sets[] = {
		[ESCAPE_PATH] = "$&+,/:;=@",
		[ESCAPE_USER] = "$&+,;=",
		[ESCAPE_HOST] = "!$&'()*+,;=:[]<>\"",
		[ESCAPE_FRAGMENT] = "$&+,/:;=?@!()*",
	};
	return is_alnum(byte) || (byte && strchr("-_.~", byte)) ||
	       (byte && strchr(sets[mode], byte));
}

static void escape(Str text, EscapeMode mode, Buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (stays(text.ptr[i], mode))
			buf_putc(out, text.ptr[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)text.ptr[i]);
	}
}

static int hex_of(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	return (byte | 32) >= 'a' && (byte | 32) <= 'f' ? (byte | 32) - 'a' + 10 : -1;
}

/* False with "invalid URL escape". */
static bool unescape(GoCall *call, Str text, Str *out, Buf *why)
{
	autobuf Buf plain = {0};
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '%') {
			buf_putc(&plain, text.ptr[i]);
			continue;
		}
		bool fine = i + 2 < text.len && hex_of(text.ptr[i + 1]) >= 0 &&
			    hex_of(text.ptr[i + 2]) >= 0;
		if (!fine) {
			buf_puts(why, "invalid URL escape ");
			quote_value(call, str_slice(text, i, i + 3), why);
			return false;
		}
		buf_putc(&plain, (char)(hex_of(text.ptr[i + 1]) * 16 + hex_of(text.ptr[i + 2])));
		i += 2;
	}
	*out = call_copy(call, buf_str(&plain));
	return true;
}

/* "scheme:" off the front. */
static bool read_scheme(Str *rest, Str *scheme, Buf *why)
{
	*scheme = STR("");
	for (size_t i = 0; i < rest->len; i++) {
		char byte = rest->ptr[i];
		bool letter = (byte | 32) >= 'a' && (byte | 32) <= 'z';
		if (letter || (i > 0 && (is_alnum(byte) || strchr("+-.", byte))))
			continue;
		if (byte == ':' && i == 0) {
			buf_puts(why, "missing protocol scheme");
			return false;
		}
		if (byte == ':') {
			*scheme = str_slice(*rest, 0, i);
			*rest = str_slice(*rest, i + 1, rest->len);
		}
		return true;
	}
	return true;
}

static bool check_port(GoCall *call, Str host, Buf *why)
{
	size_t colon = host.len;
	for (size_t i = host.len; i > 0 && host.ptr[i - 1] != ']'; i--)
		if (host.ptr[i - 1] == ':')
			colon = i - 1;
	if (str_starts(host, STR("[")) && str_find_char(host, ']') < 0) {
		buf_puts(why, "missing ']' in host");
		return false;
	}
	for (size_t i = colon + 1; i < host.len; i++) {
		if (host.ptr[i] >= '0' && host.ptr[i] <= '9')
			continue;
		buf_puts(why, "invalid port ");
		quote_value(call, str_slice(host, colon, host.len), why);
		buf_puts(why, " after host");
		return false;
	}
	return true;
}

static bool check_host(GoCall *call, Str host, Buf *why)
{
	for (size_t i = 0; i < host.len; i++) {
		char byte = host.ptr[i];
		if ((unsigned char)byte >= 0x80 || byte == '%' || stays(byte, ESCAPE_HOST))
			continue;
		buf_puts(why, "invalid character ");
		quote_value(call, str_slice(host, i, i + 1), why);
		buf_puts(why, " in host name");
		return false;
	}
	return check_port(call, host, why);
}

static bool read_user(GoCall *call, Str text, Url *url, Buf *why)
{
	Str user, password;
	url->has_user = true;
	for (size_t i = 0; i < text.len; i++) {
		if (is_alnum(text.ptr[i]) || strchr("-._:~!$&'()*+,;=%@", text.ptr[i]))
			continue;
		buf_puts(why, "net/url: invalid userinfo");
		return false;
	}
	url->has_password = str_cut(text, ':', &user, &password);
	return unescape(call, user, &url->user, why) &&
	       (!url->has_password || unescape(call, password, &url->password, why));
}

static bool read_authority(GoCall *call, Str text, Url *url, Buf *why)
{
	size_t at = text.len;
	while (at > 0 && text.ptr[at - 1] != '@')
		at--;
	if (at > 0 && !read_user(call, str_slice(text, 0, at - 1), url, why))
		return false;
	Str host = str_slice(text, at, text.len);
	return check_host(call, host, why) && unescape(call, host, &url->host, why);
}

static bool has_control(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return true;
	return false;
}

/* Relative paths must have no colon in their first part. */
static bool check_first_part(Str rest, Buf *why)
{
	Str part, others;
	str_cut(rest, '/', &part, &others);
	if (str_find_char(part, ':') < 0)
		return true;
	buf_puts(why, "first path segment in URL cannot contain colon");
	return false;
}

static bool parse_url(GoCall *call, Str text, Url *out, Buf *why)
{
	Str rest, fragment, query, authority, path;
	*out = (Url){0};
	str_cut(text, '#', &rest, &fragment);
	if (has_control(text)) {
		buf_puts(why, "net/url: invalid control character in URL");
		return false;
	}
	if (!unescape(call, fragment, &out->fragment, why) ||
	    !read_scheme(&rest, &out->scheme, why))
		return false;
	autobuf Buf lower = {0};
	runes_map(call->run->set->unicode, out->scheme, rune_lower, &lower);
	out->scheme = call_copy(call, buf_str(&lower));
	str_cut(rest, '?', &rest, &query);
	out->query = query;
	bool rooted = str_starts(rest, STR("/"));
	if (!rooted && out->scheme.len > 0) {
		out->opaque = rest;
		return true;
	}
	if (!rooted && !check_first_part(rest, why))
		return false;
	bool slashes = str_starts(rest, STR("//")) &&
		       (out->scheme.len > 0 || !str_starts(rest, STR("///")));
	path = rest;
	if (slashes) {
		rest = str_slice(rest, 2, rest.len);
		ptrdiff_t end = str_find_char(rest, '/');
		authority = end < 0 ? rest : str_slice(rest, 0, (size_t)end);
		path = end < 0 ? STR("") : str_slice(rest, (size_t)end, rest.len);
		if (!read_authority(call, authority, out, why))
			return false;
	}
	return unescape(call, path, &out->path, why);
}

static void write_user(const Url *url, Buf *out)
{
	escape(url->user, ESCAPE_USER, out);
	if (url->has_password) {
		buf_putc(out, ':');
		escape(url->password, ESCAPE_USER, out);
	}
}

/* The host without its port and without the brackets of an IPv6 address. */
static Str host_name(Str host)
{
	ptrdiff_t bracket = str_find_char(host, ']');
	if (str_starts(host, STR("[")) && bracket > 0)
		return str_slice(host, 1, (size_t)bracket);
	for (size_t i = host.len; i > 0; i--)
		if (host.ptr[i - 1] == ':')
			return str_slice(host, 0, i - 1);
	return host;
}

static void put(GoCall *call, GoMap *map, const char *key, Str text)
{
	go_map_put(call_arena(call), map, str_of(key), go_text(text));
}

static bool fn_url_parse(GoCall *call, GoValue *out)
{
	Url url;
	autobuf Buf why = {0};
	autobuf Buf user = {0};
	Str text = call->args[0].text;
	if (!parse_url(call, text, &url, &why)) {
		autobuf Buf quoted = {0};
		quote_value(call, text, &quoted);
		return call_fail(call, "unable to parse url: parse %s: %s", buf_text(&quoted),
				 buf_text(&why));
	}
	GoMap *map = go_map_new(call_arena(call), GO_MAP);
	if (url.has_user)
		write_user(&url, &user);
	put(call, map, "scheme", url.scheme);
	put(call, map, "host", url.host);
	put(call, map, "hostname", host_name(url.host));
	put(call, map, "path", url.path);
	put(call, map, "query", url.query);
	put(call, map, "opaque", url.opaque);
	put(call, map, "fragment", url.fragment);
	put(call, map, "userinfo", call_copy(call, buf_str(&user)));
	*out = go_map(map);
	return true;
}

static bool part_of(GoCall *call, const char *key, Str *out)
{
	GoValue value;
	*out = STR("");
	if (!go_map_get(call_arena(call), call->args[0].map, str_of(key), &value))
		return true;
	if (value.type == GO_NIL)
		return call_fail_nil(call);
	if (value.type != GO_STRING)
		return call_fail(call,
				 "unable to parse %s key, must be of type string, but %s found",
				 key, go_kind_name(value));
	*out = value.text;
	return true;
}

static void write_path(const Url *url, Buf *out)
{
	bool host = url->host.len > 0;
	if (url->path.len > 0 && url->path.ptr[0] != '/' && host)
		buf_putc(out, '/');
	/* "a:b" would be read as a scheme */
	Str part, others;
	str_cut(url->path, '/', &part, &others);
	if (out->len == 0 && str_find_char(part, ':') >= 0)
		buf_puts(out, "./");
	escape(url->path, ESCAPE_PATH, out);
}

static void write_url(const Url *url, Buf *out)
{
	if (url->scheme.len > 0) {
		buf_add(out, url->scheme);
		buf_putc(out, ':');
	}
	if (url->opaque.len > 0) {
		buf_add(out, url->opaque);
	} else {
		bool slashes = url->scheme.len > 0 || url->host.len > 0 || url->has_user;
		if (slashes && (url->host.len > 0 || url->path.len > 0 || url->has_user))
			if (url->host.len > 0 || url->has_user || str_starts(url->path, STR("//")))
				buf_puts(out, "//");
		if (url->has_user) {
			write_user(url, out);
			buf_putc(out, '@');
		}
		escape(url->host, ESCAPE_HOST, out);
		write_path(url, out);
	}
	if (url->query.len > 0) {
		buf_putc(out, '?');
		buf_add(out, url->query);
	}
	if (url->fragment.len > 0) {
		buf_putc(out, '#');
		escape(url->fragment, ESCAPE_FRAGMENT, out);
	}
}

static bool fn_url_join(GoCall *call, GoValue *out)
{
	Url url = {0};
	Str user;
	autobuf Buf text = {0};
	autobuf Buf why = {0};
	bool fine = part_of(call, "scheme", &url.scheme) && part_of(call, "host", &url.host) &&
		    part_of(call, "path", &url.path) && part_of(call, "query", &url.query) &&
		    part_of(call, "opaque", &url.opaque) &&
		    part_of(call, "fragment", &url.fragment) && part_of(call, "userinfo", &user);
	if (!fine)
		return false;
	if (user.len > 0 && !read_user(call, user, &url, &why))
		return call_fail(
			call, "unable to parse userinfo in dict: parse \"proto://%.*s@host\": %s",
			(int)user.len, user.ptr, buf_text(&why));
	write_url(&url, &text);
	return call_return_text(call, &text, out);
}

const GoFn functions_urls[] = {
	{"urlParse", "s", fn_url_parse},
	{"urlJoin", "m", fn_url_join},
	{0},
};
