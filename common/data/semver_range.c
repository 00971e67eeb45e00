#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "data/semver.h"

/*
 * Constraints as Masterminds/semver v3 reads them: OR of groups, a group is an AND of comparators.
 * Versions in a comparator may lack parts or have wildcards; what is missing is "dirty".
 */

enum { RANGE_MAX = 4096 };

typedef enum {
	OP_EQUAL,
	OP_NOT,
	OP_GREATER,
	OP_LESS,
	OP_AT_LEAST,
	OP_AT_MOST,
	OP_TILDE,
	OP_CARET
} Op;

typedef struct {
	Op op;
	Semver version;
	bool dirty, minor_dirty, patch_dirty;
} Comparator;

typedef struct {
	Vec comparators;
	bool has_pre; /* one of them has: then prereleases are looked at */
} Group;

struct SemverRange {
	Vec groups;
};

static const struct {
	const char *text;
	Op op;
} operators[] = {
	/* Longer ones first. */
	{"!=", OP_NOT},	    {">=", OP_AT_LEAST}, {"=>", OP_AT_LEAST}, {"<=", OP_AT_MOST},
	{"=<", OP_AT_MOST}, {"~>", OP_TILDE},	 {"=", OP_EQUAL},     {">", OP_GREATER},
	{"<", OP_LESS},	    {"~", OP_TILDE},	 {"^", OP_CARET},
};

static void free_comparator(void *pointer)
{
	Comparator *comparator = pointer;
	semver_dispose(&comparator->version);
	free(comparator);
}

static void free_group(void *pointer)
{
	Group *group = pointer;
	vec_dispose_with(&group->comparators, free_comparator);
	free(group);
}

void semver_range_free(SemverRange *range)
{
	if (!range)
		return;
	vec_dispose_with(&range->groups, free_group);
	free(range);
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
}

