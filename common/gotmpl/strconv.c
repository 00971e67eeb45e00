#include "gotmpl/strconv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/json.h"

enum { NUMBER_TEXT_MAX = 512 };

static void escape_rune(uint32_t rune, Buf *out)
{
	if (rune < 0x80 && (rune < ' ' || rune == 0x7f))
		buf_printf(out, "\\x%02x", rune);
	else if (rune < 0x10000)
		buf_printf(out, "\\u%04x", rune);
	else
		buf_printf(out, "\\U%08x", rune);
}

static void quote_one(const GoUnicode *unicode, uint32_t rune, char quote, bool ascii, Buf *out)
{
	static const char controls[] = "abtnvfr";
	if (rune == (uint32_t)quote || rune == '\\') {
		buf_putc(out, '\\');
		buf_putc(out, (char)rune);
	} else if (rune >= 7 && rune <= 13) {
		buf_putc(out, '\\');
		buf_putc(out, controls[rune - 7]);
	} else if ((ascii && rune >= 0x80) || !rune_is_print(unicode, rune)) {
		escape_rune(rune, out);
	} else {
		buf_put_rune(out, rune);
	}
}

void quote_append(const GoUnicode *unicode, Str text, bool ascii, Buf *out)
{
	size_t width;
	buf_putc(out, '"');
	for (size_t at = 0; at < text.len; at += width) {
		uint32_t rune = rune_decode(str_slice(text, at, text.len), &width);
		if (rune == RUNE_ERROR && width == 1)
			buf_printf(out, "\\x%02x", (unsigned char)text.ptr[at]);
		else
			quote_one(unicode, rune, '"', ascii, out);
	}
	buf_putc(out, '"');
}

void quote_rune(const GoUnicode *unicode, uint32_t rune, bool ascii, Buf *out)
{
	buf_putc(out, '\'');
	if (rune > RUNE_MAX || (rune >= 0xd800 && rune <= 0xdfff))
		rune = RUNE_ERROR;
	quote_one(unicode, rune, '\'', ascii, out);
	buf_putc(out, '\'');
}

bool quote_can_raw(Str text)
{
	size_t width;
	for (size_t at = 0; at < text.len; at += width) {
		uint32_t rune = rune_decode(str_slice(text, at, text.len), &width);
		if ((rune == RUNE_ERROR && width == 1) || rune == 0xfeff || rune == '`' ||
		    rune == 0x7f || (rune < ' ' && rune != '\t'))
			return false;
	}
	return true;
}

static int digit_of(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if ((byte | 32) >= 'a' && (byte | 32) <= 'z')
		return (byte | 32) - 'a' + 10;
	return 99;
}

/* `count` digits of a base at *at. */
static bool read_code(Str text, size_t *at, size_t count, int base, uint32_t *out)
{
	uint32_t value = 0;
	for (size_t i = 0; i < count; i++, (*at)++) {
		if (*at >= text.len || digit_of(text.ptr[*at]) >= base)
			return false;
		value = value * (uint32_t)base + (uint32_t)digit_of(text.ptr[*at]);
	}
	*out = value;
	return true;
}

/* After a backslash. A byte escape (octal, \x) is one byte and not a rune. */
static bool unescape(Str text, size_t *at, char quote, uint32_t *out, bool *byte)
{
	static const char names[] = "abtnvfr";
	if (*at >= text.len)
		return false;
	char letter = text.ptr[(*at)++];
	const char *name = letter ? strchr(names, letter) : NULL;
	*byte = false;
	if (name) {
		*out = (uint32_t)(7 + (name - names));
		return true;
	}
	if (letter == 'x' || (letter >= '0' && letter <= '7')) {
		*byte = true;
		*at -= letter == 'x' ? 0 : 1;
		return read_code(text, at, letter == 'x' ? 2 : 3, letter == 'x' ? 16 : 8, out) &&
		       *out <= 255;
	}
	if (letter == 'u' || letter == 'U')
		return read_code(text, at, letter == 'u' ? 4 : 8, 16, out) && *out <= RUNE_MAX &&
		       !(*out >= 0xd800 && *out <= 0xdfff);
	*out = (unsigned char)letter;
	return letter == '\\' || letter == quote;
}

