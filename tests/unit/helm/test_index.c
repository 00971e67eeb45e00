#include "../cmocka_all.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "data/json.h"
#include "helm/index.h"

#define HEAD "apiVersion: v1\nentries:\n  demo:\n"

static int memory(const char *text, size_t len)
{
	autoerror Error err = {0};
	int fd = memfd_create("index", MFD_CLOEXEC);
	assert_true(fd >= 0 && fd_write_all(fd, text, len, &err));
	return fd;
}

static bool convert(const char *text, Buf *out, HelmIndexSummary *summary, Error *err)
{
	autofd int in = memory(text, strlen(text)), spool = memory("", 0), to = memory("", 0);
	return helm_index_convert(in, spool, to, summary, err) && lseek(to, 0, SEEK_SET) == 0 &&
	       fd_read_all(to, 100 << 20, out, err);
}

static HelmIndex *load(const char *text)
{
	autoerror Error err = {0};
	autofd int fd = memory(text, strlen(text));
	HelmIndex *index = helm_index_load(fd, &err);
	if (!index)
		print_message("%s\n", err_text(&err));
	assert_non_null(index);
	return index;
}

static void expect_version(const HelmIndex *index, const char *range, const char *expected)
{
	autoerror Error err = {0};
	HelmIndexEntry entry = {0};
	bool found = helm_index_find(index, "demo", range, &entry, &err);
	assert_string_equal(found ? entry.version : err_text(&err), expected);
}

static void S61_as_go_marshals_it(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf out = {0};
	HelmIndexSummary summary;
	assert_true(convert("entries:\n"
			    "  b: []\n"
			    "  a:\n"
			    "  - version: 1.0.0\n"
			    "    name: a\n"
			    "    created: 2024-01-01T00:00:00Z\n"
			    "    urls: [x]\n"
			    "  - {name: a, version: 1.2.0, deprecated: true}\n"
			    "generated: 2024-01-01T00:00:00Z\n"
			    "apiVersion: v1\n",
			    &out, &summary, &err));
	assert_string_equal(buf_text(&out), "{\n"
					    "  \"apiVersion\": \"v1\",\n"
					    "  \"generated\": \"2024-01-01T00:00:00Z\",\n"
					    "  \"entries\": {\n"
					    "    \"a\": [\n"
					    "      {\n"
					    "        \"name\": \"a\",\n"
					    "        \"version\": \"1.2.0\",\n"
					    "        \"apiVersion\": \"v1\",\n"
					    "        \"deprecated\": true,\n"
					    "        \"urls\": null,\n"
					    "        \"created\": \"0001-01-01T00:00:00Z\"\n"
					    "      },\n"
					    "      {\n"
					    "        \"name\": \"a\",\n"
					    "        \"version\": \"1.0.0\",\n"
					    "        \"apiVersion\": \"v1\",\n"
					    "        \"urls\": [\n"
					    "          \"x\"\n"
					    "        ],\n"
					    "        \"created\": \"2024-01-01T00:00:00Z\"\n"
					    "      }\n"
					    "    ],\n"
					    "    \"b\": []\n"
					    "  }\n"
					    "}");
	assert_int_equal(summary.charts, 2);
	assert_int_equal(summary.versions, 2);
	assert_int_equal(summary.skipped, 0);
}

/* What is stored says the same when it is read again. */
static void S61_stored_is_read_again(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf once = {0}, twice = {0};
	HelmIndexSummary summary;
	assert_true(convert(HEAD "  - {name: demo, version: 1.0.0, urls: [\"\\u2028<&>\"]}\n"
				 "  - {name: demo, version: 1.1.0-rc.1, keywords: [a, 1, true]}\n",
			    &once, &summary, &err));
	assert_true(convert(buf_text(&once), &twice, &summary, &err));
	assert_string_equal(buf_text(&once), buf_text(&twice));
	autohelmindex HelmIndex *index = load(buf_text(&once));
	expect_version(index, "*", "1.0.0");
}

