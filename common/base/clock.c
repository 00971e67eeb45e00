#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t now_ns(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_mono_ms(void)
{
	return now_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_mono_coarse_ms(void)
{
	return now_ns(CLOCK_MONOTONIC_COARSE) / 1000000;
}

int64_t clock_boot_ms(void)
{
	return now_ns(CLOCK_BOOTTIME) / 1000000;
}

int64_t clock_wall_ms(void)
{
	return now_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_wall_ns(void)
{
	return now_ns(CLOCK_REALTIME);
}

/* Seconds with `digits` digits of `fraction` (none when 0). */
static void format(int64_t seconds, int digits, long fraction, char out[CLOCK_TEXT_SIZE])
{
	time_t t = (time_t)seconds;
	struct tm tm;
	gmtime_r(&t, &tm);
	char day[24];
	/* Four digits also before the year 1000: what is written can be read again. */
	size_t year = (size_t)snprintf(day, sizeof(day), "%04d", tm.tm_year + 1900);
	strftime(day + year, sizeof(day) - year, "-%m-%dT%H:%M:%S", &tm);
	if (digits)
		snprintf(out, CLOCK_TEXT_SIZE, "%s.%0*ldZ", day, digits, fraction);
	else
		snprintf(out, CLOCK_TEXT_SIZE, "%sZ", day);
}

void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
	format(wall_ms / 1000, 0, 0, out);
}

void clock_format_ms(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
	format(wall_ms / 1000, 3, (long)(wall_ms % 1000), out);
}

void clock_format_us(int64_t wall_us, char out[CLOCK_TEXT_SIZE])
{
	format(wall_us / 1000000, 6, (long)(wall_us % 1000000), out);
}

/* Fraction digits after the dot as milliseconds; moves *at behind them. */
static int parse_fraction(const char **at)
{
	int ms = 0, scale = 100;
	while (**at >= '0' && **at <= '9') {
		ms += (*(*at)++ - '0') * scale;
		scale /= 10;
	}
	return ms;
}

/* Whether text starts with digits where the shape has "0", and with the same elsewhere: strptime
 * alone takes blanks and missing digits. */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; shape++, text++)
		if (*shape == '0' ? *text < '0' || *text > '9' : *text != *shape)
			return false;
	return true;
}

/* The years 0 to 9999: RFC 3339 has no others, so an offset may not lead out of them. */
static const int64_t FIRST_S = -62167219200;
static const int64_t LAST_S = 253402300799;

bool clock_parse(const char *text, int64_t *out_wall_ms)
{
	struct tm tm = {0};
	const char *at = has_shape(text, "0000-00-00T00:00:00")
				 ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm)
				 : NULL;
	if (!at)
		return false;
	int ms = 0, day = tm.tm_mday;
	if (*at == '.') {
		at++;
		ms = parse_fraction(&at);
	}
	int64_t offset_s = 0;
	if (*at == '+' || *at == '-') {
		struct tm zone = {0};
		const char *end =
			has_shape(at + 1, "00:00") ? strptime(at + 1, "%H:%M", &zone) : NULL;
		if (!end || *end)
			return false;
		offset_s = (zone.tm_hour * 60 + zone.tm_min) * 60 * (*at == '-' ? -1 : 1);
	} else if (strcmp(at, "Z") != 0) {
		return false;
	}
	/* There is no 30 February, though timegm finds a day for it. */
	int64_t wall_s = timegm(&tm) - offset_s;
	if (tm.tm_mday != day || wall_s < FIRST_S || wall_s > LAST_S)
		return false;
	*out_wall_ms = wall_s * 1000 + ms;
	return true;
}
