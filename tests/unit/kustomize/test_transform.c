#include "../cmocka_all.h"

#include "kustomize/hash.h"
#include "memory_files.h"

/* What transformers, generators and patches refuse or must not show, and exact hashes. That they
 * change what the real tool changes is for tests/differential/kustomize. */

#define CM "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm\n"
#define POD                                                                                        \
	"apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - image: "       \
	"nginx\n"                                                                                  \
	"    name: a\n"

static void expect_hash(const char *text, const char *hash)
{
	autoerror Error err = {0};
	autojson json_t *object = json_parse(text, strlen(text), 10000, &err);
	char have[K_HASH_SIZE];
	assert_non_null(object);
	hash_of(object, have);
	assert_string_equal(have, hash);
}

static void B41_hashes_equal_the_check_values(void **state)
{
	(void)state;
	expect_hash("{\"kind\":\"ConfigMap\"}", "6ct58987ht");
	expect_hash("{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"any\"},\"data\":{\"fruit\":"
		    "\"Indian Gooseberry\",\"year\":\"2020\",\"crisis\":\"true\"}}",
		    "79t79mt227");
	expect_hash("{\"kind\":\"Secret\",\"type\":\"my-type\"}", "5gmgkf8578");
}

static void B42_labels_do_not_count_for_the_hash(void **state)
{
	(void)state;
	expect_hash("{\"kind\":\"ConfigMap\",\"metadata\":{\"labels\":{\"a\":\"b\"},\"namespace\":"
		    "\"x\"}}",
		    "6ct58987ht");
}

static void B26_namespace_collision_names_the_object(void **state)
{
	(void)state;
	const MemoryFile files[] = {{"kustomization.yaml", "namespace: foo\nresources: [r.yaml]\n"},
				    {"r.yaml", CM "  namespace: a\n---\n" CM "  namespace: b\n"},
				    {0}};
	assert_fails(files, "namespace transformation produces ID conflict: v1 ConfigMap foo/cm");
}

static void B48_merge_without_base_fails(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml", "configMapGenerator: [{name: cm, behavior: merge}]\n"}, {0}};
	assert_fails(files, "does not exist; cannot merge or replace");
}

static void B51_errors_do_not_show_values(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml", "secretGenerator: [{name: s, literals: ['=hunter2']}]\n"},
		{0}};
	autoerror Error err = {0};
	assert_null(memory_build(files, &err));
	assert_null(strstr(err_text(&err), "hunter2"));
	const MemoryFile env[] = {
		{"kustomization.yaml", "secretGenerator: [{name: s, envs: [e]}]\n"},
		{"e", "A=hunter2\nA=hunter3\n"},
		{0}};
	autoerror Error twice = {0};
	assert_null(memory_build(env, &twice));
	assert_null(strstr(err_text(&twice), "hunter"));
	assert_non_null(strstr(err_text(&twice), "e:2: "));
}

static void B50_a_long_line_ends_the_env_file(void **state)
{
	(void)state;
	autobuf Buf text = {0};
	buf_puts(&text, "A=1\nB=");
	for (int i = 0; i < 70000; i++)
		buf_putc(&text, 'x');
	buf_puts(&text, "\nC=3\n");
	const MemoryFile files[] = {{"kustomization.yaml",
				     "generatorOptions: {disableNameSuffixHash: true}\n"
				     "configMapGenerator: [{name: cm, envs: [e]}]\n"},
				    {"e", buf_text(&text)},
				    {0}};
	assert_builds(files, "apiVersion: v1\ndata:\n  A: \"1\"\nkind: ConfigMap\nmetadata:\n"
			     "  name: cm\n");
}

static void B66_flux_keeps_the_builtin_schema(void **state)
{
	(void)state;
	const MemoryFile files[] = {{"kustomization.yaml",
				     "resources: [r.yaml]\nopenapi: {path: s.json}\n"
				     "patches: [{path: p.yaml}]\n"},
				    {"s.json", "{\"definitions\": {}}"},
				    {"r.yaml", POD},
				    {"p.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
					       "spec: {containers: [{name: a, tty: true}]}\n"},
				    {0}};
	autoerror Error err = {0};
	autofree char *flux = memory_build_with(
		files, ".", (KustomizeOptions){.keep_builtin_schema = true}, &err);
	assert_non_null(strstr(flux, "image: nginx"));
	autofree char *tool = memory_build(files, &err);
	assert_null(strstr(tool, "image: nginx"));
}

/* Upstream loses the UDP port here; we do not (docs/differences). */
static void B57_ports_that_no_patch_touches_stay(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml", "resources: [r.yaml]\npatches: [{path: p.yaml}]\n"},
		{"r.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
			   "spec: {ports: [{port: 53, protocol: UDP}, {port: 53}]}\n"},
		{"p.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {a: b}\n"},
		{0}};
	assert_builds(files, "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  a: b\n"
			     "  ports:\n  - port: 53\n    protocol: UDP\n  - port: 53\n");
}

