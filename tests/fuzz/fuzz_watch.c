/*
 * The bytes of a watch: no crash, within the limit, and the same events whatever pieces they come
 * in (the first byte says which).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "data/json.h"
#include "kube/informer_internal.h"

enum { LIMIT = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What was told, one after the other; a text that is no JSON ends the stream, as in an informer. */
static bool note(void *arg, const char *text, size_t len, Error *err)
{
	Buf *told = arg;
	if (len > LIMIT)
		abort();
	autojson json_t *event = json_parse(text, len, LIMIT, err);
	if (!event)
		return false;
	buf_append(told, text, len);
	buf_putc(told, '\n');
	return true;
}

static bool feed(const char *bytes, size_t size, size_t piece, Buf *told)
{
	WatchStream stream = {0};
	autoerror Error err = {0};
	bool ok = true;
	for (size_t at = 0; ok && at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;
		/* Of its own size: a look behind its end is seen. */
		char *copy = malloc(len);
		memcpy(copy, bytes + at, len);
		ok = watch_stream_feed(&stream, copy, len, LIMIT, note, told, &err);
		free(copy);
	}
	if (ok == err_is_set(&err) || stream.pending.len > LIMIT)
		abort();
	watch_stream_dispose(&stream);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autobuf Buf whole = {0}, pieces = {0};
	if (size < 2)
		return 0;
	const char *text = (const char *)bytes + 1;
	bool ok = feed(text, size - 1, size - 1, &whole);
	bool same = feed(text, size - 1, (size_t)bytes[0] + 1, &pieces) == ok;
	if (!same || !str_eq(buf_str(&whole), buf_str(&pieces)))
		abort();
	return 0;
}
