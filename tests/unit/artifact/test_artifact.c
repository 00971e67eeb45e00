#include "../cmocka_all.h"

#include "artifact/artifact.h"
#include "base/clock.h"

static const char whole[] = "{\"digest\":\"sha256:ab\",\"lastUpdateTime\":\"2026-01-02T03:04:05Z\","
			    "\"metadata\":{\"k\":\"v\"},\"path\":\"a/b/c/d\",\"revision\":\"r\","
			    "\"size\":7,\"url\":\"http://x/a/b/c/d\"}";

static json_t *parse(const char *text)
{
	autoerror Error err = {0};
	json_t *value = json_parse(text, strlen(text), 4096, &err);
	assert_non_null(value);
	return value;
}

static void json_goes_both_ways(void **state)
{
	(void)state;
	autojson json_t *in = parse(whole);
	autoartifact Artifact artifact = {0};
	assert_true(artifact_of_json(in, &artifact));
	assert_string_equal(artifact.revision, "r");
	assert_int_equal(artifact.size, 7);
	autojson json_t *out = artifact_to_json(&artifact);
	autofree char *text = json_dump_sorted(out);
	assert_string_equal(text, whole);
}

static void what_lacks_a_part_is_no_artifact(void **state)
{
	(void)state;
	static const char *const parts[] = {"digest", "path", "revision", "url"};
	for (size_t i = 0; i < COUNT(parts); i++) {
		autojson json_t *in = parse(whole);
		Artifact artifact = {0};
		json_object_set_new(in, parts[i], json_string(""));
		assert_false(artifact_of_json(in, &artifact));
		json_object_del(in, parts[i]);
		assert_false(artifact_of_json(in, &artifact));
		json_object_set_new(in, parts[i], json_integer(1));
		assert_false(artifact_of_json(in, &artifact));
		assert_null(artifact.path);
	}
	Artifact artifact = {0};
	assert_false(artifact_of_json(NULL, &artifact));
}

static void odd_members_are_left_out(void **state)
{
	(void)state;
	autojson json_t *in = parse(whole);
	json_object_set_new(in, "lastUpdateTime", json_string("yesterday"));
	json_object_set_new(in, "metadata", parse("{\"n\":1}"));
	json_object_set_new(in, "size", json_string("7"));
	autoartifact Artifact artifact = {0};
	assert_true(artifact_of_json(in, &artifact));
	assert_null(artifact.metadata);
	assert_int_equal(artifact.size, 0);
	assert_int_equal(artifact.last_update_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_goes_both_ways),
		cmocka_unit_test(what_lacks_a_part_is_no_artifact),
		cmocka_unit_test(odd_members_are_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
