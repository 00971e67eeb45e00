/* Charts prepared once and rendered many times; hooks, orders, lookups and post-rendering. What
 * templates print is compared with Helm in tests/differential/helm. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "helm/chart_cache.h"
#include "helm/kinds.h"
#include "helm/hooks.h"
#include "helm/template.h"

#define HEAD "apiVersion: v2\nname: c\nversion: 0.1.0\n"
#define MAP(name) "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " name "\n"
#define HOOK(name, more)                                                                           \
	"apiVersion: v1\nkind: Pod\nmetadata:\n  name: " name "\n  annotations:\n" more

static PreparedChart *prepare(const HelmFile *files, size_t count)
{
	autoerror Error err = {0};
	Arena *arena = arena_new();
	HelmChart *chart = helm_chart_of_files(arena, files, count, &err);
	if (!chart)
		fail_msg("%s", err_text(&err));
	return prepared_chart_new(arena, chart);
}

static PreparedChart *prepare_one(const char *template)
{
	const HelmFile files[] = {{"Chart.yaml", STR(HEAD)},
				  {"templates/t.yaml", str_of(template)}};
	return prepare(files, COUNT(files));
}

static HelmOptions options_of(const char *name)
{
	return (HelmOptions){.release = {name, "ns", 1, false}};
}

static bool render(Arena *arena, PreparedChart *chart, const json_t *values,
		   const HelmOptions *options, HelmManifests *out, Error *err)
{
	HelmChart *own;
	HelmStage stage;
	return helm_template(arena, chart, values, options, out, &own, &stage, err);
}

/* All objects, then all hooks. */
static char *text_of(PreparedChart *chart, const json_t *values, const HelmOptions *options,
		     Error *err)
{
	autoarena Arena *arena = arena_new();
	automanifests HelmManifests manifests = {0};
	autobuf Buf text = {0};
	if (!render(arena, chart, values, options, &manifests, err))
		return NULL;
	for (size_t i = 0; i < manifests.objects.len + manifests.hooks.len; i++) {
		const HelmManifest *one =
			i < manifests.objects.len
				? manifests.objects.items[i]
				: manifests.hooks.items[i - manifests.objects.len];
		helm_manifest_write(one->path, one->text, &text);
	}
	return buf_steal(&text);
}

static void assert_text(PreparedChart *chart, const HelmOptions *options, const char *wanted)
{
	autoerror Error err = {0};
	autofree char *text = text_of(chart, NULL, options, &err);
	if (!text)
		fail_msg("%s", err_text(&err));
	assert_string_equal(text, wanted);
}

/* ---- prepared charts ---- */

typedef struct {
	PreparedChart *chart;
	int number;
	bool fine;
} Worker;

static void *work(void *pointer)
{
	Worker *worker = pointer;
	HelmOptions options = options_of("r");
	autofree char *wanted =
		mem_printf("---\n# Source: c/templates/a.yaml\n" MAP("r-%d") "\n", worker->number);
	for (int i = 0; i < 20; i++) {
		autoerror Error err = {0};
		autojson json_t *values = json_pack("{s:i}", "n", worker->number);
		autofree char *text = text_of(worker->chart, values, &options, &err);
		if (!text || strcmp(text, wanted) != 0)
			return NULL;
	}
	worker->fine = true;
	return NULL;
}

static void a_prepared_chart_is_shared_by_threads(void **state)
{
	(void)state;
	const HelmFile files[] = {
		{"Chart.yaml", STR(HEAD)},
		{"templates/a.yaml", STR(MAP("{{ include \"name\" . }}"))},
		{"templates/_h.tpl", STR("{{ define \"name\" }}{{ tpl \"{{ .Release.Name }}\" . "
					 "}}-{{ .Values.n }}{{ end }}")}};
	autopreparedchart PreparedChart *chart = prepare(files, COUNT(files));
	Worker workers[4] = {0};
	pthread_t threads[COUNT(workers)];
	for (size_t i = 0; i < COUNT(workers); i++) {
		workers[i] = (Worker){chart, (int)i, false};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < COUNT(workers); i++) {
		pthread_join(threads[i], NULL);
		assert_true(workers[i].fine);
	}
}

