/*
 * Patterns are split into components when they are added; a path matches a pattern when the path or
 * one of its parent directories does, and the last pattern that matches decides. Directories are
 * not pruned, so that `!` works below an excluded one (S8; Git itself would not re-include).
 * Bounds: patterns in sum, bytes of a pattern, components of a path.
 */
#include "archive/ignore.h"

#include "archive/ignore_internal.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"

enum { MAX_PATTERNS = 20000, MAX_PATTERN_BYTES = 4096, MAX_PARTS = 512 };

typedef struct {
	char *dir;  /* scope: "" is the root, else without slash at either end */
	char *text; /* what `parts` look into */
	Str *parts;
	size_t part_count;
	bool include;  /* began with `!` */
	bool dir_only; /* ended in `/` */
	bool anchored; /* a slash elsewhere: matches from `dir` on, not at any depth */
} Pattern;

struct IgnoreRules {
	Vec patterns; /* Pattern, owned; lowest first */
	bool has_own; /* somebody's pattern came: no defaults (S6) */
	char *breach; /* the first pattern that was too much, or NULL */
};

static const char *const vcs_patterns[] = {".git/", ".gitignore", ".gitmodules", ".gitattributes"};

static const char *const default_patterns[] = {
	"*.jpg",
	"*.jpeg",
	"*.gif",
	"*.png",
	"*.wmv",
	"*.flv",
	"*.tar.gz",
	"*.zip",
	".github/",
	".circleci/",
	".travis.yml",
	".gitlab-ci.yml",
	"appveyor.yml",
	".drone.yml",
	"cloudbuild.yaml",
	"codeship-services.yml",
	"codeship-steps.yml",
	"**/.goreleaser.yml",
	"**/.sops.yaml",
	"**/.flux.yaml",
};

static void pattern_free(void *item)
{
	Pattern *pattern = item;
	free(pattern->dir);
	free(pattern->text);
	free(pattern->parts);
	free(pattern);
}

/* Trailing blanks do not count unless the last is quoted by a backslash. */
static Str without_trailing_blanks(Str line)
{
	if (str_ends(line, STR("\\ ")))
		return line;
	while (line.len && line.ptr[line.len - 1] == ' ')
		line.len--;
	return line;
}

static void split_parts(Pattern *pattern)
{
	Str rest = str_of(pattern->text), part;
	size_t count = 1;
	for (size_t i = 0; i < rest.len; i++)
		count += rest.ptr[i] == '/';
	pattern->parts = mem_zalloc(count, sizeof(Str));
	while (str_next(&rest, '/', &part)) {
		if (part.len)
			pattern->parts[pattern->part_count++] = part;
	}
}

static void add_pattern(IgnoreRules *rules, const char *dir, Str line)
{
	Pattern *pattern = mem_zalloc(1, sizeof(*pattern));
	if (str_starts(line, STR("!"))) {
		pattern->include = true;
		line = str_slice(line, 1, line.len);
	}
	line = without_trailing_blanks(line);
	if (str_ends(line, STR("/"))) {
		pattern->dir_only = true;
		line.len--;
	}
	pattern->anchored = str_find_char(line, '/') >= 0;
	pattern->dir = mem_strdup(dir);
	pattern->text = str_dup(line);
	split_parts(pattern);
	vec_push(&rules->patterns, pattern);
}

/* A pattern that is left out would let into the archive what it was to keep out of it. */
static void note_breach(IgnoreRules *rules, const char *where, int number, Str line)
{
	if (rules->breach)
		return;
	rules->breach =
		line.len > MAX_PATTERN_BYTES
			? mem_printf("%s:%d: a pattern of more than %d bytes", where, number,
				     MAX_PATTERN_BYTES)
			: mem_printf("%s:%d: more than %d patterns", where, number, MAX_PATTERNS);
}

/* `where` names the text in errors. */
static void add_lines(IgnoreRules *rules, const char *where, const char *dir, Str text)
{
	Str line;
	for (int number = 1; str_next(&text, '\n', &line); number++) {
		if (str_ends(line, STR("\r")))
			line.len--;
		if (str_starts(line, STR("#")) || str_trim(line).len == 0)
			continue;
		rules->has_own = true;
		if (line.len <= MAX_PATTERN_BYTES && rules->patterns.len < MAX_PATTERNS)
			add_pattern(rules, dir, line);
		else
			note_breach(rules, where, number, line);
	}
}

