#include "../cmocka_all.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "helm/archive.h"
#include "helm/package.h"

static const HelmFile files[] = {
	{"Chart.yaml", STR("apiVersion: v2\nname: demo\nversion: 1.0.0\nunknown: x\n"
			   "dependencies:\n- {name: sub, version: 1.0.0}\n")},
	{"Chart.lock", STR("dependencies: []\n")},
	{"values.yaml", STR("# comments stay\na: 1\n")},
	{"values.schema.json", STR("{}")},
	{"templates/a.yaml", STR("a")},
	{"README.md", STR("r")},
	{"charts/sub/Chart.yaml", STR("apiVersion: v1\nname: sub\nversion: 1.0.0\n")},
	{"charts/sub/requirements.yaml", STR("dependencies:\n- {name: x, version: 1}\n")},
	{"charts/sub/templates/b.yaml", STR("b")},
};

static int pack(Arena *arena, const HelmFile *list, size_t count, Error *err)
{
	HelmChart *chart = helm_chart_of_files(arena, list, count, err);
	autofd int fd = memfd_create("chart", MFD_CLOEXEC);
	return chart && helm_chart_package(chart, fd, err) ? fd_steal(&fd) : -1;
}

static void expect_file(const HelmChart *chart, const char *name, const char *text)
{
	const HelmFile *file = helm_chart_raw(chart, name);
	assert_non_null(file);
	assert_true(str_eq(file->data, str_of(text)));
}

static void a_packed_chart_is_the_chart(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoarena Arena *arena = arena_new();
	autofd int fd = pack(arena, files, COUNT(files), &err);
	assert_true(fd >= 0);
	const HelmChart *chart = helm_chart_of_archive_fd(arena, fd, &err);
	assert_non_null(chart);
	expect_file(chart, "Chart.yaml",
		    "apiVersion: v2\ndependencies:\n- name: sub\n  version: 1.0.0\nname: demo\n"
		    "version: 1.0.0\n");
	expect_file(chart, "values.yaml", "# comments stay\na: 1\n");
	expect_file(chart, "Chart.lock", "dependencies: []\n");
	expect_file(chart, "values.schema.json", "{}");
	expect_file(chart, "README.md", "r");
	/* A v1 chart's dependencies are in requirements.yaml only. */
	expect_file(chart, "charts/sub/Chart.yaml", "apiVersion: v1\nname: sub\nversion: 1.0.0\n");
	expect_file(chart, "charts/sub/requirements.yaml",
		    "dependencies:\n- {name: x, version: 1}\n");
	autojson json_t *metadata = helm_archive_metadata(fd, HELM_MAX_FILE_BYTES, &err);
	assert_string_equal(json_text(metadata, "version"), "1.0.0");
}

static void equal_charts_give_equal_bytes(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoarena Arena *arena = arena_new();
	autobuf Buf one = {0}, two = {0};
	autofd int a = pack(arena, files, COUNT(files), &err);
	autofd int b = pack(arena, files, COUNT(files), &err);
	lseek(a, 0, SEEK_SET);
	lseek(b, 0, SEEK_SET);
	assert_true(fd_read_all(a, 1 << 20, &one, &err) && fd_read_all(b, 1 << 20, &two, &err));
	assert_true(one.len > 100 && str_eq(buf_str(&one), buf_str(&two)));
}

static void what_is_wrong_is_not_packed(void **state)
{
	(void)state;
	static const HelmFile schema[] = {
		{"Chart.yaml", STR("apiVersion: v2\nname: demo\nversion: 1.0.0\n")},
		{"values.schema.json", STR("{")}};
	autoerror Error err = {0};
	autoarena Arena *arena = arena_new();
	assert_int_equal(pack(arena, schema, COUNT(schema), &err), -1);
	assert_string_equal(err_text(&err), "invalid JSON in values.schema.json");
	error_dispose(&err);
	HelmChart *chart = helm_chart_of_files(arena, files, COUNT(files), &err);
	HelmChart *sub = chart->charts.items[0];
	json_put_text(sub->metadata, "name", "../evil");
	autofd int fd = memfd_create("chart", MFD_CLOEXEC);
	assert_false(helm_chart_package(chart, fd, &err));
	assert_string_equal(err_text(&err), "\"../evil\" is not a valid chart name");
}

static void S75_metadata_has_a_limit(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoarena Arena *arena = arena_new();
	autofd int fd = pack(arena, files, COUNT(files), &err);
	assert_null(helm_archive_metadata(fd, 10, &err));
	assert_string_equal(err_text(&err), "size of 'Chart.yaml' exceeds '10' bytes limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packed_chart_is_the_chart),
		cmocka_unit_test(equal_charts_give_equal_bytes),
		cmocka_unit_test(what_is_wrong_is_not_packed),
		cmocka_unit_test(S75_metadata_has_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
