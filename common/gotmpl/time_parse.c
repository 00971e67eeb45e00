#include <stdlib.h>

#include "base/auto.h"
#include "gotmpl/layout.h"
#include "gotmpl/time.h"
#include "data/zone.h"

/* time.Parse: a text read by a layout's pieces. Errors are Go's in their common forms. */

typedef struct {
	Str text;   /* what is left */
	Str layout; /* behind the piece at hand */
	int64_t year;
	int month, day, year_day, hour, minute, second;
	int32_t nanos;
	bool pm, pm_set, zoned;
	int zone_seconds;
	Str zone_name;
	const char *range; /* which part is out of range */
} Reading;

static bool take_number(Reading *r, int least, int most, int *out)
{
	int count = 0, value = 0;
	while (count < most && (size_t)count < r->text.len && r->text.ptr[count] >= '0' &&
	       r->text.ptr[count] <= '9')
		value = value * 10 + (r->text.ptr[count++] - '0');
	if (count < least)
		return false;
	r->text = str_slice(r->text, (size_t)count, r->text.len);
	*out = value;
	return true;
}

static bool take_name(Reading *r, const char *const *names, int count, size_t brief, int *out)
{
	for (int i = 0; i < count; i++) {
		size_t len = brief ? brief : strlen(names[i]);
		if (r->text.len < len || strncasecmp(r->text.ptr, names[i], len) != 0)
			continue;
		r->text = str_slice(r->text, len, r->text.len);
		*out = i + 1;
		return true;
	}
	return false;
}

static void check(Reading *r, bool fine, const char *part)
{
	if (!fine && !r->range)
		r->range = part;
}

static bool take_fraction(Reading *r, bool optional)
{
	size_t len = 1;
	int64_t value = 0, unit = 100000000;
	bool point = r->text.len > 1 && (r->text.ptr[0] == '.' || r->text.ptr[0] == ',') &&
		     r->text.ptr[1] >= '0' && r->text.ptr[1] <= '9';
	if (!point)
		return optional;
	for (; len < r->text.len && r->text.ptr[len] >= '0' && r->text.ptr[len] <= '9'; len++) {
		value += (r->text.ptr[len] - '0') * unit;
		unit /= 10;
	}
	r->nanos = (int32_t)value;
	r->text = str_slice(r->text, len, r->text.len);
	return true;
}

static bool take_offset(Reading *r, LayoutPiece piece)
{
	bool iso = piece <= LAYOUT_ISO_COLON_SECONDS;
	bool colon = piece == LAYOUT_ISO_COLON || piece == LAYOUT_ISO_COLON_SECONDS ||
		     piece == LAYOUT_NUM_COLON || piece == LAYOUT_NUM_COLON_SECONDS;
	bool seconds = piece == LAYOUT_ISO_SECONDS || piece == LAYOUT_ISO_COLON_SECONDS ||
		       piece == LAYOUT_NUM_SECONDS || piece == LAYOUT_NUM_COLON_SECONDS;
	bool brief = piece == LAYOUT_ISO_SHORT || piece == LAYOUT_NUM_SHORT;
	int hours = 0, minutes = 0, rest = 0;
	r->zoned = true;
	if (iso && str_starts(r->text, STR("Z"))) {
		r->text = str_slice(r->text, 1, r->text.len);
		return true;
	}
	if (r->text.len == 0 || (r->text.ptr[0] != '+' && r->text.ptr[0] != '-'))
		return false;
	int sign = r->text.ptr[0] == '-' ? -1 : 1;
	r->text = str_slice(r->text, 1, r->text.len);
	if (!take_number(r, 2, 2, &hours))
		return false;
	for (int part = 0; part < (brief ? 0 : seconds ? 2 : 1); part++) {
		if (colon && !str_starts(r->text, STR(":")))
			return false;
		r->text = str_slice(r->text, colon, r->text.len);
		if (!take_number(r, 2, 2, part ? &rest : &minutes))
			return false;
	}
	check(r, hours <= 24, "time zone offset hour");
	check(r, minutes < 60, "time zone offset minute");
	r->zone_seconds = sign * (hours * 3600 + minutes * 60 + rest);
	return true;
}

