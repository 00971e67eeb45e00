#include "../cmocka_all.h"

#include <string.h>

#include "ctrl/condition.h"
#include "summary.h"

static json_t *parse(const char *text)
{
	autoerror Error err = {0};
	json_t *value = json_parse(text, strlen(text), 1 << 16, &err);
	assert_non_null(value);
	return value;
}

static void add(json_t *object, const char *type, const char *status, int64_t generation)
{
	condition_setf(object, type, status, "Because", "%s", type);
	json_object_set_new(object_condition(object, type), "observedGeneration",
			    json_integer(generation));
}

/* What Ready says: "STATUS MESSAGE". */
static void check(const char *spec, const char *conditions[][2], int64_t newest, const char *want)
{
	autojson json_t *object = parse("{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\"}}");
	json_object_set_new(object, "spec", parse(spec));
	for (size_t i = 0; conditions[i][0]; i++)
		add(object, conditions[i][0], conditions[i][1], i == 0 ? newest : 1);
	ReleaseSpec view;
	release_spec_parse(object, &view);
	release_summarize(object, &view, DIGEST_SHA256);
	char got[100];
	snprintf(got, sizeof(got), "%s %s", object_condition_status(object, "Ready"),
		 condition_message(object, "Ready"));
	assert_string_equal(got, want);
	release_spec_dispose(&view);
}

static void the_most_telling_condition_counts(void **state)
{
	(void)state;
	const char *all[][2] = {{"Released", "True"},
				{"Remediated", "True"},
				{"TestSuccess", "True"},
				{NULL, NULL}};
	const char *tested[][2] = {{"Released", "True"}, {"TestSuccess", "False"}, {NULL, NULL}};
	const char *released[][2] = {{"Released", "False"}, {NULL, NULL}};
	check("{}", all, 1, "False Remediated");
	check("{}", all, 2, "True Released");
	check("{\"test\":{\"enable\":true}}", tested, 1, "False TestSuccess");
	check("{\"test\":{\"enable\":true,\"ignoreFailures\":true}}", tested, 1, "True Released");
	check("{}", tested, 1, "True Released");
	check("{}", released, 1, "False Released");
}

/* As Go's encoding/json gives them, with a newline; found with upstream's own structs. */
static void digests_of_spec_parts(void **state)
{
	(void)state;
	autojson json_t *spec = parse(
		"{\"commonMetadata\":{\"labels\":{\"b\":\"<\",\"a\":\"1\"},\"annotations\":{}},"
		"\"postRenderers\":[{\"kustomize\":{\"images\":[{\"newTag\":\"2\",\"name\":\"n\"}],"
		"\"patches\":[{\"patch\":\"p\",\"target\":{\"name\":\"x\",\"kind\":\"K\"}}]}}]}");
	char want[DIGEST_TEXT_SIZE];
	const char *metadata = "{\"labels\":{\"a\":\"1\",\"b\":\"\\u003c\"}}\n";
	const char *renderers =
		"[{\"kustomize\":{\"patches\":[{\"patch\":\"p\",\"target\":{\"kind\":\"K\","
		"\"name\":\"x\"}}],\"images\":[{\"name\":\"n\",\"newTag\":\"2\"}]}}]\n";
	autofree char *got = common_metadata_digest(spec, DIGEST_SHA256);
	digest_of(DIGEST_SHA256, metadata, strlen(metadata), want);
	assert_string_equal(got, want);
	autofree char *other = post_renderers_digest(spec, DIGEST_SHA256);
	digest_of(DIGEST_SHA256, renderers, strlen(renderers), want);
	assert_string_equal(other, want);
	autojson json_t *none = json_object();
	autofree char *empty = post_renderers_digest(none, DIGEST_SHA256);
	assert_string_equal(empty, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_telling_condition_counts),
		cmocka_unit_test(digests_of_spec_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