static void add_table(IgnoreRules *rules, const char *const *table, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_pattern(rules, "", str_of(table[i]));
}

IgnoreRules *ignore_new_empty(void)
{
	return mem_zalloc(1, sizeof(IgnoreRules));
}

IgnoreRules *ignore_new(void)
{
	IgnoreRules *rules = ignore_new_empty();
	add_table(rules, vcs_patterns, COUNT(vcs_patterns));
	return rules;
}

void ignore_free(IgnoreRules *rules)
{
	if (!rules)
		return;
	vec_dispose_with(&rules->patterns, pattern_free);
	free(rules->breach);
	free(rules);
}

void ignore_add_file(IgnoreRules *rules, const char *dir, Str text)
{
	autofree char *clean = path_clean(dir);
	bool is_root = cstr_eq(clean, ".");
	autofree char *where =
		mem_printf("%s%s.sourceignore", is_root ? "" : clean, is_root ? "" : "/");
	add_lines(rules, where, is_root ? "" : clean, text);
}

void ignore_add_spec(IgnoreRules *rules, const char *text)
{
	add_lines(rules, "spec.ignore", "", str_of(text));
}

bool ignore_check(const IgnoreRules *rules, Error *err)
{
	return !rules->breach || err_set(err, ERR_LIMIT, "%s", rules->breach);
}

void ignore_finish(IgnoreRules *rules)
{
	if (!rules->has_own)
		add_table(rules, default_patterns, COUNT(default_patterns));
}

static bool is_double_star(Str part)
{
	return str_eq(part, STR("**"));
}

/*
 * All of parts against all of names, `**` standing for any number of names. A `**` at the end needs
 * one name, or that what stands before it is a directory (then all below goes with it).
 */
static bool parts_match(const Pattern *pattern, const Str *names, size_t count, bool is_dir)
{
	size_t at = 0, pos = 0, star = 0, star_pos = 0;
	bool has_star = false;
	while (pos < count || at < pattern->part_count) {
		if (at < pattern->part_count && is_double_star(pattern->parts[at])) {
			if (at + 1 == pattern->part_count)
				return pos < count || is_dir;
			has_star = true;
			star = ++at;
			star_pos = pos;
			continue;
		}
		bool equal = at < pattern->part_count && pos < count &&
			     glob_matches(pattern->parts[at], names[pos]);
		if (equal) {
			at++;
			pos++;
			continue;
		}
		if (!has_star || star_pos >= count)
			return false;
		at = star;
		pos = ++star_pos;
	}
	return true;
}

/* The pattern against the path or any directory above it, below the pattern's scope. */
static bool pattern_matches(const Pattern *pattern, const Str *names, size_t count, bool is_dir)
{
	if (pattern->part_count == 0)
		return false;
	for (size_t len = 1; len <= count; len++) {
		bool dir = len < count || is_dir;
		if (pattern->dir_only && !dir)
			return false;
		bool hit = pattern->anchored ? parts_match(pattern, names, len, dir)
					     : glob_matches(pattern->parts[0], names[len - 1]);
		if (hit)
			return true;
	}
	return false;
}

/* How many of the path's names the scope takes, or -1 when the path is not below it. */
static ptrdiff_t scope_len(const char *dir, const char *path)
{
	size_t len = strlen(dir);
	if (len == 0)
		return 0;
	if (strncmp(path, dir, len) != 0 || path[len] != '/')
		return -1;
	ptrdiff_t names = 1;
	for (size_t i = 0; i < len; i++)
		names += dir[i] == '/';
	return names;
}

bool ignore_matches(const IgnoreRules *rules, const char *path, bool is_dir)
{
	Str names[MAX_PARTS];
	size_t count = 0;
	Str rest = str_of(path), name;
	while (count < MAX_PARTS && str_next(&rest, '/', &name)) {
		if (name.len)
			names[count++] = name;
	}
	if (rest.len)
		is_dir = true; /* cut: what is looked at is a directory above the path */
	for (size_t i = rules->patterns.len; i-- > 0;) {
		const Pattern *pattern = rules->patterns.items[i];
		ptrdiff_t skip = scope_len(pattern->dir, path);
		if (skip < 0 || (size_t)skip >= count)
			continue;
		if (pattern_matches(pattern, names + skip, count - (size_t)skip, is_dir))
			return !pattern->include;
	}
	return false;
}
