#include "sign/cbor.h"

#include "base/rune.h"

enum { MAX_DEPTH = 16, ONE_BYTE = 24, EIGHT_BYTES = 27, TINY_MAX = 23 };

static bool malformed(Error *err)
{
	return err_set(err, ERR_INVALID, "malformed CBOR");
}

/* The number of a head: in its low five bits, or in the 1, 2, 4 or 8 bytes behind it. */
static bool take_number(Str *rest, unsigned low, uint64_t *out)
{
	if (low < ONE_BYTE) {
		*out = low;
		return true;
	}
	size_t size = low <= EIGHT_BYTES ? (size_t)1 << (low - ONE_BYTE) : 0;
	if (size == 0 || rest->len < size)
		return false;
	*out = 0;
	for (size_t i = 0; i < size; i++)
		*out = *out << 8 | (unsigned char)rest->ptr[i];
	*rest = str_slice(*rest, size, rest->len);
	return true;
}

bool cbor_next(Str *rest, CborItem *out, Error *err)
{
	if (rest->len == 0)
		return malformed(err);
	unsigned head = (unsigned char)rest->ptr[0];
	*rest = str_slice(*rest, 1, rest->len);
	*out = (CborItem){.kind = (CborKind)(head >> 5), .bytes = STR("")};
	if (!take_number(rest, head & 31, &out->number))
		return malformed(err);
	if (out->kind != CBOR_BYTES && out->kind != CBOR_TEXT)
		return true;
	if (out->number > rest->len)
		return malformed(err);
	out->bytes = str_slice(*rest, 0, (size_t)out->number);
	*rest = str_slice(*rest, (size_t)out->number, rest->len);
	return out->kind == CBOR_BYTES || rune_all_valid(out->bytes) ? true : malformed(err);
}

/* How many items follow that belong to it. Each takes a byte at least. */
static bool count_inside(const CborItem *item, Str rest, uint64_t *out)
{
	*out = item->kind == CBOR_TAG ? 1 : 0;
	if (item->kind == CBOR_ARRAY || item->kind == CBOR_MAP)
		*out = item->number;
	if (*out > rest.len)
		return false;
	if (item->kind == CBOR_MAP)
		*out *= 2;
	return true;
}

bool cbor_skip(Str *rest, Str *out, Error *err)
{
	uint64_t left[MAX_DEPTH + 1] = {1};
	Str from = *rest;
	for (int depth = 0; depth >= 0;) {
		CborItem item = {0}; /* gcc 12 at -O3 cannot see that it is set */
		if (left[depth] == 0) {
			depth--;
			continue;
		}
		left[depth]--;
		if (depth == MAX_DEPTH)
			return err_set(err, ERR_LIMIT, "CBOR nested too deep");
		if (!cbor_next(rest, &item, err))
			return false;
		if (!count_inside(&item, *rest, &left[++depth]))
			return malformed(err);
	}
	if (out)
		*out = str_slice(from, 0, from.len - rest->len);
	return true;
}

bool cbor_integer(const CborItem *item, int64_t *out)
{
	bool negative = item->kind == CBOR_NEGATIVE;
	if ((!negative && item->kind != CBOR_UNSIGNED) || item->number > INT64_MAX)
		return false;
	*out = negative ? -1 - (int64_t)item->number : (int64_t)item->number;
	return true;
}

void cbor_put(Buf *out, CborKind kind, uint64_t number)
{
	unsigned major = (unsigned)kind << 5;
	int size = number <= TINY_MAX	  ? 0
		   : number <= 0xff	  ? 1
		   : number <= 0xffff	  ? 2
		   : number <= 0xffffffff ? 4
					  : 8;
	static const unsigned char lows[] = {[1] = 24, [2] = 25, [4] = 26, [8] = 27};
	buf_putc(out, (char)(major | (size == 0 ? (unsigned)number : lows[size])));
	while (size-- > 0)
		buf_putc(out, (char)(number >> (8 * size)));
}
