#include "kube/stream.h"

void json_stream_dispose(JsonStream *stream)
{
	buf_dispose(&stream->pending);
	*stream = (JsonStream){0};
}

void json_stream_reset(JsonStream *stream)
{
	buf_clear(&stream->pending);
	stream->scanned = 0;
	stream->depth = 0;
	stream->in_string = stream->escaped = false;
}

/* Looks at one byte; true when it closes a value. */
static bool step(JsonStream *stream, char c)
{
	if (stream->in_string) {
		if (stream->escaped)
			stream->escaped = false;
		else if (c == '\\')
			stream->escaped = true;
		else if (c == '"')
			stream->in_string = false;
		return false;
	}
	if (c == '"')
		stream->in_string = true;
	else if (c == '{' || c == '[')
		stream->depth++;
	else if (c == '}' || c == ']')
		return --stream->depth == 0;
	return false;
}

static bool is_blank(char c)
{
	return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

bool json_stream_feed(JsonStream *stream, const char *bytes, size_t len, size_t limit,
		      bool (*fn)(void *arg, const char *text, size_t len), void *arg, Error *err)
{
	if (!buf_append_limited(&stream->pending, bytes, len, limit, err))
		return err_wrap(err, "watch event");
	size_t start = 0;
	while (stream->scanned < stream->pending.len) {
		char c = stream->pending.ptr[stream->scanned++];
		if (!stream->depth && !stream->in_string && is_blank(c)) {
			start = stream->scanned;
			continue;
		}
		if (!stream->depth && c != '{')
			return err_set(err, ERR_INVALID, "watch event: not a JSON object");
		if (!step(stream, c))
			continue;
		if (!fn(arg, stream->pending.ptr + start, stream->scanned - start))
			return false;
		start = stream->scanned;
	}
	buf_consume(&stream->pending, start);
	stream->scanned -= start;
	return true;
}
