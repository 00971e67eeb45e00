#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "kind.h"

#define H8 "0123abcd"
#define H40 H8 H8 H8 H8 H8
#define H128 H40 H40 H40 H8

static json_t *object(const char *text)
{
	autoerror Error err = {0};
	json_t *value = json_parse(text, strlen(text), 65536, &err);
	assert_non_null(value);
	return value;
}

static void expect(CellFn *cell, const char *text, const char *wanted)
{
	autojson json_t *value = object(text);
	autofree char *shown = cell(value);
	assert_string_equal(shown, wanted);
}

static void expect_message(const char *message, const char *wanted)
{
	autofree char *text = mem_printf("{\"status\":{\"conditions\":[{\"type\":\"Ready\","
					 "\"status\":\"True\",\"message\":\"%s\"}]}}",
					 message);
	expect(cell_short_message, text, wanted);
	expect(cell_message, text, message);
}

static void C58_digests_are_shortened(void **state)
{
	(void)state;
	expect_message("main@sha1:" H40, "main@sha1:" H8);
	expect_message(H128, H8);
	expect_message("a " H40 ", b " H40 ".", "a " H8 ", b " H8 ".");
	expect_message("sha256:" H40 H8 H8 H8 "/x", "sha256:" H8 "/x");
	/* Too short, too long, upper case, or part of a longer word. */
	expect_message("0123abc" H8 H8 H8 H8, "0123abc" H8 H8 H8 H8);
	expect_message(H128 "0", H128 "0");
	expect_message("0123ABCD" H8 H8 H8 H8, "0123ABCD" H8 H8 H8 H8);
	expect_message("x" H40, "x" H40);
	expect_message(H40 "_y", H40 "_y");
	expect_message("", "");
}

static void C57_what_is_absent_has_a_default(void **state)
{
	(void)state;
	expect(cell_ready, "{}", "False");
	expect(cell_message, "{}", "waiting to be reconciled");
	expect(cell_suspended, "{}", "False");
	expect(cell_suspended, "{\"spec\":{\"suspend\":true}}", "True");
	expect(cell_artifact, "{\"status\":{\"artifact\":null}}", "");
	expect(cell_applied, "{}", "");
	expect(cell_external_source, "{}", "");
	expect(cell_image, "{}", "");
	expect(cell_last_scan, "{}", "");
	expect(cell_last_run, "{}", "");
}

static void C57_sources_and_releases(void **state)
{
	(void)state;
	expect(cell_source,
	       "{\"metadata\":{\"namespace\":\"n\"},\"spec\":{\"sourceRef\":{\"kind\":\"Bucket\","
	       "\"name\":\"b\"}}}",
	       "Bucket/n/b");
	expect(cell_release_source,
	       "{\"metadata\":{\"namespace\":\"n\"},\"spec\":{\"chartRef\":{\"kind\":\"HelmChart\","
	       "\"name\":\"c\",\"namespace\":\"m\"}}}",
	       "HelmChart/m/c");
	expect(cell_release_source,
	       "{\"metadata\":{\"namespace\":\"n\"},\"spec\":{\"chart\":{\"spec\":{\"sourceRef\":{"
	       "\"kind\":\"GitRepository\",\"name\":\"g\"}}}}}",
	       "GitRepository/n/g");
	expect(cell_release, "{\"status\":{\"lastAttemptedRevision\":\"1.0\"}}", "1.0");
	expect(cell_release,
	       "{\"status\":{\"lastAttemptedRevision\":\"2\",\"history\":[{\"chartVersion\":\"1\"}]"
	       "}}",
	       "1");
	/* A chart's version is never shortened. */
	expect(cell_chart_artifact, "{\"status\":{\"artifact\":{\"revision\":\"" H40 "\"}}}", H40);
}

static void C57_an_oci_helm_repository_is_always_ready(void **state)
{
	(void)state;
	static const char oci[] = "{\"kind\":\"HelmRepository\",\"spec\":{\"type\":\"oci\"}}";
	expect(cell_helm_ready, oci, "True");
	expect(cell_helm_message, oci, "Helm repository is Ready");
	autojson json_t *value = object(oci);
	assert_true(kind_is_static(kind_by_name("helmrepository"), value));
	assert_false(kind_is_static(kind_by_name("GitRepository"), value));
	assert_true(kind_is_static(kind_by_name("Alert"), value));
	assert_null(kind_by_name("Pod"));
}

static void success_is_said_in_the_words_of_the_kind(void **state)
{
	(void)state;
	expect(success_fetched, "{\"status\":{\"artifact\":{\"revision\":\"r\"}}}",
	       "fetched revision r");
	expect(success_applied, "{\"status\":{\"lastAppliedRevision\":\"r\"}}",
	       "applied revision r");
	expect(success_scan, "{\"status\":{\"lastScanResult\":{\"tagCount\":3}}}",
	       "scan fetched 3 tags");
	expect(success_policy, "{\"status\":{\"latestRef\":{\"name\":\"i\",\"tag\":\"t\"}}}",
	       "selected ref i:t");
	expect(success_update, "{}", "automation not yet run");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(C58_digests_are_shortened),
		cmocka_unit_test(C57_what_is_absent_has_a_default),
		cmocka_unit_test(C57_sources_and_releases),
		cmocka_unit_test(C57_an_oci_helm_repository_is_always_ready),
		cmocka_unit_test(success_is_said_in_the_words_of_the_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