static bool unquote_raw(Str inner, Buf *out)
{
	for (size_t i = 0; i < inner.len; i++) {
		if (inner.ptr[i] == '`')
			return false;
		if (inner.ptr[i] != '\r')
			buf_putc(out, inner.ptr[i]);
	}
	return true;
}

bool unquote(Str literal, Buf *out)
{
	if (literal.len < 2 || literal.ptr[0] != literal.ptr[literal.len - 1])
		return false;
	Str inner = str_slice(literal, 1, literal.len - 1);
	if (literal.ptr[0] == '`')
		return unquote_raw(inner, out);
	for (size_t at = 0; at < inner.len;) {
		uint32_t rune;
		bool byte;
		char letter = inner.ptr[at++];
		if (letter == '\n' || letter == '"')
			return false;
		if (letter != '\\') {
			buf_putc(out, letter);
			continue;
		}
		if (!unescape(inner, &at, '"', &rune, &byte))
			return false;
		if (byte)
			buf_putc(out, (char)rune);
		else
			buf_put_rune(out, rune);
	}
	return true;
}

bool unquote_rune(Str literal, uint32_t *out, bool *tail)
{
	Str inner = str_slice(literal, 1, literal.len);
	size_t at = 1;
	bool byte;
	if (inner.len < 2 || inner.ptr[0] == '\'' || inner.ptr[0] == '\n')
		return false;
	if (inner.ptr[0] != '\\')
		*out = rune_decode(inner, &at);
	else if (!unescape(inner, &at, '\'', out, &byte))
		return false;
	*tail = !(at + 1 == inner.len && inner.ptr[at] == '\'');
	return true;
}

/* Underscores may stand only between digits or after a base's prefix (strconv.underscoreOK). */
static bool underscores_fine(Str text)
{
	char seen = '^';
	size_t at = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+') ? 1 : 0;
	bool hex = false;
	if (text.len >= at + 2 && text.ptr[at] == '0') {
		char letter = (char)(text.ptr[at + 1] | 32);
		if (letter == 'x' || letter == 'o' || letter == 'b') {
			at += 2;
			seen = '0';
			hex = letter == 'x';
		}
	}
	for (; at < text.len; at++) {
		char byte = text.ptr[at];
		bool digit = (byte >= '0' && byte <= '9') || (hex && digit_of(byte) < 16);
		if (digit) {
			seen = '0';
		} else if (byte == '_') {
			if (seen != '0')
				return false;
			seen = '_';
		} else {
			if (seen == '_')
				return false;
			seen = '!';
		}
	}
	return seen != '_';
}

/* Takes a prefix off *text for base 0. */
static int base_of(Str *text)
{
	if (text->len < 2 || text->ptr[0] != '0')
		return 10;
	char letter = (char)(text->ptr[1] | 32);
	int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
	if (base && text->len < 3)
		return 8;
	*text = str_slice(*text, base ? 2 : 1, text->len);
	return base ? base : 8;
}

bool parse_uint(Str text, int base, uint64_t *out, bool *range)
{
	Str digits = text;
	bool prefixed = base == 0, seen = false;
	uint64_t value = 0;
	*range = false;
	if (prefixed)
		base = base_of(&digits);
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.ptr[i] == '_' && prefixed)
			continue;
		int digit = digit_of(digits.ptr[i]);
		if (digit >= base)
			return false;
		seen = true;
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value)) {
			*range = true; /* whatever comes behind it */
			*out = UINT64_MAX;
			return false;
		}
	}
	bool zero = prefixed && text.len > 0 && text.ptr[0] == '0' && base == 8;
	if (digits.len == 0 || !(seen || zero) || (prefixed && !underscores_fine(text)))
		return false;
	*out = value;
	return true;
}

