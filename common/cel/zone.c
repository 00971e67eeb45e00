#include "cel/zone.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "data/zone.h"

static bool named_offset(Str name, int64_t seconds, int64_t *out, Error *err)
{
	autoarena Arena *arena = arena_new();
	ZoneOffset offset;
	if (!zone_offset(arena, name, seconds, &offset))
		return err_set(err, ERR_INVALID, "unknown time zone %.*s", (int)name.len, name.ptr);
	*out = offset.seconds;
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
