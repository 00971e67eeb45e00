#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/yaml_internal.h"

/*
 * Plain scalars to types. The rules are those of Go's yaml.v3 (B5): the core schema, `_` in
 * numbers, 0777 octal beside 0o777, 0b binary, dates as timestamps. No number is longer than
 * NUMBER_MAX bytes; what is longer is a string.
 */

enum { NUMBER_MAX = 400, WORD_MAX = 5, OLD_BOOLEAN_MAX = 3 };

typedef struct {
	const char *text;
	YamlScalar value;
} Word;

static const Word words[] = {
	{"true", {.type = YAML_BOOL, .flag = true}},
	{"True", {.type = YAML_BOOL, .flag = true}},
	{"TRUE", {.type = YAML_BOOL, .flag = true}},
	{"false", {.type = YAML_BOOL}},
	{"False", {.type = YAML_BOOL}},
	{"FALSE", {.type = YAML_BOOL}},
	{"", {.type = YAML_NULL}},
	{"~", {.type = YAML_NULL}},
	{"null", {.type = YAML_NULL}},
	{"Null", {.type = YAML_NULL}},
	{"NULL", {.type = YAML_NULL}},
	{".nan", {.type = YAML_FLOAT, .real = (double)NAN}},
	{".NaN", {.type = YAML_FLOAT, .real = (double)NAN}},
	{".NAN", {.type = YAML_FLOAT, .real = (double)NAN}},
	{".inf", {.type = YAML_FLOAT, .real = (double)INFINITY}},
	{".Inf", {.type = YAML_FLOAT, .real = (double)INFINITY}},
	{".INF", {.type = YAML_FLOAT, .real = (double)INFINITY}},
	{"+.inf", {.type = YAML_FLOAT, .real = (double)INFINITY}},
	{"+.Inf", {.type = YAML_FLOAT, .real = (double)INFINITY}},
	{"+.INF", {.type = YAML_FLOAT, .real = (double)INFINITY}},
	{"-.inf", {.type = YAML_FLOAT, .real = (double)-INFINITY}},
	{"-.Inf", {.type = YAML_FLOAT, .real = (double)-INFINITY}},
	{"-.INF", {.type = YAML_FLOAT, .real = (double)-INFINITY}},
};

/* Booleans of YAML 1.1 only, the first half true: strings when read, quoted when written. */
static const char *const old_booleans[] = {
	"y", "Y", "yes", "Yes", "YES", "on",  "On",  "ON",
	"n", "N", "no",	 "No",	"NO",  "off", "Off", "OFF",
};

bool yaml_is_old_boolean(Str text, bool *out)
{
	if (!text.len || text.len > OLD_BOOLEAN_MAX || !strchr("yYnNoO", *text.ptr))
		return false;
	for (size_t i = 0; i < COUNT(old_booleans); i++) {
		if (text.ptr[0] != old_booleans[i][0] || !str_eq(text, str_of(old_booleans[i])))
			continue;
		*out = i < COUNT(old_booleans) / 2;
		return true;
	}
	return false;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool find_word(Str text, YamlScalar *out)
{
	if (text.len > WORD_MAX || (text.len && !strchr("tTfF~nN.+-", *text.ptr)))
		return false;
	char first = text.len > 0 ? text.ptr[0] : '\0';
	for (size_t i = 0; i < COUNT(words); i++) {
		if (first == words[i].text[0] && str_eq(text, str_of(words[i].text))) {
			*out = words[i].value;
			return true;
		}
	}
	return false;
}

static int digit_value(char byte)
{
	if (is_digit(byte))
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : 99;
}

static bool read_digits(const char *text, unsigned base, uint64_t *out)
{
	uint64_t value = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned digit = (unsigned)digit_value(*text);
		if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return false;
	}
	*out = value;
	return true;
}

