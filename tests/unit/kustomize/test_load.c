#include "../cmocka_all.h"

#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "memory_files.h"

/* Where files come from, what may be reached, what errors say, limits. */

#define CM(name) "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " name "\n"
#define CM_OUT(name) CM(name)

static void B1_several_roots_fail(void **state)
{
	(void)state;
	const MemoryFile files[] = {{"kustomization.yaml", "resources: [r.yaml]"},
				    {"Kustomization", "resources: [r.yaml]"},
				    {"r.yaml", CM("a")},
				    {0}};
	assert_fails(files, "Found multiple kustomization files under: .");
	KustomizeFiles source = memory_files(files);
	autoerror Error err = {0};
	assert_null(kustomize_find_root(&source, ".", &err));
	assert_true(err_is_set(&err));
	autoerror Error none = {0};
	assert_null(kustomize_find_root(&source, "other", &none));
	assert_false(err_is_set(&none));
}

static void B2_unknown_field_is_named(void **state)
{
	(void)state;
	const MemoryFile files[] = {{"kustomization.yaml", "images:\n- {name: a, newTagg: b}\n"},
				    {0}};
	assert_fails(files,
		     "kustomization.yaml:2: invalid Kustomization: images: [0]: unknown field "
		     "\"newTagg\"");
}

static void B2_wrong_type_is_named(void **state)
{
	(void)state;
	const MemoryFile files[] = {{"kustomization.yaml", "commonLabels: {a: [b]}\n"}, {0}};
	assert_fails(files, "commonLabels: a: expected a string, got a list");
}

static void B3_only_kind_is_empty(void **state)
{
	(void)state;
	const MemoryFile files[] = {{"kustomization.yaml", "kind: Kustomization\n"}, {0}};
	assert_fails(files, "kustomization.yaml is empty");
}

static void B4_missing_file_is_named(void **state)
{
	(void)state;
	const MemoryFile files[] = {{"kustomization.yaml", "resources: [gone.yaml]"}, {0}};
	assert_fails(files, "accumulating resources from 'gone.yaml': evalsymlink failure");
	const MemoryFile empty[] = {{"kustomization.yaml", "resources: [d]"}, {"d/x", ""}, {0}};
	assert_fails(empty, "couldn't make target for path 'd': unable to find one of "
			    "'kustomization.yaml'");
}

static void B6_missing_name_tells_file_and_line(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml", "resources: [r.yaml]"},
		{"r.yaml", CM("a") "---\n# a comment\napiVersion: v1\nkind: ConfigMap\n"},
		{0}};
	assert_fails(files, "r.yaml:7: missing metadata.name");
	const MemoryFile kindless[] = {
		{"kustomization.yaml", "resources: [r.yaml]"}, {"r.yaml", "apiVersion: v1\n"}, {0}};
	assert_fails(kindless, "r.yaml:1: missing kind");
}

static void B9_duplicate_key_tells_file_and_line(void **state)
{
	(void)state;
	const MemoryFile files[] = {{"kustomization.yaml", "resources: [r.yaml]"},
				    {"r.yaml", CM("a") "kind: Secret\n"},
				    {0}};
	assert_fails(files, "MalformedYAMLError: r.yaml:5:");
}

static void B16_cycles_are_found(void **state)
{
	(void)state;
	const MemoryFile files[] = {{"kustomization.yaml", "resources: [a]"},
				    {"a/kustomization.yaml", "resources: [../b]"},
				    {"b/kustomization.yaml", "resources: [../a]"},
				    {0}};
	assert_fails(files, "cycle detected");
	const MemoryFile self[] = {{"kustomization.yaml", "resources: [./]"}, {0}};
	assert_fails(self, "cycle detected");
}

static void B19_component_in_the_wrong_place(void **state)
{
	(void)state;
	const MemoryFile files[] = {{"kustomization.yaml", "resources: [c]"},
				    {"c/kustomization.yaml", "kind: Component\nnamePrefix: a\n"},
				    {0}};
	assert_fails(files, "expected kind != 'Component' for path 'c'");
	const MemoryFile other[] = {{"kustomization.yaml", "components: [c]"},
				    {"c/kustomization.yaml", "namePrefix: a\n"},
				    {0}};
	assert_fails(other, "expected kind 'Component' for path 'c' but got 'Kustomization'");
}