static void templates_are_parsed_once(void **state)
{
	(void)state;
	autopreparedchart PreparedChart *chart = prepare_one(MAP("{{ .Release.Name }}"));
	HelmOptions options = options_of("a");
	assert_text(chart, &options, "---\n# Source: c/templates/t.yaml\n" MAP("a") "\n");
	size_t size = prepared_chart_size(chart);
	options = options_of("b");
	assert_text(chart, &options, "---\n# Source: c/templates/t.yaml\n" MAP("b") "\n");
	assert_int_equal(prepared_chart_size(chart), size);
}

static void a_template_that_fails_to_parse_stays_failed(void **state)
{
	(void)state;
	autopreparedchart PreparedChart *chart = prepare_one("{{ nope }}");
	HelmOptions options = options_of("r");
	size_t size = 0;
	for (int i = 0; i < 3; i++) {
		autoerror Error err = {0};
		assert_null(text_of(chart, NULL, &options, &err));
		assert_string_equal(err_text(&err), "parse error at (c/templates/t.yaml:1): "
						    "function \"nope\" not defined");
		assert_true(size == 0 || size == prepared_chart_size(chart));
		size = prepared_chart_size(chart);
	}
}

static void E12_values_decide_what_takes_part(void **state)
{
	(void)state;
	const HelmFile files[] = {
		{"Chart.yaml", STR(HEAD "dependencies:\n- {name: s, version: 0.x, alias: one}\n"
					"- {name: s, version: 0.x, condition: s.on}\n")},
		{"charts/s/Chart.yaml", STR("apiVersion: v2\nname: s\nversion: 0.1.0\n")},
		{"charts/s/templates/t.yaml", STR("kind: A\n")}};
	autopreparedchart PreparedChart *chart = prepare(files, COUNT(files));
	HelmOptions options = options_of("r");
	autojson json_t *off = json_pack("{s:{s:b}}", "s", "on", 0);
	autoerror Error err = {0};
	for (int i = 0; i < 2; i++) {
		assert_text(chart, &options,
			    "---\n# Source: c/charts/one/templates/t.yaml\nkind: A\n\n"
			    "---\n# Source: c/charts/s/templates/t.yaml\nkind: A\n\n");
		autofree char *less = text_of(chart, off, &options, &err);
		assert_string_equal(less,
				    "---\n# Source: c/charts/one/templates/t.yaml\nkind: A\n\n");
	}
}

static PreparedChart *load(void *context, Error *err)
{
	int *loaded = context;
	(void)err;
	(*loaded)++;
	return prepare_one("kind: A\n");
}

static PreparedChart *refuse(void *context, Error *err)
{
	(void)context;
	return err_null(err, ERR_UNAVAILABLE, "no network");
}

static void charts_are_cached_by_digest(void **state)
{
	(void)state;
	autoerror Error err = {0};
	int loaded = 0;
	autohelmchartcache HelmChartCache *cache = helm_chart_cache_new(1);
	autopreparedchart PreparedChart *first =
		helm_chart_cache_get(cache, "sha256:a", load, &loaded, &err);
	autopreparedchart PreparedChart *again =
		helm_chart_cache_get(cache, "sha256:a", load, &loaded, &err);
	assert_ptr_equal(first, again);
	assert_int_equal(loaded, 1);
	/* Over the limit the older one goes; who holds it keeps it. */
	autopreparedchart PreparedChart *other =
		helm_chart_cache_get(cache, "sha256:b", load, &loaded, &err);
	assert_ptr_not_equal(first, other);
	assert_string_equal(helm_chart_name(prepared_chart_chart(first)), "c");
	autopreparedchart PreparedChart *reloaded =
		helm_chart_cache_get(cache, "sha256:a", load, &loaded, &err);
	assert_non_null(reloaded);
	assert_int_equal(loaded, 3);
	assert_null(helm_chart_cache_get(cache, "sha256:c", refuse, NULL, &err));
	assert_string_equal(err_text(&err), "no network");
}

