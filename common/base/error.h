/*
 * Errors. A function that can fail returns bool or a pointer and fills `Error *err`, its last
 * parameter, never NULL, a value on the caller's stack:
 *
 *	autoerror Error err = {0};
 *	if (!thing_load(path, &thing, &err))
 *		return err_wrap(out_err, ...) or handle it;
 *
 * On failure results stay untouched. Libraries never log an error; whoever handles it does, once.
 * The first failure wins: setting an error that is already set is a bug and asserts.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"

/* What a caller may act on. The text says the rest. */
typedef enum {
	ERR_NONE = 0,
	ERR_INTERNAL,	  /* a bug of ours, or a library that failed for no reason we know */
	ERR_INVALID,	  /* the input is wrong and stays wrong: no retry (HTTP 400, 422) */
	ERR_NOT_FOUND,	  /* HTTP 404 */
	ERR_EXISTS,	  /* HTTP 409 AlreadyExists */
	ERR_CONFLICT,	  /* HTTP 409: somebody else wrote first, or owns the field */
	ERR_UNAUTHORIZED, /* credentials missing or refused (HTTP 401) */
	ERR_FORBIDDEN,	  /* HTTP 403 */
	ERR_GONE,	  /* HTTP 410: the resourceVersion is no longer served */
	ERR_TOO_MANY,	  /* HTTP 429: see retry_after_ms */
	ERR_TIMEOUT,
	ERR_UNAVAILABLE, /* connection refused or cut, HTTP 5xx: a later try may work */
	ERR_LIMIT,	 /* a size, depth or count limit was passed */
	ERR_UNSUPPORTED, /* HTTP 405, 406, 415 or a feature that is not there */
	ERR_CANCELLED,	 /* the daemon stops, or the work was superseded */
	ERR_IO,		 /* a system call on a local file failed; the text has strerror */
} ErrorCode;

typedef struct {
	ErrorCode code;
	char *message;		/* contexts first, outermost leftmost, joined by ": " */
	int http_status;	/* of the reply that caused it, else 0 */
	int64_t retry_after_ms; /* a Retry-After that came along, else 0 */
	bool not_yet;		/* no failure so far: what was asked may be asked again after
				   retry_after_ms, and the asker was spared the wait */
	bool unsent;  /* the peer cannot have done what was asked: it did not get all of it */
	char *reason; /* a Kubernetes Status reason or a condition reason, or NULL */
} Error;

/* Frees what err owns and makes it ready for use again. */
void error_dispose(Error *err);
#define autoerror __attribute__((cleanup(error_dispose)))

/* Fills err. Returns false, so that `return err_set(err, ...)` reads well. */
bool err_set(Error *err, ErrorCode code, const char *format, ...) PRINTF(3, 4);

/* As err_set, for functions that return a pointer. Returns NULL. */
void *err_null(Error *err, ErrorCode code, const char *format, ...) PRINTF(3, 4);

/* As err_set with ERR_IO (ERR_NOT_FOUND for ENOENT) and ": " strerror(errno) at the end. */
bool err_errno(Error *err, const char *format, ...) PRINTF(2, 3);

/* Puts "CONTEXT: " in front of the message that err already has. Returns false. */
bool err_wrap(Error *err, const char *format, ...) PRINTF(2, 3);

/* As err_wrap, for functions that return a pointer. Returns NULL. */
void *err_wrap_null(Error *err, const char *format, ...) PRINTF(2, 3);

/* Puts text behind the message that err already has. Returns false. */
bool err_add(Error *err, const char *format, ...) PRINTF(2, 3);

/* Sets the reason (copied), replacing one that is there. Returns false. */
bool err_reason(Error *err, const char *reason);

/* Puts "***" in place of each `secret` in the message: for what a peer said and may have echoed.
 * Short ones (under 4 bytes) stay, they would take words apart. */
void err_hide(Error *err, const char *secret);

/* Moves *from into *to, which must be empty. *from is empty afterwards. Returns false. */
bool err_move(Error *to, Error *from);

/* Copies what `from` says into *to, which must be empty. */
void err_copy(Error *to, const Error *from);

static inline bool err_is_set(const Error *err)
{
	return err->code != ERR_NONE;
}

/* The message, or "" when err is not set. Borrowed. */
const char *err_text(const Error *err);

/* The enum's lower-case name, such as "not-found". Static. */
const char *err_code_name(ErrorCode code);

/* The code for an HTTP status of 400 and above. */
ErrorCode err_code_of_http(int status);

#endif
