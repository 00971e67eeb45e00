/*
 * The classes and case rules of Go's unicode package, from the C library's C.UTF-8 tables.
 */
#ifndef GOTMPL_UNICODE_H
#define GOTMPL_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rune.h"

/* The tables; any thread may use them. They are opened when a rune beyond ASCII needs them. */
typedef struct GoUnicode GoUnicode;

/* Lives as long as the arena. */
const GoUnicode *unicode_new(Arena *arena);

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
