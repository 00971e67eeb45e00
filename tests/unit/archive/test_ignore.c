#include "../cmocka_all.h"
#include "../descriptors.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/ignore.h"
#include "archive/walk_internal.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "tree.h"

static IgnoreRules *rules_of(const char *text)
{
	IgnoreRules *rules = ignore_new();
	ignore_add_spec(rules, text);
	ignore_finish(rules);
	return rules;
}

static void S5_defaults_apply_without_rules(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		bool is_dir, left_out;
	} rows[] = {
		{".git", true, true},
		{".git/config", false, true},
		{".gitignore", false, true},
		{"a/.gitmodules", false, true},
		{".gitattributes", false, true},
		{".git", false, false},
		{"logo.jpg", false, true},
		{"a/b/logo.png", false, true},
		{"x.tar.gz", false, true},
		{"x.zip", false, true},
		{"x.gz", false, false},
		{".github/w.yml", false, true},
		{"a/.circleci/c", false, true},
		{".travis.yml", false, true},
		{"deep/.sops.yaml", false, true},
		{".flux.yaml", false, true},
		{"a/.goreleaser.yml", false, true},
		{"app.yaml", false, false},
		{"cloudbuild.yaml", false, true},
		{".sourceignore", false, false},
	};
	static const char *const specs[] = {NULL, "", "\n  \n# only a comment\n"};
	for (size_t s = 0; s < COUNT(specs); s++) {
		autoignore IgnoreRules *rules = rules_of(specs[s]);
		for (size_t i = 0; i < COUNT(rows); i++) {
			if (ignore_matches(rules, rows[i].path, rows[i].is_dir) != rows[i].left_out)
				fail_msg("%s", rows[i].path);
		}
	}
}

static void S6_any_pattern_disables_defaults_but_not_vcs(void **state)
{
	(void)state;
	autoignore IgnoreRules *rules = rules_of("nothing-here");
	assert_false(ignore_matches(rules, "logo.jpg", false));
	assert_false(ignore_matches(rules, ".github/w.yml", false));
	assert_false(ignore_matches(rules, ".sops.yaml", false));
	assert_true(ignore_matches(rules, ".git/config", false));
	assert_true(ignore_matches(rules, "a/.gitignore", false));
	autoignore IgnoreRules *file = ignore_new();
	ignore_add_file(file, "deep/down", STR("x\n"));
	ignore_finish(file);
	assert_false(ignore_matches(file, "logo.jpg", false));
}

static void S7_nested_file_acts_in_its_directory(void **state)
{
	(void)state;
	autoignore IgnoreRules *rules = ignore_new();
	ignore_add_file(rules, "", STR("*.md\n"));
	ignore_add_file(rules, "apps/one", STR("*.txt\r\n/top.yaml\n!keep.md\n"));
	ignore_finish(rules);
	assert_true(ignore_matches(rules, "apps/one/a.txt", false));
	assert_true(ignore_matches(rules, "apps/one/deep/a.txt", false));
	assert_false(ignore_matches(rules, "apps/two/a.txt", false));
	assert_false(ignore_matches(rules, "apps/one.txt", false));
	assert_false(ignore_matches(rules, "apps/onetwo/a.txt", false));
	assert_true(ignore_matches(rules, "apps/one/top.yaml", false));
	assert_false(ignore_matches(rules, "apps/one/deep/top.yaml", false));
	assert_false(ignore_matches(rules, "top.yaml", false));
	assert_true(ignore_matches(rules, "keep.md", false));
	assert_false(ignore_matches(rules, "apps/one/keep.md", false));
}

static void S8_spec_overrides_and_reincludes_below_excluded(void **state)
{
	(void)state;
	autoignore IgnoreRules *rules = ignore_new();
	ignore_add_file(rules, "", STR("/*\n!a.md\n"));
	ignore_add_spec(rules, "!/deploy\n/deploy/secret\n!/deploy/secret/public.yaml\na.md\n"
			       "!.gitignore\n");
	ignore_finish(rules);
	assert_true(ignore_matches(rules, "README", false));
	assert_true(ignore_matches(rules, "src/deploy/x", false));
	assert_false(ignore_matches(rules, "deploy", true));
	assert_false(ignore_matches(rules, "deploy/x.yaml", false));
	assert_true(ignore_matches(rules, "deploy/secret", true));
	assert_true(ignore_matches(rules, "deploy/secret/x", false));
	assert_false(ignore_matches(rules, "deploy/secret/public.yaml", false));
	assert_true(ignore_matches(rules, "a.md", false));
	assert_false(ignore_matches(rules, ".gitignore", false));
}

