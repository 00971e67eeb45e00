#include "kustomize/path.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/regex.h"
#include "data/written.h"
#include "data/yaml.h"

/* Depth is bounded by the number of parts; a "*" visits each element once. */

/* Cuts at "." but not at "\.", which becomes ".". */
static void split_dots(const char *text, Vec *out)
{
	autobuf Buf part = {0};
	for (const char *at = *text == '.' ? text + 1 : text; *at; at++) {
		if (at[0] == '\\' && at[1] == '.') {
			buf_putc(&part, *++at);
		} else if (*at == '.') {
			vec_push(out, buf_steal(&part));
		} else {
			buf_putc(&part, *at);
		}
	}
	vec_push(out, buf_steal(&part));
}

/* A bracketed part: with "=" as it is, else what stands inside. */
static char *finish_bracket(const char *text)
{
	if (strchr(text, '='))
		return mem_strdup(text);
	Str inner = str_of(text);
	while (inner.len > 0 && strchr("[]", inner.ptr[0]))
		inner = str_slice(inner, 1, inner.len);
	while (inner.len > 0 && strchr("[]", inner.ptr[inner.len - 1]))
		inner.len--;
	return str_dup(inner);
}

void kpath_split(const char *text, Vec *out)
{
	autostrings Vec dots = {0};
	split_dots(text, &dots);
	for (size_t i = 0; i < dots.len; i++) {
		const char *part = dots.items[i];
		if (*part != '[' || cstr_ends(part, "]")) {
			vec_push(out, mem_strdup(part));
			continue;
		}
		autobuf Buf whole = {0};
		buf_puts(&whole, part);
		while (i + 1 < dots.len && !cstr_ends(dots.items[i], "]"))
			buf_printf(&whole, ".%s", (const char *)dots.items[++i]);
		vec_push(out, finish_bracket(buf_text(&whole)));
	}
}

char *kpath_scalar_text(const json_t *value)
{
	if (written_text(value))
		return mem_strdup(written_text(value));
	if (json_is_string(value))
		return mem_strdup(json_string_value(value));
	if (json_is_integer(value))
		return mem_printf("%" PRId64, (int64_t)json_integer_value(value));
	if (json_is_boolean(value))
		return mem_strdup(json_is_true(value) ? "true" : "false");
	return json_is_real(value) ? json_dump(value) : mem_strdup("");
}

json_t *kpath_scalar_of(const char *text)
{
	static const char plain[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "+-._:~";
	/* Quotes and the like are the value's own. */
	bool resolves = *text && !text[strspn(text, plain)];
	return resolves ? written_of(text) : json_string_nocheck(text);
}

static bool is_index(const char *part, size_t *out)
{
	unsigned long long value;
	if (!str_to_u64(str_of(part), &value))
		return false;
	*out = (size_t)value;
	return true;
}

/* "[key=value]"; key may be empty. */
static bool is_match(const char *part, Str *key, Str *value)
{
	Str text = str_of(part);
	if (text.len < 3 || text.ptr[0] != '[' || text.ptr[text.len - 1] != ']')
		return false;
	return str_cut(str_slice(text, 1, text.len - 1), '=', key, value);
}

static json_t *get_match(const json_t *list, Str key, Str value)
{
	autofree char *name = str_dup(key);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		autofree char *text =
			kpath_scalar_text(key.len ? json_object_get(item, name) : item);
		if (str_eq(str_of(text), value))
			return item;
	}
	return NULL;
}

static json_t *get_part(const json_t *value, const char *part)
{
	size_t index;
	Str key, wanted;
	if (is_match(part, &key, &wanted))
		return get_match(value, key, wanted);
	if (json_is_array(value) && cstr_eq(part, "-"))
		return json_array_get(value, json_array_size(value) - 1);
	if (json_is_array(value) && is_index(part, &index))
		return json_array_get(value, index);
	return json_object_get(value, part);
}

json_t *kpath_get_some(const json_t *object, const Vec *parts, size_t count)
{
	json_t *at = json_borrow(object);
	for (size_t i = 0; at && i < count; i++) {
		const char *part = parts->items[i];
		if (*part)
			at = get_part(at, part);
	}
	return at;
}

json_t *kpath_get(const json_t *object, const Vec *parts)
{
	return kpath_get_some(object, parts, parts->len);
}

void kfounds_dispose(KFounds *founds)
{
	for (size_t i = 0; i < founds->kept.len; i++)
		json_decref(founds->kept.items[i]);
	vec_dispose(&founds->kept);
	free(founds->items);
	*founds = (KFounds){0};
}

typedef struct {
	const Vec *parts;
	const json_t *create;
	KFounds *out;
	Error *err;
} Finder;

static bool find_at(const Finder *finder, size_t at, const KSlot *slot, bool created);

static void push_found(const Finder *finder, const KSlot *slot, bool created)
{
	KFounds *out = finder->out;
	out->items = mem_realloc(out->items, (out->len + 1) * sizeof(*out->items));
	out->items[out->len++] = (KFound){.slot = *slot, .created = created};
}

