/* What went wrong with a call, in our codes. Texts name method and redacted URL, never credentials.
 */
#include <string.h>

#include "net/httpc_internal.h"

#include "base/mem.h"
#include "base/str.h"
#include "data/base64.h"
#include "net/url.h"

typedef struct {
	CURLcode result;
	ErrorCode code;
	bool tls;
} Row;

static const Row rows[] = {
	{CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT, false},
	{CURLE_PEER_FAILED_VERIFICATION, ERR_UNAUTHORIZED, true},
	{CURLE_SSL_ISSUER_ERROR, ERR_UNAUTHORIZED, true},
	{CURLE_SSL_INVALIDCERTSTATUS, ERR_UNAUTHORIZED, true},
	{CURLE_SSL_CERTPROBLEM, ERR_UNAUTHORIZED, true},
	{CURLE_SSL_CACERT_BADFILE, ERR_UNAUTHORIZED, true},
	{CURLE_SSL_CONNECT_ERROR, ERR_UNAVAILABLE, true},
	{CURLE_URL_MALFORMAT, ERR_INVALID, false},
	{CURLE_UNSUPPORTED_PROTOCOL, ERR_INVALID, false},
	{CURLE_BAD_FUNCTION_ARGUMENT, ERR_INVALID, false},
	{CURLE_TOO_MANY_REDIRECTS, ERR_LIMIT, false},
	{CURLE_FILESIZE_EXCEEDED, ERR_LIMIT, false},
	{CURLE_OUT_OF_MEMORY, ERR_INTERNAL, false},
};

char *httpc_call_name(const HttpCall *call)
{
	autofree char *url = url_redacted(call->request.url);
	return mem_printf("%s %s", call->request.method, url);
}

/* Without what differs from try to try: " after 12 ms". What is told again reads the same. */
static char *without_times(const char *text)
{
	static const char after[] = " after ";
	const char *at = strstr(text, after);
	const char *digits = at ? at + strlen(after) : NULL;
	size_t count = digits ? strspn(digits, "0123456789") : 0;
	const char *rest = digits ? digits + count : NULL;
	if (!count || !cstr_starts(rest, " m"))
		return mem_strdup(text);
	rest += 1 + strcspn(rest + 1, " :,");
	return mem_printf("%.*s%s", (int)(at - text), text, rest);
}

/* curl's words, and what they leave open. Owned. */
static char *words_of(const HttpCall *call, CURLcode result)
{
	if (result == CURLE_SEND_FAIL_REWIND)
		return mem_strdup("the connection ended before the reply");
	autofree char *said =
		without_times(call->errbuf[0] ? call->errbuf : curl_easy_strerror(result));
	if (result == CURLE_COULDNT_CONNECT && call->client->proxy)
		return mem_printf("proxy: %s", said);
	if (strstr(said, "wrong version number"))
		return mem_printf("the server does not speak TLS there: %s", said);
	return steal(&said);
}

/* The peer's alert about our certificate; under TLS 1.3 it comes with the first read. */
static bool peer_refused_us(const char *text)
{
	return strstr(text, "alert") && (strstr(text, "certificate") || strstr(text, "unknown ca"));
}

void httpc_classify(const HttpCall *call, CURLcode result, Error *err)
{
	Row row = {result, ERR_UNAVAILABLE, false};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].result == result)
			row = rows[i];
	autofree char *text = words_of(call, result);
	if (peer_refused_us(text))
		row = (Row){result, ERR_UNAUTHORIZED, true};
	autofree char *name = httpc_call_name(call);
	err_set(err, row.code, "%s%s: %s", row.tls ? "tls: " : "", name, text);
	/* A connection of HTTP/1 carries one request at a time: what could not be sent was not
	 * whole. With HTTP/2 the failure may be another stream's. */
	err->unsent =
		result == CURLE_SEND_ERROR && call->client->replied && !call->client->speaks_http2;
}

void http_hide_login(Error *err, const char *user, const char *password)
{
	if (cstr_empty(password))
		return;
	err_hide(err, password);
	autosecrettext char *login = mem_printf("%s:%s", user ? user : "", password);
	autosecrettext char *basic = base64_encode(login, strlen(login));
	err_hide(err, basic);
}

const char *http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
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
	for (size_t i = 0; i < COUNT(texts); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "";
}
