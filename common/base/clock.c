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
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
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

bool clock_parse(const char *text, int64_t *out_wall_ms)
{
	struct tm tm = {0};
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!at)
		return false;
	int ms = 0;
	if (*at == '.') {
		at++;
		ms = parse_fraction(&at);
	}
	int64_t offset_s = 0;
	if (*at == '+' || *at == '-') {
		struct tm zone = {0};
		const char *end = strptime(at + 1, "%H:%M", &zone);
		if (!end || *end)
			return false;
		offset_s = (zone.tm_hour * 60 + zone.tm_min) * 60 * (*at == '-' ? -1 : 1);
	} else if (strcmp(at, "Z") != 0) {
		return false;
	}
	*out_wall_ms = ((int64_t)timegm(&tm) - offset_s) * 1000 + ms;
	return true;
}