/* What a new value must be for the part that follows. */
static json_t *make_for(const Finder *finder, size_t next)
{
	if (next == finder->parts->len) {
		if (json_is_object(finder->create))
			return json_object();
		return json_is_array(finder->create) ? json_array() : json_null();
	}
	const char *part = finder->parts->items[next];
	size_t index;
	Str key, value;
	bool list = is_match(part, &key, &value) || is_index(part, &index);
	return list ? json_array() : json_object();
}

static bool find_every(const Finder *finder, size_t at, json_t *list)
{
	if (!json_is_array(list))
		return err_set(finder->err, ERR_INVALID, "'*' needs a list");
	for (size_t i = 0; i < json_array_size(list); i++) {
		KSlot slot = {list, NULL, i};
		if (!find_at(finder, at + 1, &slot, false))
			return false;
	}
	return true;
}

static bool find_index(const Finder *finder, size_t at, json_t *list, size_t index)
{
	if (!json_is_array(list))
		return err_set(finder->err, ERR_INVALID, "an index needs a list");
	bool create = finder->create && index == json_array_size(list);
	if (create)
		json_array_append_new(list, make_for(finder, at + 1));
	if (index >= json_array_size(list))
		return err_set(finder->err, ERR_INVALID,
			       "index %zu specified but only %zu elements found", index,
			       json_array_size(list));
	KSlot slot = {list, NULL, index};
	return find_at(finder, at + 1, &slot, create);
}

/* Visits the elements that match; the number of them through out_count. */
static bool visit_matches(const Finder *finder, size_t at, json_t *list, const char *key,
			  const Regex *regex, size_t *out_count)
{
	*out_count = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		const json_t *value = *key ? json_object_get(item, key) : item;
		autofree char *text = kpath_scalar_text(value);
		if (!value || !regex_matches(regex, text, strlen(text)))
			continue;
		++*out_count;
		KSlot slot = {list, NULL, i};
		if (!find_at(finder, at + 1, &slot, false))
			return false;
	}
	return true;
}

static bool find_matches(const Finder *finder, size_t at, json_t *list, Str key, Str value)
{
	if (!json_is_array(list))
		return err_set(finder->err, ERR_INVALID, "a match needs a list");
	autofree char *name = str_dup(key), *pattern = str_dup(value);
	autoregex Regex *regex = regex_new(pattern, REGEX_SEARCH, finder->err);
	size_t count;
	if (!regex || !visit_matches(finder, at, list, name, regex, &count))
		return false;
	if (count > 0 || !finder->create)
		return true;
	json_t *made = kpath_scalar_of(pattern);
	json_array_append_new(list, *name ? json_pack("{s:o}", name, made) : made);
	return visit_matches(finder, at, list, name, regex, &count);
}

/* JSON or YAML inside a scalar: found there, in a copy that the caller of kpath_find may use. */
static bool find_inside(const Finder *finder, size_t at, const char *text)
{
	json_t *document = yaml_parse(text, strlen(text), SIZE_MAX, "value", finder->err);
	if (!document)
		return false;
	vec_push(&finder->out->kept, document);
	autojson json_t *holder = json_pack("{s:O}", "", document);
	vec_push(&finder->out->kept, json_incref(holder));
	KSlot slot = {holder, "", 0};
	return find_at(finder, at, &slot, false);
}

static bool find_field(const Finder *finder, size_t at, json_t *map, const char *key)
{
	if (!json_is_object(map))
		return err_set(finder->err, ERR_INVALID, "'%s' needs a map", key);
	bool created = !json_object_get(map, key);
	if (created && !finder->create)
		return true;
	if (created)
		json_object_set_new_nocheck(map, key, make_for(finder, at + 1));
	const char *text = written_string(json_object_get(map, key));
	if (text && at + 1 < finder->parts->len)
		return find_inside(finder, at + 1, text);
	KSlot slot = {map, key, 0};
	return find_at(finder, at + 1, &slot, created);
}

static bool find_part(const Finder *finder, size_t at, json_t *value)
{
	const char *part = finder->parts->items[at];
	size_t index;
	Str key, wanted;
	if (is_index(part, &index))
		return find_index(finder, at, value, index);
	if (is_match(part, &key, &wanted))
		return find_matches(finder, at, value, key, wanted);
	if (cstr_eq(part, "*"))
		return find_every(finder, at, value);
	return find_field(finder, at, value, part);
}

static bool find_at(const Finder *finder, size_t at, const KSlot *slot, bool created)
{
	if (at < finder->parts->len)
		return find_part(finder, at, kslot_get(slot));
	push_found(finder, slot, created);
	return true;
}

bool kpath_find(json_t *object, const Vec *parts, size_t from, const json_t *create, KFounds *out,
		Error *err)
{
	Finder finder = {parts, create, out, err};
	return from >= parts->len || find_part(&finder, from, object);
}
