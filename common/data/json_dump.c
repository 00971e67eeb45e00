#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/written_internal.h"

/*
 * Trees to text: own code because jansson's numbers depend on the locale and are not the shortest,
 * and because every object stored or sent goes through here. Writes into one Buf, no passes after.
 */

typedef enum { DUMP_PLAIN, DUMP_SORTED, DUMP_GO } DumpStyle;

typedef struct {
	DumpStyle style;
	const json_t *noted; /* a node whose place in the text is wanted, or NULL */
	size_t *noted_at;
} Dump;

size_t json_real_digits(double value, char digits[JSON_DIGITS_SIZE], int *out_point)
{
	/* 15 digits always survive a double, so the first precision that reads back is the
	 * shortest; subnormals have fewer. The point's spelling is the locale's: skipped. */
	char text[64];
	int precision = fabs(value) < DBL_MIN ? 0 : 14;
	for (; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, fabs(value));
		if (strtod(text, NULL) == fabs(value))
			break;
	}
	size_t count = 0;
	const char *at = text;
	for (; *at && *at != 'e'; at++)
		if (*at >= '0' && *at <= '9' && count < JSON_DIGITS_SIZE - 1)
			digits[count++] = *at;
	while (count > 1 && digits[count - 1] == '0')
		count--;
	digits[count] = '\0';
	*out_point = *at ? (int)strtol(at + 1, NULL, 10) + 1 : 1;
	return count;
}

static void write_exponent(const char *digits, size_t count, int point, Buf *out)
{
	buf_putc(out, digits[0]);
	if (count > 1) {
		buf_putc(out, '.');
		buf_append(out, digits + 1, count - 1);
	}
	/* encoding/json: e+21, and e-7 where strconv says e-07 */
	buf_printf(out, "e%c%d", point > 0 ? '+' : '-', abs(point - 1));
}

static void write_zeros(Buf *out, int count)
{
	while (count-- > 0)
		buf_putc(out, '0');
}

void json_write_decimal(const char *digits, size_t count, int point, Buf *out)
{
	if (point <= 0) {
		buf_puts(out, "0.");
		write_zeros(out, -point);
		buf_append(out, digits, count);
		return;
	}
	size_t whole = (size_t)point < count ? (size_t)point : count;
	buf_append(out, digits, whole);
	write_zeros(out, point - (int)whole);
	if (count > whole) {
		buf_putc(out, '.');
		buf_append(out, digits + whole, count - whole);
	}
}

/* As encoding/json: exponents below 1e-6 and from 1e21 on. */
static void write_real(double value, Buf *out)
{
	char digits[JSON_DIGITS_SIZE];
	int point;
	size_t count = json_real_digits(value, digits, &point);
	if (signbit(value))
		buf_putc(out, '-');
	if (fabs(value) > 0.0 && (point < -5 || point > 21)) {
		write_exponent(digits, count, point, out);
		return;
	}
	json_write_decimal(digits, count, point, out);
}

