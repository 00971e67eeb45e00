/* Timestamps from year 1 to 9999 and durations of 64-bit nanoseconds. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cel/cel_internal.h"
#include "cel/zone.h"

enum { ANY = CEL_LIB_KUBERNETES | CEL_LIB_FLUX, NANOS = 1000000000 };

#define TIME_MIN INT64_C(-62135596800)
#define TIME_MAX INT64_C(253402300799)

/* Days since 1970 of a date of the proleptic Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

typedef struct {
	int64_t year, month, day, hour, minute, second, weekday, yearday;
} Civil;

static Civil civil_of(int64_t seconds)
{
	int64_t days = seconds / 86400, rest = seconds % 86400;
	if (rest < 0) {
		rest += 86400;
		days--;
	}
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t day = shifted - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	Civil civil = {.day = of_year - (153 * month + 2) / 5 + 1,
		       .month = month < 10 ? month + 3 : month - 9,
		       .hour = rest / 3600,
		       .minute = rest / 60 % 60,
		       .second = rest % 60,
		       .weekday = ((days + 4) % 7 + 7) % 7};
	civil.year = year + era * 400 + (civil.month <= 2);
	civil.yearday = days - days_of(civil.year, 1, 1);
	return civil;
}

static bool take_digits(Str *text, size_t count, int64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		if (text->len <= i || !isdigit((unsigned char)text->ptr[i]))
			return false;
		*out = *out * 10 + (text->ptr[i] - '0');
	}
	*text = str_slice(*text, count, text->len);
	return true;
}

static bool take_char(Str *text, char byte)
{
	if (text->len == 0 || *text->ptr != byte)
		return false;
	*text = str_slice(*text, 1, text->len);
	return true;
}

static void take_fraction(Str *text, int32_t *nanos)
{
	int32_t scale = NANOS;
	*nanos = 0;
	if (text->len < 2 || (*text->ptr != '.' && *text->ptr != ',') ||
	    !isdigit((unsigned char)text->ptr[1]))
		return;
	*text = str_slice(*text, 1, text->len);
	while (text->len > 0 && isdigit((unsigned char)*text->ptr)) {
		scale /= 10;
		*nanos += (*text->ptr - '0') * scale;
		*text = str_slice(*text, 1, text->len);
	}
}

static bool take_zone(Str *text, int64_t *offset)
{
	int64_t hours, minutes;
	*offset = 0;
	if (take_char(text, 'Z'))
		return true;
	bool east = take_char(text, '+');
	if (!east && !take_char(text, '-'))
		return false;
	if (!take_digits(text, 2, &hours) || !take_char(text, ':') ||
	    !take_digits(text, 2, &minutes) || hours > 24 || minutes > 60)
		return false;
	*offset = (hours * 60 + minutes) * (east ? 60 : -60);
	return true;
}

static bool is_date(const Civil *civil)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = civil->year % 4 == 0 && (civil->year % 100 != 0 || civil->year % 400 == 0);
	if (civil->month < 1 || civil->month > 12 || civil->day < 1)
		return false;
	return civil->day <= days[civil->month - 1] + (leap && civil->month == 2) &&
	       civil->hour < 24 && civil->minute < 60 && civil->second < 60;
}

bool cel_time_parse(Str text, CelTime *out)
{
	Civil civil = {0};
	int64_t offset;
	int32_t nanos;
	bool date = take_digits(&text, 4, &civil.year) && take_char(&text, '-') &&
		    take_digits(&text, 2, &civil.month) && take_char(&text, '-') &&
		    take_digits(&text, 2, &civil.day) && take_char(&text, 'T') &&
		    take_digits(&text, 2, &civil.hour) && take_char(&text, ':') &&
		    take_digits(&text, 2, &civil.minute) && take_char(&text, ':') &&
		    take_digits(&text, 2, &civil.second);
	if (!date || !is_date(&civil))
		return false;
	take_fraction(&text, &nanos);
	if (!take_zone(&text, &offset) || text.len > 0)
		return false;
	out->seconds = days_of(civil.year, civil.month, civil.day) * 86400 + civil.hour * 3600 +
		       civil.minute * 60 + civil.second - offset;
	out->nanos = nanos;
	out->offset = (int32_t)offset;
	return true;
}

static void write_fraction(int64_t nanos, Buf *out)
{
	char digits[16];
	if (nanos == 0)
		return;
	int len = 9;
	for (; nanos % 10 == 0; nanos /= 10)
		len--;
	for (int i = len; i > 0; nanos /= 10)
		digits[--i] = (char)('0' + nanos % 10);
	buf_printf(out, ".%.*s", len, digits);
}

void cel_time_write(CelTime time, Buf *out)
{
	Civil civil = civil_of(time.seconds + time.offset);
	buf_printf(out,
		   "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64
		   ":%02" PRId64,
		   civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second);
	write_fraction(time.nanos, out);
	int minutes = abs(time.offset) / 60;
	if (time.offset == 0)
		buf_putc(out, 'Z');
	else
		buf_printf(out, "%c%02d:%02d", time.offset < 0 ? '-' : '+', minutes / 60,
			   minutes % 60);
}

void cel_duration_write(int64_t nanos, Buf *out)
{
	uint64_t rest = nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos;
	buf_printf(out, "%s%" PRIu64, nanos < 0 ? "-" : "", rest / NANOS);
	write_fraction((int64_t)(rest % NANOS), out);
	buf_putc(out, 's');
}

/* Digits before a point; false when they are too many. */
static bool take_whole(Str *text, uint64_t *out, size_t *digits)
{
	for (; text->len > 0 && isdigit((unsigned char)*text->ptr); ++*digits) {
		if (__builtin_mul_overflow(*out, UINT64_C(10), out) ||
		    __builtin_add_overflow(*out, (uint64_t)(*text->ptr - '0'), out))
			return false;
		*text = str_slice(*text, 1, text->len);
	}
	return true;
}

