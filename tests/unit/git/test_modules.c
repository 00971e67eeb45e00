/* .gitmodules: what git reads, and what git was once fooled by. */
#include "../cmocka_all.h"

#include "base/mem.h"
#include "base/str.h"
#include "git/modules.h"

static void S37_sections_are_read_as_git_reads_them(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf# comment\n"
		"[core]\n\tpath = ignored\n"
		"[submodule \"a\"]\n\tpath = a\n\turl = ../a.git ; why\n\tshallow\n"
		"[SubModule \"with \\\" quote\"]\n"
		"[submodule \"b c\"]\r\n  PATH=\"b c\"\r\n  url = \"https://h.test/\\\nb.git\"  "
		"\r\n"
		"[submodule \"half\"]\n\tpath = half\n";
	(void)state;
	autoerror Error err = {0};
	autogitmodules GitModules modules = {0};
	if (!git_modules_parse(str_sized(text, sizeof(text) - 1), &modules, &err))
		fail_msg("%s", err_text(&err));
	assert_int_equal(modules.len, 2);
	assert_string_equal(git_modules_find(&modules, "a")->url, "../a.git");
	assert_string_equal(git_modules_find(&modules, "b c")->url, "https://h.test/b.git");
	assert_null(git_modules_find(&modules, "half"));
}

static void hostile_paths_and_urls_are_refused(void **state)
{
	static const char *const rows[] = {
		"path = ../out\nurl = ./x",
		"path = a/../../out\nurl = ./x",
		"path = /etc\nurl = ./x",
		"path = .git/hooks\nurl = ./x",
		"path = a/.GIT\nurl = ./x",
		"path = -x\nurl = ./x",
		"path = a//b\nurl = ./x",
		"path = a\nurl = -uupload-pack",
		"path = a\nurl = --upload-pack=touch${IFS}x",
		"path = a\nurl = \"https://h.test/a\\nb\"",
		"path = \"a\nurl = ./x",
		"path = a\\q\nurl = ./x",
		"= a",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autogitmodules GitModules modules = {0};
		autofree char *text = mem_printf("[submodule \"x\"]\n%s\n", rows[i]);
		if (git_modules_parse(str_of(text), &modules, &err))
			fail_msg("accepted: %s", rows[i]);
	}
}

static void two_at_one_path_are_refused(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autogitmodules GitModules modules = {0};
	assert_false(git_modules_parse(STR("[submodule \"x\"]\npath=a\nurl=./x\n"
					   "[submodule \"y\"]\npath=a\nurl=./y\n"),
				       &modules, &err));
}

static void S37_urls_are_resolved_against_the_parents(void **state)
{
	static const char *const rows[][3] = {
		/* parent, url, result (NULL: refused) */
		{"https://h.test/org/app.git", "../lib.git", "https://h.test/org/lib.git"},
		{"https://u:p@h.test/org/app.git", "../lib.git", "https://h.test/org/lib.git"},
		{"https://h.test/org/app.git", "./lib", "https://h.test/org/app.git/lib"},
		{"https://h.test:8443/org/app/", "../../x/lib", "https://h.test:8443/x/lib"},
		{"ssh://git@h.test:2222/org/app", "../lib", "ssh://git@h.test:2222/org/lib"},
		{"https://h.test/app", "../../lib", NULL},
		{"https://h.test/app", "git@h.test:org/lib.git", "ssh://git@h.test/org/lib.git"},
		{"https://h.test/app", "http://other.test/lib", "http://other.test/lib"},
		{"https://h.test/app", "ext::sh -c x", NULL},
		{"https://h.test/app", "ext::sh", NULL},
		{"https://h.test/app", "file:///etc", NULL},
		{"https://h.test/app", "/etc/passwd", NULL},
		{"https://h.test/app", "git://h.test/x", NULL},
		{"https://h.test/app", "ssh://-oProxyCommand=x/y", NULL},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autofree char *got = git_module_url(rows[i][0], rows[i][1], &err);
		if (!cstr_eq(got, rows[i][2]))
			fail_msg("%s + %s = %s (%s)", rows[i][0], rows[i][1], got ? got : "NULL",
				 err_text(&err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S37_sections_are_read_as_git_reads_them),
		cmocka_unit_test(hostile_paths_and_urls_are_refused),
		cmocka_unit_test(two_at_one_path_are_refused),
		cmocka_unit_test(S37_urls_are_resolved_against_the_parents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