/* The base that a prefix names; *digits is moved behind it. */
static unsigned number_base(const char **digits)
{
	const char *text = *digits;
	if (text[0] != '0' || !text[1])
		return 10;
	int letter = tolower((unsigned char)text[1]);
	*digits = text + 2;
	if (letter == 'x')
		return 16;
	if (letter == 'o')
		return 8;
	if (letter == 'b')
		return 2;
	*digits = text + 1;
	return 8;
}

static bool read_integer(const char *plain, YamlScalar *out)
{
	bool negative = *plain == '-';
	const char *digits = plain + (*plain == '-' || *plain == '+');
	unsigned base = number_base(&digits);
	uint64_t value;
	if (!read_digits(digits, base, &value))
		return false;
	uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
	if (value > limit && (negative || *plain == '+'))
		return false;
	out->type = value > limit ? YAML_FLOAT : YAML_INT;
	out->real = (double)value;
	out->large = value > limit ? value : 0;
	out->integer = value > limit ? 0 : (int64_t)(negative ? 0 - value : value);
	return true;
}

static const char *skip_digits(const char *text)
{
	while (is_digit(*text))
		text++;
	return text;
}

/* [-+]?(.D+|D+(.D*)?)([eE][-+]?D+)? */
static bool is_float(const char *text)
{
	text += *text == '-' || *text == '+';
	const char *whole = skip_digits(text);
	const char *end = whole;
	if (*whole == '.') {
		end = skip_digits(whole + 1);
		if (whole == text && end == whole + 1)
			return false;
	} else if (whole == text) {
		return false;
	}
	if (*end == 'e' || *end == 'E') {
		end++;
		end += *end == '-' || *end == '+';
		if (!is_digit(*end))
			return false;
		end = skip_digits(end);
	}
	return !*end;
}

static bool read_float(const char *plain, YamlScalar *out)
{
	if (!is_float(plain))
		return false;
	/* strtod wants the locale's point; daemons run in "C". Go refuses what overflows. */
	double value = strtod(plain, NULL);
	if (isinf(value))
		return false;
	out->type = YAML_FLOAT;
	out->real = value;
	return true;
}

/* One or two digits, more when `count` says so, at *at; -1 when there are none. */
static int read_number(const char **at, int count)
{
	int value = 0, seen = 0;
	for (; seen < count && is_digit(**at); seen++, (*at)++)
		value = value * 10 + (**at - '0');
	return seen ? value : -1;
}

static bool read_date(const char **at, int *year, int *month, int *day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	*year = read_number(at, 4);
	if (*(*at)++ != '-')
		return false;
	*month = read_number(at, 2);
	if (**at != '-' || *month < 1 || *month > 12)
		return false;
	(*at)++;
	*day = read_number(at, 2);
	bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
	return *day >= 1 && *day <= days[*month - 1] + (*month == 2 && leap ? 1 : 0);
}

/* h:m:s[.fraction]; the fraction with its point, cut to nine digits and without zeros at the end.
 */
static bool read_time(const char **at, int hms[3], char fraction[12])
{
	static const int limits[] = {24, 60, 60};
	for (int i = 0; i < 3; i++) {
		if (i > 0 && *(*at)++ != ':')
			return false;
		hms[i] = read_number(at, 2);
		if (hms[i] < 0 || hms[i] >= limits[i])
			return false;
	}
	fraction[0] = '\0';
	if (**at != '.' || !is_digit((*at)[1]))
		return true;
	const char *end = skip_digits(*at + 1);
	size_t len = (size_t)(end - *at);
	len = len > 10 ? 10 : len;
	memcpy(fraction, *at, len);
	while (len > 0 && (fraction[len - 1] == '0' || fraction[len - 1] == '.'))
		len--;
	fraction[len] = '\0';
	*at = end;
	return true;
}

