#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void error_dispose(Error *err)
{
	if (err->message)
		free(err->message);
	if (err->reason)
		free(err->reason);
	*err = (Error){0};
}

static void fill(Error *err, ErrorCode code, char *take_message)
{
	assert(code != ERR_NONE && err->code == ERR_NONE);
	err->code = code;
	err->message = take_message;
}

bool err_set(Error *err, ErrorCode code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fill(err, code, mem_vprintf(format, args));
	va_end(args);
	return false;
}

void *err_null(Error *err, ErrorCode code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fill(err, code, mem_vprintf(format, args));
	va_end(args);
	return NULL;
}

bool err_errno(Error *err, const char *format, ...)
{
	int saved = errno;
	va_list args;
	va_start(args, format);
	autofree char *what = mem_vprintf(format, args);
	va_end(args);
	char text[128];
	const char *cause = strerror_r(saved, text, sizeof(text));
	fill(err, saved == ENOENT ? ERR_NOT_FOUND : ERR_IO, mem_printf("%s: %s", what, cause));
	return false;
}

static void wrap(Error *err, const char *format, va_list args)
{
	assert(err->code != ERR_NONE);
	autofree char *context = mem_vprintf(format, args);
	autofree char *inner = err->message;
	err->message = mem_printf("%s: %s", context, inner ? inner : "");
}

bool err_wrap(Error *err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	wrap(err, format, args);
	va_end(args);
	return false;
}

void *err_wrap_null(Error *err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	wrap(err, format, args);
	va_end(args);
	return NULL;
}

bool err_add(Error *err, const char *format, ...)
{
	assert(err->code != ERR_NONE);
	va_list args;
	va_start(args, format);
	autofree char *more = mem_vprintf(format, args);
	va_end(args);
	autofree char *before = err->message;
	err->message = mem_printf("%s%s", before ? before : "", more);
	return false;
}

bool err_reason(Error *err, const char *reason)
{
	free(err->reason);
	err->reason = mem_strdup(reason);
	return false;
}

void err_hide(Error *err, const char *secret)
{
	enum { TOO_SHORT = 4 };
	static const char mask[] = "***";
	size_t len = secret ? strlen(secret) : 0;
	if (!err->message || len < TOO_SHORT)
		return;
	for (char *at = err->message; (at = strstr(at, secret)); at += sizeof(mask) - 1) {
		memcpy(at, mask, sizeof(mask) - 1);
		memmove(at + sizeof(mask) - 1, at + len, strlen(at + len) + 1);
	}
}

bool err_move(Error *to, Error *from)
{
	assert(to->code == ERR_NONE);
	*to = *from;
	*from = (Error){0};
	return false;
}

void err_copy(Error *to, const Error *from)
{
	assert(to->code == ERR_NONE);
	*to = *from;
	to->message = mem_strdup(from->message);
	to->reason = mem_strdup(from->reason);
}

const char *err_text(const Error *err)
{
	return err->message ? err->message : "";
}

const char *err_code_name(ErrorCode code)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_INTERNAL] = "internal",
		[ERR_INVALID] = "invalid",
		[ERR_NOT_FOUND] = "not-found",
		[ERR_EXISTS] = "already-exists",
		[ERR_CONFLICT] = "conflict",
		[ERR_UNAUTHORIZED] = "unauthorized",
		[ERR_FORBIDDEN] = "forbidden",
		[ERR_GONE] = "gone",
		[ERR_TOO_MANY] = "too-many-requests",
		[ERR_TIMEOUT] = "timeout",
		[ERR_UNAVAILABLE] = "unavailable",
		[ERR_LIMIT] = "limit",
		[ERR_UNSUPPORTED] = "unsupported",
		[ERR_CANCELLED] = "cancelled",
		[ERR_IO] = "io",
	};
	return (size_t)code < COUNT(names) ? names[code] : "unknown";
}

ErrorCode err_code_of_http(int status)
{
	static const struct {
		int status;
		ErrorCode code;
	} rows[] = {
		{401, ERR_UNAUTHORIZED}, {403, ERR_FORBIDDEN},	 {404, ERR_NOT_FOUND},
		{405, ERR_UNSUPPORTED},	 {406, ERR_UNSUPPORTED}, {408, ERR_TIMEOUT},
		{409, ERR_CONFLICT},	 {410, ERR_GONE},	 {413, ERR_LIMIT},
		{415, ERR_UNSUPPORTED},	 {429, ERR_TOO_MANY},	 {504, ERR_TIMEOUT},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].status == status)
			return rows[i].code;
	return status >= 500 ? ERR_UNAVAILABLE : ERR_INVALID;
}