static bool take_zone_name(Reading *r)
{
	size_t len = 0;
	while (len < r->text.len && len < 5 && r->text.ptr[len] >= 'A' && r->text.ptr[len] <= 'Z')
		len++;
	if (len < 3)
		return false;
	r->zone_name = str_slice(r->text, 0, len);
	r->text = str_slice(r->text, len, r->text.len);
	return true;
}

static bool take_year(Reading *r, LayoutPiece piece)
{
	int year;
	if (piece == LAYOUT_LONG_YEAR) {
		if (!take_number(r, 4, 4, &year))
			return false;
		r->year = year;
		return true;
	}
	if (!take_number(r, 2, 2, &year))
		return false;
	r->year = year >= 69 ? year + 1900 : year + 2000;
	return true;
}

static bool take_clock(Reading *r, LayoutPiece piece)
{
	bool two = piece == LAYOUT_ZERO_HOUR12 || piece == LAYOUT_ZERO_MINUTE ||
		   piece == LAYOUT_ZERO_SECOND || piece == LAYOUT_HOUR;
	int *part = &r->second;
	if (piece == LAYOUT_HOUR || piece == LAYOUT_HOUR12 || piece == LAYOUT_ZERO_HOUR12)
		part = &r->hour;
	else if (piece == LAYOUT_MINUTE || piece == LAYOUT_ZERO_MINUTE)
		part = &r->minute;
	if (!take_number(r, two ? 2 : 1, 2, part))
		return false;
	if (part == &r->hour)
		check(r, r->hour < (piece == LAYOUT_HOUR ? 24 : 13), "hour");
	else
		check(r, *part < 60, part == &r->minute ? "minute" : "second");
	return true;
}

static bool take_day(Reading *r, LayoutPiece piece)
{
	bool padded = piece == LAYOUT_UNDER_DAY || piece == LAYOUT_UNDER_YEAR_DAY;
	for (int i = 0; padded && i < 2 && str_starts(r->text, STR(" ")); i++)
		r->text = str_slice(r->text, 1, r->text.len);
	if (piece == LAYOUT_UNDER_YEAR_DAY || piece == LAYOUT_ZERO_YEAR_DAY)
		return take_number(r, padded ? 1 : 3, 3, &r->year_day);
	return take_number(r, piece == LAYOUT_ZERO_DAY ? 2 : 1, 2, &r->day);
}

static bool take_pm(Reading *r, LayoutPiece piece)
{
	Str pm = piece == LAYOUT_PM ? STR("PM") : STR("pm");
	Str am = piece == LAYOUT_PM ? STR("AM") : STR("am");
	r->pm_set = true;
	r->pm = str_starts(r->text, pm);
	if (!r->pm && !str_starts(r->text, am))
		return false;
	r->text = str_slice(r->text, 2, r->text.len);
	return true;
}

static bool take_month(Reading *r, LayoutPiece piece)
{
	int least = piece == LAYOUT_ZERO_MONTH ? 2 : 1;
	if (piece == LAYOUT_LONG_MONTH || piece == LAYOUT_MONTH)
		return take_name(r, layout_months, 12, piece == LAYOUT_MONTH ? 3 : 0, &r->month);
	if (!take_number(r, least, 2, &r->month))
		return false;
	check(r, r->month >= 1 && r->month <= 12, "month");
	return true;
}

