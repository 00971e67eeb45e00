#include "helm/values.h"

#include "base/mem.h"
#include "data/yaml.h"
#include "gotmpl/fmt.h"
#include "helm/scalar.h"

enum { VALUES_MAX = HELM_MAX_FILE_BYTES, TEXT_MAX = 64 * 1024 };

void helm_values_merge(json_t *dst, const json_t *src)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(src), key, value)
	{
		json_t *old = json_object_get(dst, key);
		if (json_is_object(value) && json_is_object(old))
			helm_values_merge(old, value);
		else
			json_object_set(dst, key, value);
	}
}

/* A line "---" with nothing but blanks or a comment behind it ends a document. */
static bool is_separator(Str line)
{
	Str rest = str_trim(str_slice(line, 3, line.len));
	return str_starts(line, STR("---")) && (rest.len == 0 || rest.ptr[0] == '#');
}

static bool add_document(json_t *values, Str text, Error *err)
{
	autojson json_t *tree = yaml_parse_old(text.ptr, text.len, VALUES_MAX, "yaml", err);
	if (!tree)
		return err_wrap(err, "cannot unmarshal yaml document");
	if (json_is_null(tree))
		return true;
	if (!json_is_object(tree))
		return err_set(err, ERR_INVALID,
			       "cannot unmarshal yaml document: a map is expected");
	autojson json_t *reals = helm_reals(tree);
	helm_values_merge(values, reals);
	return true;
}

json_t *helm_values_parse(Str text, Error *err)
{
	autojson json_t *values = json_object();
	size_t from = 0, at = 0;
	while (at < text.len) {
		ptrdiff_t end = str_find_char(str_slice(text, at, text.len), '\n');
		size_t next = end < 0 ? text.len : at + (size_t)end + 1;
		if (is_separator(str_slice(text, at, next))) {
			if (!add_document(values, str_slice(text, from, at), err))
				return NULL;
			from = next;
		}
		at = next;
	}
	if (!add_document(values, str_slice(text, from, text.len), err))
		return NULL;
	return steal(&values);
}

static void clean_nulls(json_t *map)
{
	const char *key;
	json_t *value;
	void *next;
	json_object_foreach_safe(map, next, key, value)
	{
		if (json_is_null(value))
			json_object_del(map, key);
		else if (json_is_object(value))
			clean_nulls(value);
	}
}

/* One key of a default (`value`) against what the user has (`old`, NULL when nothing). A null of
 * the user's takes away a default that is not null. */
static void coalesce_member(json_t *dst, const char *key, json_t *value, bool keep_nulls)
{
	json_t *old = json_object_get(dst, key);
	if (old && !keep_nulls && json_is_null(old) && !json_is_null(value))
		json_object_del(dst, key);
	else if (!old)
		json_object_set(dst, key, value);
	else if (json_is_object(value) && json_is_object(old))
		helm_tables_coalesce(old, value, keep_nulls);
}

void helm_tables_coalesce(json_t *dst, json_t *src, bool keep_nulls)
{
	const char *key;
	json_t *value;
	json_object_foreach(src, key, value) coalesce_member(dst, key, value, keep_nulls);
}

static bool names_child(const HelmChart *chart, const char *key)
{
	for (size_t i = 0; i < chart->charts.len; i++)
		if (cstr_eq(helm_chart_name(chart->charts.items[i]), key))
			return true;
	return false;
}

static void coalesce_default(const HelmChart *chart, json_t *values, const char *key,
			     json_t *fallback, bool keep_nulls)
{
	json_t *value = json_object_get(values, key);
	if (!value) {
		if (!keep_nulls && json_is_null(fallback))
			return;
		if (!keep_nulls && json_is_object(fallback))
			clean_nulls(fallback);
		json_object_set(values, key, fallback);
	} else if (json_is_null(value) && !keep_nulls) {
		json_object_del(values, key);
	} else if (json_is_object(value) && json_is_object(fallback)) {
		/* Nulls for a chart below are for that chart to apply. */
		bool keep = keep_nulls || names_child(chart, key);
		if (!keep)
			clean_nulls(fallback);
		helm_tables_coalesce(value, fallback, keep);
	}
}

static void coalesce_own(const HelmChart *chart, json_t *values, bool keep_nulls)
{
	autojson json_t *defaults = json_deep_copy(chart->values);
	const char *key;
	json_t *fallback;
	json_object_foreach(defaults, key, fallback)
		coalesce_default(chart, values, key, fallback, keep_nulls);
}

/* The parent's globals win over the child's; a map never takes the place of a scalar, nor the other
 * way round. */
static void coalesce_globals(json_t *child, const json_t *parent)
{
	json_t *to = json_object_get(child, "global"), *from = json_object_get(parent, "global");
	const char *key;
	json_t *value;
	if ((to && !json_is_object(to)) || (from && !json_is_object(from)))
		return;
	if (!to) {
		to = json_object();
		json_object_set_new(child, "global", to);
	}
	json_object_foreach(from, key, value)
	{
		json_t *old = json_object_get(to, key);
		if (!json_is_object(value)) {
			if (!json_is_object(old))
				json_object_set(to, key, value);
			continue;
		}
		if (old && !json_is_object(old))
			continue;
		/* shallow, as upstream's: tables further down are shared with the parent */
		autojson json_t *merged = json_copy(value);
		if (old)
			helm_tables_coalesce(merged, old, true);
		json_object_set(to, key, merged);
	}
}

/* Upstream prints the value by %t, whatever it is. */
static bool fail_type(const char *name, const json_t *value, Error *err)
{
	autoarena Arena *arena = arena_new();
	autobuf Buf text = {0};
	GoFmt fmt = {arena, unicode_new(arena), &text, TEXT_MAX};
	GoValue shown = go_from_json(arena, value);
	fmt_printf(&fmt, STR("%t"), &shown, 1);
	return err_set(err, ERR_INVALID, "type mismatch on %s: %s", name, buf_text(&text));
}

static bool coalesce_chart(const HelmChart *chart, json_t *values, bool keep_nulls, Error *err)
{
	coalesce_own(chart, values, keep_nulls);
	for (size_t i = 0; i < chart->charts.len; i++) {
		const HelmChart *sub = chart->charts.items[i];
		const char *name = helm_chart_name(sub);
		json_t *table = json_object_get(values, name);
		if (!table) {
			table = json_object();
			json_object_set_new(values, name, table);
		}
		if (!json_is_object(table))
			return fail_type(name, table, err);
		coalesce_globals(table, values);
		if (!coalesce_chart(sub, table, keep_nulls, err))
			return false;
	}
	return true;
}

json_t *helm_values_coalesce(const HelmChart *chart, const json_t *values, bool keep_nulls,
			     Error *err)
{
	autojson json_t *copy = values ? json_deep_copy(values) : json_object();
	if (!coalesce_chart(chart, copy, keep_nulls, err))
		return NULL;
	return steal(&copy);
}

json_t *helm_values_at(const json_t *values, const char *path)
{
	Str part, rest = str_of(path);
	json_t *value = json_borrow(values);
	while (value && str_next(&rest, '.', &part)) {
		autofree char *key = str_dup(part);
		value = json_object_get(value, key);
	}
	return value;
}
