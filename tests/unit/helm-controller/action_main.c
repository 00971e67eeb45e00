/*
 * Actions upon releases without a controller: `helm-action KUBECONFIG` reads a JSON request a line,
 * does it and answers with a line that says how it ended. What waits is woken by the watch, as the
 * controller's queue would.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "action.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"
#include "helm/prepared.h"

typedef struct {
	Loop *loop;
	KubeClient *client;
	Drift *drift;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	bool wake; /* guarded by lock */
	json_t *counts;
} Driver;

static void on_drift(void *arg, const char *ns, const char *name, int64_t after_ms)
{
	Driver *driver = arg;
	(void)ns;
	(void)name;
	(void)after_ms;
	pthread_mutex_lock(&driver->lock);
	driver->wake = true;
	pthread_cond_broadcast(&driver->woken);
	pthread_mutex_unlock(&driver->lock);
}

static void die(const Error *err)
{
	fprintf(stderr, "helm-action: %s\n", err_text(err));
	exit(1);
}

static void start(Driver *driver, const char *kubeconfig)
{
	static const char *const nobody[] = {NULL};
	autoerror Error err = {0};
	autokubeconfig KubeConfig config = {0};
	pthread_mutex_init(&driver->lock, NULL);
	cond_init(&driver->woken);
	driver->loop = loop_new(&err);
	if (!driver->loop || !kube_config_find(kubeconfig, NULL, &config, &err))
		die(&err);
	driver->client = kube_client_new(driver->loop, &config, "helm-controller", &err);
	if (!driver->client)
		die(&err);
	kube_client_yield(driver->client);
	driver->drift =
		drift_new(driver->client,
			  &(DriftConfig){.owner_name = "helm.toolkit.fluxcd.io/name",
					 .owner_namespace = "helm.toolkit.fluxcd.io/namespace",
					 .field_manager = "helm-controller",
					 .overridden = nobody,
					 .fn = on_drift,
					 .arg = driver});
}

static void stop(Driver *driver)
{
	drift_free(driver->drift);
	kube_client_free(driver->client);
	loop_free(driver->loop);
	pthread_cond_destroy(&driver->woken);
	pthread_mutex_destroy(&driver->lock);
}

/* --- requests --- */

static const char *const kinds[] = {
	[ACTION_INSTALL] = "install",	[ACTION_UPGRADE] = "upgrade",
	[ACTION_ROLLBACK] = "rollback", [ACTION_UNINSTALL] = "uninstall",
	[ACTION_TEST] = "test",
};

static int word_of(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (cstr_eq(words[i], word))
			return (int)i;
	return 0;
}

static void read_filters(const json_t *request, TestFilter *filters, size_t max, ActionOptions *out)
{
	json_t *row;
	size_t index;
	json_array_foreach(json_list(request, "filters"), index, row)
	{
		if (index < max)
			filters[out->filter_count++] = (TestFilter){
				json_text(row, "name"), json_flag(row, "exclude", false)};
	}
	out->filters = filters;
}

static void read_options(const json_t *request, ActionOptions *out)
{
	static const char *const applies[] = {"auto", "ssa", "csa"};
	static const char *const crds[] = {"Skip", "Create", "CreateReplace"};
	*out = (ActionOptions){
		.timeout_ms = json_int(request, "timeout_ms", 20000),
		.apply = (ApplyMode)word_of(applies, COUNT(applies), json_text(request, "apply")),
		.crds = (CrdsPolicy)word_of(crds, COUNT(crds),
					    json_text_or(request, "crds", "Create")),
		.max_history = (int)json_int(request, "max_history", 0),
		.disable_wait = json_flag(request, "disable_wait", false),
		.disable_wait_for_jobs = json_flag(request, "disable_wait_for_jobs", false),
		.disable_hooks = json_flag(request, "disable_hooks", false),
		.disable_openapi = json_flag(request, "disable_openapi", false),
		.take_ownership = json_flag(request, "take_ownership", true),
		.replace = json_flag(request, "replace", false),
		.create_namespace = json_flag(request, "create_namespace", false),
		.force = json_flag(request, "force", false),
		.preserve_values = json_flag(request, "preserve_values", false),
		.cleanup_on_fail = json_flag(request, "cleanup_on_fail", false),
		.keep_history = json_flag(request, "keep_history", false),
		.propagation = json_text(request, "propagation"),
		.track_drift = json_flag(request, "track_drift", false),
		.legacy_wait = json_flag(request, "legacy_wait", false),
	};
}

static PreparedChart *load_chart(const char *path)
{
	autoerror Error err = {0};
	Arena *arena = arena_new();
	HelmChart *chart = helm_chart_load(arena, path, &err);
	if (!chart)
		die(&err);
	return prepared_chart_new(arena, chart);
}

/* --- one action --- */

