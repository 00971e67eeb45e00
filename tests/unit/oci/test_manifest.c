/* Manifests and indexes: types, platforms, layers, what is refused. */
#include "../cmocka_all.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/manifest.h"

#define D "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ITEM(more) "{\"mediaType\": \"m\", \"digest\": \"" D "\", \"size\": 7" more "}"
#define ON(os, arch) ", \"platform\": {\"os\": \"" os "\", \"architecture\": \"" arch "\"}"

static bool parse(const char *text, const char *type, OciManifest *out, Error *err)
{
	return oci_manifest_parse(text, strlen(text), type, out, err);
}

static void S51_types(void **state)
{
	(void)state;
	static const struct {
		const char *type, *text;
		int is_index; /* -1: refused */
	} rows[] = {
		{OCI_TYPE_MANIFEST, "{\"layers\": [" ITEM("") "]}", 0},
		{OCI_TYPE_DOCKER_MANIFEST "; charset=utf-8", "{\"layers\": [" ITEM("") "]}", 0},
		{OCI_TYPE_INDEX, "{\"manifests\": [" ITEM("") "]}", 1},
		{OCI_TYPE_DOCKER_LIST, "{\"manifests\": [" ITEM("") "]}", 1},
		{"", "{\"mediaType\": \"" OCI_TYPE_INDEX "\", \"manifests\": [" ITEM("") "]}", 1},
		{"application/json", "{\"schemaVersion\": 2, \"layers\": [" ITEM("") "]}", 0},
		{"text/plain", "{\"schemaVersion\": 2, \"manifests\": [" ITEM("") "]}", 1},
		{"application/vnd.docker.distribution.manifest.v1+prettyjws",
		 "{\"schemaVersion\": 1}", -1},
		{"", "{\"schemaVersion\": 1}", -1},
		{"text/html", "{\"schemaVersion\": 2, \"layers\": []}", -1},
		{OCI_TYPE_MANIFEST, "{\"layers\": [], \"manifests\": []}", -1},
		{OCI_TYPE_INDEX, "{\"layers\": []}", -1},
		{OCI_TYPE_MANIFEST, "null", -1},
		{OCI_TYPE_MANIFEST, "{\"layers\": [{}]}", -1},
		{OCI_TYPE_MANIFEST, "{\"layers\": [1]}", -1},
		{OCI_TYPE_MANIFEST, "{\"layers\": [], \"config\": {\"size\": 1}}", -1},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autoocimanifest OciManifest got = {0};
		bool ok = parse(rows[i].text, rows[i].type, &got, &err);
		if (ok != (rows[i].is_index >= 0))
			fail_msg("%s: %s", rows[i].text, err_text(&err));
		if (ok)
			assert_int_equal(got.is_index, rows[i].is_index);
	}
}

static void S48_the_platform_that_upstream_pulls(void **state)
{
	(void)state;
	static const struct {
		const char *items;
		int picked; /* -1: none */
	} rows[] = {
		{ITEM(ON("linux", "arm64")) "," ITEM(ON("linux", "amd64")), 1},
		{ITEM(ON("windows", "amd64")) "," ITEM(""), 1},
		{ITEM("") "," ITEM(ON("linux", "amd64")), 0},
		{ITEM(ON("linux", "amd64")) "," ITEM(ON("linux", "amd64")), 0},
		{ITEM(ON("linux", "arm64")), -1},
		{"", -1},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autoocimanifest OciManifest got = {0};
		autofree char *text = mem_printf("{\"manifests\": [%s]}", rows[i].items);
		assert_true(parse(text, OCI_TYPE_INDEX, &got, &err));
		const OciDescriptor *want = rows[i].picked < 0 ? NULL : &got.items[rows[i].picked];
		assert_ptr_equal(oci_index_pick(&got), want);
	}
}

static void S51_layers(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoocimanifest OciManifest got = {0};
	const char *text = "{\"layers\": [" ITEM(
		"") ", {\"mediaType\": \"n\", \"digest\": \"" D
		    "\", \"size\": 1}, {\"mediaType\": \"n\", \"digest\": \"" D
		    "\", \"size\": 2}], \"annotations\": {\"k\": \"v\"}}";
	assert_true(parse(text, OCI_TYPE_MANIFEST, &got, &err));
	assert_ptr_equal(oci_manifest_layer(&got, NULL), &got.items[0]);
	assert_ptr_equal(oci_manifest_layer(&got, ""), &got.items[0]);
	assert_ptr_equal(oci_manifest_layer(&got, "n"), &got.items[1]);
	assert_null(oci_manifest_layer(&got, "o"));
	assert_string_equal(json_text(got.annotations, "k"), "v");
}

static void S51_limits(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf text = {0};
	autoocimanifest OciManifest got = {0};
	buf_puts(&text, "{\"layers\": [" ITEM(""));
	for (int i = 0; i < OCI_MAX_ITEMS; i++)
		buf_puts(&text, "," ITEM(""));
	buf_puts(&text, "]}");
	assert_false(parse(text.ptr, OCI_TYPE_MANIFEST, &got, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S51_types),
		cmocka_unit_test(S48_the_platform_that_upstream_pulls),
		cmocka_unit_test(S51_layers),
		cmocka_unit_test(S51_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
