#include "data/duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"

/* Go's time.ParseDuration in whole nanoseconds, so that fractions add up as Go's do. */

typedef struct {
	const char *name;
	uint64_t ns;
} Unit;

/* Longer names first: "ms" is no "m". */
static const Unit units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000},
	{"\xce\xbcs", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", UINT64_C(60000000000)},
	{"h", UINT64_C(3600000000000)},
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static const Unit *read_unit(const char **at)
{
	for (size_t i = 0; i < COUNT(units); i++) {
		if (cstr_starts(*at, units[i].name)) {
			*at += strlen(units[i].name);
			return &units[i];
		}
	}
	return NULL;
}

/* One "1.5h" at *at. */
static bool read_part(const char **at, uint64_t *ns)
{
	uint64_t whole = 0, fraction = 0, scale = 1;
	const char *text = *at;
	for (; is_digit(*text); text++)
		if (__builtin_mul_overflow(whole, UINT64_C(10), &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*text - '0'), &whole))
			return false;
	bool digits = text != *at;
	if (*text == '.') {
		for (text++; is_digit(*text); text++) {
			digits = true;
			if (scale < UINT64_C(100000000000000)) {
				fraction = fraction * 10 + (uint64_t)(*text - '0');
				scale *= 10;
			}
		}
	}
	const Unit *unit = digits ? read_unit(&text) : NULL;
	if (!unit || __builtin_mul_overflow(whole, unit->ns, &whole))
		return false;
	long double part = (long double)fraction * (long double)unit->ns / (long double)scale;
	*at = text;
	return !__builtin_add_overflow(whole, (uint64_t)part, ns);
}

bool duration_parse(const char *text, int64_t *out_ms)
{
	if (!text)
		return false;
	bool negative = *text == '-';
	text += *text == '-' || *text == '+';
	if (strcmp(text, "0") == 0) {
		*out_ms = 0;
		return true;
	}
	uint64_t total = 0, part;
	if (!*text)
		return false;
	while (*text) {
		if (!read_part(&text, &part) || __builtin_add_overflow(total, part, &total) ||
		    total > (uint64_t)INT64_MAX)
			return false;
	}
	int64_t ms = (int64_t)(total / 1000000);
	*out_ms = negative ? -ms : ms;
	return true;
}

int64_t duration_ms_or(const char *text, int64_t fallback_ms)
{
	int64_t ms;
	return duration_parse(text, &ms) ? ms : fallback_ms;
}

void duration_format(int64_t ms, char out[DURATION_TEXT_SIZE])
{
	const char *sign = ms < 0 ? "-" : "";
	uint64_t rest = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
	if (rest == 0 || rest >= 1000) {
		char fraction[8] = "";
		if (rest % 1000)
			snprintf(fraction, sizeof(fraction), ".%03u", (unsigned)(rest % 1000));
		for (size_t len = strlen(fraction); len > 0 && fraction[len - 1] == '0';)
			fraction[--len] = '\0';
		uint64_t s = rest / 1000, h = s / 3600, m = s / 60 % 60;
		if (h)
			snprintf(out, DURATION_TEXT_SIZE,
				 "%s%" PRIu64 "h%" PRIu64 "m%" PRIu64 "%ss", sign, h, m, s % 60,
				 fraction);
		else if (m)
			snprintf(out, DURATION_TEXT_SIZE, "%s%" PRIu64 "m%" PRIu64 "%ss", sign, m,
				 s % 60, fraction);
		else
			snprintf(out, DURATION_TEXT_SIZE, "%s%" PRIu64 "%ss", sign, s, fraction);
		return;
	}
	snprintf(out, DURATION_TEXT_SIZE, "%s%" PRIu64 "ms", sign, rest);
}