bool parse_int(Str text, int base, int64_t *out, bool *range)
{
	*range = false;
	if (text.len == 0)
		return false;
	bool negative = text.ptr[0] == '-';
	uint64_t value;
	Str rest = str_slice(text, negative || text.ptr[0] == '+', text.len);
	bool fine = parse_uint(rest, base, &value, range);
	if (!fine && !*range)
		return false;
	uint64_t most = (uint64_t)INT64_MAX + (negative ? 1 : 0);
	*range |= value > most;
	if (value > most)
		value = most;
	*out = (int64_t)(negative ? 0 - value : value);
	return !*range;
}

static bool special_float(Str text, double *out)
{
	static const struct {
		const char *name;
		double value;
	} names[] = {
		{"inf", (double)INFINITY}, {"infinity", (double)INFINITY}, {"nan", (double)NAN}};
	bool sign = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
	Str word = str_slice(text, sign, text.len);
	for (size_t i = 0; i < COUNT(names); i++) {
		if (word.len != strlen(names[i].name) ||
		    strncasecmp(word.ptr, names[i].name, word.len) != 0)
			continue;
		if (sign && i == 2)
			return false;
		*out = sign && text.ptr[0] == '-' ? -names[i].value : names[i].value;
		return true;
	}
	return false;
}

/* [+-]? (digits with one point, exponent) or a hexadecimal float with its p exponent. */
static bool float_shape(const char *text)
{
	text += *text == '-' || *text == '+';
	bool hex = text[0] == '0' && (text[1] | 32) == 'x';
	const char *digits = hex ? "0123456789abcdefABCDEF" : "0123456789";
	text += hex ? 2 : 0;
	size_t whole = strspn(text, digits), part = 0;
	text += whole;
	if (*text == '.') {
		part = strspn(text + 1, digits);
		text += part + 1;
	}
	if (whole + part == 0)
		return false;
	bool exponent = (*text | 32) == (hex ? 'p' : 'e');
	if (hex && !exponent)
		return false;
	if (exponent) {
		text++;
		text += *text == '-' || *text == '+';
		size_t count = strspn(text, "0123456789");
		if (count == 0)
			return false;
		text += count;
	}
	return !*text;
}

bool parse_float(Str text, double *out, bool *range)
{
	char plain[NUMBER_TEXT_MAX];
	size_t len = 0;
	*range = false;
	if (text.len == 0 || text.len >= sizeof(plain))
		return false;
	if (special_float(text, out))
		return true;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '_')
			plain[len++] = text.ptr[i];
	plain[len] = '\0';
	if (strlen(plain) != len || !float_shape(plain) ||
	    (len < text.len && !underscores_fine(text)))
		return false;
	*out = strtod(plain, NULL);
	*range = isinf(*out);
	return !*range;
}

/* The digits of a value: all of them, or rounded to a count. */
typedef struct {
	char digits[1100];
	int count, point; /* value = 0.DIGITS * 10^point */
} Decimal;

/* For "%e" style: precision digits after the first. */
static void decimal_rounded(double value, int precision, Decimal *out)
{
	char text[1200];
	precision = precision > 1000 ? 1000 : precision;
	snprintf(text, sizeof(text), "%.*e", precision, value);
	char *exponent = strchr(text, 'e');
	out->count = 0;
	for (char *at = text; exponent && at < exponent; at++)
		if (*at != '.')
			out->digits[out->count++] = *at;
	out->point = exponent ? (int)strtol(exponent + 1, NULL, 10) + 1 : 0;
}

static void decimal_shortest(double value, Decimal *out)
{
	char digits[JSON_DIGITS_SIZE];
	size_t count = json_real_digits(value, digits, &out->point);
	memcpy(out->digits, digits, count);
	out->count = (int)count;
	if (value <= 0) /* zero: callers pass no negative value */
		out->point = 1;
}

