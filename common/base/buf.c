#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void buf_dispose(Buf *buf)
{
	free(buf->ptr);
	*buf = (Buf){0};
}

void buf_clear(Buf *buf)
{
	buf->len = 0;
	if (buf->ptr)
		buf->ptr[0] = '\0';
}

void buf_reserve(Buf *buf, size_t extra)
{
	size_t need = buf->len + extra + 1;
	if (need <= buf->cap)
		return;
	size_t cap = buf->cap ? buf->cap + buf->cap / 2 : 64;
	if (cap < need)
		cap = need;
	buf->ptr = mem_realloc(buf->ptr, cap);
	buf->cap = cap;
	buf->ptr[buf->len] = '\0';
}

void buf_append(Buf *buf, const void *bytes, size_t len)
{
	buf_reserve(buf, len);
	if (len)
		memcpy(buf->ptr + buf->len, bytes, len);
	buf->len += len;
	buf->ptr[buf->len] = '\0';
}

void buf_add(Buf *buf, Str text)
{
	buf_append(buf, text.ptr, text.len);
}

void buf_puts(Buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void buf_putc(Buf *buf, char byte)
{
	buf_append(buf, &byte, 1);
}

void buf_vprintf(Buf *buf, const char *format, va_list args)
{
	autofree char *text = mem_vprintf(format, args);
	buf_puts(buf, text);
}

void buf_printf(Buf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	buf_vprintf(buf, format, args);
	va_end(args);
}

bool buf_append_limited(Buf *buf, const void *bytes, size_t len, size_t limit, Error *err)
{
	if (len > limit || buf->len > limit - len)
		return err_set(err, ERR_LIMIT, "more than the limit of %zu bytes", limit);
	buf_append(buf, bytes, len);
	return true;
}

void buf_consume(Buf *buf, size_t count)
{
	if (count >= buf->len) {
		buf_clear(buf);
		return;
	}
	memmove(buf->ptr, buf->ptr + count, buf->len - count + 1);
	buf->len -= count;
}

char *buf_steal(Buf *buf)
{
	buf_reserve(buf, 0);
	char *text = buf->ptr;
	*buf = (Buf){0};
	return text;
}
