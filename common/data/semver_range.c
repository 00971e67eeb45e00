#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "data/semver.h"

/*
 * Constraints as Masterminds/semver v3 reads them: OR of groups, a group is an AND of comparators.
 * Versions in a comparator may lack parts or have wildcards; what is missing is "dirty".
 */

/* Upstream's. */
enum { RANGE_MAX = 512, GROUPS_MAX = 32 };

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
	return byte && strchr(" \t\n\r\f", byte);
}

static const char *skip_blanks(const char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

/* --- texts --- */

/* A version as a constraint spells it; views. */
typedef struct {
	Str whole;
	Str parts[3]; /* digits, wildcards and what else may stand there; empty when absent */
	Str pre;      /* with its "-"; or empty */
} Spelled;

static const char label_bytes[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ-";

/* A part is any run of these. The bar is upstream's: "2||3" before blanks is one part to it when it
 * looks for hyphen ranges, which come before the ORs. */
static size_t part_len(const char *text)
{
	return strspn(text, "0123456789xX*|");
}

/* The length of "-a.b" or "+a.b" at text: as many identifiers as are whole, 0 when there is none.
 */
static size_t take_label(const char *text, char sign)
{
	size_t len = 0, more;
	if (*text != sign)
		return 0;
	for (const char *at = text; (more = strspn(at + 1, label_bytes)) > 0; at = text + len) {
		len = (size_t)(at - text) + 1 + more;
		if (text[len] != '.')
			break;
	}
	return len;
}

/* A version at *at, the longest that is one; false when none begins there. */
static bool take_spelled(const char **at, Spelled *out)
{
	const char *text = *at + (**at == 'v');
	*out = (Spelled){.pre = STR("")};
	for (size_t i = 0; i < 3; i++) {
		size_t dot = i > 0, len = i && *text != '.' ? 0 : part_len(text + dot);
		out->parts[i] = str_sized(text + dot, len);
		if (len == 0)
			break;
		text += dot + len;
	}
	if (out->parts[0].len == 0)
		return false;
	size_t len = take_label(text, '-');
	out->pre = str_sized(text, len);
	text += len;
	text += take_label(text, '+');
	out->whole = str_sized(*at, (size_t)(text - *at));
	*at = text;
	return true;
}

static bool is_wild(Str part)
{
	return part.len == 0 || (part.len == 1 && strchr("xX*", part.ptr[0]));
}

/* What is wild or missing, and all behind it, is zero; build metadata goes with it. */
static bool read_spelled(const Spelled *spelled, Comparator *out)
{
	const Str *parts = spelled->parts;
	size_t known = 0;
	while (known < 3 && !is_wild(parts[known]))
		known++;
	out->dirty = known < 3;
	out->minor_dirty = known == 1;
	out->patch_dirty = known == 2;
	autobuf Buf text = {0};
	for (size_t i = 0; i < 3; i++) {
		Str part = i < known ? parts[i] : STR("0");
		buf_printf(&text, "%s%.*s", i ? "." : "", (int)part.len, part.ptr);
	}
	buf_append(&text, spelled->pre.ptr, spelled->pre.len);
	if (out->dirty)
		return semver_parse(buf_text(&text), &out->version);
	autofree char *whole = str_dup(spelled->whole);
	return semver_parse(whole, &out->version);
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

static bool take_comparator(const char **at, Group *group)
{
	Spelled spelled;
	*at = skip_blanks(*at);
	Comparator *comparator = add(group, take_operator(at));
	*at = skip_blanks(*at);
	if (!take_spelled(at, &spelled) || !read_spelled(&spelled, comparator))
		return false;
	group->has_pre |= comparator->version.pre[0] != '\0';
	return true;
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

/* --- hyphen ranges --- */

/* "1.2 - 2.3" with the blanks around it at text; where it ends, or NULL. */
static const char *match_hyphen(const char *text, Spelled *low, Spelled *high)
{
	const char *at = skip_blanks(text);
	if (!take_spelled(&at, low) || !is_blank(*at))
		return NULL;
	at = skip_blanks(at);
	if (*at != '-' || !is_blank(at[1]))
		return NULL;
	at = skip_blanks(at + 1);
	return take_spelled(&at, high) ? skip_blanks(at) : NULL;
}

/* `from` (so many bytes) in text, the first time it is there. */
static void replace_first(char **text, const char *from, size_t len, const char *to)
{
	autofree char *old = *text;
	const char *place = memmem(old, strlen(old), from, len);
	*text = place ? mem_printf("%.*s%s%s", (int)(place - old), old, to, place + len)
		      : mem_strdup(old);
}

/* As upstream: ranges become comparators in the text, wherever they begin and before anything else
 * is read, so that blanks around "||" matter and an operator before a range is an error. */
static char *rewrite_hyphens(const char *text)
{
	char *out = mem_strdup(text);
	while (*text) {
		Spelled low, high;
		const char *end = match_hyphen(text, &low, &high);
		if (end) {
			autofree char *both =
				mem_printf(">= %.*s, <= %.*s ", (int)low.whole.len, low.whole.ptr,
					   (int)high.whole.len, high.whole.ptr);
			replace_first(&out, text, (size_t)(end - text), both);
		}
		text = end ? end : text + 1;
	}
	return out;
}

SemverRange *semver_range_new(const char *text, Error *err)
{
	if (strlen(text) > RANGE_MAX)
		return err_null(err, ERR_INVALID, "constraint string is too long (max %d bytes)",
				RANGE_MAX);
	autosemverrange SemverRange *range = mem_zalloc(1, sizeof(*range));
	autofree char *rewritten = rewrite_hyphens(text);
	Str rest = str_of(rewritten);
	for (bool more = true; more;) {
		if (range->groups.len == GROUPS_MAX)
			return err_null(err, ERR_INVALID, "too many constraint groups (max %d)",
					GROUPS_MAX);
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

/* --- matching --- */

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
