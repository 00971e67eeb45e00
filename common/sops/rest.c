#include "sops/rest.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "data/base64.h"
#include "net/url.h"

enum { TIMEOUT_MS = 30000, MAX_REPLY = 256 * 1024, SHOWN = 300 };

/* What the services put into the reply of an error. */
static const char *told(const json_t *reply)
{
	const json_t *errors = json_list(reply, "errors");		    /* Vault */
	const char *nested = json_text_at(reply, "error", "message", NULL); /* Google, Azure */
	const char *plain = json_text(reply, "message");		    /* AWS */
	if (json_is_string(json_array_get(errors, 0)))
		return json_string_value(json_array_get(errors, 0));
	if (nested || plain)
		return nested ? nested : plain;
	plain = json_text(reply, "Message");
	return plain ? plain : json_text_or(reply, "error_description", "");
}

static json_t *refused(const RestCall *call, const HttpResponse *response, Error *err)
{
	autoerror Error ignored = {0};
	autojson json_t *reply =
		json_parse(buf_text(&response->body), response->body.len, MAX_REPLY, &ignored);
	autofree char *shown = url_redacted(call->url);
	const char *text = told(reply);
	err_set(err, err_code_of_http(response->status), "%s: HTTP %d%s%.*s", shown,
		response->status, *text ? ": " : "", SHOWN, text);
	err_hide(err, call->secret);
	return NULL;
}

json_t *rest_post(HttpClient *http, const RestCall *call, Error *err)
{
	autohttpresponse HttpResponse response = {0};
	autovec Vec headers = {0};
	autofree char *type =
		mem_printf("Content-Type: %s", call->type ? call->type : "application/json");
	vec_push(&headers, type);
	for (size_t i = 0; call->headers && call->headers[i]; i++)
		vec_push(&headers, (void *)(uintptr_t)call->headers[i]);
	vec_push(&headers, NULL);
	HttpRequest request = {.method = "POST",
			       .url = call->url,
			       .headers = (const char *const *)(const void *)headers.items,
			       .body = call->body,
			       .body_len = strlen(call->body),
			       .timeout_ms = TIMEOUT_MS,
			       .max_body = MAX_REPLY};
	if (!httpc_do(http, &request, &response, err))
		return NULL;
	if (response.status >= 300)
		return refused(call, &response, err);
	json_t *reply = json_parse(buf_text(&response.body), response.body.len, MAX_REPLY, err);
	mem_wipe(response.body.ptr, response.body.cap);
	autofree char *shown = url_redacted(call->url);
	return reply ? reply : err_wrap_null(err, "%s", shown);
}

bool rest_bytes(json_t *reply, const char *key, bool url, Buf *out, Error *err)
{
	const char *text = json_text(reply, key);
	autoerror Error ignored = {0};
	bool ok = text && (url ? base64url_decode(text, strlen(text), out, &ignored)
			       : base64_decode(text, strlen(text), out, &ignored));
	if (text)
		mem_wipe((char *)(uintptr_t)text, strlen(text));
	return ok || err_set(err, ERR_INVALID, "the reply has no '%s' in base64", key);
}
