/* Heads of manifests: the scanner takes what charts usually write, says what the parser says, and
 * leaves everything else to it. */
#include "../cmocka_all.h"

#include <string.h>

#include "helm/head.h"

static void assert_same(Str text, bool sure)
{
	autoarena Arena *arena = arena_new();
	autoerror Error err = {0};
	HelmHead scanned, parsed;
	if (helm_head_scan(text, &scanned) != sure)
		fail_msg("%s: %.*s", sure ? "left to the parser" : "taken", (int)text.len,
			 text.ptr);
	if (!sure)
		return;
	if (!helm_head_parse(arena, text, &parsed, &err))
		fail_msg("%s", err_text(&err));
	for (size_t i = 0; i < HEAD_COUNT; i++) {
		assert_int_equal(scanned.fields[i].found, parsed.fields[i].found);
		assert_true(str_eq(scanned.fields[i].text, parsed.fields[i].text));
	}
}

static const char usual[] = "# Source\n"
			    "apiVersion: apps/v1\n"
			    "kind: Deployment # what it is\n"
			    "metadata:\n"
			    "  name: \"a-b\"\n"
			    "  labels: {app: x, \"n\": \"1\", list: [a, [b], {}]}\n"
			    "  annotations:\n"
			    "    \"helm.sh/hook\": pre-install,test\n"
			    "    'helm.sh/hook-weight': \"-5\"\n"
			    "    helm.sh/hook-delete-policy: hook-failed\n"
			    "    text: |\n"
			    "\n"
			    "      a: b: c\n"
			    "       {{\n"
			    "    none:\n"
			    "spec:\n"
			    "  containers:\n"
			    "  - name: x\n"
			    "    image: \"r/i:1\"\n"
			    "    args:\n"
			    "      - -c\n"
			    "      - >-\n"
			    "        folded\n"
			    "\n"
			    "        text\n"
			    "      - - nested\n"
			    "        - list\n"
			    "  -\n"
			    "    name: é日本\n"
			    "  url: http://a.b/c#d\n"
			    "  number: -1.5\n"
			    "  empty: {}\n";

static void the_usual_is_taken(void **state)
{
	static const char *const texts[] = {
		usual,
		"kind: A",
		"kind: A\nmetadata:\n- \n",
		"a: 1\n",
		"metadata:\n",
		"metadata:\n  annotations:\n    a: 1\n    b: true\n    c: 'x'\n",
		"a:\n- b\nc: d\n",
		"a: |\n  x\n",
		"a: |-\n\n  x\n\n\n",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_same(str_of(texts[i]), i != 2);
}

static void the_unusual_is_left_to_the_parser(void **state)
{
	static const char *const texts[] = {
		"",
		"# only a comment\n",
		"- a\n",
		"text\n",
		"a: b: c\n",
		"a: b\n  c\n",
		"a: \"b\n  c\"\n",
		"a: \"\\x41\"\n",
		"a: 'it''s'\n",
		"a: *b\n",
		"a: &b c\n",
		"a: !!str b\n",
		"a: {b: 1,\n  c: 2}\n",
		"a: {b}\n",
		"a: [b, ]\n",
		"a: [b,, c]\n",
		"a: .inf\n",
		"a: -.nan\n",
		"null: a\n",
		"~: a\n",
		"<<: a\n",
		"? a\n: b\n",
		"a: - b\n",
		"a:\tb\n",
		"a: b\r\n",
		"a: \x01\n",
		"a: \xff\n",
		"a: \xe2\x80\xa8\n",
		"\xef\xbb\xbf"
		"a: b\n",
		"a: |2\n  x\n",
		"a: |\n   \n  x\n",
		"a: |\n    x\n  y\n",
		"a:\n  b: c\n d: e\n",
		"a:\n   b: c\n  d: e\n",
		"a: b\n- c\n",
		"a: b\n...\n",
		"a: b\n--- c\n",
		"%YAML 1.1\n",
		"a: 'b' c\n",
		"a: [b] c\n",
		"a: @b\n",
		"a: `b`\n",
		"Kind: A\n",
		"kind: yes\n",
		"kind: 1\n",
		"kind:\n",
		"kind: A\nkind: B\n",
		"metadata: {name: x}\n",
		"metadata: x\n",
		"metadata:\n- x\n",
		"metadata:\n  name: 010\n",
		"metadata:\n  annotations:\n    a: {b: c}\n",
		"metadata:\n  annotations:\n    a:\n      b: c\n",
		"metadata:\n  annotations:\n    a:\n    - b\n",
		"metadata:\n  annotations:\n    helm.sh/hook-weight: 5\n",
		"metadata:\n  name: x\nmetadata:\n  name: y\n",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_same(str_of(texts[i]), false);
}

/* Each prefix, and each with a byte changed: whatever is taken is as the parser says. */
static void what_is_taken_is_yaml(void **state)
{
	static const char bytes[] = " \n:-#\"'{}[],|>a1.&*?~\t";
	(void)state;
	for (size_t len = 0; len < sizeof(usual); len++) {
		for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
			char text[sizeof(usual)];
			HelmHead head;
			memcpy(text, usual, sizeof(usual));
			text[len] = bytes[i];
			Str prefix = {text, len + 1 < sizeof(usual) ? len + 1 : len};
			Str whole = {text, sizeof(usual) - 1};
			if (helm_head_scan(prefix, &head))
				assert_same(prefix, true);
			if (helm_head_scan(whole, &head))
				assert_same(whole, true);
		}
	}
}

static void the_parser_reads_what_is_unusual(void **state)
{
	autoarena Arena *arena = arena_new();
	autoerror Error err = {0};
	HelmHead head;
	(void)state;
	assert_true(helm_head_read(
		arena,
		STR("Kind: 010\nmetadata: {Name: 1.50, annotations: {helm.sh/hook: null}}\n"),
		&head, &err));
	assert_true(str_eq(head.fields[HEAD_KIND].text, STR("8")));
	assert_true(str_eq(head.fields[HEAD_NAME].text, STR("1.5")));
	assert_true(head.fields[HEAD_HOOK].found);
	assert_int_equal(head.fields[HEAD_HOOK].text.len, 0);
	assert_false(helm_head_read(arena, STR("kind: [a]\n"), &head, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_usual_is_taken),
		cmocka_unit_test(the_unusual_is_left_to_the_parser),
		cmocka_unit_test(what_is_taken_is_yaml),
		cmocka_unit_test(the_parser_reads_what_is_unusual),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
