/*
 * UTF-8 as Go reads it (a broken byte is U+FFFD, one byte long) and the classes and case rules of
 * its unicode package, from the C library's C.UTF-8 tables.
 */
#ifndef GOTMPL_UNICODE_H
#define GOTMPL_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

enum { RUNE_ERROR = 0xfffd, RUNE_MAX = 0x10ffff };

/* The tables; any thread may use them. They are opened when a rune beyond ASCII needs them. */
typedef struct GoUnicode GoUnicode;

/* Lives as long as the arena. */
const GoUnicode *unicode_new(Arena *arena);

/* The rune at the start of text (which is not empty) and its width in bytes. */
uint32_t rune_decode(Str text, size_t *out_width);
size_t rune_count(Str text);

bool rune_is_letter(const GoUnicode *unicode, uint32_t rune);
bool rune_is_digit(const GoUnicode *unicode, uint32_t rune);
bool rune_is_upper(const GoUnicode *unicode, uint32_t rune);
bool rune_is_lower(const GoUnicode *unicode, uint32_t rune);
bool rune_is_punct(const GoUnicode *unicode, uint32_t rune);
bool rune_is_space(uint32_t rune);
/* strconv.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
bool rune_is_print(const GoUnicode *unicode, uint32_t rune);
uint32_t rune_upper(const GoUnicode *unicode, uint32_t rune);
uint32_t rune_lower(const GoUnicode *unicode, uint32_t rune);

/* Appends text with each rune mapped. */
void runes_map(const GoUnicode *unicode, Str text,
	       uint32_t (*map)(const GoUnicode *unicode, uint32_t rune), Buf *out);

#endif
