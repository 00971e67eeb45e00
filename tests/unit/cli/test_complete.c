#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "complete.h"

/* What is offered at the end of the words, descriptions cut off, a candidate a line. */
static char *offered(int argc, const char *const *argv)
{
	autofree char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	complete_print(argc, (char **)(uintptr_t)argv, out);
	fclose(out);
	autobuf Buf shown = {0};
	Str rest = str_sized(text, len), line, word;
	while (str_next(&rest, '\n', &line)) {
		str_cut(line, '\t', &word, &(Str){0});
		buf_add(&shown, word);
		buf_putc(&shown, ' ');
	}
	return buf_steal(&shown);
}

#define EXPECT(wanted, ...)                                                                        \
	do {                                                                                       \
		static const char *const words[] = {__VA_ARGS__};                                  \
		autofree char *shown = offered(COUNT(words), words);                               \
		assert_string_equal(shown, wanted);                                                \
	} while (0)

static void C84_words_come_from_the_tables(void **state)
{
	(void)state;
	EXPECT("reconcile resume ", "re");
	EXPECT("git ", "get", "source", "g");
	EXPECT("source sources ", "get", "so");
	EXPECT("all ", "get", "sources", "al");
	EXPECT("", "get", "al", "");
	EXPECT("", "get", "all", "");
	EXPECT("", "get", "nonsense", "");
	EXPECT("bash zsh fish ", "completion", "");
	EXPECT("", "completion", "bash", "");
	EXPECT("", "version", "x");
}

static void C84_flags_and_their_values(void **state)
{
	(void)state;
	EXPECT("--with-source ", "reconcile", "--wi");
	EXPECT("", "get", "--with-so");
	EXPECT("yaml json ", "version", "--output", "");
	EXPECT("json ", "version", "-o", "j");
	EXPECT("--output=json ", "version", "--output=j");
	EXPECT("json ", "version", "--output", "=", "j");
	EXPECT("yaml json ", "version", "--output", "=");
	EXPECT(":file ", "up", "--data-dir", "/t");
	EXPECT("", "get", "--timeout", "");
	/* A switch takes no value: the next word is a word. */
	EXPECT("git ", "get", "-A", "source", "gi");
}

static void C84_broken_lines_offer_what_they_can(void **state)
{
	(void)state;
	EXPECT("git ", "get", "source", "gi");
	EXPECT("get ", "--nope", "ge");
	EXPECT("", "frobnicate", "x");
	EXPECT("", "=", "ge");
	EXPECT("", "=");
}

int main(void)
{
	setenv("KUBECONFIG", "/nonexistent", 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(C84_words_come_from_the_tables),
		cmocka_unit_test(C84_flags_and_their_values),
		cmocka_unit_test(C84_broken_lines_offer_what_they_can),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
