/*
 * A growing byte buffer. Invariants: ptr is NULL exactly when cap is 0; otherwise ptr[len] is NUL
 * and len < cap. `Buf b = {0}` is an empty buffer. One thread at a time.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/str.h"

typedef struct {
	char *ptr;
	size_t len;
	size_t cap;
} Buf;

/* Frees the bytes; the buffer is empty and usable afterwards. */
void buf_dispose(Buf *buf);
#define autobuf __attribute__((cleanup(buf_dispose)))

/* Empties, keeping the memory. */
void buf_clear(Buf *buf);

/* buf_reserve where there is no room yet. */
void buf_grow(Buf *buf, size_t extra);

/* Makes room for `extra` more bytes and the NUL. */
static inline void buf_reserve(Buf *buf, size_t extra)
{
	if (buf->cap <= buf->len || buf->cap - buf->len <= extra)
		buf_grow(buf, extra);
}

static inline void buf_putc(Buf *buf, char byte)
{
	buf_reserve(buf, 1);
	buf->ptr[buf->len++] = byte;
	buf->ptr[buf->len] = '\0';
}

void buf_append(Buf *buf, const void *bytes, size_t len);
void buf_add(Buf *buf, Str text);
void buf_puts(Buf *buf, const char *text);
void buf_printf(Buf *buf, const char *format, ...) PRINTF(2, 3);
void buf_vprintf(Buf *buf, const char *format, va_list args);

/* A code point as UTF-8; what is none (surrogates, beyond U+10FFFF) becomes U+FFFD. */
void buf_put_rune(Buf *buf, uint32_t rune);

/* As buf_append for bytes from outside: fails with ERR_LIMIT when the buffer would pass `limit`. */
bool buf_append_limited(Buf *buf, const void *bytes, size_t len, size_t limit, Error *err) MUST_USE;

/* Takes `count` bytes off the front. */
void buf_consume(Buf *buf, size_t count);

/* The bytes as an owned C string (never NULL); the buffer is empty afterwards. */
char *buf_steal(Buf *buf);

/* The text, "" when empty. Borrowed until the next change. */
static inline const char *buf_text(const Buf *buf)
{
	return buf->ptr ? buf->ptr : "";
}

static inline Str buf_str(const Buf *buf)
{
	return str_sized(buf_text(buf), buf->len);
}

#endif
