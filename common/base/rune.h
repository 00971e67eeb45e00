/* Characters of UTF-8 text (RFC 3629), one by one, as Go reads them. */
#ifndef BASE_RUNE_H
#define BASE_RUNE_H

#include <stdint.h>

#include "base/str.h"

enum { RUNE_ERROR = 0xfffd, RUNE_MAX = 0x10ffff };

/* The character at the start of text (which is not empty) and its width in bytes. A byte that
 * begins none is RUNE_ERROR, one byte wide; a real U+FFFD is three. */
uint32_t rune_decode(Str text, size_t *out_width);

/* Whether all of text is UTF-8; the empty one is. */
bool rune_all_valid(Str text);

#endif