static void S68_ranges(void **state)
{
	(void)state;
	autohelmindex HelmIndex *index = load(
		HEAD "  - {name: demo, version: 1.0.0}\n  - {name: demo, version: 2.0.0-rc.1}\n"
		     "  - {name: demo, version: 1.5.0}\n  - {name: demo, version: '1.6'}\n"
		     "  - {name: demo, version: v1.4.0}\n");
	static const char *const rows[][2] = {
		{"*", "1.5.0"},
		{"", "1.5.0"},
		{"1.0.0", "1.0.0"},
		{"<1.5", "v1.4.0"},
		{"v1.4.0", "v1.4.0"},
		{"1.4.0", "v1.4.0"},
		{"1.6", "1.6"},
		{">1.5.0-0", "2.0.0-rc.1"},
		{"^2.0.0", "no 'demo' chart with version matching '^2.0.0' found"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_version(index, rows[i][0], rows[i][1]);
	autoerror Error err = {0};
	HelmIndexEntry entry;
	assert_false(helm_index_find(index, "other", "*", &entry, &err));
	assert_string_equal(err_text(&err), "no chart name found: the index has no 'other'");
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void S68_equal_versions_go_by_time(void **state)
{
	(void)state;
	autohelmindex HelmIndex *index = load(
		HEAD "  - {name: demo, version: 1.0.0+a, created: 2024-01-01T00:00:00Z}\n"
		     "  - {name: demo, version: 1.0.0+b, created: 2024-01-01T00:00:00.5Z}\n"
		     "  - {name: demo, version: 1.0.0+c, created: 2024-01-01T02:00:00+02:00}\n");
	expect_version(index, "^1", "1.0.0+b");
	expect_version(index, "1.0.0+c", "1.0.0+c");
}

static void S62_limits(void **state)
{
	(void)state;
	autobuf Buf text = {0}, out = {0};
	HelmIndexSummary summary;
	autoerror Error err = {0};
	buf_puts(&text, HEAD "  - name: demo\n    keywords: [");
	for (int i = 0; i < HELM_INDEX_MAX_NODES; i++)
		buf_puts(&text, "a,");
	buf_puts(&text, "]\n");
	assert_false(convert(buf_text(&text), &out, &summary, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(err_text(&err), "an entry of the index is too large");
	error_dispose(&err);
	buf_clear(&text);
	buf_puts(&text, "{\"apiVersion\":\"v1\",\"entries\":{\"demo\":[");
	for (int i = 0; i <= HELM_INDEX_MAX_VERSIONS; i++)
		buf_printf(&text, "%s{\"name\":\"a\",\"version\":\"%d\"}", i ? "," : "", i);
	buf_puts(&text, "]}}");
	assert_false(convert(buf_text(&text), &out, &summary, &err));
	assert_string_equal(err_text(&err), "the index has more than 250000 versions");
	error_dispose(&err);
	buf_clear(&text);
	autofree char *label = mem_zalloc(1, 1000000);
	memset(label, 'a', 1000000 - 1);
	buf_puts(&text, "{\"apiVersion\":\"v1\",\"entries\":{");
	for (int i = 0; i < 26; i++)
		buf_printf(&text, "%s\"%d%s\":[{\"name\":\"a\",\"version\":\"1.0.0\"}]",
			   i ? "," : "", i, label);
	buf_puts(&text, "}}");
	assert_false(convert(buf_text(&text), &out, &summary, &err));
	assert_string_equal(err_text(&err), "names and versions of the index are too large");
}

static void S63_bad_entries_are_skipped(void **state)
{
	(void)state;
	autobuf Buf out = {0};
	autoerror Error err = {0};
	HelmIndexSummary summary;
	assert_true(convert(HEAD "  - {name: demo, version: x}\n  - {version: 1.0.0}\n  -\n"
				 "  - {name: demo, version: 1.0.0}\n",
			    &out, &summary, &err));
	assert_int_equal(summary.versions, 1);
	assert_int_equal(summary.skipped, 2);
}

static void S63_shapes(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"", "empty index.yaml file"},
		{"a", "index: a map expected"},
		{"~", "no API version specified"},
		{"{\"entries\":{}}", "no API version specified"},
		{"apiVersion: v1\nentries: 1", "entries: a map expected"},
		{"apiVersion: v1\nentries: {a: 1}", "versions of a chart: a list expected"},
		{"apiVersion: v1\nentries: {a: [1]}", "version of a chart: a map expected"},
		{"apiVersion: v1\nentries: {a: [[]]}", "version of a chart: a map expected"},
		{"apiVersion: v1\nentries: {a: [], a: []}", "key \"a\" already set in map"},
		{"apiVersion: v1\nentries: {[a]: []}", "key: a scalar expected"},
		{"apiVersion: v1\nentries: {a: [{b: 1}]}", "unknown field \"b\""},
		{"apiVersion: v1\nentries: {a: [{name: 1, name: 2}]}",
		 "key \"name\" already set in map"},
		{"apiVersion: v1\nentries: {a: [{maintainers: [{phone: 1}]}]}",
		 "unknown field \"phone\""},
		{"apiVersion: v1\nentries: {a: [{name: {}}]}", "field name: string expected"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autobuf Buf out = {0};
		autoerror Error err = {0};
		HelmIndexSummary summary;
		assert_false(convert(rows[i][0], &out, &summary, &err));
		assert_string_equal(err_text(&err), rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S61_as_go_marshals_it),
		cmocka_unit_test(S61_stored_is_read_again),
		cmocka_unit_test(S68_ranges),
		cmocka_unit_test(S68_equal_versions_go_by_time),
		cmocka_unit_test(S62_limits),
		cmocka_unit_test(S63_bad_entries_are_skipped),
		cmocka_unit_test(S63_shapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
