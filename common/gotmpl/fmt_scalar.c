#include <math.h>

#include "base/mem.h"
#include "gotmpl/fmt_internal.h"
#include "gotmpl/strconv.h"
#include "gotmpl/time.h"

/* Scalars by verb: flags, width and precision as package fmt applies them. */

static void write_padding(Printer *p, long count)
{
	char byte = p->zero && !p->minus ? '0' : ' ';
	for (long i = 0; i < count && p->fmt->out->len < p->fmt->limit; i++)
		buf_putc(p->fmt->out, byte);
}

static void pad(Printer *p, Str text)
{
	long padding = p->has_width ? p->width - (long)rune_count(text) : 0;
	if (!p->minus)
		write_padding(p, padding);
	buf_add(p->fmt->out, text);
	if (p->minus)
		write_padding(p, padding);
}

/* Never with zeros. */
static void pad_blanks(Printer *p, Str text)
{
	Printer blanks = *p;
	blanks.zero = false;
	pad(&blanks, text);
}

static void print_integer_base(Printer *p, uint64_t value, unsigned base, bool is_signed,
			       bool upper)
{
	char digits[65];
	bool negative = is_signed && (int64_t)value < 0;
	value = negative ? 0 - value : value;
	if (p->has_precision && p->precision == 0 && value == 0) {
		Printer blanks = *p;
		blanks.zero = false;
		write_padding(&blanks, p->has_width ? p->width : 0);
		return;
	}
	long least = p->has_precision ? p->precision : 0;
	if (!p->has_precision && p->zero && !p->minus && p->has_width)
		least = p->width - (negative || p->plus || p->space ? 1 : 0);
	size_t at = sizeof(digits);
	do {
		digits[--at] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[value % base];
		value /= base;
	} while (value > 0);
	autobuf Buf text = {0};
	bool zeros = least > (long)(sizeof(digits) - at);
	if (negative || p->plus || p->space)
		buf_putc(&text, negative ? '-' : p->plus ? '+' : ' ');
	if (p->verb == 'O')
		buf_puts(&text, "0o");
	if (p->sharp && base == 2)
		buf_puts(&text, "0b");
	if (p->sharp && base == 8 && digits[at] != '0' && !zeros)
		buf_putc(&text, '0');
	if (p->sharp && base == 16)
		buf_puts(&text, upper ? "0X" : "0x");
	for (long i = (long)(sizeof(digits) - at); i < least; i++)
		buf_putc(&text, '0');
	buf_append(&text, digits + at, sizeof(digits) - at);
	pad_blanks(p, buf_str(&text));
}

static void print_unicode(Printer *p, uint64_t value)
{
	autobuf Buf text = {0};
	int least = p->has_precision && p->precision > 4 ? p->precision : 4;
	buf_printf(&text, "U+%0*llX", least > 100 ? 100 : least, (unsigned long long)value);
	if (p->sharp && value <= RUNE_MAX && rune_is_print(p->fmt->unicode, (uint32_t)value)) {
		buf_puts(&text, " '");
		buf_put_rune(&text, (uint32_t)value);
		buf_putc(&text, '\'');
	}
	pad_blanks(p, buf_str(&text));
}

static void print_rune(Printer *p, uint64_t value, bool quoted)
{
	autobuf Buf text = {0};
	uint32_t rune = value > RUNE_MAX ? RUNE_ERROR : (uint32_t)value;
	if (quoted)
		quote_rune(p->fmt->unicode, rune, p->plus, &text);
	else
		buf_put_rune(&text, rune);
	pad(p, buf_str(&text));
}

