/*
 * Zones by name come from the system's TZif files (RFC 8536), the only file that the engine reads;
 * the rule at their end is not read, so a time after the last transition keeps its offset.
 */
#include "cel/zone.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"

enum { ZONE_FILE_MAX = 1 << 20, HEADER = 44 };

static const char directory[] = "/usr/share/zoneinfo";

static int64_t read_big(const unsigned char *at, size_t len)
{
	uint64_t value = at[0] & 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | at[i];
	return (int64_t)value;
}

/* The part of a TZif file with `width` bytes a time; the offset in force at `seconds`. */
static bool find_offset(const unsigned char *data, size_t len, size_t width, int64_t seconds,
			int64_t *out)
{
	if (len < HEADER)
		return false;
	size_t times = (size_t)read_big(data + 32, 4), types = (size_t)read_big(data + 36, 4);
	const unsigned char *at = data + HEADER;
	if (times > len || types == 0 || types > 256 ||
	    len - HEADER < times * (width + 1) + types * 6)
		return false;
	size_t type = 0;
	for (size_t i = 0; i < times && read_big(at + i * width, width) <= seconds; i++)
		type = at[times * width + i];
	if (type >= types)
		return false;
	*out = read_big(at + times * (width + 1) + type * 6, 4);
	return true;
}

static bool offset_in_file(Str data, int64_t seconds, int64_t *out)
{
	const unsigned char *bytes = (const unsigned char *)data.ptr;
	if (data.len < HEADER || memcmp(bytes, "TZif", 4) != 0)
		return false;
	if (bytes[4] < '2')
		return find_offset(bytes, data.len, 4, seconds, out);
	/* The second part, after one with times of 32 bits. */
	uint64_t counts[6], skip = HEADER;
	for (size_t i = 0; i < 6; i++)
		counts[i] = (uint64_t)(read_big(bytes + 20 + 4 * i, 4) & 0xffffffff);
	skip += counts[0] + counts[1] + counts[2] * 8 + counts[3] * 5 + counts[4] * 6 + counts[5];
	return skip < data.len &&
	       find_offset(bytes + skip, data.len - (size_t)skip, 8, seconds, out);
}

static bool named_offset(Str name, int64_t seconds, int64_t *out, Error *err)
{
	autofree char *text = str_dup(name);
	autobuf Buf data = {0};
	autoerror Error cause = {0};
	autofd int root = fd_open(directory, O_RDONLY | O_DIRECTORY, 0, &cause);
	autofd int file = root < 0 ? -1 : fd_open_beneath(root, text, O_RDONLY, 0, &cause);
	if (file < 0 || !fd_read_all(file, ZONE_FILE_MAX, &data, &cause) ||
	    !offset_in_file(buf_str(&data), seconds, out))
		return err_set(err, ERR_INVALID, "unknown time zone %s", text);
	return true;
}

static bool read_number(Str text, int64_t *out)
{
	autofree char *copy = str_dup(text);
	char *end = NULL;
	errno = 0;
	*out = strtoll(copy, &end, 10);
	bool sign = *copy == '-' || *copy == '+';
	return !errno && isdigit((unsigned char)copy[sign]) && !*end && *out < 1000000 &&
	       *out > -1000000;
}

bool cel_zone_offset(Str name, int64_t seconds, int64_t *out_offset, Error *err)
{
	Str head, tail;
	int64_t hours, minutes;
	*out_offset = 0;
	if (!str_cut(name, ':', &head, &tail)) {
		if (name.len == 0 || str_eq(name, STR("UTC")))
			return true;
		return named_offset(name, seconds, out_offset, err);
	}
	Str wrong = read_number(head, &hours) ? tail : head;
	if (!read_number(head, &hours) || !read_number(tail, &minutes))
		return err_set(err, ERR_INVALID, "strconv.Atoi: parsing \"%.*s\": invalid syntax",
			       (int)wrong.len, wrong.ptr);
	*out_offset = (hours * 60 + (*name.ptr == '-' ? -minutes : minutes)) * 60;
	return true;
}
