#include "data/zone.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"

/*
 * A TZif file: a header, then times at which the offset changes, the type in force after each, the
 * types, their names. The second block (64-bit times) is used; behind the last change holds its
 * type, the footer's rule for the far future is read for the common form "STD-1DST,Mm.w.d/t,...".
 */

enum { HEADER_SIZE = 44, ZONE_FILE_MAX = 1 << 20 };

typedef struct {
	const unsigned char *times, *indices, *types, *names;
	size_t time_count, type_count, name_bytes;
	Str footer;
} ZoneTable;

static uint32_t be32(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static int64_t be64(const unsigned char *bytes)
{
	return (int64_t)((uint64_t)be32(bytes) << 32 | be32(bytes + 4));
}

/* Bytes of a block whose header is at `header`; times are `width` bytes. */
static size_t block_size(const unsigned char *header, size_t width)
{
	size_t isut = be32(header + 20), isstd = be32(header + 24), leap = be32(header + 28);
	size_t times = be32(header + 32), types = be32(header + 36), names = be32(header + 40);
	return times * width + times + types * 6 + names + leap * (width + 4) + isstd + isut;
}

static bool read_table(const unsigned char *bytes, size_t len, ZoneTable *out)
{
	if (len < HEADER_SIZE || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
		return false;
	size_t skip = HEADER_SIZE + block_size(bytes, 4);
	if (skip + HEADER_SIZE > len)
		return false;
	const unsigned char *header = bytes + skip;
	size_t size = block_size(header, 8);
	if (size > len || skip + HEADER_SIZE + size > len)
		return false;
	out->time_count = be32(header + 32);
	out->type_count = be32(header + 36);
	out->name_bytes = be32(header + 40);
	out->times = header + HEADER_SIZE;
	out->indices = out->times + out->time_count * 8;
	out->types = out->indices + out->time_count;
	out->names = out->types + out->type_count * 6;
	const unsigned char *end = header + HEADER_SIZE + size;
	out->footer = str_trim(str_sized((const char *)end, (size_t)(bytes + len - end)));
	return out->type_count > 0;
}

static bool take_type(Arena *arena, const ZoneTable *table, size_t type, ZoneOffset *out)
{
	if (type >= table->type_count)
		return false;
	const unsigned char *row = table->types + type * 6;
	if (row[5] >= table->name_bytes)
		return false;
	out->seconds = (int32_t)be32(row);
	const char *name = (const char *)table->names + row[5];
	out->name = arena_strndup(arena, name, strnlen(name, table->name_bytes - row[5]));
	return true;
}

int64_t date_days(int64_t year, int month, int day)
{
	enum { DAYS_OF_400_YEARS = 146097 };
	year -= month <= 2; /* years begin in March, so that a leap day is their last */
	int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * DAYS_OF_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
	       719468;
}

/* ---- the footer: a POSIX TZ rule ---- */

static int read_int(Str *text)
{
	int value = 0;
	while (text->len > 0 && text->ptr[0] >= '0' && text->ptr[0] <= '9' && value < 100000) {
		value = value * 10 + (text->ptr[0] - '0');
		*text = str_slice(*text, 1, text->len);
	}
	return value;
}

static bool skip_char(Str *text, char byte)
{
	if (text->len == 0 || text->ptr[0] != byte)
		return false;
	*text = str_slice(*text, 1, text->len);
	return true;
}

static Str read_name(Str *text)
{
	size_t len = 0;
	bool quoted = skip_char(text, '<');
	while (len < text->len &&
	       (quoted ? text->ptr[len] != '>'
		       : ((text->ptr[len] | 32) >= 'a' && (text->ptr[len] | 32) <= 'z')))
		len++;
	Str name = str_slice(*text, 0, len);
	*text = str_slice(*text, len, text->len);
	if (quoted)
		skip_char(text, '>');
	return name;
}

static int read_hms(Str *text)
{
	int sign = skip_char(text, '-') ? -1 : 1;
	skip_char(text, '+');
	int seconds = read_int(text) * 3600;
	if (skip_char(text, ':'))
		seconds += read_int(text) * 60;
	if (skip_char(text, ':'))
		seconds += read_int(text);
	return sign * seconds;
}

/* ",Mm.w.d/time": the moment of that year in seconds since 1970, as a local clock reads. */
static bool read_rule(Str *text, int64_t year, int64_t *out)
{
	if (!skip_char(text, ',') || !skip_char(text, 'M'))
		return false;
	int month = read_int(text);
	skip_char(text, '.');
	int week = read_int(text);
	skip_char(text, '.');
	int weekday = read_int(text);
	int seconds = skip_char(text, '/') ? read_hms(text) : 7200;
	if (month < 1 || month > 12 || week < 1 || week > 5 || weekday > 6)
		return false;
	int64_t first = date_days(year, month, 1);
	int64_t next = month == 12 ? date_days(year + 1, 1, 1) : date_days(year, month + 1, 1);
	int64_t day = first + ((weekday - (first + 4) % 7) + 7) % 7 + (week - 1) * 7;
	while (day >= next)
		day -= 7;
	*out = day * 86400 + seconds;
	return true;
}

static int64_t year_of(int64_t seconds)
{
	int64_t year = 1970 + seconds / 31556952;
	while (date_days(year, 1, 1) * 86400 > seconds)
		year--;
	while (date_days(year + 1, 1, 1) * 86400 <= seconds)
		year++;
	return year;
}

static bool apply_footer(Arena *arena, Str text, int64_t seconds, ZoneOffset *out)
{
	Str standard = read_name(&text);
	if (standard.len == 0)
		return false;
	int offset = -read_hms(&text);
	*out = (ZoneOffset){offset, arena_strndup(arena, standard.ptr, standard.len)};
	if (text.len == 0)
		return true;
	Str summer = read_name(&text);
	int summer_offset = offset + 3600;
	if (text.len > 0 && text.ptr[0] != ',')
		summer_offset = -read_hms(&text);
	int64_t start, end, year = year_of(seconds + offset);
	if (!read_rule(&text, year, &start) || !read_rule(&text, year, &end))
		return false;
	start -= offset;
	end -= summer_offset;
	bool on =
		start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end;
	if (on)
		*out = (ZoneOffset){summer_offset, arena_strndup(arena, summer.ptr, summer.len)};
	return true;
}

static bool look_up(Arena *arena, const ZoneTable *table, int64_t seconds, ZoneOffset *out)
{
	size_t count = table->time_count, low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (be64(table->times + middle * 8) <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == count && apply_footer(arena, table->footer, seconds, out))
		return true;
	return take_type(arena, table, low == 0 ? 0 : table->indices[low - 1], out);
}

/* The zone's name is a file below the database's directory, and nothing else. */
static bool is_safe_name(Str zone)
{
	return zone.len > 0 && zone.len < 100 && zone.ptr[0] != '/' && zone.ptr[0] != '\\' &&
	       str_find(zone, STR("..")) < 0 && !memchr(zone.ptr, '\0', zone.len);
}

static bool read_zone(Arena *arena, const char *path, int64_t seconds, ZoneOffset *out)
{
	autobuf Buf file = {0};
	autoerror Error err = {0};
	ZoneTable table;
	if (!file_read(path, ZONE_FILE_MAX, &file, &err))
		return false;
	return read_table((const unsigned char *)buf_text(&file), file.len, &table) &&
	       look_up(arena, &table, seconds, out);
}

bool zone_offset(Arena *arena, Str zone, int64_t seconds, ZoneOffset *out)
{
	const ZoneOffset utc = {0, "UTC"};
	if (str_eq(zone, STR("Local"))) {
		const char *name = getenv("TZ");
		if (!name) {
			if (!read_zone(arena, "/etc/localtime", seconds, out))
				*out = utc;
			return true;
		}
		zone = str_of(*name == ':' ? name + 1 : name);
		if (!is_safe_name(zone) || !zone_offset(arena, zone, seconds, out))
			*out = utc;
		return true;
	}
	if (zone.len == 0 || str_eq(zone, STR("UTC"))) {
		*out = utc;
		return true;
	}
	if (!is_safe_name(zone))
		return false;
	return read_zone(arena,
			 arena_printf(arena, "/usr/share/zoneinfo/%.*s", (int)zone.len, zone.ptr),
			 seconds, out);
}
