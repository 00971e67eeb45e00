#include "gotmpl/time.h"

#include <stdio.h>

#include "base/clock.h"
#include "data/zone.h"

/* Civil dates from seconds, and back; the clock. Layouts are in time_format.c and time_parse.c. */

enum { DAY_SECONDS = 86400, ERA_DAYS = 146097 };

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970 to a date of the Gregorian calendar (eras of 400 years from March). */
static void civil_of(int64_t days, int64_t *year, int *month, int *day)
{
	days += 719468;
	int64_t era = floor_div(days, ERA_DAYS), of_era = days - era * ERA_DAYS;
	int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
	int64_t shifted = (5 * of_year + 2) / 153;
	*day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
	*month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	*year = years + era * 400 + (*month <= 2);
}

void time_parts(const GoTime *time, TimeParts *out)
{
	int64_t local = time->seconds + time->offset;
	int64_t days = floor_div(local, DAY_SECONDS), rest = local - days * DAY_SECONDS;
	civil_of(days, &out->year, &out->month, &out->day);
	out->hour = (int)(rest / 3600);
	out->minute = (int)(rest / 60 % 60);
	out->second = (int)(rest % 60);
	int64_t weekday = (days + 4) % 7;
	out->weekday = (int)(weekday < 0 ? weekday + 7 : weekday);
	out->year_day = (int)(days - date_days(out->year, 1, 1)) + 1;
}

GoTime *time_unix(Arena *arena, int64_t seconds)
{
	GoTime *time = arena_alloc(arena, sizeof(*time));
	time->seconds = seconds;
	time_in(arena, time, STR("Local"));
	return time;
}

GoTime *time_now(Arena *arena)
{
	int64_t now = clock_wall_ns();
	GoTime *time = time_unix(arena, now / 1000000000);
	time->nanos = (int32_t)(now % 1000000000);
	time->monotonic = true;
	return time;
}

bool time_in(Arena *arena, GoTime *time, Str zone)
{
	ZoneOffset offset;
	if (!zone_offset(arena, zone, time->seconds, &offset))
		return false;
	time->offset = offset.seconds;
	time->zone = offset.name;
	return true;
}

void time_string(const GoTime *time, Buf *out)
{
	time_format(time, STR("2006-01-02 15:04:05.999999999 -0700 MST"), out);
	if (time->monotonic)
		buf_printf(out, " m=+%.9f", (double)clock_mono_ms() / 1000.0);
}

/* A fraction of `unit` nanoseconds without zeros at its end. */
static void put_fraction(uint64_t ns, uint64_t unit, Buf *out)
{
	char digits[24];
	int count = 0;
	uint64_t rest = ns % unit;
	buf_printf(out, "%llu", (unsigned long long)(ns / unit));
	for (uint64_t place = unit / 10; rest > 0 && place > 0; place /= 10) {
		digits[count++] = (char)('0' + rest / place);
		rest %= place;
	}
	digits[count] = '\0';
	if (count > 0)
		buf_printf(out, ".%s", digits);
}

void duration_string(int64_t ns, Buf *out)
{
	uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	if (size == 0) {
		buf_puts(out, "0s");
		return;
	}
	if (ns < 0)
		buf_putc(out, '-');
	if (size < 1000000000) {
		uint64_t unit = size < 1000 ? 1 : size < 1000000 ? 1000 : 1000000;
		put_fraction(size, unit, out);
		buf_puts(out, unit == 1 ? "ns" : unit == 1000 ? "\xc2\xb5s" : "ms");
		return;
	}
	uint64_t minutes = size / 60000000000;
	if (minutes >= 60)
		buf_printf(out, "%lluh", (unsigned long long)(minutes / 60));
	if (minutes > 0)
		buf_printf(out, "%llum", (unsigned long long)(minutes % 60));
	put_fraction(size % 60000000000, 1000000000, out);
	buf_putc(out, 's');
}

static bool read_unit(Str *text, uint64_t *out)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{"ns", 1},	 {"us", 1000},	    {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000},
		{"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000},	 {"h", 3600000000000},
	};
	size_t len = 0;
	while (len < text->len && text->ptr[len] != '.' &&
	       !(text->ptr[len] >= '0' && text->ptr[len] <= '9'))
		len++;
	for (size_t i = 0; i < COUNT(units); i++) {
		if (!str_eq(str_slice(*text, 0, len), str_of(units[i].name)))
			continue;
		*out = units[i].ns;
		*text = str_slice(*text, len, text->len);
		return true;
	}
	return false;
}

/* "1.5h" off the front, added to *total. */
static bool read_piece(Str *text, uint64_t *total)
{
	uint64_t whole = 0, part = 0, unit, scale = 1;
	size_t at = 0, digits = 0;
	for (; at < text->len && text->ptr[at] >= '0' && text->ptr[at] <= '9'; at++, digits++)
		if (__builtin_mul_overflow(whole, 10u, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(text->ptr[at] - '0'), &whole))
			return false;
	if (at < text->len && text->ptr[at] == '.') {
		for (at++; at < text->len && text->ptr[at] >= '0' && text->ptr[at] <= '9'; at++) {
			digits++;
			if (scale >= 1000000000000000000)
				continue;
			part = part * 10 + (uint64_t)(text->ptr[at] - '0');
			scale *= 10;
		}
	}
	*text = str_slice(*text, at, text->len);
	if (digits == 0 || !read_unit(text, &unit) || whole > ((uint64_t)1 << 63) / unit)
		return false;
	uint64_t sum = whole * unit + (uint64_t)((double)part * ((double)unit / (double)scale));
	*total += sum;
	return sum <= (uint64_t)1 << 63 && *total <= (uint64_t)1 << 63;
}

bool duration_read(Str text, int64_t *out_ns, Buf *why)
{
	bool negative = text.len > 0 && text.ptr[0] == '-';
	Str rest = str_slice(text, negative || (text.len > 0 && text.ptr[0] == '+'), text.len);
	uint64_t total = 0;
	bool fine = rest.len > 0;
	if (!str_eq(rest, STR("0")))
		while (fine && rest.len > 0)
			fine = read_piece(&rest, &total);
	if (fine && (negative || total < (uint64_t)1 << 63)) {
		*out_ns = (int64_t)(negative ? 0 - total : total);
		return true;
	}
	buf_printf(why, "time: invalid duration \"%.*s\"", (int)text.len, text.ptr);
	return false;
}
