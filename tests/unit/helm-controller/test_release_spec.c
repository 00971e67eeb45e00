#include "../cmocka_all.h"

#include <string.h>

#include "release_spec.h"
#include "remediation.h"

static json_t *parse(const char *text)
{
	autoerror Error err = {0};
	json_t *object = json_parse(text, strlen(text), 1 << 16, &err);
	assert_non_null(object);
	return object;
}

static json_t *object_of(const char *spec)
{
	json_t *object =
		parse("{\"metadata\":{\"namespace\":\"ns\",\"name\":\"app\",\"generation\":3}}");
	json_object_set_new(object, "spec", parse(spec));
	return object;
}

static void H43_long_names_are_shortened(void **state)
{
	(void)state;
	const char *exact = "12345678901234567890123456789012345678901234567890123";
	autofree char *same = release_name_shorten(exact);
	assert_string_equal(same, exact);
	autofree char *cut =
		release_name_shorten("123456789012345678901234567890123456789012345678901234");
	assert_int_equal(strlen(cut), 53);
	assert_memory_equal(cut, "1234567890123456789012345678901234567890-", 41);
}

static void H44_names_and_namespaces(void **state)
{
	(void)state;
	static const struct {
		const char *spec, *name, *ns, *storage;
	} rows[] = {
		{"{}", "app", "ns", "ns"},
		{"{\"targetNamespace\":\"t\"}", "t-app", "t", "ns"},
		{"{\"targetNamespace\":\"t\",\"releaseName\":\"r\"}", "r", "t", "ns"},
		{"{\"storageNamespace\":\"s\"}", "app", "ns", "s"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *object = object_of(rows[i].spec);
		ReleaseSpec spec;
		release_spec_parse(object, &spec);
		assert_string_equal(spec.full_name, rows[i].name);
		assert_string_equal(spec.release_ns, rows[i].ns);
		assert_string_equal(spec.storage_ns, rows[i].storage);
		assert_int_equal(spec.timeout_ms, 300000);
		release_spec_dispose(&spec);
	}
}

static void sources(void **state)
{
	(void)state;
	static const struct {
		const char *spec, *kind, *ns, *name;
	} rows[] = {
		{"{\"chart\":{\"spec\":{\"sourceRef\":{\"name\":\"r\"}}}}", "HelmChart", "ns",
		 "ns-app"},
		{"{\"chart\":{\"spec\":{\"sourceRef\":{\"name\":\"r\",\"namespace\":\"o\"}}}}",
		 "HelmChart", "o", "ns-app"},
		{"{\"chartRef\":{\"kind\":\"OCIRepository\",\"name\":\"x\",\"namespace\":\"o\"}}",
		 "OCIRepository", "o", "x"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *object = object_of(rows[i].spec);
		ReleaseSpec spec;
		release_spec_parse(object, &spec);
		assert_string_equal(spec.source_kind, rows[i].kind);
		assert_string_equal(spec.source_ns, rows[i].ns);
		assert_string_equal(spec.source_name, rows[i].name);
		release_spec_dispose(&spec);
	}
}

static void remediations(void **state)
{
	(void)state;
	static const struct {
		const char *spec, *status;
		bool exhausted, last, uninstalls;
	} rows[] = {
		{"{}", "{\"upgradeFailures\":0}", false, false, false},
		{"{}", "{\"upgradeFailures\":1}", true, false, false},
		{"{\"upgrade\":{\"remediation\":{\"retries\":1}}}", "{\"upgradeFailures\":1}",
		 false, true, false},
		{"{\"upgrade\":{\"remediation\":{\"retries\":1}}}", "{\"upgradeFailures\":2}", true,
		 true, false},
		{"{\"upgrade\":{\"remediation\":{\"retries\":-1}}}", "{\"upgradeFailures\":99}",
		 false, false, false},
		{"{\"upgrade\":{\"remediation\":{\"strategy\":\"uninstall\"}}}", "{}", false, false,
		 true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *object = object_of(rows[i].spec);
		autojson json_t *status = parse(rows[i].status);
		ReleaseSpec spec;
		release_spec_parse(object, &spec);
		Remediation remediation = remediation_of_upgrade(&spec, status);
		assert_int_equal(remediation_exhausted(&remediation), rows[i].exhausted);
		assert_int_equal(remediation.remediate_last, rows[i].last);
		assert_int_equal(remediation.uninstalls, rows[i].uninstalls);
		release_spec_dispose(&spec);
	}
}

static void retry_intervals(void **state)
{
	(void)state;
	autojson json_t *own = parse("{\"strategy\":{\"name\":\"RetryOnFailure\"}}");
	autojson json_t *said =
		parse("{\"strategy\":{\"name\":\"RetryOnFailure\",\"retryInterval\":\"7s\"}}");
	autojson json_t *other = parse("{\"strategy\":{\"name\":\"RemediateOnFailure\"}}");
	assert_int_equal(retry_interval(NULL, false), -1);
	assert_int_equal(retry_interval(NULL, true), 300000);
	assert_int_equal(retry_interval(own, false), 300000);
	assert_int_equal(retry_interval(said, false), 7000);
	assert_int_equal(retry_interval(other, true), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(H43_long_names_are_shortened),
		cmocka_unit_test(H44_names_and_namespaces),
		cmocka_unit_test(sources),
		cmocka_unit_test(remediations),
		cmocka_unit_test(retry_intervals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