enum { ASKING = 8 };

typedef struct {
	HelmChartCache *cache;
	atomic_int asking, prepared, failed;
	bool fails; /* the first time */
} Rush;

/* Ends when all ask. */
static PreparedChart *prepare_in_rush(void *context, Error *err)
{
	Rush *rush = context;
	bool first = atomic_fetch_add(&rush->prepared, 1) == 0;
	while (atomic_load(&rush->asking) < ASKING)
		sched_yield();
	return rush->fails && first ? refuse(NULL, err) : prepare_one("kind: A\n");
}

static void *ask(void *context)
{
	Rush *rush = context;
	autoerror Error err = {0};
	atomic_fetch_add(&rush->asking, 1);
	PreparedChart *chart =
		helm_chart_cache_get(rush->cache, "sha256:a", prepare_in_rush, rush, &err);
	atomic_fetch_add(&rush->failed, !chart);
	return chart;
}

static void ask_all(Rush *rush)
{
	pthread_t threads[ASKING];
	for (size_t i = 0; i < ASKING; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, rush), 0);
	for (size_t i = 0; i < ASKING; i++) {
		void *chart;
		pthread_join(threads[i], &chart);
		prepared_chart_unref(chart);
	}
}

static void charts_asked_for_at_once_are_loaded_once(void **state)
{
	(void)state;
	autohelmchartcache HelmChartCache *cache = helm_chart_cache_new(1 << 20);
	Rush rush = {.cache = cache};
	ask_all(&rush);
	assert_int_equal(atomic_load(&rush.prepared), 1);
	assert_int_equal(atomic_load(&rush.failed), 0);
}

/* Only who was told of the failure fails. */
static void charts_whose_loading_fails_are_tried_by_the_others(void **state)
{
	(void)state;
	autohelmchartcache HelmChartCache *cache = helm_chart_cache_new(1 << 20);
	Rush rush = {.cache = cache, .fails = true};
	ask_all(&rush);
	assert_int_equal(atomic_load(&rush.failed), 1);
	assert_true(atomic_load(&rush.prepared) > 1);
}

/* ---- hooks and orders ---- */

static const char *const hook_texts[] = {
	HOOK("z", "    helm.sh/hook: pre-install\n    helm.sh/hook-weight: \"-5\"\n"),
	HOOK("b", "    helm.sh/hook: PRE-INSTALL , test-success\n"
		  "    helm.sh/hook-delete-policy: Hook-Succeeded, hook-failed\n"
		  "    helm.sh/hook-output-log-policy: hook-failed\n"),
	HOOK("a", "    helm.sh/hook: pre-install\n    helm.sh/hook-weight: x\n"),
	HOOK("q", "    helm.sh/hook: pre-install\n    helm.sh/hook-weight: 7\n"),
	HOOK("u", "    helm.sh/hook: pre-install,nope\n"),
	HOOK("e", "    helm.sh/hook: \"\"\n"),
	HOOK("o", "    other: x\n"),
};

typedef struct {
	Arena *arena;
	HelmManifests manifests;
	json_t *record; /* all hooks, as a release holds them */
	Vec hooks;	/* json_t * of the event, in the order in which they run */
} Hooks;