static void write_integer(int64_t value, Buf *out)
{
	char text[24];
	size_t at = sizeof(text);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	do {
		text[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		text[--at] = '-';
	buf_append(out, text + at, sizeof(text) - at);
}

static const char short_escapes[256] = {
	['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
	['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
};

static void write_escape(unsigned char byte, Buf *out)
{
	static const char hex[] = "0123456789abcdef";
	if (short_escapes[byte]) {
		const char pair[2] = {'\\', short_escapes[byte]};
		buf_append(out, pair, 2);
		return;
	}
	const char six[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
	buf_append(out, six, 6);
}

/* Length of U+2028 or U+2029 at text, which Go escapes for the sake of JavaScript; else 0. */
static size_t line_separator(const char *text, size_t left)
{
	bool found = left >= 3 && memcmp(text, "\xe2\x80", 2) == 0 &&
		     (text[2] == '\xa8' || text[2] == '\xa9');
	return found ? 3 : 0;
}

/* Bytes that may not stand as they are: in all styles, and in Go's. */
static const unsigned char special_bytes[256] = {
	[0 ... 0x1f] = 3, ['"'] = 3, ['\\'] = 3, ['<'] = 2, ['>'] = 2, ['&'] = 2, [0xe2] = 2,
};

static void write_string(Str string, const Dump *dump, Buf *out)
{
	const char *text = string.ptr;
	size_t len = string.len;
	const unsigned char mask = dump->style == DUMP_GO ? 2 : 1;
	buf_reserve(out, len + 2);
	buf_putc(out, '"');
	size_t from = 0;
	for (size_t at = 0; at < len; at++) {
		unsigned char byte = (unsigned char)text[at];
		if (!(special_bytes[byte] & mask))
			continue;
		size_t separator = byte == 0xe2 ? line_separator(text + at, len - at) : 0;
		if (byte == 0xe2 && !separator)
			continue;
		buf_append(out, text + from, at - from);
		if (separator)
			buf_puts(out, text[at + 2] == '\xa8' ? "\\u2028" : "\\u2029");
		else
			write_escape(byte, out);
		at += separator ? separator - 1 : 0;
		from = at + 1;
	}
	buf_append(out, text + from, len - from);
	buf_putc(out, '"');
}

static void write_value(const json_t *value, const Dump *dump, Buf *out);

static void write_member(const char *key, size_t len, const json_t *value, const Dump *dump,
			 Buf *out)
{
	if (out->ptr[out->len - 1] != '{')
		buf_putc(out, ',');
	write_string(str_sized(key, len), dump, out);
	buf_putc(out, ':');
	write_value(value, dump, out);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_sorted(const json_t *object, const Dump *dump, Buf *out)
{
	size_t count = json_object_size(object), at = 0;
	const char *few[32];
	autofree const char **many = count > COUNT(few) ? mem_zalloc(count, sizeof(*many)) : NULL;
	const char **keys = many ? many : few;
	json_t *source = json_borrow(object);
	for (void *i = json_object_iter(source); i; i = json_object_iter_next(source, i))
		keys[at++] = json_object_iter_key(i);
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (at = 0; at < count; at++)
		write_member(keys[at], strlen(keys[at]), json_object_get(object, keys[at]), dump,
			     out);
}

static void write_object(const json_t *object, const Dump *dump, Buf *out)
{
	buf_putc(out, '{');
	if (dump->style != DUMP_PLAIN) {
		write_sorted(object, dump, out);
	} else {
		json_t *source = json_borrow(object);
		for (void *i = json_object_iter(source); i; i = json_object_iter_next(source, i))
			write_member(json_object_iter_key(i), json_object_iter_key_len(i),
				     json_object_iter_value(i), dump, out);
	}
	buf_putc(out, '}');
}

static void write_array(const json_t *array, const Dump *dump, Buf *out)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i > 0)
			buf_putc(out, ',');
		write_value(json_array_get(array, i), dump, out);
	}
	buf_putc(out, ']');
}

static void write_written(const json_t *value, const Dump *dump, Buf *out)
{
	uint64_t large;
	if (written_is_large(value, &large)) {
		buf_printf(out, "%" PRIu64, large);
		return;
	}
	autojson json_t *plain = written_value(value);
	write_value(plain, dump, out);
}

static void write_value(const json_t *value, const Dump *dump, Buf *out)
{
	if (!value) {
		buf_puts(out, "null");
		return;
	}
	if (value == dump->noted)
		*dump->noted_at = out->len;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(value, dump, out);
		return;
	case JSON_ARRAY:
		write_array(value, dump, out);
		return;
	case JSON_STRING:
		if (written_text(value))
			write_written(value, dump, out);
		else
			write_string(written_str(value), dump, out);
		return;
	case JSON_INTEGER:
		write_integer(json_integer_value(value), out);
		return;
	case JSON_REAL:
		write_real(json_real_value(value), out);
		return;
	case JSON_TRUE:
		buf_puts(out, "true");
		return;
	case JSON_FALSE:
		buf_puts(out, "false");
		return;
	case JSON_NULL:
	default:
		buf_puts(out, "null");
	}
}

static char *dump(const json_t *value, DumpStyle style)
{
	autobuf Buf out = {0};
	buf_reserve(&out, 512);
	write_value(value, &(Dump){.style = style}, &out);
	return buf_steal(&out);
}

void json_write(const json_t *value, Buf *out)
{
	write_value(value, &(Dump){.style = DUMP_PLAIN}, out);
}

void json_write_noting(const json_t *value, const json_t *noted, Buf *out, size_t *out_at)
{
	write_value(value, &(Dump){DUMP_PLAIN, noted, out_at}, out);
}

char *json_dump(const json_t *value)
{
	return dump(value, DUMP_PLAIN);
}

char *json_dump_sorted(const json_t *value)
{
	return dump(value, DUMP_SORTED);
}

char *json_dump_go(const json_t *value)
{
	return dump(value, DUMP_GO);
}
