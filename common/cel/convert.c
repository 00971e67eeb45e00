/* Conversions between types and size() (cel-go common/stdlib). */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rune.h"
#include "cel/cel_internal.h"

enum { ANY = CEL_LIB_KUBERNETES | CEL_LIB_FLUX, EXPONENT_FROM = 6 };

/* Seconds of 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
#define TIME_MIN INT64_C(-62135596800)
#define TIME_MAX INT64_C(253402300799)

/* As Go's %g: the shortest digits, with an exponent below 1e-4 and from 1e6 on. */
void cel_write_double(double real, Buf *out)
{
	char digits[JSON_DIGITS_SIZE];
	int point;
	if (isnan(real) || isinf(real)) {
		buf_puts(out, isnan(real) ? "NaN" : real > 0 ? "+Inf" : "-Inf");
		return;
	}
	if (signbit(real))
		buf_putc(out, '-');
	int len = (int)json_real_digits(fabs(real), digits, &point);
	if (real == 0)
		point = 1;
	if (point < -3 || point > EXPONENT_FROM) {
		buf_putc(out, digits[0]);
		if (len > 1)
			buf_printf(out, ".%.*s", len - 1, digits + 1);
		buf_printf(out, "e%c%02d", point > 0 ? '+' : '-', abs(point - 1));
		return;
	}
	if (point <= 0) {
		buf_puts(out, "0.");
		for (int i = point; i < 0; i++)
			buf_putc(out, '0');
		buf_append(out, digits, (size_t)len);
		return;
	}
	for (int i = 0; i < point; i++)
		buf_putc(out, i < len ? digits[i] : '0');
	if (len > point)
		buf_printf(out, ".%.*s", len - point, digits + point);
}

static CelValue scalar_to_string(CelRun *run, const CelValue *value)
{
	autobuf Buf out = {0};
	switch ((int)value->kind) {
	case CEL_BOOL:
		buf_puts(&out, value->flag ? "true" : "false");
		break;
	case CEL_INT:
		buf_printf(&out, "%" PRId64, value->integer);
		break;
	case CEL_UINT:
		buf_printf(&out, "%" PRIu64, value->natural);
		break;
	case CEL_DOUBLE:
		cel_write_double(value->real, &out);
		break;
	case CEL_TIMESTAMP:
		cel_time_write(value->time, &out);
		break;
	case CEL_DURATION:
		cel_duration_write(value->integer, &out);
		break;
	case CEL_TYPE:
		buf_puts(&out, cel_type_name(value->type));
		break;
	default:
		return cel_error(run, "type conversion error from '%s' to 'string'",
				 cel_type_name(cel_type_of(value)));
	}
	return cel_text_value(run, buf_text(&out), out.len);
}

CelValue cel_to_string(CelRun *run, const CelValue *value)
{
	if (value->kind == CEL_STRING)
		return *value;
	if (value->kind == CEL_BYTES) {
		if (!rune_all_valid(value->text))
			return cel_error(run, "invalid UTF-8 in bytes, cannot convert to string");
		return (CelValue){.kind = CEL_STRING, .text = value->text};
	}
	if (value->kind == CEL_IP || value->kind == CEL_CIDR)
		return cel_net_to_string(run, value);
	return scalar_to_string(run, value);
}

static CelValue to_string(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	return cel_to_string(run, &args[0]);
}

static CelValue identity(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return args[0];
}

static CelValue no_conversion(CelRun *run, const char *to)
{
	return cel_error(run, "type conversion error from 'string' to '%s'", to);
}

static CelValue int_overflow(CelRun *run)
{
	return cel_error(run, "integer overflow");
}

static CelValue text_to_int(CelRun *run, Str text)
{
	autofree char *copy = str_dup(text);
	char *end = NULL;
	errno = 0;
	long long value = strtoll(copy, &end, 10);
	bool sign = *copy == '-' || *copy == '+';
	if (errno || *end || end != copy + text.len || !isdigit((unsigned char)copy[sign]))
		return no_conversion(run, "int");
	return cel_int(value);
}

static CelValue to_int(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const CelValue *value = &args[0];
	switch ((int)value->kind) {
	case CEL_UINT:
		return value->natural > INT64_MAX ? int_overflow(run)
						  : cel_int((int64_t)value->natural);
	case CEL_DOUBLE:
		if (isnan(value->real) || value->real <= -9223372036854775808.0 ||
		    value->real >= 9223372036854775808.0)
			return int_overflow(run);
		return cel_int((int64_t)value->real);
	case CEL_TIMESTAMP:
		return cel_int(value->time.seconds);
	case CEL_DURATION:
		return cel_int(value->integer);
	default:
		return text_to_int(run, value->text);
	}
}

static CelValue to_uint(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const CelValue *value = &args[0];
	if (value->kind == CEL_INT)
		return value->integer < 0 ? cel_error(run, "unsigned integer overflow")
					  : cel_uint((uint64_t)value->integer);
	if (value->kind == CEL_DOUBLE) {
		if (isnan(value->real) || value->real < 0 || value->real >= 18446744073709551616.0)
			return cel_error(run, "unsigned integer overflow");
		return cel_uint((uint64_t)value->real);
	}
	unsigned long long natural;
	if (value->text.len == 0 || !str_to_u64(value->text, &natural))
		return no_conversion(run, "uint");
	return cel_uint(natural);
}