static void print_integer(Printer *p, GoValue value)
{
	bool is_signed = go_kind(value) == GO_KIND_INT;
	uint64_t bits = value.natural;
	switch (p->verb) {
	case 'v':
		if (p->sharp_v && !is_signed) {
			Printer hex = *p;
			hex.sharp = true;
			print_integer_base(&hex, bits, 16, false, false);
			return;
		}
		print_integer_base(p, bits, 10, is_signed, false);
		return;
	case 'd':
		print_integer_base(p, bits, 10, is_signed, false);
		return;
	case 'b':
		print_integer_base(p, bits, 2, is_signed, false);
		return;
	case 'o':
	case 'O':
		print_integer_base(p, bits, 8, is_signed, false);
		return;
	case 'x':
	case 'X':
		print_integer_base(p, bits, 16, is_signed, p->verb == 'X');
		return;
	case 'c':
	case 'q':
		print_rune(p, bits, p->verb == 'q');
		return;
	case 'U':
		print_unicode(p, bits);
		return;
	default:
		fmt_bad_verb(p, value);
	}
}

/* The '#' flag: a point always, and zeros up to the precision for %g and %x (whose "x" counts). */
static void sharpen(Buf *number, char verb, int precision)
{
	char *exponent = strpbrk(number->ptr + 1, (verb | 32) == 'x' ? "pP" : "eE");
	autofree char *tail = mem_strdup(exponent ? exponent : "");
	if (exponent)
		number->len = (size_t)(exponent - number->ptr);
	number->ptr[number->len] = '\0';
	int digits = strchr("gGx", verb) ? (precision < 0 ? 6 : precision) : 0;
	bool point = strchr(number->ptr, '.') != NULL, significant = false;
	for (size_t i = 1; i < number->len; i++) {
		if (number->ptr[i] == '.')
			continue;
		significant |= number->ptr[i] != '0';
		digits -= significant ? 1 : 0;
	}
	if (!point && number->len == 2 && number->ptr[1] == '0')
		digits--;
	if (!point)
		buf_putc(number, '.');
	for (; digits > 0; digits--)
		buf_putc(number, '0');
	buf_puts(number, tail);
}

static void print_float(Printer *p, double value, char verb, int precision)
{
	autobuf Buf number = {0};
	autobuf Buf digits = {0};
	if (p->has_precision)
		precision = p->precision;
	format_float(value, verb, precision, &digits);
	bool has_sign = digits.ptr[0] == '-' || digits.ptr[0] == '+';
	if (!has_sign)
		buf_putc(&number, p->space && !p->plus ? ' ' : '+');
	buf_add(&number, buf_str(&digits));
	if (has_sign && number.ptr[0] == '+' && p->space && !p->plus)
		number.ptr[0] = ' ';
	Str text = buf_str(&number);
	if (!isfinite(value)) {
		bool bare = isnan(value) && !p->space && !p->plus;
		pad_blanks(p, str_slice(text, bare, text.len));
		return;
	}
	if (p->sharp && verb != 'b')
		sharpen(&number, verb, precision);
	text = buf_str(&number);
	if (!p->plus && text.ptr[0] == '+') {
		pad(p, str_slice(text, 1, text.len));
		return;
	}
	if (p->zero && !p->minus && p->has_width && p->width > (int)text.len) {
		buf_putc(p->fmt->out, text.ptr[0]);
		write_padding(p, p->width - (long)text.len);
		buf_add(p->fmt->out, str_slice(text, 1, text.len));
		return;
	}
	pad(p, text);
}

static bool print_float_verb(Printer *p, double value)
{
	switch (p->verb) {
	case 'v':
		print_float(p, value, 'g', -1);
		return true;
	case 'b':
	case 'g':
	case 'G':
	case 'x':
	case 'X':
		print_float(p, value, (char)p->verb, -1);
		return true;
	case 'f':
	case 'F':
		print_float(p, value, 'f', 6);
		return true;
	case 'e':
	case 'E':
		print_float(p, value, (char)p->verb, 6);
		return true;
	default:
		return false;
	}
}

static void print_complex(Printer *p, GoValue value)
{
	Printer imaginary = *p;
	imaginary.plus = true;
	fmt_puts(p, "(");
	print_float_verb(p, value.complex[0]);
	print_float_verb(&imaginary, value.complex[1]);
	fmt_puts(p, "i)");
}

