/* One request to a provider: what a refusal says, without what must not be said. */
#include <string.h>

#include "base/mem.h"
#include "cloud/cloud.h"
#include "data/json.h"
#include "net/url.h"

enum { REPLY_MAX = 1 << 20, SAID_MAX = 512, DEFAULT_TIMEOUT_MS = 30000, IDLE_TIMEOUT_MS = 10000 };

/* The text between the first <name> and </name>; of an error page, not of data. */
static Str element(Str xml, const char *name)
{
	autofree char *open = mem_printf("<%s>", name), *close = mem_printf("</%s>", name);
	ptrdiff_t at = str_find(xml, str_of(open));
	if (at < 0)
		return STR("");
	Str rest = str_slice(xml, (size_t)at + strlen(open), xml.len);
	ptrdiff_t end = str_find(rest, str_of(close));
	return end < 0 ? STR("") : str_slice(rest, 0, (size_t)end);
}

static void add_part(Buf *out, Str text)
{
	if (!text.len)
		return;
	if (out->len)
		buf_puts(out, ": ");
	buf_add(out, text);
}

static Str member(const json_t *object, const char *key)
{
	return str_of(json_text(object, key));
}

/* Without the number and the time that Azure (storage, Entra) ends its words with: they differ from
 * try to try, and what is told again and again should read the same. */
static Str stable(Str words)
{
	static const char *const ends[] = {"RequestId:", "Trace ID:"};
	for (size_t i = 0; i < COUNT(ends); i++) {
		ptrdiff_t at = str_find(words, str_of(ends[i]));
		if (at > 0)
			words = str_slice(words, 0, (size_t)at);
	}
	return str_trim(words);
}

/* What a body says: the provider's code, and its words. */
typedef struct {
	json_t *reply;
	Str code, message, more;
} Said;

static void said_dispose(Said *said)
{
	json_decref(said->reply);
}

/* Google: {"error": {"status", "message"}}; OAuth: {"error", "error_description"}; AWS:
 * {"__type", "message"}. */
static void read_json(Said *out)
{
	const json_t *error = json_map(out->reply, "error");
	out->code = error ? member(error, "status") : member(out->reply, "error");
	if (!out->code.len)
		out->code = member(out->reply, "__type");
	out->message = error ? member(error, "message") : member(out->reply, "message");
	if (!out->message.len)
		out->message = member(out->reply, "Message");
	out->more = stable(member(out->reply, "error_description"));
}

static void read_body(Str body, Said *out)
{
	autoerror Error ignored = {0};
	out->reply = json_parse(body.ptr, body.len, REPLY_MAX, &ignored);
	if (out->reply) {
		read_json(out);
		return;
	}
	out->code = element(body, "Code");
	out->message = stable(element(body, "Message"));
	out->more = element(body, "AuthenticationErrorDetail");
}

/* A line of printable text. Owned. */
static char *one_line(Buf *text)
{
	if (text->len > SAID_MAX)
		text->len = SAID_MAX;
	for (size_t i = 0; i < text->len; i++)
		if ((unsigned char)text->ptr[i] < ' ' || (unsigned char)text->ptr[i] > '~')
			text->ptr[i] = ' ';
	return str_dup(str_trim(buf_str(text)));
}

enum { LONG = 16 }; /* what is shorter is no secret, and would take words apart */

/* The long values of "name=value&...", as sent and in plain. */
static void hide_values(Str form, Error *err)
{
	Str pair, name, value;
	while (str_next(&form, '&', &pair)) {
		if (!str_cut(pair, '=', &name, &value) || value.len < LONG)
			continue;
		autofree char *raw = str_dup(value), *plain = url_unescape(raw, true);
		err_hide(err, raw);
		err_hide(err, plain ? plain : raw);
	}
}

/* What a peer may have echoed: header values, a form's, the query's. */
static void hide_secrets(const HttpRequest *request, Error *err)
{
	for (const char *const *line = request->headers; line && *line; line++) {
		const char *value = strchr(*line, ':');
		value = value ? value + 1 + strspn(value + 1, " ") : NULL;
		const char *blank = value ? strchr(value, ' ') : NULL;
		if (value && strlen(value) >= LONG)
			err_hide(err, value);
		if (blank && strlen(blank + 1) >= LONG)
			err_hide(err, blank + 1);
	}
	http_hide_login(err, request->user, request->password);
	hide_values(str_sized(request->body ? request->body : "", request->body_len), err);
	const char *query = strchr(request->url, '?');
	hide_values(str_of(query ? query + 1 : NULL), err);
}

bool cloud_refused(const HttpRequest *request, const HttpResponse *reply, Error *err)
{
	autourl Url url = {0};
	autoerror Error ignored = {0};
	__attribute__((cleanup(said_dispose))) Said what = {0};
	autobuf Buf text = {0};
	read_body(buf_str(&reply->body), &what);
	add_part(&text, what.code);
	add_part(&text, what.message);
	add_part(&text, what.more);
	autofree char *line = one_line(&text);
	const char *host = url_parse(request->url, &url, &ignored) ? url.host : "the server";
	int status = reply->status;
	if (status >= 300 && status < 400)
		err_set(err, ERR_INVALID, "%s replied %d: redirects are not followed%s%s", host,
			status, *line ? ": " : "", line);
	else
		err_set(err, err_code_of_http(status < 400 ? 500 : status), "%s replied %d%s%s",
			host, status, *line ? ": " : "", line);
	err->http_status = status;
	err->retry_after_ms = http_response_retry_after_ms(reply);
	if (what.code.len && what.code.len < SAID_MAX) {
		autofree char *code = str_dup(what.code);
		err_reason(err, code);
	}
	hide_secrets(request, err);
	return false;
}

bool cloud_call(HttpClient *http, const HttpRequest *request, Buf *out, Error *err)
{
	HttpRequest limited = *request;
	autohttpresponse HttpResponse reply = {0};
	limited.max_body = REPLY_MAX;
	limited.idle_timeout_ms = IDLE_TIMEOUT_MS;
	if (!limited.timeout_ms)
		limited.timeout_ms = DEFAULT_TIMEOUT_MS;
	if (!httpc_do(http, &limited, &reply, err))
		return false;
	if (reply.status < 200 || reply.status > 299)
		return cloud_refused(request, &reply, err);
	buf_dispose(out);
	*out = reply.body;
	reply.body = (Buf){0};
	return true;
}

void cloud_form_add(Buf *form, const char *name, const char *value)
{
	autofree char *escaped = url_escape(value, false);
	buf_printf(form, "%s%s=%s", form->len ? "&" : "", name, escaped);
}
