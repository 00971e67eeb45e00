#include "data/regex.h"
#include "base/mem.h"
#include "data/semver.h"
#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/* Regular expressions as Go's regexp package walks a text, and versions. */

enum { GROUPS_MAX = 64 };

typedef struct {
	GoCall *call;
	Regex *regex;
	Str text;
	long spans[2 * GROUPS_MAX];
} Matcher;

static void matcher_dispose(Matcher *matcher)
{
	if (matcher->regex)
		regex_free(matcher->regex);
}
#define automatcher __attribute__((cleanup(matcher_dispose)))

static bool compile(GoCall *call, Matcher *out)
{
	autoerror Error err = {0};
	autofree char *pattern = str_dup(call->args[0].text);
	*out = (Matcher){.call = call, .text = call->args[1].text};
	out->regex = regex_new(pattern, REGEX_SEARCH, &err);
	return out->regex || call_fail(call, "error parsing regexp: %s", err_text(&err));
}

static bool find_from(Matcher *m, size_t at)
{
	for (size_t i = 0; i < COUNT(m->spans); i++)
		m->spans[i] = -1;
	m->call->run->steps++;
	return regex_find(m->regex, m->text.ptr, m->text.len, at, m->spans, GROUPS_MAX);
}

/* The width of the rune at a position, 1 at the end. */
static size_t width_at(Str text, size_t at)
{
	size_t width = 1;
	if (at < text.len)
		rune_decode(str_slice(text, at, text.len), &width);
	return width;
}

/* FindAllStringIndex: an empty match right behind a match does not count. */
typedef struct {
	size_t at;
	long previous_end;
} Walk;

static bool next_match(Matcher *m, Walk *walk, size_t *from, size_t *to)
{
	while (walk->at <= m->text.len && find_from(m, walk->at)) {
		*from = (size_t)m->spans[0];
		*to = (size_t)m->spans[1];
		bool accept = true;
		if (*to == walk->at) {
			accept = m->spans[0] != walk->previous_end;
			walk->at += width_at(m->text, walk->at);
		} else {
			walk->at = *to;
		}
		walk->previous_end = m->spans[1];
		if (accept)
			return true;
	}
	return false;
}

static bool fn_match(GoCall *call, GoValue *out)
{
	automatcher Matcher m;
	*out = go_bool(compile(call, &m) && find_from(&m, 0));
	return true;
}

static bool fn_must_match(GoCall *call, GoValue *out)
{
	automatcher Matcher m;
	if (!compile(call, &m))
		return false;
	*out = go_bool(find_from(&m, 0));
	return true;
}

static bool fn_find(GoCall *call, GoValue *out)
{
	automatcher Matcher m;
	if (!compile(call, &m))
		return false;
	*out = go_cstr("");
	if (find_from(&m, 0))
		*out = go_text(str_slice(m.text, (size_t)m.spans[0], (size_t)m.spans[1]));
	return true;
}

/* Texts that grow, for lists of unknown length. */
typedef struct {
	GoValue *items;
	size_t len, cap;
} Found;

static bool push(GoCall *call, Found *found, Str text)
{
	if (found->len == found->cap) {
		size_t cap = found->cap ? found->cap * 2 : 8;
		if (!room_for(call, cap))
			return false;
		GoValue *items = arena_alloc(call_arena(call), cap * sizeof(GoValue));
		if (found->len > 0)
			memcpy(items, found->items, found->len * sizeof(GoValue));
		found->items = items;
		found->cap = cap;
	}
	found->items[found->len++] = go_text(text);
	return true;
}

static GoValue list_of(GoCall *call, const Found *found)
{
	GoList *list = go_list_new(call_arena(call), GO_STRINGS, 0);
	list->items = found->items;
	list->len = found->len;
	return go_list(list);
}

static bool fn_find_all(GoCall *call, GoValue *out)
{
	automatcher Matcher m;
	Walk walk = {0, -1};
	Found found = {0};
	size_t from, to;
	int64_t most = call->args[2].integer;
	if (!compile(call, &m))
		return false;
	while ((most < 0 || (int64_t)found.len < most) && next_match(&m, &walk, &from, &to))
		if (!push(call, &found, str_slice(m.text, from, to)))
			return false;
	*out = found.len ? list_of(call, &found) : go_zero(GO_STRINGS);
	return true;
}