static void patterns_by_table(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path;
		bool is_dir, left_out;
	} rows[] = {
		{"foo", "a/foo/b", false, true},
		{"foo/", "foo", false, false},
		{"foo/", "foo", true, true},
		{"foo/", "x/foo/y", false, true},
		{"/foo", "a/foo", false, false},
		{"a/b", "x/a/b", false, false},
		{"a/b", "a/b/c", false, true},
		{"**/b", "x/y/b", false, true},
		{"**/b", "b", false, true},
		{"a/**/b", "a/b", false, true},
		{"a/**/b", "a/x/y/b", false, true},
		{"a/**/b", "x/a/b", false, false},
		{"a/**", "a/x/y", false, true},
		{"a/**", "a", false, false},
		{"a/**/c/**/e", "a/b/c/c/d/e", false, true},
		{"**", "any/thing", false, true},
		{"a/*/c", "a/b/c", false, true},
		{"a/*/c", "a/b/b/c", false, false},
		{"*.[ch]", "x.c", false, true},
		{"*.[!ch]", "x.c", false, false},
		{"*.[^ch]", "x.o", false, true},
		{"[a-c]x", "bx", false, true},
		{"[]x]", "]", false, true},
		{"[]-a]", "^", false, true},
		{"[a-]", "-", false, true},
		{"[\\]]", "]", false, true},
		{"[[:digit:]]x", "7x", false, true},
		{"[[:digit:]]x", "ax", false, false},
		{"[[:nope:]]", ":", false, false},
		{"[abc", "a", false, false},
		{"x\\", "x", false, false},
		{"\\!x", "!x", false, true},
		{"\\#x", "#x", false, true},
		{"x  ", "x", false, true},
		{"x\\ ", "x ", false, true},
		{"\\*", "*", false, true},
		{"\\*", "x", false, false},
		{"?", "ab", false, false},
		{"a*b*c", "aXbYbc", false, true},
		{"a**c", "abbc", false, true},
		{"/", "x", true, false},
		{"!", "x", true, false},
		{"//x", "x", false, true},
		{"*", ".hidden", false, true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoignore IgnoreRules *rules = rules_of(rows[i].pattern);
		if (ignore_matches(rules, rows[i].path, rows[i].is_dir) != rows[i].left_out)
			fail_msg("%s on %s", rows[i].pattern, rows[i].path);
	}
}

static void hostile_patterns_end_soon(void **state)
{
	(void)state;
	autobuf Buf stars = {0}, path = {0}, parts = {0};
	for (int i = 0; i < 1000; i++)
		buf_puts(&stars, "*a");
	buf_puts(&stars, "b");
	for (int i = 0; i < 250; i++)
		buf_puts(&path, "a");
	for (int i = 0; i < 600; i++) {
		buf_puts(&path, "/a");
		buf_puts(&parts, "**/a/");
	}
	buf_puts(&parts, "b");
	autoignore IgnoreRules *rules = ignore_new();
	ignore_add_spec(rules, buf_text(&stars));
	ignore_add_spec(rules, buf_text(&parts));
	autobuf Buf long_line = {0};
	for (int i = 0; i < 5000; i++)
		buf_puts(&long_line, "x");
	autoerror Error err = {0};
	assert_true(ignore_check(rules, &err));
	ignore_add_spec(rules, buf_text(&long_line));
	ignore_finish(rules);
	assert_false(ignore_check(rules, &err));
	assert_string_equal(err.message, "spec.ignore:1: a pattern of more than 4096 bytes");
	assert_false(ignore_matches(rules, buf_text(&path), false));
	assert_false(ignore_matches(rules, buf_text(&long_line), false));
	assert_false(ignore_matches(rules, "", false));
}

static void so_many_patterns_are_kept_and_no_more(void **state)
{
	enum { PATTERNS_MAX = 20000, ALWAYS = 4 };
	(void)state;
	autobuf Buf lines = {0};
	for (int i = 0; i < PATTERNS_MAX - ALWAYS - 1; i++)
		buf_puts(&lines, "/x\n");
	buf_puts(&lines, "/last\n/behind\n");
	autoignore IgnoreRules *rules = ignore_new();
	ignore_add_spec(rules, buf_text(&lines));
	ignore_finish(rules);
	assert_true(ignore_matches(rules, "last", false));
	assert_false(ignore_matches(rules, "behind", false));
	autoerror Error err = {0};
	assert_false(ignore_check(rules, &err));
	assert_string_equal(err.message, "spec.ignore:19997: more than 20000 patterns");
	error_dispose(&err);
	autoignore IgnoreRules *deep = ignore_new_empty();
	ignore_add_file(deep, "a/b", buf_str(&lines));
	assert_true(ignore_check(deep, &err));
	ignore_add_file(deep, "a/c", STR("# a comment\n\n1\n2\n3\n4\n"));
	assert_false(ignore_check(deep, &err));
	assert_string_equal(err.message, "a/c/.sourceignore:6: more than 20000 patterns");
	assert_true(ignore_matches(rules, ".git", true));
}

