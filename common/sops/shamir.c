#include "base/mem.h"
#include "sops/keys.h"

/*
 * Shamir's scheme as HashiCorp's Vault and sops have it: a polynomial per byte over GF(2^8) with
 * AES's modulus, its value at zero is the byte. No tables: their lookups would show the key's bytes
 * to a cache.
 */

static unsigned char multiply(unsigned char a, unsigned char b)
{
	unsigned product = 0, factor = a;
	for (int bit = 0; bit < 8; bit++) {
		product ^= factor & (0u - ((unsigned)b >> bit & 1u));
		factor = (factor << 1) ^ (0x11bu & (0u - (factor >> 7 & 1u)));
	}
	return (unsigned char)product;
}

/* a^254, which is 1/a. */
static unsigned char inverse(unsigned char a)
{
	unsigned char result = 1;
	for (int bit = 7; bit >= 0; bit--) {
		result = multiply(result, result);
		if (254 >> bit & 1)
			result = multiply(result, a);
	}
	return result;
}

static unsigned char part_byte(const Vec *parts, size_t part, size_t at)
{
	const Buf *bytes = parts->items[part];
	return (unsigned char)bytes->ptr[at];
}

/* Lagrange's basis polynomial of a part, at zero. */
static unsigned char basis(const Vec *parts, size_t part, size_t x_at)
{
	unsigned char value = 1, x = part_byte(parts, part, x_at);
	for (size_t i = 0; i < parts->len; i++) {
		unsigned char other = part_byte(parts, i, x_at);
		if (i != part)
			value = multiply(value, multiply(other, inverse(x ^ other)));
	}
	return value;
}

static bool check_parts(const Vec *parts, Error *err)
{
	bool seen[256] = {0};
	if (parts->len < 2)
		return err_set(err, ERR_INVALID, "one key group is not enough");
	for (size_t i = 0; i < parts->len; i++) {
		const Buf *part = parts->items[i], *first = parts->items[0];
		if (part->len != first->len || part->len < 2)
			return err_set(err, ERR_INVALID,
				       "the parts of the data key differ in length");
		unsigned char x = part_byte(parts, i, part->len - 1);
		if (seen[x] || x == 0)
			return err_set(err, ERR_INVALID, "two key groups hold the same part");
		seen[x] = true;
	}
	return true;
}

bool shamir_join(const Vec *parts, Buf *out, Error *err)
{
	if (!check_parts(parts, err))
		return false;
	size_t len = ((const Buf *)parts->items[0])->len - 1;
	autofree unsigned char *weights = mem_alloc(parts->len);
	for (size_t i = 0; i < parts->len; i++)
		weights[i] = basis(parts, i, len);
	buf_reserve(out, len);
	for (size_t at = 0; at < len; at++) {
		unsigned char byte = 0;
		for (size_t i = 0; i < parts->len; i++)
			byte ^= multiply(part_byte(parts, i, at), weights[i]);
		buf_putc(out, (char)byte);
	}
	return true;
}
