#include "base/clock.h"
#include "gotmpl/convert.h"
#include "gotmpl/functions.h"
#include "gotmpl/strconv.h"
#include "gotmpl/time.h"

/* Dates. What is neither a time nor an integer is now. */

static const int64_t ns_per_second = 1000000000;

static GoTime *time_of(GoCall *call, GoValue value)
{
	Arena *arena = call_arena(call);
	if (value.type == GO_TIME) {
		GoTime *copy = arena_alloc(arena, sizeof(*copy));
		*copy = *value.time;
		return copy;
	}
	if (value.type == GO_INT || value.type == GO_INT64)
		return time_unix(arena, value.integer);
	return time_now(arena);
}

static GoValue time_value(const GoTime *time)
{
	return (GoValue){.type = GO_TIME, .time = time};
}

static bool fn_now(GoCall *call, GoValue *out)
{
	*out = time_value(time_now(call_arena(call)));
	return true;
}

static bool format(GoCall *call, Str layout, GoValue date, Str zone, GoValue *out)
{
	autobuf Buf text = {0};
	GoTime *time = time_of(call, date);
	if (!time_in(call_arena(call), time, zone))
		time_in(call_arena(call), time, STR("UTC"));
	time_format(time, layout, &text);
	return call_return_text(call, &text, out);
}

static bool fn_date(GoCall *call, GoValue *out)
{
	return format(call, call->args[0].text, call->args[1], STR("Local"), out);
}

static bool fn_date_in_zone(GoCall *call, GoValue *out)
{
	return format(call, call->args[0].text, call->args[1], call->args[2].text, out);
}

static bool fn_html_date(GoCall *call, GoValue *out)
{
	return format(call, STR("2006-01-02"), call->args[0], STR("Local"), out);
}

static bool fn_html_date_in_zone(GoCall *call, GoValue *out)
{
	return format(call, STR("2006-01-02"), call->args[0], call->args[1].text, out);
}

static GoTime *moved(GoCall *call, const GoTime *time, int64_t ns)
{
	GoTime *copy = arena_alloc(call_arena(call), sizeof(*copy));
	*copy = *time;
	int64_t nanos = time->nanos + ns % ns_per_second;
	copy->seconds += ns / ns_per_second;
	if (nanos < 0) {
		nanos += ns_per_second;
		copy->seconds--;
	} else if (nanos >= ns_per_second) {
		nanos -= ns_per_second;
		copy->seconds++;
	}
	copy->nanos = (int32_t)nanos;
	return copy;
}

static bool modify(GoCall *call, bool must, GoValue *out)
{
	autobuf Buf why = {0};
	int64_t ns;
	*out = call->args[1];
	if (duration_read(call->args[0].text, &ns, &why))
		*out = time_value(moved(call, call->args[1].time, ns));
	else if (must)
		return call_fail(call, "%s", buf_text(&why));
	return true;
}

static bool fn_date_modify(GoCall *call, GoValue *out)
{
	return modify(call, false, out);
}

static bool fn_must_date_modify(GoCall *call, GoValue *out)
{
	return modify(call, true, out);
}

/* Nanoseconds since a moment. */
static int64_t since(const GoTime *time)
{
	int64_t now = clock_wall_ns(), then;
	if (__builtin_mul_overflow(time->seconds, ns_per_second, &then) ||
	    __builtin_sub_overflow(now, then + time->nanos, &now))
		return time->seconds < 0 ? INT64_MAX : INT64_MIN;
	return now;
}

static bool fn_ago(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	int64_t ns = since(time_of(call, call->args[0]));
	int64_t rest = ns % ns_per_second, half = ns_per_second / 2;
	ns -= rest;
	ns += rest >= half ? ns_per_second : rest <= -half ? -ns_per_second : 0;
	duration_string(ns, &text);
	return call_return_text(call, &text, out);
}

static bool fn_duration(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	GoValue value = call->args[0];
	int64_t seconds = 0;
	bool range;
	if (value.type == GO_INT64)
		seconds = value.integer;
	else if (value.type == GO_STRING && !parse_int(value.text, 10, &seconds, &range))
		seconds = range ? seconds : 0;
	duration_string((int64_t)((uint64_t)seconds * (uint64_t)ns_per_second), &text);
	return call_return_text(call, &text, out);
}

static bool fn_duration_round(GoCall *call, GoValue *out)
{
	static const struct {
		uint64_t seconds;
		const char *unit;
	} rows[] = {{31536000, "y"}, {2592000, "mo"}, {86400, "d"},
		    {3600, "h"},     {60, "m"},	      {1, "s"}};
	GoValue value = call->args[0];
	autobuf Buf why = {0};
	int64_t ns = 0;
	if (value.type == GO_STRING && !duration_read(value.text, &ns, &why))
		ns = 0;
	else if (value.type == GO_INT64)
		ns = value.integer;
	else if (value.type == GO_TIME)
		ns = since(value.time);
	uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	*out = go_cstr("0s");
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t unit = rows[i].seconds * (uint64_t)ns_per_second;
		if (size <= unit)
			continue;
		*out = go_cstr(arena_printf(call_arena(call), "%llu%s",
					    (unsigned long long)(size / unit), rows[i].unit));
		break;
	}
	return true;
}

static bool parse(GoCall *call, bool must, GoValue *out)
{
	autobuf Buf why = {0};
	GoTime *time = arena_alloc(call_arena(call), sizeof(*time));
	if (!time_parse(call_arena(call), call->args[0].text, call->args[1].text, time, &why)) {
		if (must)
			return call_fail(call, "%s", buf_text(&why));
		*time = (GoTime){.seconds = -62135596800, .zone = "UTC"};
	}
	*out = time_value(time);
	return true;
}

static bool fn_to_date(GoCall *call, GoValue *out)
{
	return parse(call, false, out);
}

static bool fn_must_to_date(GoCall *call, GoValue *out)
{
	return parse(call, true, out);
}

static bool fn_unix_epoch(GoCall *call, GoValue *out)
{
	*out = go_cstr(
		arena_printf(call_arena(call), "%lld", (long long)call->args[0].time->seconds));
	return true;
}

const GoFn functions_dates[] = {
	{"now", "", fn_now},
	{"ago", "a", fn_ago},
	{"date", "sa", fn_date},
	{"dateInZone", "sas", fn_date_in_zone},
	{"date_in_zone", "sas", fn_date_in_zone},
	{"htmlDate", "a", fn_html_date},
	{"htmlDateInZone", "as", fn_html_date_in_zone},
	{"dateModify", "st", fn_date_modify},
	{"date_modify", "st", fn_date_modify},
	{"mustDateModify", "st", fn_must_date_modify},
	{"must_date_modify", "st", fn_must_date_modify},
	{"duration", "a", fn_duration},
	{"durationRound", "a", fn_duration_round},
	{"toDate", "ss", fn_to_date},
	{"mustToDate", "ss", fn_must_to_date},
	{"unixEpoch", "t", fn_unix_epoch},
	{0},
};