static const MemoryFile outside[] = {
	{"app/kustomization.yaml", "resources: [../r.yaml]\n"}, {"r.yaml", CM("a")}, {0}};

static void B102_outside_the_own_root_is_refused_by_default(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autofree char *built = memory_build_with(outside, "app", (KustomizeOptions){0}, &err);
	assert_null(built);
	assert_int_equal(err.code, ERR_FORBIDDEN);
	assert_non_null(strstr(err_text(&err), "is not in or below 'app'"));
}

static void B102_inside_the_artifact_is_allowed_for_flux(void **state)
{
	(void)state;
	autoerror Error err = {0};
	KustomizeOptions options = {.load_anywhere = true};
	autofree char *built = memory_build_with(outside, "app", options, &err);
	assert_string_equal(built, CM_OUT("a"));
}

static void B102_the_source_is_never_left(void **state)
{
	(void)state;
	static const char *const entries[] = {"../r.yaml", "/r.yaml", "x/../../r.yaml", "../x/.."};
	for (size_t i = 0; i < COUNT(entries); i++) {
		autofree char *text = mem_printf("resources: ['%s']\n", entries[i]);
		const MemoryFile files[] = {{"kustomization.yaml", text}, {"r.yaml", CM("a")}, {0}};
		autoerror Error err = {0};
		KustomizeOptions options = {.load_anywhere = true};
		autofree char *built = memory_build_with(files, ".", options, &err);
		assert_null(built);
		assert_int_equal(err.code, ERR_FORBIDDEN);
	}
}

static void write_file(const char *dir, const char *name, const char *text)
{
	autoerror Error err = {0};
	autofree char *path = path_join(dir, name);
	assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
}

static bool build_dir(const char *dir, Error *err)
{
	autofd int fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, err);
	assert_true(fd >= 0);
	KustomizeDirFiles *files = kustomize_dir_files_new(fd);
	KustomizeOptions options = {.files = kustomize_dir_files(files), .load_anywhere = true};
	autokustomizeresult KustomizeResult result = {0};
	bool ok = kustomize_build(".", &options, &result, err);
	kustomize_dir_files_free(files);
	return ok;
}

static void B103_links_out_of_the_artifact_are_refused(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "kustomize", &err);
	autotempdir char *other = dir_make_temp("/tmp", "kustomize", &err);
	write_file(dir, "kustomization.yaml", "resources: [r.yaml]\n");
	write_file(other, "secret.yaml", CM("stolen"));
	autofree char *target = path_join(other, "secret.yaml");
	autofree char *link = path_join(dir, "r.yaml");
	assert_int_equal(symlink(target, link), 0);
	assert_false(build_dir(dir, &err));
	assert_null(strstr(err_text(&err), "stolen"));
}

static void B103_links_within_the_artifact_work(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "kustomize", &err);
	write_file(dir, "kustomization.yaml", "resources: [link.yaml]\n");
	write_file(dir, "r.yaml", CM("a"));
	autofree char *link = path_join(dir, "link.yaml");
	assert_int_equal(symlink("r.yaml", link), 0);
	assert_true(build_dir(dir, &err));
}

static void fifos_do_not_hold_the_build(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "kustomize", &err);
	write_file(dir, "kustomization.yaml", "configMapGenerator: [{name: a, files: [pipe]}]\n");
	autofree char *pipe = path_join(dir, "pipe");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_false(build_dir(dir, &err));
	assert_non_null(strstr(err_text(&err), "pipe"));
}

/* `arg`, if any, collects who named what. */
static char *fake_fetch(void *arg, const char *from, const char *url, KustomizeWanted wanted,
			Error *err)
{
	(void)wanted;
	if (arg)
		buf_printf(arg, "%s: %s\n", from, url);
	if (strstr(url, "gone"))
		return err_null(err, ERR_NOT_FOUND, "%s: HTTP Error: status code 404", url);
	return mem_strdup(strstr(url, ".yaml") ? ".fetched/r.yaml" : "clones/one//overlay");
}

