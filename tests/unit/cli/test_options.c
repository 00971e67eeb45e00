#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "kind.h"

enum { MAX_WORDS = 12 };

/* Parses "sluice LINE", split at blanks; the words must outlive the command. */
static bool parse(const char *line, char *copy, Command *command, Error *err)
{
	static char name[] = "sluice";
	char *argv[MAX_WORDS] = {name};
	int argc = 1;
	strcpy(copy, line); /* NOLINT: the caller's buffer is as long as the longest line */
	for (char *word = copy; word && *word && argc < MAX_WORDS;) {
		char *end = strchr(word, ' ');
		if (end)
			*end++ = '\0';
		argv[argc++] = word;
		word = end;
	}
	return options_parse(argc, argv, command, err);
}

static void flags_stand_anywhere_in_any_form(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"-n x get ks name -A --timeout=90s",
		"get ks -An x name --timeout 1m30s",
		"--namespace=x get -A ks name --timeout 90s",
		"get -A=true -nx --timeout 90s -- ks name",
		"get -n=x --all-namespaces ks name --timeout 90s",
	};
	for (size_t i = 0; i < COUNT(lines); i++) {
		char copy[128];
		Command command = {0};
		autoerror Error err = {0};
		assert_true(parse(lines[i], copy, &command, &err));
		assert_ptr_equal(command.verb, &verb_get);
		assert_string_equal(command.options.ns, "x");
		assert_true(command.options.all_namespaces);
		assert_int_equal(command.options.timeout_ms, 90000);
		assert_int_equal(command.words.len, 2);
		assert_string_equal(command_word(&command, 1), "name");
		assert_null(command_word(&command, 2));
		assert_true(command_gave(&command, "namespace"));
		assert_false(command_gave(&command, "no-header"));
		command_dispose(&command);
	}
}

static void bad_lines_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *line, *message;
	} rows[] = {
		{"frobnicate", "unknown command \"frobnicate\""},
		{"get --nope", "unknown flag: --nope"},
		{"get -z", "unknown shorthand flag: 'z' in -z"},
		{"get -Az", "unknown shorthand flag: 'z' in -Az"},
		{"--all-namespaces get", "unknown flag: --all-namespaces"},
		{"get ks --namespace", "flag needs an argument: --namespace"},
		{"get ks -n", "flag needs an argument: --namespace"},
		{"get ks --timeout=soon", "invalid value \"soon\" for --timeout"},
		{"get ks -A=maybe", "invalid value \"maybe\" for --all-namespaces"},
		{"up --port=many", "invalid value \"many\" for --port"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		char copy[128];
		Command command = {0};
		autoerror Error err = {0};
		assert_false(parse(rows[i].line, copy, &command, &err));
		assert_non_null(strstr(err_text(&err), rows[i].message));
		command_dispose(&command);
	}
}

static void defaults_and_repetition(void **state)
{
	(void)state;
	char copy[128];
	Command command = {0};
	autoerror Error err = {0};
	assert_true(parse("events -n a -n b --types Normal --types=Warning", copy, &command, &err));
	assert_string_equal(command.options.ns, "b");
	assert_int_equal(command.options.types.len, 2);
	assert_int_equal(command.options.timeout_ms, 300000);
	command_dispose(&command);
	command = (Command){0};
	assert_true(parse("", copy, &command, &err));
	assert_null(command.verb);
	command_dispose(&command);
}

static void C3_namespaces_are_labels(void **state)
{
	(void)state;
	assert_true(namespace_is_valid("flux-system"));
	assert_true(namespace_is_valid("0"));
	static const char *const bad[] = {
		"",    "-a",
		"a-",  "A",
		"a_b", "a.b",
		"a b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(namespace_is_valid(bad[i]));
}

static void kinds_by_their_words(void **state)
{
	(void)state;
	static const struct {
		const char *line, *kind;
		unsigned traits;
	} rows[] = {
		{"get source git x", "GitRepository", KIND_GET},
		{"get sources oci", "OCIRepository", KIND_GET},
		{"get ks", "Kustomization", KIND_GET},
		{"get kustomization", "Kustomization", KIND_GET},
		{"get hr", "HelmRelease", KIND_GET},
		{"get image policy", "ImagePolicy", KIND_GET},
		{"get git", NULL, KIND_GET},
		{"get source", NULL, KIND_GET},
		{"get", NULL, KIND_GET},
		{"reconcile alert x", NULL, KIND_RECONCILE},
		{"suspend alert x", "Alert", KIND_SUSPEND},
		{"suspend source external x", NULL, KIND_SUSPEND},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		char copy[128];
		size_t at = 0;
		Command command = {0};
		autoerror Error err = {0};
		assert_true(parse(rows[i].line, copy, &command, &err));
		const KindRow *row = kind_of_words(&command, rows[i].traits, &at, &err);
		assert_true(cstr_eq(row ? row->kind : NULL, rows[i].kind));
		command_dispose(&command);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_stand_anywhere_in_any_form),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(defaults_and_repetition),
		cmocka_unit_test(C3_namespaces_are_labels),
		cmocka_unit_test(kinds_by_their_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