static void hooks_read(const char *event, Hooks *out)
{
	autobuf Buf text = {0};
	autoerror Error err = {0};
	for (size_t i = 0; i < COUNT(hook_texts); i++)
		buf_printf(&text, "---\n%s", hook_texts[i]);
	autopreparedchart PreparedChart *chart = prepare_one(buf_text(&text));
	HelmOptions options = options_of("r");
	*out = (Hooks){.arena = arena_new()};
	if (!render(out->arena, chart, NULL, &options, &out->manifests, &err))
		fail_msg("%s", err_text(&err));
	out->record = json_array();
	for (size_t i = 0; i < out->manifests.hooks.len; i++)
		json_array_append_new(out->record, helm_hook_new(out->manifests.hooks.items[i]));
	helm_hooks_select(out->record, event, &out->hooks);
}

static void hooks_dispose(Hooks *hooks)
{
	vec_dispose(&hooks->hooks);
	json_decref(hooks->record);
	helm_manifests_dispose(&hooks->manifests);
	arena_free(hooks->arena);
}
#define autohooks __attribute__((cleanup(hooks_dispose)))

static void E75_hooks_run_by_weight_then_name(void **state)
{
	static const char *const names[] = {"z", "a", "b", "q"};
	static const int64_t weights[] = {-5, 0, 0, 7};
	(void)state;
	autohooks Hooks hooks;
	hooks_read("pre-install", &hooks);
	assert_int_equal(hooks.hooks.len, COUNT(names));
	for (size_t i = 0; i < hooks.hooks.len; i++) {
		const json_t *hook = hooks.hooks.items[i];
		assert_string_equal(json_text(hook, "name"), names[i]);
		assert_int_equal(json_int(hook, "weight", 0), weights[i]);
	}
	/* An unknown event drops the object, in whatever list it stands. */
	assert_int_equal(hooks.manifests.hooks.len, 4);
	assert_int_equal(hooks.manifests.objects.len, 1);
}

static void E76_policies_are_read(void **state)
{
	(void)state;
	autohooks Hooks hooks;
	hooks_read("test", &hooks);
	assert_int_equal(hooks.hooks.len, 1);
	const json_t *hook = hooks.hooks.items[0];
	assert_string_equal(json_text(hook, "name"), "b");
	assert_int_equal(json_array_size(json_list(hook, "events")), 2);
	assert_int_equal(json_array_size(json_list(hook, "delete_policies")), 2);
	assert_true(helm_hook_has(hook, "delete_policies", "hook-succeeded"));
	assert_true(helm_hook_has(hook, "delete_policies", "hook-failed"));
	assert_int_equal(json_array_size(json_list(hook, "output_log_policies")), 1);
	assert_true(helm_hook_has(hook, "output_log_policies", "hook-failed"));
	/* None is written; once its event runs it, it is deleted before it is created. */
	const HelmManifest *plain = hooks.manifests.hooks.items[0];
	assert_int_equal(plain->delete_policies.len, 0);
	autohooks Hooks others;
	hooks_read("pre-install", &others);
	const json_t *first = others.hooks.items[0];
	assert_int_equal(json_array_size(json_list(first, "delete_policies")), 1);
	assert_true(helm_hook_has(first, "delete_policies", "before-hook-creation"));
}

static void E73_a_service_goes_early(void **state)
{
	static const char *const install[] = {"Namespace",  "ConfigMap",    "Service",
					      "Deployment", "IngressClass", "Ingress"};
	static const char *const uninstall[] = {"Ingress",    "IngressClass", "Service",  "CronJob",
						"Deployment", "ConfigMap",    "Namespace"};
	(void)state;
	for (size_t i = 0; i + 1 < COUNT(install); i++)
		assert_true(helm_kinds_compare(HELM_INSTALL, install[i], install[i + 1]) < 0);
	for (size_t i = 0; i + 1 < COUNT(uninstall); i++)
		assert_true(helm_kinds_compare(HELM_UNINSTALL, uninstall[i], uninstall[i + 1]) < 0);
	for (HelmOrder order = HELM_INSTALL; order <= HELM_UNINSTALL; order++) {
		assert_true(helm_kinds_compare(order, "Zebra", "PriorityClass") > 0);
		assert_true(helm_kinds_compare(order, "Ant", "Zebra") < 0);
		assert_int_equal(helm_kinds_compare(order, "Pod", "Pod"), 0);
	}
}