/* Digits behind a point as a part of one; what no uint64 holds is left out, as in Go. */
static double take_part(Str *text, size_t *digits)
{
	uint64_t part = 0;
	double scale = 1;
	for (; text->len > 0 && isdigit((unsigned char)*text->ptr); ++*digits) {
		if (part <= (UINT64_C(1) << 63) / 10 - 1) {
			part = part * 10 + (uint64_t)(*text->ptr - '0');
			scale *= 10;
		}
		*text = str_slice(*text, 1, text->len);
	}
	return (double)part / scale;
}

static bool take_unit(Str *text, uint64_t *nanos)
{
	static const struct {
		const char *name;
		uint64_t nanos;
	} units[] = {{"ns", 1},
		     {"us", 1000},
		     {"\xc2\xb5s", 1000},
		     {"\xce\xbcs", 1000},
		     {"ms", 1000000},
		     {"s", NANOS},
		     {"m", UINT64_C(60) * NANOS},
		     {"h", UINT64_C(3600) * NANOS}};
	for (size_t i = 0; i < COUNT(units); i++) {
		if (!str_starts(*text, str_of(units[i].name)))
			continue;
		*nanos = units[i].nanos;
		*text = str_slice(*text, strlen(units[i].name), text->len);
		return true;
	}
	return false;
}

/* One "1.5h". */
static bool take_span(Str *text, uint64_t *total)
{
	uint64_t whole = 0, unit;
	size_t digits = 0;
	double part = 0;
	if (!take_whole(text, &whole, &digits))
		return false;
	if (take_char(text, '.'))
		part = take_part(text, &digits);
	if (digits == 0 || !take_unit(text, &unit) || __builtin_mul_overflow(whole, unit, &whole))
		return false;
	whole += (uint64_t)(part * (double)unit);
	return !__builtin_add_overflow(*total, whole, total) && *total <= UINT64_C(1) << 63;
}

/* Go's time.ParseDuration to the nanosecond. */
bool cel_duration_parse(Str text, int64_t *out_nanos)
{
	bool negative = take_char(&text, '-');
	uint64_t total = 0;
	if (!negative)
		(void)take_char(&text, '+');
	*out_nanos = 0;
	if (str_eq(text, STR("0")))
		return true;
	if (text.len == 0)
		return false;
	while (text.len > 0)
		if (!take_span(&text, &total))
			return false;
	if (!negative && total > INT64_MAX)
		return false;
	*out_nanos = negative ? (int64_t)(0 - total) : (int64_t)total;
	return true;
}

static CelValue add_durations(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	int64_t value;
	bool minus = run->call->name[1] == '-';
	bool overflow = minus ? __builtin_sub_overflow(args[0].integer, args[1].integer, &value)
			      : __builtin_add_overflow(args[0].integer, args[1].integer, &value);
	return overflow ? cel_error(run, "duration overflow") : cel_duration(value);
}

static CelValue negate_duration(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	if (args[0].integer == INT64_MIN)
		return cel_error(run, "integer overflow");
	return cel_duration(-args[0].integer);
}