static void print_hex(Printer *p, Str text)
{
	const char *digits = p->verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	const char *prefix = p->verb == 'X' ? "0X" : "0x";
	if (p->has_precision && (size_t)p->precision < text.len)
		text.len = (size_t)p->precision;
	long width = 2 * (long)text.len;
	if (width == 0) {
		write_padding(p, p->has_width ? p->width : 0);
		return;
	}
	if (p->space)
		width = (p->sharp ? 2 * width : width) + (long)text.len - 1;
	else if (p->sharp)
		width += 2;
	if (!p->minus && p->has_width)
		write_padding(p, p->width - width);
	for (size_t i = 0; i < text.len && p->fmt->out->len < p->fmt->limit; i++) {
		if (p->space && i > 0)
			buf_putc(p->fmt->out, ' ');
		if (p->sharp && (p->space || i == 0))
			fmt_puts(p, prefix);
		unsigned char byte = (unsigned char)text.ptr[i];
		buf_putc(p->fmt->out, digits[byte >> 4]);
		buf_putc(p->fmt->out, digits[byte & 15]);
	}
	if (p->minus && p->has_width)
		write_padding(p, p->width - width);
}

static Str truncate(const Printer *p, Str text)
{
	size_t width, count = 0;
	if (!p->has_precision)
		return text;
	for (size_t at = 0; at < text.len; at += width, count++) {
		if (count == (size_t)p->precision)
			return str_slice(text, 0, at);
		rune_decode(str_slice(text, at, text.len), &width);
	}
	return text;
}

static void print_quoted(Printer *p, Str text)
{
	autobuf Buf quoted = {0};
	text = truncate(p, text);
	if (p->sharp && quote_can_raw(text)) {
		buf_putc(&quoted, '`');
		buf_add(&quoted, text);
		buf_putc(&quoted, '`');
	} else {
		quote_append(p->fmt->unicode, text, p->plus, &quoted);
	}
	pad(p, buf_str(&quoted));
}

void fmt_string(Printer *p, GoValue value)
{
	switch (p->verb) {
	case 'v':
		if (p->sharp_v) {
			print_quoted(p, value.text);
			return;
		}
		pad(p, truncate(p, value.text));
		return;
	case 's':
		pad(p, truncate(p, value.text));
		return;
	case 'q':
		print_quoted(p, value.text);
		return;
	case 'x':
	case 'X':
		print_hex(p, value.text);
		return;
	default:
		fmt_bad_verb(p, value);
	}
}

static void print_time(Printer *p, GoValue value)
{
	if (p->verb >= 0x80 || !strchr("vsqxX", (int)p->verb)) {
		fmt_bad_verb(p, value);
		return;
	}
	autobuf Buf text = {0};
	time_string(value.time, &text);
	fmt_string(p, go_text(buf_str(&text)));
}

void fmt_scalar(Printer *p, GoValue value)
{
	switch (go_kind(value)) {
	case GO_KIND_BOOL:
		if (p->verb != 'v' && p->verb != 't')
			fmt_bad_verb(p, value);
		else
			pad(p, str_of(value.flag ? "true" : "false"));
		return;
	case GO_KIND_INT:
	case GO_KIND_UINT:
		print_integer(p, value);
		return;
	case GO_KIND_FLOAT:
		if (!print_float_verb(p, value.real))
			fmt_bad_verb(p, value);
		return;
	case GO_KIND_COMPLEX:
		print_complex(p, value);
		return;
	case GO_KIND_STRING:
		fmt_string(p, value);
		return;
	case GO_KIND_STRUCT:
		print_time(p, value);
		return;
	case GO_KIND_INVALID:
	case GO_KIND_SLICE:
	case GO_KIND_MAP:
	case GO_KIND_PTR:
		return;
	}
}