static const char *skip_blanks(const char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

/* One part: digits or a wildcard; false when there is neither. */
static bool take_part(const char **at, Str *part)
{
	const char *text = *at;
	size_t len = strspn(text, "0123456789");
	if (len == 0)
		len = *text == 'x' || *text == 'X' || *text == '*';
	*part = str_sized(text, len);
	*at = text + len;
	return len > 0;
}

static bool is_wild(Str part)
{
	return part.len == 0 || !isdigit((unsigned char)part.ptr[0]);
}

static Str or_zero(Str part)
{
	return is_wild(part) ? STR("0") : part;
}

/* A version with holes at *at. */
static bool take_version(const char **at, Comparator *out)
{
	Str parts[3] = {{"", 0}, {"", 0}, {"", 0}};
	*at += **at == 'v';
	if (!take_part(at, &parts[0]))
		return false;
	for (size_t i = 1; i < 3 && **at == '.'; i++) {
		(*at)++;
		if (!take_part(at, &parts[i]))
			return false;
	}
	const char *label = *at;
	while (isalnum((unsigned char)**at) || (**at && strchr("-+.", **at)))
		(*at)++;
	bool major_wild = is_wild(parts[0]);
	out->minor_dirty = !major_wild && is_wild(parts[1]);
	out->patch_dirty = !major_wild && !out->minor_dirty && is_wild(parts[2]);
	out->dirty = major_wild || out->minor_dirty || out->patch_dirty;
	if (major_wild || out->minor_dirty)
		parts[1] = parts[2] = STR("0");
	Str major = or_zero(parts[0]), minor = or_zero(parts[1]), patch = or_zero(parts[2]);
	autofree char *text =
		mem_printf("%.*s.%.*s.%.*s%.*s", (int)major.len, major.ptr, (int)minor.len,
			   minor.ptr, (int)patch.len, patch.ptr, (int)(*at - label), label);
	return semver_parse(text, &out->version);
}

static Op take_operator(const char **at)
{
	for (size_t i = 0; i < COUNT(operators); i++) {
		if (cstr_starts(*at, operators[i].text)) {
			*at += strlen(operators[i].text);
			return operators[i].op;
		}
	}
	return OP_EQUAL;
}

static Comparator *add(Group *group, Op op)
{
	Comparator *comparator = mem_zalloc(1, sizeof(*comparator));
	comparator->op = op;
	vec_push(&group->comparators, comparator);
	return comparator;
}

/* "1.2 - 2.3" is ">=1.2, <=2.3"; true when there is no upper half. */
static bool take_hyphen(const char **at, Group *group, Comparator *low)
{
	const char *dash = skip_blanks(*at);
	if (dash == *at || *dash != '-' || !is_blank(dash[1]))
		return true;
	*at = skip_blanks(dash + 1);
	low->op = OP_AT_LEAST;
	Comparator *high = add(group, OP_AT_MOST);
	bool fine = take_version(at, high);
	group->has_pre |= fine && high->version.pre[0];
	return fine;
}

static bool take_comparator(const char **at, Group *group)
{
	*at = skip_blanks(*at);
	const char *start = *at;
	Op op = take_operator(at);
	bool bare = start == *at;
	*at = skip_blanks(*at);
	Comparator *comparator = add(group, op);
	if (!take_version(at, comparator))
		return false;
	group->has_pre |= comparator->version.pre[0] != '\0';
	return !bare || take_hyphen(at, group, comparator);
}

static bool parse_group(const char *text, Group *group)
{
	for (;;) {
		if (!take_comparator(&text, group))
			return false;
		const char *next = skip_blanks(text);
		if (!*next)
			return true;
		if (*next != ',' && next == text)
			return false;
		text = next + (*next == ',');
	}
}

SemverRange *semver_range_new(const char *text, Error *err)
{
	if (strlen(text) > RANGE_MAX)
		return err_null(err, ERR_INVALID, "a version range is at most %d bytes", RANGE_MAX);
	autosemverrange SemverRange *range = mem_zalloc(1, sizeof(*range));
	Str rest = str_of(text);
	for (bool more = true; more;) {
		ptrdiff_t cut = str_find(rest, STR("||"));
		more = cut >= 0;
		Str piece = more ? str_slice(rest, 0, (size_t)cut) : rest;
		rest = more ? str_slice(rest, (size_t)cut + 2, rest.len) : rest;
		autofree char *part = str_dup(piece);
		Group *group = mem_zalloc(1, sizeof(*group));
		vec_push(&range->groups, group);
		if (!parse_group(part, group))
			return err_null(err, ERR_INVALID, "improper constraint: %s", text);
	}
	return steal(&range);
}

static bool same_parts(const Comparator *c, const Semver *v, bool *out)
{
	if (c->version.major != v->major || c->minor_dirty) {
		*out = c->version.major == v->major;
		return true;
	}
	if (c->version.minor != v->minor) {
		*out = false;
		return true;
	}
	return false;
}

static bool match_not(const Comparator *c, const Semver *v)
{
	bool same;
	if (c->dirty && same_parts(c, v, &same))
		return !same;
	/* With the patch open, only the prereleases can differ. */
	Semver open = *v;
	if (c->patch_dirty)
		open.patch = c->version.patch;
	return semver_compare(&open, &c->version) != 0;
}

static bool match_greater(const Comparator *c, const Semver *v)
{
	if (!c->dirty)
		return semver_compare(v, &c->version) > 0;
	if (v->major != c->version.major)
		return v->major > c->version.major;
	if (c->minor_dirty)
		return false;
	if (c->patch_dirty)
		return v->minor > c->version.minor;
	return semver_compare(v, &c->version) > 0;
}

static bool match_at_most(const Comparator *c, const Semver *v)
{
	if (!c->dirty)
		return semver_compare(v, &c->version) <= 0;
	if (v->major != c->version.major)
		return v->major < c->version.major;
	return c->minor_dirty || v->minor <= c->version.minor;
}

static bool match_tilde(const Comparator *c, const Semver *v)
{
	if (semver_compare(v, &c->version) < 0)
		return false;
	/* ~0.0.0 and * accept all that is not lower. */
	bool zero = c->version.major == 0 && c->version.minor == 0 && c->version.patch == 0;
	if (zero && !c->minor_dirty && !c->patch_dirty)
		return true;
	return v->major == c->version.major && (c->minor_dirty || v->minor == c->version.minor);
}

static bool match_caret(const Comparator *c, const Semver *v)
{
	if (semver_compare(v, &c->version) < 0 || v->major != c->version.major)
		return false;
	if (c->version.major > 0 || c->minor_dirty)
		return true;
	if (v->minor != c->version.minor)
		return false;
	return c->version.minor > 0 || c->patch_dirty || v->patch == c->version.patch;
}

static bool matches(const Comparator *c, const Semver *v)
{
	switch (c->op) {
	case OP_EQUAL:
		return c->dirty ? match_tilde(c, v) : semver_compare(v, &c->version) == 0;
	case OP_NOT:
		return match_not(c, v);
	case OP_GREATER:
		return match_greater(c, v);
	case OP_LESS:
		return semver_compare(v, &c->version) < 0;
	case OP_AT_LEAST:
		return semver_compare(v, &c->version) >= 0;
	case OP_AT_MOST:
		return match_at_most(c, v);
	case OP_TILDE:
		return match_tilde(c, v);
	case OP_CARET:
	default:
		return match_caret(c, v);
	}
}

static bool group_matches(const Group *group, const Semver *version)
{
	if (version->pre[0] && !group->has_pre)
		return false;
	for (size_t i = 0; i < group->comparators.len; i++)
		if (!matches(group->comparators.items[i], version))
			return false;
	return true;
}

bool semver_range_matches(const SemverRange *range, const Semver *version)
{
	for (size_t i = 0; i < range->groups.len; i++)
		if (group_matches(range->groups.items[i], version))
			return true;
	return false;
}
