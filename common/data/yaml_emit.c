#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/written_internal.h"
#include "data/yaml_internal.h"

/*
 * Trees to YAML, byte for byte as sigs.k8s.io/yaml writes it, so that a user's diffs stay empty.
 * The rules are libyaml's emitter (width 80, indentless lists below keys); the scalars' styles are
 * in yaml_emit_scalar.c. Bounded by the tree's own depth.
 */

#include "data/yaml_emit_internal.h"

static void emit_node(Emitter *emitter, const json_t *value, Context context);

/* A run of digits as a number behind the digits of `value`; *len is their count. */
static uint64_t run_value(const char *text, uint64_t value, size_t *len)
{
	for (*len = 0; isdigit((unsigned char)text[*len]); (*len)++)
		value = value * 10 + (uint64_t)(text[*len] - '0');
	return value;
}

/* Close to Unicode's letters: what is none above ASCII is listed by range (signs, emoji). */
static bool is_letter(const char *text)
{
	static const uint32_t others[][2] = {
		{0x80, 0xa9},	  {0xab, 0xb4},	    {0xb6, 0xb9},	{0xbb, 0xbf},
		{0xd7, 0xd7},	  {0xf7, 0xf7},	    {0x2000, 0x2070},	{0x20a0, 0x20ff},
		{0x2190, 0x2bff}, {0x3000, 0x3004}, {0x3008, 0x3030},	{0xe000, 0xf8ff},
		{0xfe00, 0xfe6f}, {0xff00, 0xff20}, {0x1f000, 0x1faff},
	};
	if (!(*text & 0x80))
		return isalpha((unsigned char)*text);
	uint32_t code = emit_decode(str_of(text), 0);
	for (size_t i = 0; i < COUNT(others); i++)
		if (code >= others[i][0] && code <= others[i][1])
			return false;
	return true;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* At the first byte where two keys differ. */
static int compare_digits(const char *a, const char *b, size_t at)
{
	/* "a01" and "a1": zeros count only behind a digit that is not zero. */
	uint64_t prefix = 0;
	if (a[at] == '0' || b[at] == '0')
		for (size_t j = at; j > 0 && isdigit((unsigned char)a[j - 1]) && !prefix; j--)
			prefix = a[j - 1] != '0';
	size_t a_len, b_len;
	uint64_t a_value = run_value(a + at, prefix, &a_len);
	uint64_t b_value = run_value(b + at, prefix, &b_len);
	int order = compare_u64(a_value, b_value);
	if (order == 0)
		order = compare_u64(a_len, b_len);
	return order ? order : strcmp(a + at, b + at);
}

/* The order that Go's YAML writers give keys: runs of digits by value, letters after the rest. */
static int compare_keys(const void *left, const void *right)
{
	const char *a = *(const char *const *)left, *b = *(const char *const *)right;
	size_t at = 0;
	while (a[at] && a[at] == b[at])
		at++;
	if (!a[at] || !b[at])
		return compare_u64((unsigned char)a[at], (unsigned char)b[at]);
	while (at > 0 && ((a[at] & 0xc0) == 0x80 || (b[at] & 0xc0) == 0x80))
		at--;
	bool a_letter = is_letter(a + at), b_letter = is_letter(b + at);
	if (a_letter && b_letter)
		return strcmp(a + at, b + at);
	if (a_letter || b_letter)
		return b_letter ? -1 : 1;
	return compare_digits(a, b, at);
}

static int compare_bytes(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static const char **sorted_keys(const Emitter *emitter, const json_t *object)
{
	const char **keys = mem_zalloc(json_object_size(object), sizeof(*keys));
	size_t count = 0;
	json_t *source = json_borrow(object);
	for (void *i = json_object_iter(source); i; i = json_object_iter_next(source, i))
		keys[count++] = json_object_iter_key(i);
	qsort(keys, count, sizeof(*keys), emitter->by_bytes ? compare_bytes : compare_keys);
	return keys;
}

/* What JSON writes as an integer that fits 64 bits stays one (1.0 is 1); the rest is Go's %g. */
static void emit_real(Emitter *emitter, double value)
{
	autobuf Buf text = {0};
	bool plain = !emitter->step || fabs(value) < 1e6;
	if (plain && value == trunc(value) && value > -0x1p63 && value < 0x1p64) {
		/* Plus zero: -0 is the integer 0 when it is read back. */
		autojson json_t *real = json_real(value + 0.0);
		json_write(real, &text);
		emit_plain(emitter, buf_str(&text));
		return;
	}
	char digits[JSON_DIGITS_SIZE];
	int point;
	size_t count = json_real_digits(value, digits, &point);
	int exponent = point - 1;
	buf_puts(&text, signbit(value) ? "-" : "");
	if (exponent < -4 || exponent >= 6)
		buf_printf(&text, "%c%s%se%c%02d", digits[0], count > 1 ? "." : "", digits + 1,
			   exponent < 0 ? '-' : '+', abs(exponent));
	else if (point <= 0)
		buf_printf(&text, "0.%.*s%s", -point, "0000", digits);
	else
		buf_printf(&text, "%.*s.%s", point, digits, digits + point);
	emit_plain(emitter, buf_str(&text));
}

static void emit_sequence(Emitter *emitter, const json_t *array, Context context)
{
	if (json_array_size(array) == 0) {
		emit_indicator(emitter, "[]", true, false, false);
		return;
	}
	int before = emitter->indent;
	bool indentless = context == IN_MAPPING && !emitter->indentation && !emitter->step;
	emit_increase_indent(emitter, false, indentless);
	for (size_t i = 0; i < json_array_size(array); i++) {
		emit_indent(emitter);
		emit_indicator(emitter, "-", true, false, true);
		emit_node(emitter, json_array_get(array, i), IN_SEQUENCE);
	}
	emitter->indent = before;
}

static void emit_mapping(Emitter *emitter, const json_t *object)
{
	size_t count = json_object_size(object);
	if (count == 0) {
		emit_indicator(emitter, "{}", true, false, false);
		return;
	}
	int before = emitter->indent;
	emit_increase_indent(emitter, false, false);
	autofree const char **keys = sorted_keys(emitter, object);
	for (size_t i = 0; i < count; i++) {
		Str key = str_of(keys[i]);
		bool simple = emit_is_simple_key(key);
		emit_indent(emitter);
		if (!simple)
			emit_indicator(emitter, "?", true, false, true);
		emit_string(emitter, key, simple);
		if (!simple)
			emit_indent(emitter);
		emit_indicator(emitter, ":", !simple, false, !simple);
		emit_node(emitter, json_object_get(object, keys[i]), IN_MAPPING);
	}
	emitter->indent = before;
}

static bool emit_written(Emitter *emitter, const json_t *value)
{
	if (!written_text(value))
		return false;
	uint64_t large;
	autojson json_t *plain = written_value(value);
	autofree char *digits =
		written_is_large(value, &large) ? mem_printf("%" PRIu64, large) : NULL;
	if (digits)
		emit_plain(emitter, str_of(digits));
	else
		emit_node(emitter, plain, IN_MAPPING); /* a scalar: where it stands says nothing */
	return true;
}

static void emit_node(Emitter *emitter, const json_t *value, Context context)
{
	autofree char *number = NULL;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		emit_mapping(emitter, value);
		return;
	case JSON_ARRAY:
		emit_sequence(emitter, value, context);
		return;
	case JSON_STRING:
		if (emit_written(emitter, value))
			return;
		emit_string(emitter, written_str(value), false);
		return;
	case JSON_REAL:
		emit_real(emitter, json_real_value(value));
		return;
	case JSON_INTEGER:
		number = mem_printf("%lld", (long long)json_integer_value(value));
		emit_plain(emitter, str_of(number));
		return;
	case JSON_TRUE:
		emit_plain(emitter, STR("true"));
		return;
	case JSON_FALSE:
		emit_plain(emitter, STR("false"));
		return;
	case JSON_NULL:
	default:
		emit_plain(emitter, STR("null"));
	}
}

/* `emitter` has the style. */
static void emit_document(const json_t *value, Emitter emitter, Buf *out)
{
	emitter.out = out;
	emitter.indent = -1;
	emitter.whitespace = emitter.indentation = true;
	emit_node(&emitter, value, AT_ROOT);
	if (emitter.column > 0)
		buf_putc(out, '\n');
}

void yaml_emit(const json_t *value, Buf *out)
{
	emit_document(value, (Emitter){0}, out);
}

void yaml_emit_long(const json_t *value, Buf *out)
{
	emit_document(value, (Emitter){.long_lines = true}, out);
}

void yaml_emit_pretty(const json_t *value, Buf *out)
{
	emit_document(value, (Emitter){.step = 2}, out);
}

void yaml_emit_by_bytes(const json_t *value, Buf *out)
{
	emit_document(value, (Emitter){.by_bytes = true}, out);
}