static void format_exponent(const Decimal *d, char letter, int precision, Buf *out)
{
	buf_putc(out, d->digits[0]);
	int digits = precision < 0 ? d->count - 1 : precision;
	if (digits > 0)
		buf_putc(out, '.');
	for (int i = 1; i <= digits; i++)
		buf_putc(out, i < d->count ? d->digits[i] : '0');
	int exponent = d->count == 1 && d->digits[0] == '0' ? 0 : d->point - 1;
	buf_printf(out, "%c%c%02d", letter, exponent < 0 ? '-' : '+', abs(exponent));
}

static void format_plain(const Decimal *d, Buf *out)
{
	int digits = d->count - d->point;
	if (d->point <= 0)
		buf_putc(out, '0');
	for (int i = 0; i < d->point; i++)
		buf_putc(out, i < d->count ? d->digits[i] : '0');
	if (digits <= 0)
		return;
	buf_putc(out, '.');
	for (int i = d->point; i < d->count; i++)
		buf_putc(out, i < 0 ? '0' : d->digits[i]);
}

static void trim_zeros(Decimal *d)
{
	while (d->count > 1 && d->digits[d->count - 1] == '0')
		d->count--;
}

/* %g: the exponent decides (strconv, %e is used when it is below -4 or not below the precision). */
static void format_general(double value, char format, int precision, Buf *out)
{
	Decimal d;
	bool shortest = precision < 0;
	if (precision == 0)
		precision = 1;
	if (shortest)
		decimal_shortest(value, &d);
	else
		decimal_rounded(value, precision - 1, &d);
	trim_zeros(&d);
	int limit = shortest ? 6 : precision;
	if (!shortest && limit > d.count && d.count >= d.point)
		limit = d.count;
	int exponent = d.point - 1;
	bool zero = d.count == 1 && d.digits[0] == '0';
	if (zero)
		d.point = 1;
	if (!zero && (exponent < -4 || exponent >= limit)) {
		format_exponent(&d, format == 'g' ? 'e' : 'E', -1, out);
		return;
	}
	format_plain(&d, out);
}

/* C's %a, whose exponent Go writes with two digits at least. */
static void format_hex(double value, char format, int precision, Buf *out)
{
	char text[1200];
	if (precision < 0)
		snprintf(text, sizeof(text), "%a", value);
	else
		snprintf(text, sizeof(text), "%.*a", precision > 1000 ? 1000 : precision, value);
	char *exponent = strchr(text, 'p');
	size_t from = out->len;
	long power = exponent ? strtol(exponent + 1, NULL, 10) : 0;
	if (exponent && text[2] == '2') { /* rounded up to a power of two */
		text[2] = '1';
		power++;
	}
	buf_append(out, text, exponent ? (size_t)(exponent - text) : strlen(text));
	if (exponent)
		buf_printf(out, "p%+03ld", power);
	for (size_t i = from; format == 'X' && i < out->len; i++)
		if (out->ptr[i] >= 'a' && out->ptr[i] <= 'z')
			out->ptr[i] = (char)(out->ptr[i] - 32);
}

void format_float(double value, char format, int precision, Buf *out)
{
	if (isnan(value)) {
		buf_puts(out, "NaN");
		return;
	}
	if (isinf(value)) {
		buf_puts(out, value < 0 ? "-Inf" : "+Inf");
		return;
	}
	if (signbit(value))
		buf_putc(out, '-');
	value = fabs(value);
	Decimal d;
	char letter = (char)(format | 32);
	if (letter == 'g') {
		format_general(value, format, precision, out);
	} else if (letter == 'e') {
		if (precision < 0)
			decimal_shortest(value, &d);
		else
			decimal_rounded(value, precision, &d);
		format_exponent(&d, format, precision, out);
	} else if (letter == 'b') {
		int power = 0;
		double part = frexp(value, &power);
		long long digits = (long long)ldexp(part, 53);
		buf_printf(out, "%lldp%+d", digits, digits ? power - 53 : -1074);
	} else if (letter == 'x') {
		format_hex(value, format, precision, out);
	} else if (precision < 0) {
		decimal_shortest(value, &d);
		format_plain(&d, out);
	} else {
		buf_printf(out, "%.*f", precision > 1000 ? 1000 : precision, value);
	}
}