static void B67_patch_without_match_names_itself(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml", "resources: [r.yaml]\npatches: [{path: p.yaml}]\n"},
		{"r.yaml", CM},
		{"p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"},
		{0}};
	assert_fails(files,
		     "./kustomization.yaml:2: patches[0]: p.yaml: no matches for v1 ConfigMap "
		     "other");
	const MemoryFile brief[] = {
		{"kustomization.yaml", "resources: [r.yaml]\npatches: [{path: p.yaml}]\n"},
		{"r.yaml", CM},
		{"p.yaml", "kind: ConfigMap\nmetadata: {name: other}\n"},
		{0}};
	assert_fails(brief, "./kustomization.yaml:2: patches[0]: p.yaml: no matches for ConfigMap "
			    "other");
}

static void B70_a_bad_pattern_is_an_error(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml",
		 "resources: [r.yaml]\npatches:\n- target: {name: 'a('}\n  patch: |-\n"
		 "    - {op: remove, path: /data}\n"},
		{"r.yaml", CM},
		{0}};
	assert_fails(files, "target name");
}

static void B81_a_bad_image_name_is_an_error(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml",
		 "resources: [r.yaml]\nimages: [{name: 'ng(inx', newTag: x}]\n"},
		{"r.yaml", POD},
		{0}};
	assert_fails(files, "images: name");
}

static void B97_a_bad_order_is_an_error(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml", "resources: [r.yaml]\nsortOptions: {order: random}\n"},
		{"r.yaml", CM},
		{0}};
	assert_fails(files, "the order 'random'");
}

static void B99_other_plugins_are_disabled(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml", "resources: [r.yaml]\ntransformers: [t.yaml]\n"},
		{"r.yaml", CM},
		{"t.yaml", "apiVersion: me/v1\nkind: Mine\nmetadata:\n  name: t\n  annotations:\n"
			   "    config.kubernetes.io/function: 'exec: {path: /bin/sh}'\n"},
		{0}};
	assert_fails(files, "external plugins disabled");
}

static void B101_helm_charts_tell_the_flag(void **state)
{
	(void)state;
	const MemoryFile files[] = {{"kustomization.yaml", "helmCharts: [{name: x}]\n"}, {0}};
	assert_fails(files, "must specify --enable-helm");
}

static void replacement_errors_do_not_show_values(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml",
		 "resources: [r.yaml]\nreplacements:\n- source: {kind: Secret, fieldPath: "
		 "stringData.k, options: {delimiter: x, index: 5}}\n  targets: [{select: {kind: "
		 "Secret}}]\n"},
		{"r.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: "
			   "hunter2}\n"},
		{0}};
	autoerror Error err = {0};
	assert_null(memory_build(files, &err));
	assert_non_null(strstr(err_text(&err), "out of bounds"));
	assert_null(strstr(err_text(&err), "hunter2"));
}

/* Each replacement doubles the object: 2 to the power of their number. */
static void replacements_that_copy_copies_are_bounded(void **state)
{
	(void)state;
	autobuf Buf text = {0};
	buf_puts(&text, "resources: [r.yaml]\nreplacements:\n");
	for (int i = 0; i < 60; i++)
		buf_printf(
			&text,
			"- source: {kind: Foo, fieldPath: spec}\n  targets: [{select: {kind: Foo}, "
			"fieldPaths: [spec.f%d], options: {create: true}}]\n",
			i);
	const MemoryFile files[] = {
		{"kustomization.yaml", buf_text(&text)},
		{"r.yaml", "apiVersion: v1\nkind: Foo\nmetadata: {name: f}\nspec: {a: b}\n"},
		{0}};
	autoerror Error err = {0};
	assert_null(memory_build(files, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

static void long_prefixes_are_refused(void **state)
{
	(void)state;
	autobuf Buf text = {0};
	buf_puts(&text, "resources: [r.yaml]\nnamePrefix: ");
	for (int i = 0; i < 5000; i++)
		buf_putc(&text, 'a');
	const MemoryFile files[] = {{"kustomization.yaml", buf_text(&text)}, {"r.yaml", CM}, {0}};
	assert_fails(files, "namePrefix: longer than 4096 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B41_hashes_equal_the_check_values),
		cmocka_unit_test(B42_labels_do_not_count_for_the_hash),
		cmocka_unit_test(B26_namespace_collision_names_the_object),
		cmocka_unit_test(B48_merge_without_base_fails),
		cmocka_unit_test(B51_errors_do_not_show_values),
		cmocka_unit_test(B50_a_long_line_ends_the_env_file),
		cmocka_unit_test(B66_flux_keeps_the_builtin_schema),
		cmocka_unit_test(B57_ports_that_no_patch_touches_stay),
		cmocka_unit_test(B67_patch_without_match_names_itself),
		cmocka_unit_test(B70_a_bad_pattern_is_an_error),
		cmocka_unit_test(B81_a_bad_image_name_is_an_error),
		cmocka_unit_test(B97_a_bad_order_is_an_error),
		cmocka_unit_test(B99_other_plugins_are_disabled),
		cmocka_unit_test(B101_helm_charts_tell_the_flag),
		cmocka_unit_test(replacement_errors_do_not_show_values),
		cmocka_unit_test(replacements_that_copy_copies_are_bounded),
		cmocka_unit_test(long_prefixes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
