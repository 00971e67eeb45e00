/* Replies of the API server: an object, or a Status as an Error (kube-api.md 1.5). */
#include <string.h>

#include "base/str.h"
#include "kube/client_internal.h"

/* Reasons that say more than the HTTP status. */
static const struct {
	const char *reason;
	ErrorCode code;
} reasons[] = {
	{"AlreadyExists", ERR_EXISTS},
	{"Conflict", ERR_CONFLICT},
	{"Expired", ERR_GONE},
	{"Gone", ERR_GONE},
	{"NotFound", ERR_NOT_FOUND},
	{"Unauthorized", ERR_UNAUTHORIZED},
	{"Forbidden", ERR_FORBIDDEN},
	{"Invalid", ERR_INVALID},
	{"BadRequest", ERR_INVALID},
	{"Timeout", ERR_TIMEOUT},
	{"ServerTimeout", ERR_TIMEOUT},
	{"TooManyRequests", ERR_TOO_MANY},
	{"ServiceUnavailable", ERR_UNAVAILABLE},
	{"InternalError", ERR_UNAVAILABLE},
	{"MethodNotAllowed", ERR_UNSUPPORTED},
	{"NotAcceptable", ERR_UNSUPPORTED},
	{"UnsupportedMediaType", ERR_UNSUPPORTED},
	{"RequestEntityTooLarge", ERR_LIMIT},
};

static ErrorCode code_of(const char *reason, int http_status)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (cstr_eq(reasons[i].reason, reason))
			return reasons[i].code;
	return err_code_of_http(http_status);
}

static bool is_status(const json_t *object)
{
	return cstr_eq(object_kind(object), "Status");
}

bool reply_status_error(const json_t *status, int http_status, int64_t retry_after_ms, Error *err)
{
	const char *reason = json_text(status, "reason");
	const char *message = json_text(status, "message");
	if (!http_status)
		http_status = (int)json_int(status, "code", 500);
	if (cstr_empty(message))
		err_set(err, code_of(reason, http_status), "the API server answered %d",
			http_status);
	else
		err_set(err, code_of(reason, http_status), "%s", message);
	err->http_status = http_status;
	int64_t seconds = json_int(json_map(status, "details"), "retryAfterSeconds", 0);
	if (seconds < 0 || seconds > 24 * 3600)
		seconds = 0;
	err->retry_after_ms = retry_after_ms ? retry_after_ms : seconds * 1000;
	return cstr_empty(reason) ? false : err_reason(err, reason);
}

/* A body that is no Status: a proxy's page, or "404 page not found". Only its start is shown. */
static bool plain_error(int status, int64_t retry_after_ms, const Buf *body, Error *err)
{
	enum { SHOWN = 200 };
	Str text = str_trim(str_slice(buf_str(body), 0, SHOWN));
	Str line;
	str_cut(text, '\n', &line, &text);
	err_set(err, err_code_of_http(status), "the API server answered %d%s%.*s", status,
		line.len ? ": " : "", (int)line.len, line.ptr);
	err->http_status = status;
	err->retry_after_ms = retry_after_ms;
	return false;
}

json_t *reply_object(int status, int64_t retry_after_ms, const Buf *body, Error *err)
{
	autoerror Error cause = {0};
	autojson json_t *object = json_parse(buf_text(body), body->len, KUBE_MAX_REPLY, &cause);
	if (status >= 200 && status < 300) {
		if (object)
			return steal(&object);
		err_move(err, &cause);
		err->code = ERR_UNAVAILABLE; /* a reply cut short by something in between */
		return err_wrap_null(err, "reply of the API server");
	}
	if (is_status(object))
		reply_status_error(object, status, retry_after_ms, err);
	else
		plain_error(status, retry_after_ms, body, err);
	return NULL;
}

bool reply_is_no_path(int status, const Buf *body)
{
	if (status != 404)
		return false;
	/* A Status about an object has details.name; one about a path has none. */
	autoerror Error ignored = {0};
	autojson json_t *object = json_parse(buf_text(body), body->len, KUBE_MAX_REPLY, &ignored);
	return !is_status(object) || !json_text_at(object, "details", "name", NULL);
}