static void files_are_read_in_order_of_the_walk(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = tree_new();
	tree_put(dir, ".sourceignore", "*.yaml\n", 0600);
	tree_put(dir, "a/.sourceignore", "!*.yaml\n", 0600);
	tree_put(dir, "a/b/.sourceignore", "one.yaml", 0600);
	tree_put(dir, ".git/.sourceignore", "*\n", 0600);
	tree_make_dir(dir, "c/.sourceignore");
	autofree char *fifo = path_join(dir, "d.fifo");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	autofd int fd = tree_fd(dir);
	autoignore IgnoreRules *rules = ignore_of_dir(fd, "two.yaml", &err);
	assert_non_null(rules);
	assert_true(ignore_matches(rules, "x.yaml", false));
	assert_false(ignore_matches(rules, "a/x.yaml", false));
	assert_true(ignore_matches(rules, "a/b/one.yaml", false));
	assert_false(ignore_matches(rules, "a/b/three.yaml", false));
	assert_true(ignore_matches(rules, "a/two.yaml", false));
	assert_false(ignore_matches(rules, "x.txt", false));
}

static void a_directory_that_is_a_link_is_not_walked(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = tree_new();
	tree_put(dir, "real/.sourceignore", "x\n", 0600);
	autofree char *link = path_join(dir, "link");
	assert_int_equal(symlink("real", link), 0);
	autofd int fd = tree_fd(dir);
	autoignore IgnoreRules *rules = ignore_of_dir(fd, NULL, &err);
	assert_non_null(rules);
	assert_true(ignore_matches(rules, "real/x", false));
	assert_false(ignore_matches(rules, "link/x", false));
}

/* What lies in .git came with no commit: it is nobody's rule. */
static void S5_a_file_in_dot_git_does_not_disable_the_defaults(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = tree_new();
	tree_put(dir, ".git/.sourceignore", "x\n", 0600);
	autofd int fd = tree_fd(dir);
	autoignore IgnoreRules *rules = ignore_of_dir(fd, NULL, &err);
	assert_non_null(rules);
	assert_true(ignore_matches(rules, "logo.jpg", false));
}

/* Of a path with more names than are looked at, the last one looked at is a directory. */
static void a_path_that_is_cut_is_below_a_directory(void **state)
{
	enum { PARTS_MAX = 512 };
	(void)state;
	autobuf Buf path = {0};
	for (int i = 0; i < PARTS_MAX; i++)
		buf_puts(&path, "/a");
	autofree char *pattern = mem_printf("%s/\n", buf_text(&path));
	autoignore IgnoreRules *rules = ignore_new();
	ignore_add_spec(rules, pattern);
	assert_false(ignore_matches(rules, buf_text(&path) + 1, false));
	buf_puts(&path, "/f");
	assert_true(ignore_matches(rules, buf_text(&path) + 1, false));
}

static void the_walk_has_its_bounds(void **state)
{
	enum { FILE_MAX = 1 << 20 };
	(void)state;
	for (int more = 0; more <= 1; more++) {
		autoerror Error err = {0};
		autotempdir char *dir = tree_new();
		autobuf Buf text = {0}, path = {0};
		buf_reserve(&text, FILE_MAX + 1);
		while (text.len < (size_t)FILE_MAX + (size_t)more)
			buf_putc(&text, '\n');
		tree_put(dir, ".sourceignore", buf_text(&text), 0600);
		autofd int fd = tree_fd(dir);
		autoignore IgnoreRules *large = ignore_of_dir(fd, NULL, &err);
		assert_int_equal(large != NULL, !more);
		assert_int_equal(err.code == ERR_LIMIT, more);
		tree_put(dir, ".sourceignore", "", 0600);
		for (int i = 0; i < WALK_MAX_DEPTH + more; i++)
			buf_puts(&path, i ? "/d" : "d");
		tree_make_dir(dir, buf_text(&path));
		autoerror Error second = {0};
		autoignore IgnoreRules *deep = ignore_of_dir(fd, NULL, &second);
		assert_int_equal(deep != NULL, !more);
		assert_int_equal(second.code == ERR_LIMIT, more);
	}
}

static void links_out_of_the_tree_are_refused(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = tree_new();
	autofree char *link = path_join(dir, ".sourceignore");
	assert_int_equal(symlink("/etc/passwd", link), 0);
	autofd int fd = tree_fd(dir);
	autoignore IgnoreRules *rules = ignore_of_dir(fd, NULL, &err);
	assert_null(rules);
	assert_int_equal(err.code, ERR_FORBIDDEN);
}

/* --- Git as the oracle, where it means the same: one pattern, on a file. --- */

static const char *const names[] = {"a", "b", "foo", "ab.c", "x.yaml", "a b", ".hid", "fooo"};