static bool fn_split(GoCall *call, GoValue *out)
{
	automatcher Matcher m;
	Walk walk = {0, -1};
	Found found = {0};
	size_t from, to, begin = 0, end = 0;
	int64_t most = call->args[2].integer;
	if (!compile(call, &m))
		return false;
	*out = go_zero(GO_STRINGS);
	if (most == 0)
		return true;
	if (call->args[0].text.len > 0 && m.text.len == 0) {
		if (!push(call, &found, STR("")))
			return false;
		*out = list_of(call, &found);
		return true;
	}
	for (int64_t count = 0; (most < 0 || count < most) && next_match(&m, &walk, &from, &to);
	     count++) {
		if (most > 0 && (int64_t)found.len == most - 1)
			break;
		end = from;
		if (to != 0 && !push(call, &found, str_slice(m.text, begin, end)))
			return false;
		begin = to;
	}
	if (end != m.text.len && !push(call, &found, str_slice(m.text, begin, m.text.len)))
		return false;
	*out = list_of(call, &found);
	return true;
}

static bool is_name_byte(char byte)
{
	return (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z') ||
	       byte == '_';
}

/* "$1", "${name}" at the start of text: its length and the group, or 0. */
static size_t read_reference(const Matcher *m, Str text, int *group)
{
	bool braces = text.len > 1 && text.ptr[1] == '{';
	size_t from = braces ? 2 : 1, to = from;
	while (to < text.len && is_name_byte(text.ptr[to]))
		to++;
	if (to == from || (braces && (to >= text.len || text.ptr[to] != '}')))
		return 0;
	autofree char *name = str_dup(str_slice(text, from, to));
	unsigned long long number;
	*group = GROUPS_MAX;
	if (str_to_u64(str_of(name), &number))
		*group = number < GROUPS_MAX ? (int)number : GROUPS_MAX;
	else if (regex_group(m->regex, name) > 0)
		*group = regex_group(m->regex, name);
	return to + (braces ? 1 : 0);
}

static void expand(const Matcher *m, Str template, Buf *out)
{
	int group;
	for (size_t at = 0; at < template.len;) {
		char byte = template.ptr[at];
		if (byte != '$') {
			buf_putc(out, byte);
			at++;
			continue;
		}
		if (at + 1 < template.len && template.ptr[at + 1] == '$') {
			buf_putc(out, '$');
			at += 2;
			continue;
		}
		size_t len = read_reference(m, str_slice(template, at, template.len), &group);
		if (len == 0) {
			buf_putc(out, '$');
			at++;
			continue;
		}
		if (group < GROUPS_MAX && m->spans[2 * group] >= 0)
			buf_add(out, str_slice(m->text, (size_t)m->spans[2 * group],
					       (size_t)m->spans[2 * group + 1]));
		at += len;
	}
}

static bool replace_all(GoCall *call, bool literal, GoValue *out)
{
	automatcher Matcher m;
	autobuf Buf result = {0};
	size_t last = 0, at = 0;
	Str by = call->args[2].text;
	if (!compile(call, &m))
		return false;
	while (at <= m.text.len && find_from(&m, at)) {
		size_t from = (size_t)m.spans[0], to = (size_t)m.spans[1];
		buf_add(&result, str_slice(m.text, last, from));
		if ((to > last || from == 0) && literal)
			buf_add(&result, by);
		else if (to > last || from == 0)
			expand(&m, by, &result);
		if (result.len > call->run->limits.output_bytes)
			return call_fail(call, "result is too large");
		last = to;
		size_t width = width_at(m.text, at);
		at = at + width > to ? at + width : to;
	}
	buf_add(&result, str_slice(m.text, last, m.text.len));
	return call_return_text(call, &result, out);
}

static bool fn_replace_all(GoCall *call, GoValue *out)
{
	return replace_all(call, false, out);
}

static bool fn_replace_all_literal(GoCall *call, GoValue *out)
{
	return replace_all(call, true, out);
}

static bool fn_quote_meta(GoCall *call, GoValue *out)
{
	autobuf Buf result = {0};
	Str text = call->args[0].text;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] && strchr("\\.+*?()|[]{}^$", text.ptr[i]))
			buf_putc(&result, '\\');
		buf_putc(&result, text.ptr[i]);
	}
	return call_return_text(call, &result, out);
}

/* ---- versions ---- */

static const char *const version_fields[] = {"Major",	 "Minor",    "Patch", "Prerelease",
					     "Metadata", "Original", NULL};

static Str version_string(const GoStruct *record, Arena *arena)
{
	const GoValue *f = record->fields;
	return str_of(
		arena_printf(arena, "%llu.%llu.%llu%s%.*s%s%.*s", (unsigned long long)f[0].natural,
			     (unsigned long long)f[1].natural, (unsigned long long)f[2].natural,
			     f[3].text.len ? "-" : "", (int)f[3].text.len, f[3].text.ptr,
			     f[4].text.len ? "+" : "", (int)f[4].text.len, f[4].text.ptr));
}

