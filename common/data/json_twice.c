/*
 * Which keys a JSON text has twice in an object. Trees cannot tell: the last one has won there. Few
 * texts have any, so the text is only gone through again when the quick reader, which refuses them,
 * has given up. It is known to be right and not nested too deeply then.
 */
#include "data/json_twice.h"

#include <string.h>

#include "base/str.h"
#include "data/json_internal.h"

typedef struct {
	const char *at, *end;
	Buf path;
	json_t *seen; /* paths that were told */
	json_t *out;
} Scan;

static void scan_value(Scan *scan);

static void skip_space(Scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at))
		scan->at++;
}

/* The next byte that is no space, taken when it is `byte`. */
static bool take(Scan *scan, char byte)
{
	skip_space(scan);
	bool same = scan->at < scan->end && *scan->at == byte;
	scan->at += same;
	return same;
}

/* The literal at hand, as it is written, quotes too. */
static Str take_literal(Scan *scan)
{
	skip_space(scan);
	const char *start = scan->at++;
	for (; scan->at < scan->end && *scan->at != '"'; scan->at++)
		scan->at += *scan->at == '\\' && scan->at + 1 < scan->end;
	scan->at += scan->at < scan->end;
	return str_sized(start, (size_t)(scan->at - start));
}

static void cut_path(Scan *scan, size_t len)
{
	scan->path.len = len;
	if (scan->path.ptr)
		scan->path.ptr[len] = '\0';
}

static void note(Scan *scan)
{
	const char *path = buf_text(&scan->path);
	if (json_array_size(scan->out) >= JSON_MAX_TWICE || json_object_get(scan->seen, path))
		return;
	json_object_set_new(scan->seen, path, json_true());
	json_array_append_new(scan->out, json_string(path));
}

static void scan_member(Scan *scan, json_t *keys)
{
	Str literal = take_literal(scan);
	autojson json_t *key = json_loadb(literal.ptr, literal.len, JSON_DECODE_ANY, NULL);
	const char *name = key ? json_string_value(key) : "";
	size_t above = scan->path.len;
	buf_printf(&scan->path, "%s%s", above ? "." : "", name);
	if (json_object_get(keys, name))
		note(scan);
	json_object_set_new(keys, name, json_true());
	if (take(scan, ':'))
		scan_value(scan);
	cut_path(scan, above);
}

static void scan_object(Scan *scan)
{
	autojson json_t *keys = json_object();
	if (take(scan, '}'))
		return;
	do {
		scan_member(scan, keys);
	} while (take(scan, ','));
	take(scan, '}');
}

static void scan_array(Scan *scan)
{
	if (take(scan, ']'))
		return;
	size_t index = 0;
	do {
		size_t above = scan->path.len;
		buf_printf(&scan->path, "[%zu]", index++);
		scan_value(scan);
		cut_path(scan, above);
	} while (take(scan, ','));
	take(scan, ']');
}

static void scan_value(Scan *scan)
{
	skip_space(scan);
	if (take(scan, '{'))
		scan_object(scan);
	else if (take(scan, '['))
		scan_array(scan);
	else if (scan->at < scan->end && *scan->at == '"')
		take_literal(scan);
	else
		while (scan->at < scan->end && !strchr(",]}", *scan->at))
			scan->at++;
}

json_t *json_parse_noting(const char *text, size_t len, size_t limit, json_t *out_twice, Error *err)
{
	json_t *value = len <= limit ? json_quick(text, len, JSON_QUICK_ONCE) : NULL;
	if (value)
		return value;
	value = json_parse(text, len, limit, err);
	if (!value)
		return NULL;
	autojson json_t *seen = json_object();
	Scan scan = {.at = text, .end = text + len, .seen = seen, .out = out_twice};
	scan_value(&scan);
	buf_dispose(&scan.path);
	return value;
}