/* ---- a cluster and DNS ---- */

static bool look_up(void *context, const char *api_version, const char *kind, const char *ns,
		    const char *name, json_t **out, Error *err)
{
	(void)context;
	if (strcmp(api_version, "nope/v1") == 0)
		return err_set(err, ERR_NOT_FOUND, "the server could not find %s", kind);
	if (strcmp(name, "gone") != 0)
		*out = json_pack("{s:s,s:s}", "ns", ns, "name", name);
	return true;
}

static void E51_lookup_asks_the_cluster(void **state)
{
	(void)state;
	autopreparedchart PreparedChart *chart =
		prepare_one("a: {{ lookup \"v1\" \"Secret\" \"n\" \"s\" | toJson }}\n"
			    "b: {{ lookup \"v1\" \"Secret\" \"n\" \"gone\" | toJson }}\n");
	HelmOptions options = options_of("r");
	assert_text(chart, &options, "---\n# Source: c/templates/t.yaml\na: {}\nb: {}\n\n");
	options.limits.lookup = look_up;
	assert_text(chart, &options,
		    "---\n# Source: c/templates/t.yaml\n"
		    "a: {\"name\":\"s\",\"ns\":\"n\"}\nb: {}\n\n");
	autoerror Error err = {0};
	autopreparedchart PreparedChart *unknown =
		prepare_one("{{ lookup \"nope/v1\" \"K\" \"\" \"\" }}");
	assert_null(text_of(unknown, NULL, &options, &err));
	assert_non_null(strstr(err_text(&err), "error calling lookup: the server could not find"));
}

static char *resolve(void *context, const char *host)
{
	(void)context;
	return strcmp(host, "known") == 0 ? mem_strdup("192.0.2.1") : NULL;
}

static void E52_names_are_resolved_when_allowed(void **state)
{
	(void)state;
	autopreparedchart PreparedChart *chart =
		prepare_one("a: {{ getHostByName \"known\" | quote }}\n");
	HelmOptions options = options_of("r");
	assert_text(chart, &options, "---\n# Source: c/templates/t.yaml\na: \"\"\n\n");
	options.limits.resolve = resolve;
	assert_text(chart, &options, "---\n# Source: c/templates/t.yaml\na: \"192.0.2.1\"\n\n");
}

/* ---- post-rendering ---- */

/* Puts the stream's number and the object's place into each object, drops what is called "drop",
 * and adds an object of its own. */
static bool mark(void *context, json_t *objects, json_t **out, Error *err)
{
	int *streams = context;
	json_t *object;
	size_t index;
	(void)err;
	*out = json_array();
	(*streams)++;
	json_array_foreach(objects, index, object)
	{
		if (strcmp(json_text_or(json_map(object, "metadata"), "name", ""), "drop") == 0)
			continue;
		json_object_set_new(object, "at", json_sprintf("%d.%zu", *streams, index));
		json_array_append(*out, object);
	}
	json_array_append_new(*out, json_pack("{s:s}", "kind", "Zoo"));
	return true;
}

static const HelmFile rendered[] = {
	{"Chart.yaml", STR(HEAD)},
	{"templates/a.yaml", STR("# gone\nkind: B\nmetadata: {name: b}\n---\nkind: A\n"
				 "metadata: {name: a, annotations: {x: \"1\"}}\n")},
	{"templates/b.yaml", STR("kind: C\nmetadata: {name: drop}\n")},
	{"templates/h.yaml", STR("kind: H\nmetadata: {annotations: {helm.sh/hook: test}}\n")},
	{"templates/l.yaml", STR("kind: List\nitems:\n- kind: I\n- kind: J\n")},
};