static void B104_remote_files_and_bases_are_fetched(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml",
		 "resources: ['https://host/r.yaml', 'https://host/repo//overlay?ref=v1']\n"},
		{".fetched/r.yaml", CM("file")},
		{"clones/one/overlay/kustomization.yaml", "resources: [../base]\n"},
		{"clones/one/base/kustomization.yaml", "resources: [r.yaml]\n"},
		{"clones/one/base/r.yaml", CM("base")},
		{0}};
	autoerror Error err = {0};
	autofree char *built =
		memory_build_with(files, ".", (KustomizeOptions){.fetch = fake_fetch}, &err);
	assert_string_equal(built, CM("file") "---\n" CM("base"));
	autoerror Error offline = {0};
	assert_null(memory_build(files, &offline));
	assert_int_equal(offline.code, ERR_UNSUPPORTED);
}

static void B104_http_errors_are_reported(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml", "resources: ['https://host/gone.yaml']\n"}, {0}};
	autoerror Error err = {0};
	assert_null(memory_build_with(files, ".", (KustomizeOptions){.fetch = fake_fetch}, &err));
	assert_non_null(strstr(err_text(&err), "HTTP Error"));
}

static void B104_who_names_a_base_is_told(void **state)
{
	(void)state;
	const MemoryFile files[] = {
		{"kustomization.yaml", "resources: [app, 'https://host/repo//overlay']\n"},
		{"app/kustomization.yaml", "resources: ['https://host/r.yaml']\n"},
		{".fetched/r.yaml", CM("file")},
		{"clones/one/overlay/kustomization.yaml",
		 "configMapGenerator: [{name: a}]\npatches: [{path: 'https://host/gone.yaml'}]\n"},
		{0}};
	autoerror Error err = {0};
	autobuf Buf named = {0};
	KustomizeOptions options = {.fetch = fake_fetch, .fetch_arg = &named};
	assert_null(memory_build_with(files, ".", options, &err));
	assert_string_equal(buf_text(&named), "app: https://host/r.yaml\n"
					      ".: https://host/repo//overlay\n"
					      "clones/one/overlay: https://host/gone.yaml\n");
}

static void B105_a_clone_is_never_left(void **state)
{
	(void)state;
	static const char *const entries[] = {"../../../base", "../../two"};
	for (size_t i = 0; i < COUNT(entries); i++) {
		autofree char *text = mem_printf("resources: ['%s']\n", entries[i]);
		const MemoryFile files[] = {
			{"kustomization.yaml", "resources: ['https://host/repo//overlay']\n"},
			{"clones/one/overlay/kustomization.yaml", text},
			{"base/kustomization.yaml", "configMapGenerator: [{name: a}]\n"},
			{"clones/two/kustomization.yaml", "secretGenerator: [{name: a}]\n"},
			{0}};
		autoerror Error err = {0};
		KustomizeOptions options = {.fetch = fake_fetch, .load_anywhere = true};
		assert_null(memory_build_with(files, ".", options, &err));
		assert_int_equal(err.code, ERR_FORBIDDEN);
	}
}

static void errors_name_the_line_of_the_entry(void **state)
{
	(void)state;
	static const struct {
		const char *base, *part;
	} cases[] = {
		{"resources:\n- r.yaml\n- gone.yaml\n",
		 "base/kustomization.yaml:3: resources[1]: "},
		{"resources: [r.yaml]\n\npatches:\n- path: gone.yaml\n",
		 "base/kustomization.yaml:4: patches[0]: "},
		{"resources: [r.yaml]\nreplicas:\n- {name: none, count: 1}\n",
		 "base/kustomization.yaml:3: replicas: "},
		{"resources: [r.yaml]\ncomponents:\n\n- gone\n",
		 "base/kustomization.yaml:4: components[0]: "},
		{"resources: [r.yaml]\nconfigMapGenerator:\n- {name: a, files: [gone]}\n",
		 "base/kustomization.yaml:3: configMapGenerator: "},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const MemoryFile files[] = {
			{"kustomization.yaml", "resources:\n- r.yaml\n- base\n"},
			{"r.yaml", CM("top")},
			{"base/kustomization.yaml", cases[i].base},
			{"base/r.yaml", CM("a")},
			{0}};
		assert_fails(files, cases[i].part);
		assert_fails(files, "./kustomization.yaml:3: resources[1]: ");
	}
}