static CelValue shift(CelRun *run, CelTime time, int64_t nanos, bool back)
{
	int64_t seconds = nanos / NANOS, rest = nanos % NANOS;
	int64_t fraction = time.nanos + (back ? -rest : rest);
	time.seconds += back ? -seconds : seconds;
	time.seconds += fraction < 0 ? -1 : fraction >= NANOS;
	time.nanos = (int32_t)((fraction + NANOS) % NANOS);
	if (time.seconds < TIME_MIN || time.seconds > TIME_MAX)
		return cel_error(run, "timestamp overflow");
	return (CelValue){.kind = CEL_TIMESTAMP, .time = time};
}

static CelValue shift_time(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	bool first = args[0].kind == CEL_TIMESTAMP;
	return shift(run, args[first ? 0 : 1].time, args[first ? 1 : 0].integer,
		     run->call->name[1] == '-');
}

static CelValue between(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	int64_t value;
	int64_t seconds = args[0].time.seconds - args[1].time.seconds;
	if (__builtin_mul_overflow(seconds, (int64_t)NANOS, &value) ||
	    __builtin_add_overflow(value, (int64_t)(args[0].time.nanos - args[1].time.nanos),
				   &value))
		return cel_error(run, "integer overflow");
	return cel_duration(value);
}

typedef enum {
	PART_YEAR,
	PART_MONTH,
	PART_YEARDAY,
	PART_DAY,
	PART_DATE,
	PART_WEEKDAY,
	PART_HOUR,
	PART_MINUTE,
	PART_SECOND,
	PART_MILLI,
} Part;

static const char *const part_names[] = {
	"getFullYear",	"getMonth", "getDayOfYear", "getDayOfMonth", "getDate",
	"getDayOfWeek", "getHours", "getMinutes",   "getSeconds",    "getMilliseconds"};

static Part part_of(const CelRun *run)
{
	for (size_t i = 0; i < COUNT(part_names); i++)
		if (strcmp(part_names[i], run->call->name) == 0)
			return (Part)i;
	return PART_YEAR;
}

static CelValue get_part(CelRun *run, const CelValue *args, size_t count)
{
	int64_t offset = 0;
	autoerror Error err = {0};
	if (count == 2 && !cel_zone_offset(args[1].text, args[0].time.seconds, &offset, &err))
		return cel_error(run, "%s", err_text(&err));
	Civil civil = civil_of(args[0].time.seconds + offset);
	const int64_t parts[] = {civil.year,	civil.month - 1,
				 civil.yearday, civil.day - 1,
				 civil.day,	civil.weekday,
				 civil.hour,	civil.minute,
				 civil.second,	args[0].time.nanos / 1000000};
	return cel_int(parts[part_of(run)]);
}

static CelValue get_duration_part(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	int64_t nanos = args[0].integer;
	switch ((int)part_of(run)) {
	case PART_HOUR:
		return cel_int(nanos / (INT64_C(3600) * NANOS));
	case PART_MINUTE:
		return cel_int(nanos / (INT64_C(60) * NANOS));
	case PART_SECOND:
		return cel_int(nanos / NANOS);
	default:
		return cel_int(nanos / 1000000);
	}
}

#define PART(name)                                                                                 \
	{name, true, ANY, "t>i", get_part},                                                        \
	{                                                                                          \
		name, true, ANY, "ts>i", get_part                                                  \
	}

static const CelFunction rows[] = {
	{"_+_", false, ANY, "DD>D", add_durations},
	{"_+_", false, ANY, "Dt>t", shift_time},
	{"_+_", false, ANY, "tD>t", shift_time},
	{"_-_", false, ANY, "DD>D", add_durations},
	/* Of a duration that is not known to be one: the checker has no overload for it. */
	{"-_", false, CEL_PARSE_ONLY, "D>D", negate_duration},
	{"_-_", false, ANY, "tD>t", shift_time},
	{"_-_", false, ANY, "tt>D", between},
	PART("getFullYear"),
	PART("getMonth"),
	PART("getDayOfYear"),
	PART("getDayOfMonth"),
	PART("getDate"),
	PART("getDayOfWeek"),
	PART("getHours"),
	{"getHours", true, ANY, "D>i", get_duration_part},
	PART("getMinutes"),
	{"getMinutes", true, ANY, "D>i", get_duration_part},
	PART("getSeconds"),
	{"getSeconds", true, ANY, "D>i", get_duration_part},
	PART("getMilliseconds"),
	{"getMilliseconds", true, ANY, "D>i", get_duration_part},
};

const CelFunctions cel_functions_time = {rows, COUNT(rows)};
