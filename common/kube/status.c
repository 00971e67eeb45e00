/* Status objects to Errors (kube-api.md 1.5). */
#include "base/str.h"
#include "kube/client_internal.h"

enum { SHOWN_MAX = 512 };

static ErrorCode code_of(int status, const char *reason)
{
	if (cstr_eq(reason, "AlreadyExists"))
		return ERR_EXISTS;
	return err_code_of_http(status);
}

void status_to_error(int status, const HttpResponse *response, Error *err)
{
	autoerror Error ignored = {0};
	autojson json_t *body =
		json_parse(buf_text(&response->body), response->body.len, KUBE_REPLY_MAX, &ignored);
	const char *reason = json_text(body, "reason"), *message = json_text(body, "message");
	if (message) {
		err_set(err, code_of(status, reason), "%s", message);
	} else {
		Str shown = str_trim(str_slice(buf_str(&response->body), 0, SHOWN_MAX));
		err_set(err, code_of(status, NULL), "the server answered %d: %.*s", status,
			(int)shown.len, shown.ptr);
	}
	if (reason)
		err_reason(err, reason);
	err->http_status = status;
	err->retry_after_ms = http_response_retry_after_ms(response);
	int64_t seconds = json_int(json_map(body, "details"), "retryAfterSeconds", 0);
	if (!err->retry_after_ms && seconds > 0)
		err->retry_after_ms = seconds * 1000;
}
