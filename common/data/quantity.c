#include "data/quantity.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

/*
 * Quantities as apimachinery's resource.Quantity: kept in whole nanos, rounded up (away from
 * zero), at most 2^63-1 units.
 */

typedef unsigned __int128 Wide;

typedef enum { DECIMAL_SI, BINARY_SI, DECIMAL_EXPONENT } Format;

typedef struct {
	Wide nanos;
	bool negative;
	Format format;
} Quantity;

static const struct {
	const char *suffix;
	int exponent; /* of 10, or of 1024 when binary */
	bool binary;
} suffixes[] = {
	{"n", -9, false}, {"u", -6, false}, {"m", -3, false}, {"", 0, false},
	{"k", 3, false},  {"M", 6, false},  {"G", 9, false},  {"T", 12, false},
	{"P", 15, false}, {"E", 18, false}, {"Ki", 1, true},  {"Mi", 2, true},
	{"Gi", 3, true},  {"Ti", 4, true},  {"Pi", 5, true},  {"Ei", 6, true},
};

#define NANO ((Wide)1000000000)
#define NANOS_MAX ((Wide)INT64_MAX * NANO)

/* value * factor / divisor rounded up, cut at the greatest quantity. */
static Wide scale(Wide value, Wide factor, Wide divisor)
{
	Wide product;
	if (__builtin_mul_overflow(value, factor, &product))
		return NANOS_MAX;
	Wide result = product / divisor + (product % divisor != 0);
	return result > NANOS_MAX ? NANOS_MAX : result;
}

static Wide power(unsigned base, int exponent)
{
	Wide value = 1;
	while (exponent-- > 0)
		value *= base;
	return value;
}

/* Digits with a point: whole units and, in 10^-12, what follows, rounded up. */
static bool read_digits(const char **at, Wide *whole, Wide *fraction)
{
	const char *text = *at;
	bool digits = false;
	*whole = *fraction = 0;
	for (; *text >= '0' && *text <= '9'; text++, digits = true)
		if (*whole <= (Wide)UINT64_MAX)
			*whole = *whole * 10 + (unsigned)(*text - '0');
	if (*text == '.') {
		int count = 0;
		bool more = false;
		for (text++; *text >= '0' && *text <= '9'; text++, count++, digits = true) {
			if (count < 12)
				*fraction = *fraction * 10 + (unsigned)(*text - '0');
			else
				more |= *text != '0';
		}
		for (; count < 12; count++)
			*fraction *= 10;
		*fraction += more;
	}
	*at = text;
	return digits;
}

static bool read_exponent(const char *text, int *out)
{
	if ((*text != 'e' && *text != 'E') || !text[1])
		return false;
	text++;
	bool negative = *text == '-';
	text += *text == '-' || *text == '+';
	size_t len = strspn(text, "0123456789");
	if (len == 0 || len > 3 || text[len])
		return false;
	int value = (int)strtol(text, NULL, 10);
	*out = negative ? -value : value;
	return true;
}

static bool read_suffix(const char *text, Quantity *out, int *exponent)
{
	for (size_t i = 0; i < COUNT(suffixes); i++) {
		if (strcmp(text, suffixes[i].suffix) == 0) {
			*exponent = suffixes[i].exponent;
			out->format = suffixes[i].binary ? BINARY_SI : DECIMAL_SI;
			return true;
		}
	}
	out->format = DECIMAL_EXPONENT;
	return read_exponent(text, exponent);
}

static bool parse(const char *text, Quantity *out)
{
	Wide whole, fraction;
	int exponent;
	if (!text)
		return false;
	out->negative = *text == '-';
	text += *text == '-' || *text == '+';
	if (!read_digits(&text, &whole, &fraction) || !read_suffix(text, out, &exponent))
		return false;
	if (whole == 0 && fraction == 0)
		exponent = 0;
	Wide factor = 1, divisor = 1;
	if (out->format == BINARY_SI)
		factor = power(1024, exponent);
	else if (exponent >= 0)
		factor = power(10, exponent < 30 ? exponent : 30);
	else
		divisor = power(10, exponent > -30 ? -exponent : 30);
	/* The parts of 10^-12 first, so that nothing below a nano is lost before it is rounded. */
	Wide parts = whole > (Wide)UINT64_MAX ? 0 : whole * power(10, 12) + fraction;
	out->nanos = whole > (Wide)UINT64_MAX && divisor == 1
			     ? NANOS_MAX
			     : scale(parts, factor, divisor * 1000);
	return true;
}

static void write_wide(Wide value, Buf *out)
{
	char digits[48];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + (int)(value % 10));
		value /= 10;
	} while (value);
	buf_append(out, digits + at, sizeof(digits) - at);
}

static void write_decimal(const Quantity *quantity, Buf *out)
{
	Wide value = quantity->nanos;
	int exponent = -9;
	while (value > 0 && value % 1000 == 0 && exponent < 18) {
		value /= 1000;
		exponent += 3;
	}
	exponent = value ? exponent : 0;
	write_wide(value, out);
	if (quantity->format == DECIMAL_EXPONENT) {
		if (exponent)
			buf_printf(out, "e%d", exponent);
		return;
	}
	for (size_t i = 0; i < COUNT(suffixes); i++)
		if (!suffixes[i].binary && suffixes[i].exponent == exponent)
			buf_puts(out, suffixes[i].suffix);
}

static void write_binary(Wide units, Buf *out)
{
	int exponent = 0;
	for (; units > 0 && units % 1024 == 0 && exponent < 6; exponent++)
		units /= 1024;
	write_wide(units, out);
	for (size_t i = 0; exponent > 0 && i < COUNT(suffixes); i++)
		if (suffixes[i].binary && suffixes[i].exponent == exponent)
			buf_puts(out, suffixes[i].suffix);
}

char *quantity_canonical(const char *text)
{
	Quantity quantity;
	if (!parse(text, &quantity))
		return NULL;
	autobuf Buf out = {0};
	if (quantity.negative && quantity.nanos)
		buf_putc(&out, '-');
	/* Binary only where it is exact and at least 1Ki. */
	bool binary = quantity.format == BINARY_SI && quantity.nanos >= 1024 * NANO &&
		      quantity.nanos % NANO == 0;
	if (binary)
		write_binary(quantity.nanos / NANO, &out);
	else
		write_decimal(&quantity, &out);
	return buf_steal(&out);
}

bool quantity_nanos(const char *text, __int128 *out)
{
	Quantity quantity;
	if (!parse(text, &quantity))
		return false;
	*out = quantity.negative ? -(__int128)quantity.nanos : (__int128)quantity.nanos;
	return true;
}

bool quantity_compare(const char *a, const char *b, int *out)
{
	__int128 x, y;
	if (!quantity_nanos(a, &x) || !quantity_nanos(b, &y))
		return false;
	*out = x < y ? -1 : x > y;
	return true;
}
