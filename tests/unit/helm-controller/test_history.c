#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "history.h"

static json_t *status_of(const char *rows)
{
	/* Letters of revisions, newest first: d(eployed) s(uperseded) f(ailed), t: its test failed
	 */
	json_t *status = json_object(), *list = json_array();
	for (size_t i = 0; rows[i]; i++) {
		const char *name = rows[i] == 'f'   ? "failed"
				   : rows[i] == 's' ? "superseded"
						    : "deployed";
		json_t *row = json_pack("{s:I,s:s}", "version", (json_int_t)(strlen(rows) - i),
					"status", name);
		if (rows[i] == 't')
			json_object_set_new(row, "testHooks",
					    json_pack("{s:{s:s}}", "x", "phase", "Failed"));
		json_array_append_new(list, row);
	}
	json_object_set_new(status, "history", list);
	return status;
}

static void H58_previous_and_truncation(void **state)
{
	(void)state;
	static const struct {
		const char *rows;
		bool ignore_tests;
		int64_t previous; /* 0: none */
		size_t left;
	} rows[] = {
		{"d", false, 0, 1},	   {"ds", false, 1, 2}, {"fffs", false, 1, 4},
		{"dfs", false, 1, 3},	   {"ft", false, 0, 2}, {"ft", true, 1, 2},
		{"fts", false, 1, 3},	   {"fts", true, 2, 2}, {"dss", false, 2, 2},
		{"ffffffff", false, 0, 5},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *status = status_of(rows[i].rows);
		const json_t *previous = history_previous(status, rows[i].ignore_tests);
		assert_int_equal(json_int(previous, "version", 0), rows[i].previous);
		history_truncate(status, rows[i].ignore_tests);
		assert_int_equal(json_array_size(json_list(status, "history")), rows[i].left);
	}
}

static void tested_means_all_or_one_failed(void **state)
{
	(void)state;
	static const struct {
		const char *hooks;
		bool tested, failed;
	} rows[] = {
		{"{}", true, false},
		{"{\"a\":{\"phase\":\"Succeeded\"}}", true, false},
		{"{\"a\":{\"phase\":\"Succeeded\"},\"b\":{}}", false, false},
		{"{\"a\":{\"phase\":\"Failed\"},\"b\":{}}", true, true},
		{"{\"a\":{\"phase\":\"Running\"}}", false, false},
	};
	autoerror Error err = {0};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *snapshot = json_object();
		json_object_set_new(snapshot, "testHooks",
				    json_parse(rows[i].hooks, strlen(rows[i].hooks), 1000, &err));
		assert_int_equal(snapshot_tested(snapshot), rows[i].tested);
		assert_int_equal(snapshot_test_failed(snapshot), rows[i].failed);
	}
	autojson json_t *none = json_object();
	assert_false(snapshot_tested(none));
	assert_false(snapshot_tested(NULL));
}

static HelmRecord *record_of(int64_t version, const char *status)
{
	autoerror Error err = {0};
	HelmRecord *record = helm_record_new(
		json_pack("{s:s,s:s,s:I,s:{s:s,s:s,s:s},s:{s:{s:s,s:s}},s:s}", "name", "app",
			  "namespace", "ns", "version", (json_int_t)version, "info", "status",
			  status, "first_deployed", "2026-01-02T03:04:05.678+02:00",
			  "last_deployed", "2026-01-02T03:04:05Z", "chart", "metadata", "name",
			  "shop", "version", "1.0.0", "manifest", ""),
		&err);
	assert_non_null(record);
	return record;
}

static void H69_a_snapshot_knows_its_record_again(void **state)
{
	(void)state;
	autojson json_t *status = json_object();
	autohelmrecord HelmRecord *record = record_of(1, "deployed");
	SnapshotFacts facts = {
		.action = "install", .oci_digest = "sha256:x", .algo = DIGEST_SHA256};
	history_record(status, record, &facts);
	json_t *snapshot = history_latest(status);
	assert_true(snapshot_matches(snapshot, record));
	assert_string_equal(json_text(snapshot, "firstDeployed"), "2026-01-02T01:04:05Z");
	autohelmrecord HelmRecord *other = record_of(1, "failed");
	assert_false(snapshot_matches(snapshot, other));
	/* An older format's digest says nothing. */
	json_object_del(snapshot, "apiVersion");
	assert_true(snapshot_matches(snapshot, other));
	json_put_text(snapshot, "apiVersion", "v2");
	json_put_text(snapshot, "digest", "nonsense");
	assert_false(snapshot_matches(snapshot, record));
}

static void a_record_takes_the_place_of_its_revision(void **state)
{
	(void)state;
	autojson json_t *status = json_object();
	autohelmrecord HelmRecord *first = record_of(1, "deployed"),
				  *second = record_of(2, "deployed"),
				  *old = record_of(1, "superseded"),
				  *alien = record_of(7, "deployed");
	SnapshotFacts facts = {.action = "install", .oci_digest = "d", .algo = DIGEST_SHA256};
	history_record(status, first, &facts);
	json_object_set_new(history_latest(status), "testHooks", json_object());
	history_record(status, second, &facts);
	SnapshotFacts later = {.action = "install", .algo = DIGEST_SHA256};
	assert_true(history_update(status, old, &later));
	assert_false(history_update(status, alien, &later));
	const json_t *snapshot = history_find(status, old);
	assert_string_equal(json_text(snapshot, "status"), "superseded");
	assert_string_equal(json_text(snapshot, "ociDigest"), "d");
	assert_non_null(json_map(snapshot, "testHooks"));
	assert_int_equal(json_int(history_latest(status), "version", 0), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(H58_previous_and_truncation),
		cmocka_unit_test(tested_means_all_or_one_failed),
		cmocka_unit_test(H69_a_snapshot_knows_its_record_again),
		cmocka_unit_test(a_record_takes_the_place_of_its_revision),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