static bool take_piece(Reading *r, LayoutPiece piece)
{
	int ignored;
	if (piece >= LAYOUT_FRACTION_ZEROS)
		return take_fraction(r, piece == LAYOUT_FRACTION_NINES);
	if (piece >= LAYOUT_ISO_ZONE)
		return take_offset(r, piece);
	if (piece == LAYOUT_ZONE)
		return take_zone_name(r);
	if (piece >= LAYOUT_PM)
		return take_pm(r, piece);
	if (piece >= LAYOUT_LONG_YEAR)
		return take_year(r, piece);
	if (piece >= LAYOUT_HOUR) {
		/* a fraction may follow seconds even where the layout has none */
		bool seconds = (piece == LAYOUT_SECOND || piece == LAYOUT_ZERO_SECOND) &&
			       !str_starts(r->layout, STR(".")) && !str_starts(r->layout, STR(","));
		return take_clock(r, piece) && (!seconds || take_fraction(r, true));
	}
	if (piece >= LAYOUT_DAY)
		return take_day(r, piece);
	if (piece == LAYOUT_LONG_WEEKDAY || piece == LAYOUT_WEEKDAY)
		return take_name(r, layout_days, 7, piece == LAYOUT_WEEKDAY ? 3 : 0, &ignored);
	return take_month(r, piece);
}

static bool check_day(Reading *r)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (r->year % 4 == 0 && r->year % 100 != 0) || r->year % 400 == 0;
	if (r->year_day > 0) {
		check(r, r->year_day <= 365 + leap, "day-of-year");
		r->month = 1;
		r->day = r->year_day;
		return !r->range;
	}
	int most = days[r->month - 1] + (r->month == 2 && leap);
	check(r, r->day >= 1 && r->day <= most, "day");
	return !r->range;
}

static void finish(Arena *arena, Reading *r, GoTime *out)
{
	if (r->pm && r->hour < 12)
		r->hour += 12;
	else if (r->pm_set && !r->pm && r->hour == 12)
		r->hour = 0;
	int64_t local = date_days(r->year, r->month, 1) * 86400 + (int64_t)(r->day - 1) * 86400 +
			r->hour * 3600 + r->minute * 60 + r->second;
	*out = (GoTime){.seconds = local - r->zone_seconds, .nanos = r->nanos, .zone = "UTC"};
	if (r->zoned) {
		ZoneOffset here;
		bool same = zone_offset(arena, STR("Local"), out->seconds, &here) &&
			    here.seconds == r->zone_seconds;
		out->offset = r->zone_seconds;
		out->zone = same ? here.name : r->zone_seconds ? "" : "UTC";
		return;
	}
	if (r->zone_name.len > 0 && !str_eq(r->zone_name, STR("UTC"))) {
		out->zone = arena_strndup(arena, r->zone_name.ptr, r->zone_name.len);
		return;
	}
	time_in(arena, out, STR("Local"));
	out->seconds -= out->offset;
	time_in(arena, out, STR("Local"));
}

bool time_parse(Arena *arena, Str layout, Str text, GoTime *out, Buf *why)
{
	Reading r = {.text = text, .month = 1, .day = 1};
	Str rest = layout, prefix, piece;
	LayoutPiece found;
	do {
		found = layout_next(&rest, &prefix, &piece);
		bool fits = str_starts(r.text, prefix);
		if (fits)
			r.text = str_slice(r.text, prefix.len, r.text.len);
		Str left = r.text;
		r.layout = rest;
		if (!fits || (found != LAYOUT_NONE && !take_piece(&r, found))) {
			buf_printf(why,
				   "parsing time \"%.*s\" as \"%.*s\": cannot parse \"%.*s\" as "
				   "\"%.*s\"",
				   (int)text.len, text.ptr, (int)layout.len, layout.ptr,
				   (int)left.len, left.ptr, (int)(fits ? piece.len : prefix.len),
				   fits ? piece.ptr : prefix.ptr);
			return false;
		}
	} while (found != LAYOUT_NONE);
	if (r.text.len > 0) {
		buf_printf(why, "parsing time \"%.*s\": extra text: \"%.*s\"", (int)text.len,
			   text.ptr, (int)r.text.len, r.text.ptr);
		return false;
	}
	if (r.range || !check_day(&r)) {
		buf_printf(why, "parsing time \"%.*s\": %s out of range", (int)text.len, text.ptr,
			   r.range);
		return false;
	}
	finish(arena, &r, out);
	return true;
}
