/* An input that is two JSON texts with a zero byte between them. */
#ifndef FUZZ_PAIR_H
#define FUZZ_PAIR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "data/json.h"

/* Both, owned; false when the bytes are no such pair: then neither is set. */
static inline bool read_pair(const uint8_t *bytes, size_t size, json_t **first, json_t **second)
{
	enum { TEXT_MAX = 1 << 16 };
	const uint8_t *cut = size ? memchr(bytes, 0, size) : NULL;
	if (!cut)
		return false;
	size_t len = (size_t)(cut - bytes);
	autoerror Error err = {0};
	autojson json_t *one = json_parse((const char *)bytes, len, TEXT_MAX, &err);
	json_t *two =
		one ? json_parse((const char *)cut + 1, size - len - 1, TEXT_MAX, &err) : NULL;
	if (!two)
		return false;
	*first = json_incref(one);
	*second = two;
	return true;
}

#endif