#define FROM(path) "---\n# Source: " path "\n"
#define MARKED(at, kind, metadata) "at: \"" at "\"\nkind: " kind "\nmetadata:" metadata
#define LABELLED "\n  annotations:\n    x: \"1\"\n  name: a\n"
#define NAMED "\n  name: b\n"
#define EMPTY " {}\n"
#define TEST "\n  annotations:\n    helm.sh/hook: test\n"
#define A FROM("c/templates/a.yaml")
#define L FROM("c/templates/l.yaml")
#define H FROM("c/templates/h.yaml")

static void assert_postrendered(HelmPostRenderStrategy strategy, const char *const *parts)
{
	autopreparedchart PreparedChart *chart = prepare(rendered, COUNT(rendered));
	autobuf Buf wanted = {0};
	int streams = 0;
	HelmOptions options = options_of("r");
	options.postrenderer =
		(HelmPostRenderer){.run = mark, .context = &streams, .strategy = strategy};
	for (; *parts; parts++)
		buf_puts(&wanted, *parts);
	assert_text(chart, &options, buf_text(&wanted));
}

static void postrendering_changes_one_stream(void **state)
{
	static const char *const parts[] = {
		A MARKED("1.1", "A", LABELLED) "\n",
		A MARKED("1.0", "B", NAMED),
		L MARKED("1.4", "I", EMPTY),
		L MARKED("1.5", "J", EMPTY) "\n",
		FROM("generated-by-postrender-5.yaml") "kind: Zoo\n\n",
		H MARKED("1.3", "H", TEST) "\n",
		NULL,
	};
	(void)state;
	assert_postrendered(HELM_POSTRENDER_COMBINED, parts);
}

static void postrendering_leaves_hooks_alone(void **state)
{
	static const char *const parts[] = {
		A MARKED("1.0", "A", LABELLED),
		A MARKED("1.1", "B", NAMED) "\n",
		L MARKED("1.3", "I", EMPTY),
		L MARKED("1.4", "J", EMPTY) "\n",
		FROM("generated-by-postrender-manifests-4.yaml") "kind: Zoo\n\n",
		H "kind: H\nmetadata: {annotations: {helm.sh/hook: test}}\n\n",
		NULL,
	};
	(void)state;
	assert_postrendered(HELM_POSTRENDER_NOHOOKS, parts);
}

static void postrendering_has_a_stream_for_hooks(void **state)
{
	static const char *const parts[] = {
		A MARKED("2.0", "A", LABELLED),
		A MARKED("2.1", "B", NAMED) "\n",
		L MARKED("2.3", "I", EMPTY),
		L MARKED("2.4", "J", EMPTY) "\n",
		FROM("generated-by-postrender-hooks-1.yaml") "kind: Zoo\n\n",
		FROM("generated-by-postrender-manifests-4.yaml") "kind: Zoo\n\n",
		H MARKED("1.0", "H", TEST) "\n",
		NULL,
	};
	(void)state;
	assert_postrendered(HELM_POSTRENDER_SEPARATE, parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prepared_chart_is_shared_by_threads),
		cmocka_unit_test(templates_are_parsed_once),
		cmocka_unit_test(a_template_that_fails_to_parse_stays_failed),
		cmocka_unit_test(E12_values_decide_what_takes_part),
		cmocka_unit_test(charts_are_cached_by_digest),
		cmocka_unit_test(charts_asked_for_at_once_are_loaded_once),
		cmocka_unit_test(charts_whose_loading_fails_are_tried_by_the_others),
		cmocka_unit_test(E75_hooks_run_by_weight_then_name),
		cmocka_unit_test(E76_policies_are_read),
		cmocka_unit_test(E73_a_service_goes_early),
		cmocka_unit_test(E51_lookup_asks_the_cluster),
		cmocka_unit_test(E52_names_are_resolved_when_allowed),
		cmocka_unit_test(postrendering_changes_one_stream),
		cmocka_unit_test(postrendering_leaves_hooks_alone),
		cmocka_unit_test(postrendering_has_a_stream_for_hooks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