/* "Z" or "+hh:mm"; *zone is what RFC 3339 says for it. */
static bool read_zone(const char **at, char zone[8])
{
	const char *text = *at;
	if (text[0] == 'Z') {
		memcpy(zone, "Z", 2);
		*at = text + 1;
		return true;
	}
	bool shaped = (text[0] == '+' || text[0] == '-') && is_digit(text[1]) &&
		      is_digit(text[2]) && text[3] == ':' && is_digit(text[4]) && is_digit(text[5]);
	if (!shaped)
		return false;
	bool zero = memcmp(text + 1, "00:00", 5) == 0;
	memcpy(zone, zero ? "Z" : text, zero ? 1 : 6);
	zone[zero ? 1 : 6] = '\0';
	*at = text + 6;
	return true;
}

/* The forms of !!timestamp that Go reads: date, date T time zone, date time. */
static bool read_timestamp(const char *text, YamlScalar *out)
{
	if (skip_digits(text) != text + 4 || text[4] != '-')
		return false;
	const char *at = text;
	int year, month, day, hms[3] = {0};
	char fraction[12] = "", zone[8] = "Z";
	if (!read_date(&at, &year, &month, &day))
		return false;
	if (*at) {
		char separator = *at++;
		bool zoned = separator == 'T' || separator == 't';
		if (!zoned && separator != ' ')
			return false;
		if (!read_time(&at, hms, fraction) || (zoned && !read_zone(&at, zone)) || *at)
			return false;
	}
	out->type = YAML_TIMESTAMP;
	snprintf(out->stamp, sizeof(out->stamp), "%04d-%02d-%02dT%02d:%02d:%02d%s%s", year, month,
		 day, hms[0], hms[1], hms[2], fraction, zone);
	return true;
}

void yaml_resolve(Str text, YamlScalar *out)
{
	*out = (YamlScalar){.type = YAML_STR};
	if (find_word(text, out) || text.len > NUMBER_MAX)
		return;
	char first = text.ptr[0];
	if (!is_digit(first) && first != '-' && first != '+' && first != '.')
		return;
	char whole[NUMBER_MAX + 1], plain[NUMBER_MAX + 1];
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		whole[i] = text.ptr[i];
		if (text.ptr[i] != '_')
			plain[count++] = text.ptr[i];
	}
	whole[text.len] = plain[count] = '\0';
	if (first == '.') {
		read_float(whole, out);
		return;
	}
	if (!read_timestamp(whole, out) && !read_integer(plain, out))
		read_float(plain, out);
}

/* Base 60 numbers of YAML 1.1: [-+]?D[D_]*(:[0-5]?D)+(.[D_]*)? */
static bool is_base60(Str text)
{
	size_t at = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+') ? 1 : 0;
	if (at >= text.len || !is_digit(text.ptr[at]))
		return false;
	while (at < text.len && (is_digit(text.ptr[at]) || text.ptr[at] == '_'))
		at++;
	if (at >= text.len || text.ptr[at] != ':')
		return false;
	while (at < text.len && text.ptr[at] == ':') {
		size_t from = ++at;
		while (at < text.len && is_digit(text.ptr[at]))
			at++;
		if (at == from || at - from > 2 || (at - from == 2 && text.ptr[from] > '5'))
			return false;
	}
	if (at < text.len && text.ptr[at] == '.')
		for (at++; at < text.len && (is_digit(text.ptr[at]) || text.ptr[at] == '_');)
			at++;
	return at == text.len;
}

void yaml_resolve_old(Str text, YamlScalar *scalar)
{
	if (scalar->type == YAML_TIMESTAMP)
		scalar->type = YAML_STR;
	bool flag;
	if (scalar->type == YAML_STR && yaml_is_old_boolean(text, &flag))
		*scalar = (YamlScalar){.type = YAML_BOOL, .flag = flag};
}

bool yaml_is_plain_string(Str text)
{
	bool ignored;
	if (yaml_is_old_boolean(text, &ignored))
		return false;
	YamlScalar value;
	yaml_resolve(text, &value);
	return value.type == YAML_STR && !is_base60(text);
}
