#include "../cmocka_all.h"

#include <string.h>

#include "charts.h"

static void H24_build_of_revisions(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *revision, *build, *digest;
		bool fails;
	} rows[] = {
		{"HelmChart", "1.2.3", NULL, NULL, false},
		{"ExternalArtifact", "1.2.3", NULL, NULL, false},
		{"ExternalArtifact", "latest@sha256:0123456789abcdef", "0123456789ab",
		 "sha256:0123456789abcdef", false},
		{"OCIRepository", "1.2.3@sha256:0123456789abcdef", "0123456789ab",
		 "sha256:0123456789abcdef", false},
		{"OCIRepository", "sha256:0123456789abcdef", "0123456789ab",
		 "sha256:0123456789abcdef", false},
		{"OCIRepository", "1.2.3", NULL, NULL, true},
		{"OCIRepository", "a@sha256:0123", NULL, NULL, true},
		{"OCIRepository", "a@b@sha256:0123456789abcdef", NULL, NULL, true},
		{"OCIRepository", "a@sha256:0123456789abcdef:1", NULL, NULL, true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autofree char *digest = NULL;
		autofree char *build =
			chart_build_of(rows[i].kind, rows[i].revision, &digest, &err);
		assert_true(cstr_eq(build, rows[i].build));
		assert_true(cstr_eq(digest, rows[i].digest));
		assert_int_equal(err_is_set(&err), rows[i].fails);
	}
}

static void H26_tags_and_versions(void **state)
{
	(void)state;
	static const struct {
		const char *version, *revision;
		bool fits;
	} rows[] = {
		{"1.2.3", "1.2.3@sha256:x", true},     {"1.2.3", "v1.2.3@sha256:x", true},
		{"1.2.3", "1.2.4@sha256:x", false},    {"1.2.3", "latest@sha256:x", true},
		{"1.2.3+b", "1.2.3_b@sha256:x", true}, {"1.2.3-rc1", "1.2.3@sha256:x", false},
		{"1.2.3", "sha256:x", true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		HelmChart chart = {.metadata = json_pack("{s:s}", "version", rows[i].version)};
		assert_int_equal(chart_fits_tag(&chart, rows[i].revision, &err), rows[i].fits);
		json_decref(chart.metadata);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(H24_build_of_revisions),
		cmocka_unit_test(H26_tags_and_versions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