static bool version_field(GoCall *call, size_t index, GoValue *out)
{
	*out = call->receiver.record->fields[index];
	return true;
}

static bool version_major(GoCall *call, GoValue *out)
{
	return version_field(call, 0, out);
}

static bool version_minor(GoCall *call, GoValue *out)
{
	return version_field(call, 1, out);
}

static bool version_patch(GoCall *call, GoValue *out)
{
	return version_field(call, 2, out);
}

static bool version_prerelease(GoCall *call, GoValue *out)
{
	return version_field(call, 3, out);
}

static bool version_metadata(GoCall *call, GoValue *out)
{
	return version_field(call, 4, out);
}

static bool version_original(GoCall *call, GoValue *out)
{
	return version_field(call, 5, out);
}

static bool version_text(GoCall *call, GoValue *out)
{
	*out = go_text(version_string(call->receiver.record, call_arena(call)));
	return true;
}

static bool version_compare(GoCall *call, GoValue *out);

static const GoFn version_methods[] = {
	{"Major", "", version_major},
	{"Minor", "", version_minor},
	{"Patch", "", version_patch},
	{"Prerelease", "", version_prerelease},
	{"Metadata", "", version_metadata},
	{"Original", "", version_original},
	{"String", "", version_text},
	{"Compare", "a", version_compare},
	{0},
};

static const GoStructType struct_version = {
	.name = "*semver.Version",
	.pointer = true,
	.fields = version_fields,
	.methods = version_methods,
	.string = version_string,
};

static bool read_version(GoCall *call, Str text, Semver *out)
{
	autofree char *copy = str_dup(text);
	if (copy && strlen(copy) == text.len && semver_parse(copy, out))
		return true;
	return call_fail(call, "invalid semantic version");
}

static bool version_compare(GoCall *call, GoValue *out)
{
	autosemver Semver a = {0};
	autosemver Semver b = {0};
	GoValue other = call->args[0];
	if (other.type != GO_STRUCT || strcmp(other.record->type->name, "*semver.Version") != 0)
		return call_fail(call, "wrong type for value; expected *semver.Version");
	if (!read_version(call, version_string(call->receiver.record, call_arena(call)), &a) ||
	    !read_version(call, version_string(other.record, call_arena(call)), &b))
		return false;
	int order = semver_compare(&a, &b);
	*out = go_int(order < 0 ? -1 : order > 0);
	return true;
}

static bool fn_semver(GoCall *call, GoValue *out)
{
	autosemver Semver version = {0};
	Arena *arena = call_arena(call);
	if (!read_version(call, call->args[0].text, &version))
		return false;
	GoStruct *record = go_struct_new(arena, &struct_version);
	record->fields[0] = (GoValue){.type = GO_UINT64, .natural = version.major};
	record->fields[1] = (GoValue){.type = GO_UINT64, .natural = version.minor};
	record->fields[2] = (GoValue){.type = GO_UINT64, .natural = version.patch};
	record->fields[3] = go_cstr(arena_strdup(arena, version.pre));
	record->fields[4] = go_cstr(arena_strdup(arena, version.build));
	record->fields[5] = call->args[0];
	*out = (GoValue){.type = GO_STRUCT, .record = record};
	return true;
}

static bool fn_semver_compare(GoCall *call, GoValue *out)
{
	autosemver Semver version = {0};
	autoerror Error err = {0};
	autofree char *text = str_dup(call->args[0].text);
	autosemverrange SemverRange *range = semver_range_new(text, &err);
	if (!range)
		return call_fail(call, "improper constraint: %s", text);
	if (!read_version(call, call->args[1].text, &version))
		return false;
	*out = go_bool(semver_range_matches(range, &version));
	return true;
}

const GoFn functions_regex[] = {
	{"regexMatch", "ss", fn_match},
	{"mustRegexMatch", "ss", fn_must_match},
	{"regexFind", "ss", fn_find},
	{"mustRegexFind", "ss", fn_find},
	{"regexFindAll", "ssi", fn_find_all},
	{"mustRegexFindAll", "ssi", fn_find_all},
	{"regexSplit", "ssi", fn_split},
	{"mustRegexSplit", "ssi", fn_split},
	{"regexReplaceAll", "sss", fn_replace_all},
	{"mustRegexReplaceAll", "sss", fn_replace_all},
	{"regexReplaceAllLiteral", "sss", fn_replace_all_literal},
	{"mustRegexReplaceAllLiteral", "sss", fn_replace_all_literal},
	{"regexQuoteMeta", "s", fn_quote_meta},
	{"semver", "s", fn_semver},
	{"semverCompare", "ss", fn_semver_compare},
	{0},
};
