/* Texts as sequences of code points. */
#ifndef CEL_RUNE_H
#define CEL_RUNE_H

#include "base/str.h"

/* The byte at which code point `index` starts; text.len at the end and behind it. */
size_t rune_at(Str text, size_t index);

/* The byte length of the code point at `at`. */
size_t rune_length(Str text, size_t at);

#endif
