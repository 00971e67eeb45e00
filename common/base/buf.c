#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rune.h"

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

void buf_grow(Buf *buf, size_t extra)
{
	size_t need = buf->len + extra + 1;
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

void buf_put_rune(Buf *buf, uint32_t rune)
{
	if (rune > RUNE_MAX || (rune >= 0xd800 && rune <= 0xdfff))
		rune = RUNE_ERROR;
	if (rune < 0x80) {
		buf_putc(buf, (char)rune);
	} else if (rune < 0x800) {
		buf_putc(buf, (char)(0xc0 | rune >> 6));
		buf_putc(buf, (char)(0x80 | (rune & 0x3f)));
	} else if (rune < 0x10000) {
		buf_putc(buf, (char)(0xe0 | rune >> 12));
		buf_putc(buf, (char)(0x80 | (rune >> 6 & 0x3f)));
		buf_putc(buf, (char)(0x80 | (rune & 0x3f)));
	} else {
		buf_putc(buf, (char)(0xf0 | rune >> 18));
		buf_putc(buf, (char)(0x80 | (rune >> 12 & 0x3f)));
		buf_putc(buf, (char)(0x80 | (rune >> 6 & 0x3f)));
		buf_putc(buf, (char)(0x80 | (rune & 0x3f)));
	}
}
