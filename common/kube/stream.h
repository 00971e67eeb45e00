/* Concatenated JSON values in a byte stream, cut apart as bytes arrive (watch events). */
#ifndef KUBE_STREAM_H
#define KUBE_STREAM_H

#include "base/buf.h"
#include "base/error.h"

typedef struct {
	Buf pending;
	size_t scanned; /* bytes of pending that were looked at */
	int depth;
	bool in_string, escaped;
} JsonStream;

void json_stream_dispose(JsonStream *stream);

/* Forgets a half value: a new connection begins. */
void json_stream_reset(JsonStream *stream);

/* Takes bytes and calls fn for each value that is whole; false from fn ends it with false. Values
 * above `limit` bytes are ERR_LIMIT; what is not an object between values ERR_INVALID. */
bool json_stream_feed(JsonStream *stream, const char *bytes, size_t len, size_t limit,
		      bool (*fn)(void *arg, const char *text, size_t len), void *arg,
		      Error *err) MUST_USE;

#endif
