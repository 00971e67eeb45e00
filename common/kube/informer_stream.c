/*
 * A watch's bytes as events: values are found by counting braces outside strings, whatever the
 * pieces they come in; a value that lies whole in a piece is not copied.
 */
#include "kube/informer_internal.h"

enum { KEEP_BYTES = 256 * 1024 }; /* more is given back after a large event */

void watch_stream_dispose(WatchStream *stream)
{
	buf_dispose(&stream->pending);
	*stream = (WatchStream){0};
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* Takes one byte of a value; true when the value ends with it. */
static bool step(WatchStream *stream, char byte)
{
	if (stream->in_string) {
		if (stream->escaped)
			stream->escaped = false;
		else if (byte == '\\')
			stream->escaped = true;
		else if (byte == '"')
			stream->in_string = false;
		return false;
	}
	if (byte == '"')
		stream->in_string = true;
	else if (byte == '{' || byte == '[')
		stream->depth++;
	else if (byte == '}' || byte == ']')
		return --stream->depth == 0;
	return false;
}

/* The value that ends with these bytes. */
static bool emit(WatchStream *stream, const char *bytes, size_t len, size_t limit, WatchEventFn *fn,
		 void *arg, Error *err)
{
	if (!stream->pending.len && len <= limit)
		return fn(arg, bytes, len, err);
	if (!buf_append_limited(&stream->pending, bytes, len, limit, err))
		return err_wrap(err, "watch event");
	bool ok = fn(arg, buf_text(&stream->pending), stream->pending.len, err);
	if (stream->pending.cap > KEEP_BYTES)
		buf_dispose(&stream->pending);
	else
		buf_clear(&stream->pending);
	return ok;
}

bool watch_stream_feed(WatchStream *stream, const char *bytes, size_t len, size_t limit,
		       WatchEventFn *fn, void *arg, Error *err)
{
	size_t start = 0; /* of the value, or of its part in this piece */
	for (size_t at = 0; at < len; at++) {
		if (stream->depth == 0 && is_blank(bytes[at])) {
			start = at + 1;
			continue;
		}
		if (stream->depth == 0 && bytes[at] != '{')
			return err_set(err, ERR_INVALID, "watch event: not a JSON object");
		if (!step(stream, bytes[at]))
			continue;
		if (!emit(stream, bytes + start, at + 1 - start, limit, fn, arg, err))
			return false;
		start = at + 1;
	}
	if (stream->depth == 0)
		return true;
	return buf_append_limited(&stream->pending, bytes + start, len - start, limit, err) ||
	       err_wrap(err, "watch event");
}