static void limits_name_the_file(void **state)
{
	(void)state;
	static const struct {
		KustomizeLimits limits;
		const char *text; /* of the error; NULL: it builds */
	} cases[] = {
		{{.max_file_bytes = 120}, NULL},
		{{.max_file_bytes = 60}, "big.yaml: over 60 bytes"},
		{{.max_bytes = 180}, "the build reads more than 180 bytes"},
		{{.max_objects = 3}, NULL},
		{{.max_objects = 2}, "big.yaml:6: more than 2 objects"},
	};
	const MemoryFile files[] = {{"kustomization.yaml", "resources: [a.yaml, big.yaml]\n"},
				    {"a.yaml", CM("a")},
				    {"big.yaml", CM("b") "---\n" CM("c")},
				    {0}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		autoerror Error err = {0};
		KustomizeOptions options = {.limits = cases[i].limits};
		autofree char *built = memory_build_with(files, ".", options, &err);
		assert_int_equal(built == NULL, cases[i].text != NULL);
		if (!cases[i].text)
			continue;
		assert_int_equal(err.code, ERR_LIMIT);
		assert_non_null(strstr(err_text(&err), cases[i].text));
		assert_non_null(strstr(err_text(&err), "big.yaml"));
	}
}

/* A build of which somebody made a great deal of work out of little text. */
static void a_build_ends_in_its_time(void **state)
{
	(void)state;
	enum { LAYERS = 14 };
	MemoryFile files[LAYERS * 2 + 3] = {{"kustomization.yaml", "resources: [l0]\n"}};
	char *names[LAYERS * 2 + 1];
	for (int i = 0; i <= LAYERS * 2; i++) {
		bool even = i % 2 == 0;
		int layer = i / 2;
		names[i] = mem_printf("l%d/%skustomization.yaml", layer, even ? "" : "x/");
		const char *text = layer == LAYERS ? mem_strdup("configMapGenerator: [{name: a}]\n")
				   : even ? mem_printf("resources: [../l%d, x]\n", layer + 1)
					  : mem_printf("resources: [../../l%d]\nnamePrefix: p%d-\n",
						       layer + 1, layer);
		files[i + 1] = (MemoryFile){names[i], text};
	}
	autoerror Error err = {0};
	KustomizeOptions options = {.limits = {.max_ms = 20}};
	int64_t started_ms = clock_mono_ms();
	assert_null(memory_build_with(files, ".", options, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_non_null(strstr(err_text(&err), "takes longer than 20 ms"));
	assert_true(clock_mono_ms() - started_ms < 5000);
	for (int i = 0; i <= LAYERS * 2; i++) {
		free(names[i]);
		free((void *)(uintptr_t)files[i + 1].text);
	}
}

static void K19_a_root_may_come_from_the_caller(void **state)
{
	(void)state;
	autojson json_t *root = json_pack("{s:[s], s:s, s:{}}", "resources", "r.yaml", "namePrefix",
					  "p-", "unknownField");
	const MemoryFile files[] = {{"r.yaml", CM("a")}, {0}};
	autoerror Error err = {0};
	autofree char *built =
		memory_build_with(files, ".", (KustomizeOptions){.root = root}, &err);
	assert_string_equal(built, CM_OUT("p-a"));
}

static const MemoryFile shared[] = {
	{"kustomization.yaml", "resources: [base]\nnamePrefix: p-\ncommonLabels: {a: b, c: d}\n"},
	{"base/kustomization.yaml", "resources: [r.yaml, s.yaml]\n"},
	{"base/r.yaml", CM("one") "---\n" CM("two")},
	{"base/s.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n"
			"  metadata: {name: three}\n"},
	{0}};

static void B107_same_input_gives_the_same_bytes_with_and_without_cache(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autofree char *plain = memory_build(shared, &err);
	assert_non_null(plain);
	size_t sizes[] = {0, 100, 1000000};
	for (size_t i = 0; i < COUNT(sizes); i++) {
		KustomizeCache *cache = kustomize_cache_new(sizes[i]);
		for (int round = 0; round < 3; round++) {
			autofree char *built = memory_build_with(
				shared, ".", (KustomizeOptions){.cache = cache}, &err);
			assert_string_equal(built, plain);
		}
		kustomize_cache_free(cache);
	}
}

/* `shared`, and how often its base's first file was read. */
typedef struct {
	KustomizeFiles files;
	int reads;
} Counted;

static KustomizeNode counted_stat(void *arg, const char *path)
{
	const Counted *counted = arg;
	return counted->files.stat(counted->files.arg, path);
}

static bool counted_read(void *arg, const char *path, Buf *out, Error *err)
{
	Counted *counted = arg;
	counted->reads += cstr_eq(path, "base/r.yaml");
	return counted->files.read(counted->files.arg, path, out, err);
}

static int reads_by(Counted *counted, KustomizeCache *cache, const char *builder)
{
	autoerror Error err = {0};
	autokustomizeresult KustomizeResult result = {0};
	KustomizeFiles files = {.arg = counted, .stat = counted_stat, .read = counted_read};
	KustomizeOptions options = {.files = &files, .cache = cache, .builder = builder};
	counted->reads = 0;
	assert_true(kustomize_build(".", &options, &result, &err));
	return counted->reads;
}

static void files_are_kept_once_two_ask_for_them(void **state)
{
	(void)state;
	Counted counted = {.files = memory_files(shared)};
	KustomizeCache *cache = kustomize_cache_new(1000000);
	assert_int_equal(reads_by(&counted, cache, "apps/one"), 1);
	assert_int_equal(reads_by(&counted, cache, "apps/one"), 1); /* nobody else's */
	assert_int_equal(reads_by(&counted, cache, "apps/two"), 1);
	assert_int_equal(reads_by(&counted, cache, "apps/three"), 0);
	assert_int_equal(reads_by(&counted, cache, "apps/one"), 0);
	kustomize_cache_free(cache);
	KustomizeCache *eager = kustomize_cache_new(1000000);
	assert_int_equal(reads_by(&counted, eager, NULL), 1);
	assert_int_equal(reads_by(&counted, eager, NULL), 0);
	kustomize_cache_free(eager);
}

static void *build_many(void *cache)
{
	for (int i = 0; i < 20; i++) {
		autoerror Error err = {0};
		free(memory_build_with(shared, ".", (KustomizeOptions){.cache = cache}, &err));
	}
	return NULL;
}

static void a_cache_is_shared_by_threads(void **state)
{
	(void)state;
	KustomizeCache *cache = kustomize_cache_new(1000000);
	pthread_t threads[4];
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, build_many, cache), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	kustomize_cache_free(cache);
}

static void results_tell_file_and_line(void **state)
{
	(void)state;
	KustomizeFiles source = memory_files(shared);
	KustomizeOptions options = {.files = &source};
	autokustomizeresult KustomizeResult result = {0};
	autoerror Error err = {0};
	assert_true(kustomize_build(".", &options, &result, &err));
	assert_int_equal(result.len, 3);
	assert_string_equal(result.items[1].file, "base/r.yaml");
	assert_int_equal(result.items[1].line, 6);
	assert_string_equal(result.items[2].file, "base/s.yaml");
}

/* Each level takes the next twice under other names: 2 to the power of the levels. */
static void doubling_bases_are_bounded(void **state)
{
	(void)state;
	enum { LEVELS = 16 };
	MemoryFile files[LEVELS * 3 + 3] = {{"kustomization.yaml", "resources: [l0]\n"}};
	Vec owned = {0};
	size_t at = 1;
	for (int i = 0; i < LEVELS; i++)
		for (int j = 0; j < 3; j++) {
			static const char *const names[] = {"", "a", "b"};
			char *path = mem_printf("l%d%s/kustomization.yaml", i, names[j]);
			char *text = j == 0 ? mem_printf("resources: [../l%da, ../l%db]\n", i, i)
					    : mem_printf("resources: [../l%d]\nnamePrefix: %s-\n",
							 i + 1, names[j]);
			vec_push(&owned, path);
			vec_push(&owned, text);
			files[at++] = (MemoryFile){path, text};
		}
	autofree char *last = mem_printf("l%d/kustomization.yaml", LEVELS);
	files[at++] = (MemoryFile){last, "namePrefix: x\n"};
	autoerror Error err = {0};
	assert_null(memory_build(files, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	vec_dispose_strings(&owned);
}

static void deep_nesting_is_bounded(void **state)
{
	(void)state;
	enum { LEVELS = 120 };
	MemoryFile files[LEVELS + 2] = {{0}};
	Vec owned = {0};
	for (int i = 0; i < LEVELS; i++) {
		char *path = i ? mem_printf("d%d/kustomization.yaml", i)
			       : mem_strdup("kustomization.yaml");
		char *text = mem_printf("resources: [%sd%d]\n", i ? "../" : "", i + 1);
		vec_push(&owned, path);
		vec_push(&owned, text);
		files[i] = (MemoryFile){path, text};
	}
	autofree char *last = mem_printf("d%d/kustomization.yaml", LEVELS);
	files[LEVELS] = (MemoryFile){last, "namePrefix: x\n"};
	autoerror Error err = {0};
	assert_null(memory_build(files, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	vec_dispose_strings(&owned);
}

/* CPU time of a build where each of `count` namespaces has objects of the same two names. */
static double build_namesakes(int count)
{
	autobuf Buf text = {0};
	for (int i = 0; i < count; i++)
		buf_printf(
			&text,
			"---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: app, namespace: "
			"n%d}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: app, namespace: "
			"n%d}, spec: {containers: [{envFrom: [{configMapRef: {name: app}}]}]}}\n",
			i, i);
	const MemoryFile files[] = {{"kustomization.yaml", "resources: [r.yaml]\nnamePrefix: p-\n"},
				    {"r.yaml", buf_text(&text)},
				    {0}};
	autoerror Error err = {0};
	clock_t start = clock();
	autofree char *built = memory_build(files, &err);
	assert_non_null(built);
	assert_null(strstr(built, "name: app\n"));
	return (double)(clock() - start);
}

/* Four times the objects cost about four times the work; by scanning it would be sixteen. */
static void B37_namesakes_in_many_namespaces_stay_linear(void **state)
{
	(void)state;
	double few = build_namesakes(1000);
	assert_true(build_namesakes(4000) < few * 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B1_several_roots_fail),
		cmocka_unit_test(B2_unknown_field_is_named),
		cmocka_unit_test(B2_wrong_type_is_named),
		cmocka_unit_test(B3_only_kind_is_empty),
		cmocka_unit_test(B4_missing_file_is_named),
		cmocka_unit_test(B6_missing_name_tells_file_and_line),
		cmocka_unit_test(B9_duplicate_key_tells_file_and_line),
		cmocka_unit_test(B16_cycles_are_found),
		cmocka_unit_test(B19_component_in_the_wrong_place),
		cmocka_unit_test(B102_outside_the_own_root_is_refused_by_default),
		cmocka_unit_test(B102_inside_the_artifact_is_allowed_for_flux),
		cmocka_unit_test(B102_the_source_is_never_left),
		cmocka_unit_test(B103_links_out_of_the_artifact_are_refused),
		cmocka_unit_test(B103_links_within_the_artifact_work),
		cmocka_unit_test(fifos_do_not_hold_the_build),
		cmocka_unit_test(B104_remote_files_and_bases_are_fetched),
		cmocka_unit_test(B104_http_errors_are_reported),
		cmocka_unit_test(B104_who_names_a_base_is_told),
		cmocka_unit_test(B105_a_clone_is_never_left),
		cmocka_unit_test(errors_name_the_line_of_the_entry),
		cmocka_unit_test(limits_name_the_file),
		cmocka_unit_test(a_build_ends_in_its_time),
		cmocka_unit_test(K19_a_root_may_come_from_the_caller),
		cmocka_unit_test(B107_same_input_gives_the_same_bytes_with_and_without_cache),
		cmocka_unit_test(files_are_kept_once_two_ask_for_them),
		cmocka_unit_test(a_cache_is_shared_by_threads),
		cmocka_unit_test(results_tell_file_and_line),
		cmocka_unit_test(doubling_bases_are_bounded),
		cmocka_unit_test(deep_nesting_is_bounded),
		cmocka_unit_test(B37_namesakes_in_many_namespaces_stay_linear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