static void wait_for_wake(Driver *driver, int64_t wait_ms)
{
	int64_t until = clock_mono_ms() + wait_ms;
	pthread_mutex_lock(&driver->lock);
	while (!driver->wake && cond_wait_until(&driver->woken, &driver->lock, until))
		;
	driver->wake = false;
	pthread_mutex_unlock(&driver->lock);
}

/* For tests that want to be sure that nothing is done meanwhile. */
static void tell_wait(int64_t wait_ms)
{
	printf("{\"state\":\"waiting\",\"wait_ms\":%lld}\n", (long long)wait_ms);
	fflush(stdout);
}

static ActionState run(Driver *driver, Action *action, const json_t *request, json_t *answer,
		       Error *err)
{
	const char *user = json_text(request, "as_user");
	KubeClient *client = user ? kube_client_as(driver->client, user, err) : driver->client;
	ActionTarget target = {client, client, driver->drift};
	int64_t abort_after = json_int(request, "abort_after", -1), waits = 0, wait_ms;
	ActionState state;
	while ((state = action_advance(action, &target, &wait_ms, err)) == ACTION_WAITING) {
		if (waits++ == abort_after) {
			action_abort(action, &target, "context canceled");
			break;
		}
		if (json_flag(request, "tell", false))
			tell_wait(wait_ms);
		wait_for_wake(driver, wait_ms);
	}
	json_object_set_new(answer, "waits", json_integer(waits));
	return state;
}

static void count(void *arg, const char *verb, int code, uint64_t number)
{
	autofree char *key = mem_printf("%s %d", verb, code);
	json_object_set_new(arg, key, json_integer((json_int_t)number));
}

/* What was sent since the last action. */
static json_t *requests_since(Driver *driver)
{
	json_t *now = json_object(), *since = json_object(), *value;
	const char *key;
	kube_client_counts(driver->client, count, now);
	json_object_foreach(now, key, value)
	{
		int64_t more = json_integer_value(value) - json_int(driver->counts, key, 0);
		if (more)
			json_object_set_new(since, key, json_integer(more));
	}
	json_decref(driver->counts);
	driver->counts = now;
	return since;
}

static void describe(Driver *driver, const Action *action, ActionState state, json_t *answer)
{
	static const char *const states[] = {"waiting", "succeeded", "failed"};
	autofree char *log = action_log(action);
	const HelmRecord *record = action_record(action);
	json_put_text(answer, "state", states[state]);
	json_object_set_new(answer, "stored", json_boolean(action_stored(action)));
	json_object_set_new(answer, "log", json_text_new(log, strlen(log)));
	json_object_set_new(answer, "version",
			    json_integer(record ? helm_record_version(record) : 0));
	json_put_text(answer, "status", record ? helm_record_status(record) : "");
	json_object_set_new(answer, "requests", requests_since(driver));
}

static json_t *act(Driver *driver, const json_t *request)
{
	TestFilter filters[16];
	autoerror Error err = {0}, broken = {0};
	const char *chart_path = json_text(request, "chart"), *ns = json_text(request, "namespace");
	autopreparedchart PreparedChart *chart = chart_path ? load_chart(chart_path) : NULL;
	autohealthexprs HealthExprs *exprs = health_exprs_new(json_list(request, "exprs"), &broken);
	autofree char *owner = mem_printf("%s/%s", ns, json_text(request, "release"));
	ActionInput input = {
		.kind = (ActionKind)word_of(kinds, COUNT(kinds), json_text(request, "action")),
		.release = json_text(request, "release"),
		.ns = ns,
		.storage_ns = json_text_or(request, "storage_namespace", ns),
		.chart = chart,
		.values = json_map(request, "values"),
		.to_version = json_int(request, "to_version", 0),
		.name_free = json_flag(request, "name_free", false),
		.exprs = exprs,
		.owner = owner,
		.origin_labels = {json_text(request, "release"), ns},
	};
	read_options(request, &input.options);
	if (input.options.track_drift)
		drift_watch(driver->drift, "v1", "ConfigMap");
	read_filters(request, filters, COUNT(filters), &input.options);
	autoaction Action *action = action_new(&input);
	json_t *answer = json_object();
	ActionState state = run(driver, action, request, answer, &err);
	json_object_set_new(answer, "error", json_text_new(err_text(&err), strlen(err_text(&err))));
	describe(driver, action, state, answer);
	return answer;
}

int main(int argc, char **argv)
{
	Driver driver = {.counts = json_object()};
	autofree char *line = NULL;
	size_t room = 0;
	if (argc != 2)
		return 2;
	start(&driver, argv[1]);
	for (ssize_t len; (len = getline(&line, &room, stdin)) > 0;) {
		autoerror Error err = {0};
		autojson json_t *request = json_parse(line, (size_t)len, 1 << 24, &err);
		if (!request)
			die(&err);
		autojson json_t *answer = act(&driver, request);
		autofree char *text = json_dump(answer);
		puts(text);
		fflush(stdout);
	}
	json_decref(driver.counts);
	stop(&driver);
	return 0;
}