/* What strconv.ParseFloat takes and strtod does not read in the same way is refused. */
static bool text_to_double(Str text, double *out)
{
	static const char *const words[] = {"inf",	 "+inf",      "-inf", "infinity",
					    "+infinity", "-infinity", "nan"};
	autofree char *copy = mem_alloc(text.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		bool between = i > 0 && i + 1 < text.len &&
			       isdigit((unsigned char)text.ptr[i - 1]) &&
			       isdigit((unsigned char)text.ptr[i + 1]);
		if (text.ptr[i] != '_' || !between)
			copy[len++] = (char)tolower((unsigned char)text.ptr[i]);
	}
	copy[len] = '\0';
	bool word = false;
	for (size_t i = 0; i < COUNT(words); i++)
		word |= strcmp(copy, words[i]) == 0;
	bool hex = strstr(copy, "0x") != NULL && strchr(copy, 'p') != NULL;
	if (!word && !hex && strspn(copy, "0123456789+-.e") != len)
		return false;
	char *end = NULL;
	errno = 0;
	*out = strtod(copy, &end);
	return len > 0 && end == copy + len && (word || !isinf(*out));
}

static CelValue to_double(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	double real;
	if (args[0].kind == CEL_INT)
		return cel_double((double)args[0].integer);
	if (args[0].kind == CEL_UINT)
		return cel_double((double)args[0].natural);
	return text_to_double(args[0].text, &real) ? cel_double(real)
						   : no_conversion(run, "double");
}

static CelValue to_bool(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	static const char *const words[2][6] = {
		{"0", "f", "F", "false", "FALSE", "False"},
		{"1", "t", "T", "true", "TRUE", "True"},
	};
	for (size_t flag = 0; flag < 2; flag++)
		for (size_t i = 0; i < 6; i++)
			if (str_eq(args[0].text, str_of(words[flag][i])))
				return cel_bool(flag == 1);
	return no_conversion(run, "bool");
}

static CelValue to_bytes(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return (CelValue){.kind = CEL_BYTES, .text = args[0].text};
}

static CelValue to_timestamp(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelValue value = {.kind = CEL_TIMESTAMP};
	if (args[0].kind == CEL_INT)
		value.time.seconds = args[0].integer;
	else if (!cel_time_parse(args[0].text, &value.time))
		return no_conversion(run, "google.protobuf.Timestamp");
	if (value.time.seconds < TIME_MIN || value.time.seconds > TIME_MAX)
		return cel_error(run, "timestamp overflow");
	return value;
}

static CelValue to_duration(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	int64_t nanos;
	if (args[0].kind == CEL_INT)
		return cel_error(run, "type conversion error from 'int' to "
				      "'google.protobuf.Duration'");
	if (!cel_duration_parse(args[0].text, &nanos))
		return no_conversion(run, "google.protobuf.Duration");
	return cel_duration(nanos);
}

static CelValue type_of(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return (CelValue){.kind = CEL_TYPE, .type = cel_type_of(&args[0])};
}

static CelValue size(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	switch ((int)args[0].kind) {
	case CEL_STRING:
		return cel_int((int64_t)cel_text_length(args[0].text));
	case CEL_BYTES:
		return cel_int((int64_t)args[0].text.len);
	case CEL_LIST:
		return cel_int((int64_t)args[0].list->len);
	case CEL_MAP:
	case CEL_OBJECT:
		return cel_int((int64_t)args[0].map->len);
	default:
		return cel_no_overload(run);
	}
}

static const CelFunction rows[] = {
	{"size", false, ANY, "s>i", size},
	{"size", false, ANY, "y>i", size},
	{"size", false, ANY, "LA>i", size},
	{"size", false, ANY, "MAB>i", size},
	{"size", true, ANY, "s>i", size},
	{"size", true, ANY, "y>i", size},
	{"size", true, ANY, "LA>i", size},
	{"size", true, ANY, "MAB>i", size},
	{"type", false, ANY, "A>TA", type_of},
	{"dyn", false, ANY, "A>*", identity},
	{"bool", false, ANY, "b>b", identity},
	{"bool", false, ANY, "s>b", to_bool},
	{"bytes", false, ANY, "y>y", identity},
	{"bytes", false, ANY, "s>y", to_bytes},
	{"double", false, ANY, "d>d", identity},
	{"double", false, ANY, "i>d", to_double},
	{"double", false, ANY, "s>d", to_double},
	{"double", false, ANY, "u>d", to_double},
	{"duration", false, ANY, "D>D", identity},
	{"duration", false, ANY, "i>D", to_duration},
	{"duration", false, ANY, "s>D", to_duration},
	{"int", false, ANY, "i>i", identity},
	{"int", false, ANY, "d>i", to_int},
	{"int", false, ANY, "D>i", to_int},
	{"int", false, ANY, "s>i", to_int},
	{"int", false, ANY, "t>i", to_int},
	{"int", false, ANY, "u>i", to_int},
	{"string", false, ANY, "s>s", identity},
	{"string", false, ANY, "b>s", to_string},
	{"string", false, ANY, "y>s", to_string},
	{"string", false, ANY, "d>s", to_string},
	{"string", false, ANY, "D>s", to_string},
	{"string", false, ANY, "i>s", to_string},
	{"string", false, ANY, "t>s", to_string},
	{"string", false, ANY, "u>s", to_string},
	{"timestamp", false, ANY, "t>t", identity},
	{"timestamp", false, ANY, "i>t", to_timestamp},
	{"timestamp", false, ANY, "s>t", to_timestamp},
	{"uint", false, ANY, "u>u", identity},
	{"uint", false, ANY, "d>u", to_uint},
	{"uint", false, ANY, "i>u", to_uint},
	{"uint", false, ANY, "s>u", to_uint},
};

const CelFunctions cel_functions_standard = {rows, COUNT(rows)};
