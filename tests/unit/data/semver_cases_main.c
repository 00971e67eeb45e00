/*
 * Answers one JSON case a line, {"constraint": text, "versions": [text...]}, as
 * tests/oracles/semver does: "bad" where the constraint is none, for each version "bad", "no" or
 * "yes", and the order of the good ones.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/json.h"
#include "data/semver.h"

enum { LINE_MAX_BYTES = 1 << 20, VERSIONS_MAX = 64 };

typedef struct {
	Semver version;
	size_t index;
} Good;

/* Equal ones stay in the order in which they came. */
static int by_precedence(const void *a, const void *b)
{
	const Good *left = a, *right = b;
	int order = semver_compare(&left->version, &right->version);
	return order ? order : (left->index > right->index) - (left->index < right->index);
}

static void answer(const json_t *input, json_t *out)
{
	Good good[VERSIONS_MAX];
	size_t count = 0, i;
	const json_t *text;
	autoerror Error err = {0};
	autosemverrange SemverRange *range =
		semver_range_new(json_text_or(input, "constraint", ""), &err);
	json_t *verdicts = json_array(), *order = json_array();
	json_array_foreach(json_borrow(json_list(input, "versions")), i, text)
	{
		const char *verdict = "bad";
		Semver version = {0};
		if (count < VERSIONS_MAX && semver_parse(json_string_value(text), &version)) {
			verdict = range && semver_range_matches(range, &version) ? "yes" : "no";
			good[count++] = (Good){version, i};
		}
		json_array_append_new(verdicts, json_string(verdict));
	}
	qsort(good, count, sizeof(*good), by_precedence);
	for (i = 0; i < count; i++) {
		json_array_append_new(order, json_integer((json_int_t)good[i].index));
		semver_dispose(&good[i].version);
	}
	json_object_set_new(out, "bad", json_boolean(!range));
	json_object_set_new(out, "versions", verdicts);
	json_object_set_new(out, "order", order);
}

int main(void)
{
	autofree char *line = NULL;
	size_t size = 0;
	ssize_t len;
	while ((len = getline(&line, &size, stdin)) > 0) {
		autoerror Error err = {0};
		autojson json_t *input = json_parse(line, (size_t)len, LINE_MAX_BYTES, &err);
		if (!input) {
			fprintf(stderr, "%s\n", err_text(&err));
			return 1;
		}
		autojson json_t *out = json_object();
		answer(input, out);
		autofree char *text = json_dump(out);
		puts(text);
		fflush(stdout);
	}
	return 0;
}