static const char *const pieces[] = {"a",     "b",    "foo", "*",     "?",	"*.c",
				     "f*o",   "[ab]", "**",  "[!a]",  "*.yaml", "a b",
				     "fo\\o", ".hid", "?*",  "[a-f]*"};

/* A fixed generator: the same cases each run. */
static unsigned next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33);
}

static char *make_path(uint64_t *seed)
{
	Buf out = {0};
	unsigned depth = 1 + next_random(seed) % 4;
	for (unsigned i = 0; i < depth; i++)
		buf_printf(&out, "%s%s", i ? "/" : "", names[next_random(seed) % COUNT(names)]);
	return buf_steal(&out);
}

static char *make_pattern(uint64_t *seed)
{
	Buf out = {0};
	unsigned depth = 1 + next_random(seed) % 3;
	if (next_random(seed) % 4 == 0)
		buf_putc(&out, '/');
	for (unsigned i = 0; i < depth; i++)
		buf_printf(&out, "%s%s", i ? "/" : "", pieces[next_random(seed) % COUNT(pieces)]);
	/* Below "x/" Git does not look into "**": a directory only. */
	if (next_random(seed) % 5 == 0 && !cstr_ends(out.ptr, "**"))
		buf_putc(&out, '/');
	return buf_steal(&out);
}

static bool git_says(const char *repo, const char *const *paths, size_t count, bool *out)
{
	autobuf Buf input = {0}, output = {0};
	for (size_t i = 0; i < count; i++)
		buf_printf(&input, "%s\n", paths[i]);
	const char *const argv[] = {"git", "check-ignore", "--no-index", "--stdin",
				    "-v",  "-n",	   NULL};
	int status = tree_run(repo, argv, buf_text(&input), &output);
	if (status != 0 && status != 1)
		return false;
	Str rest = buf_str(&output), line;
	for (size_t i = 0; i < count; i++) {
		if (!str_next(&rest, '\n', &line))
			return false;
		out[i] = !str_starts(line, STR("::"));
	}
	return true;
}

static bool has_git(void)
{
	autobuf Buf version = {0};
	const char *const argv[] = {"git", "--version", NULL};
	return tree_run(NULL, argv, "", &version) == 0;
}

enum { ORACLE_PATTERNS = 150, ORACLE_PATHS = 40 };

static void git_agrees_on_generated_patterns(void **state)
{
	(void)state;
	if (!has_git()) {
		print_message("SKIPPED: git is not here to compare with\n");
		skip();
	}
	autotempdir char *repo = tree_new();
	autobuf Buf ignored = {0};
	const char *const init[] = {"git", "-c", "init.defaultBranch=main", "init", "-q", NULL};
	assert_int_equal(tree_run(repo, init, "", &ignored), 0);
	uint64_t seed = 7;
	size_t hits = 0;
	for (int p = 0; p < ORACLE_PATTERNS; p++) {
		autofree char *pattern = make_pattern(&seed);
		tree_put(repo, ".git/info/exclude", pattern, 0600);
		autostrings Vec paths = {0};
		for (int i = 0; i < ORACLE_PATHS; i++)
			vec_push(&paths, make_path(&seed));
		bool want[ORACLE_PATHS];
		assert_true(git_says(repo, (const char *const *)paths.items, paths.len, want));
		autoignore IgnoreRules *rules = rules_of(pattern);
		for (size_t i = 0; i < paths.len; i++) {
			const char *path = paths.items[i];
			if (ignore_matches(rules, path, false) != want[i])
				fail_msg("%s on %s: git says %d", pattern, path, want[i]);
			hits += want[i];
		}
	}
	assert_true(hits > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S5_defaults_apply_without_rules),
		cmocka_unit_test(S6_any_pattern_disables_defaults_but_not_vcs),
		cmocka_unit_test(S7_nested_file_acts_in_its_directory),
		cmocka_unit_test(S8_spec_overrides_and_reincludes_below_excluded),
		cmocka_unit_test(patterns_by_table),
		cmocka_unit_test(hostile_patterns_end_soon),
		cmocka_unit_test(so_many_patterns_are_kept_and_no_more),
		cmocka_unit_test(files_are_read_in_order_of_the_walk),
		cmocka_unit_test(a_directory_that_is_a_link_is_not_walked),
		cmocka_unit_test(S5_a_file_in_dot_git_does_not_disable_the_defaults),
		cmocka_unit_test(a_path_that_is_cut_is_below_a_directory),
		cmocka_unit_test(the_walk_has_its_bounds),
		cmocka_unit_test(links_out_of_the_tree_are_refused),
		cmocka_unit_test(git_agrees_on_generated_patterns),
		cmocka_unit_test(no_descriptor_is_left),
	};
	return cmocka_run_group_tests(tests, descriptors_count, NULL);
}
