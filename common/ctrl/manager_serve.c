/* Health and metrics over HTTP, and the metrics of the runtime itself. */
#include "ctrl/manager_internal.h"

#include "base/clock.h"

/* Upstream's ten exponential buckets, 0.01 s to 1800 s (kustomize-controller.md 10). */
static const double duration_buckets[] = {0.01, 0.0383, 0.147, 0.565, 2.17,
					  8.31, 31.9,	122.0, 469.0, 1800.0};
static const double runtime_buckets[] = {0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60};

static const MetricFamily reconcile_duration = {
	"gotk_reconcile_duration_seconds",
	METRIC_HISTOGRAM,
	"The duration in seconds of a reconciliation of an object.",
	"kind,name,namespace",
	duration_buckets,
	COUNT(duration_buckets)};
static const MetricFamily reconcile_total = {"controller_runtime_reconcile_total",
					     METRIC_COUNTER,
					     "Total number of reconciliations per controller.",
					     "controller,result",
					     NULL,
					     0};
static const MetricFamily reconcile_errors = {
	"controller_runtime_reconcile_errors_total",
	METRIC_COUNTER,
	"Total number of reconciliation errors per controller.",
	"controller",
	NULL,
	0};
static const MetricFamily reconcile_time = {"controller_runtime_reconcile_time_seconds",
					    METRIC_HISTOGRAM,
					    "Length of time per reconciliation per controller.",
					    "controller",
					    runtime_buckets,
					    COUNT(runtime_buckets)};

static const char *result_name(OutcomeKind kind)
{
	switch (kind) {
	case OUTCOME_FAILED:
	case OUTCOME_RETRY:
		return "error";
	case OUTCOME_AGAIN:
	case OUTCOME_WAITING:
		return "requeue_after";
	case OUTCOME_STALLED:
	case OUTCOME_GONE:
		break;
	}
	return "success";
}

void manager_observe_run(KindState *state, const Run *run, Outcome outcome)
{
	Metrics *metrics = state->manager->metrics;
	double seconds = (double)(clock_mono_ms() - run->started_ms) / 1000.0;
	const char *result = result_name(outcome.kind);
	metrics_observe(metrics, &reconcile_time, (const char *const[]){state->controller},
			seconds);
	metrics_add(metrics, &reconcile_total, (const char *const[]){state->controller, result}, 1);
	if (cstr_eq(result, "error"))
		metrics_add(metrics, &reconcile_errors, (const char *const[]){state->controller},
			    1);
	const Kind *kind = state->kind;
	bool is_static = kind->is_static && kind->is_static(run->object);
	if (outcome.kind != OUTCOME_GONE && !is_static)
		metrics_observe(metrics, &reconcile_duration,
				(const char *const[]){state->kind->kind, run->name, run->ns},
				seconds);
}

void manager_drop_metrics(KindState *state, const char *ns, const char *name)
{
	metrics_drop(state->manager->metrics, &reconcile_duration,
		     (const char *const[]){state->kind->kind, name, ns});
	metrics_drop_tokens(state->manager->metrics, state->kind->kind, ns, name);
}

typedef struct {
	Buf *out;
} CountSink;

static void write_count(void *arg, const char *verb, int code, uint64_t count)
{
	const CountSink *sink = arg;
	buf_printf(sink->out, "rest_client_requests_total{method=\"%s\",code=\"%d\"} %llu\n", verb,
		   code, (unsigned long long)count);
}

/* What is read when it is asked for: queues, API requests, leadership. */
static void collect(void *arg, Buf *out)
{
	Manager *manager = arg;
	buf_puts(out, "# TYPE workqueue_depth gauge\n");
	for (size_t i = 0; i < manager->spec->kind_count; i++)
		buf_printf(out, "workqueue_depth{name=\"%s\"} %zu\n", manager->kinds[i].controller,
			   queue_depth(manager->kinds[i].queue));
	buf_puts(out, "# TYPE rest_client_requests_total counter\n");
	kube_client_counts(manager->client, write_count, &(CountSink){out});
	pthread_mutex_lock(&manager->lock);
	bool leading = manager->leading;
	pthread_mutex_unlock(&manager->lock);
	buf_printf(out,
		   "# TYPE leader_election_master_status gauge\n"
		   "leader_election_master_status{name=\"%s-leader-election\"} %d\n",
		   manager->spec->name, leading);
}

static void serve_metrics(void *arg, HttpdRequest *request)
{
	Manager *manager = arg;
	if (!cstr_eq(httpd_path(request), "/metrics")) {
		httpd_reply(request, 404, "text/plain", "not found\n", 10);
		return;
	}
	autobuf Buf text = {0};
	metrics_write(manager->metrics, &text);
	size_t len = text.len;
	httpd_reply_take(request, 200, "text/plain; version=0.0.4; charset=utf-8", buf_steal(&text),
			 len);
}

static bool is_synced(Manager *manager)
{
	for (size_t i = 0; i < manager->spec->kind_count; i++)
		if (!manager->kinds[i].informer || !informer_is_synced(manager->kinds[i].informer))
			return false;
	return true;
}

static void serve_health(void *arg, HttpdRequest *request)
{
	Manager *manager = arg;
	const char *path = httpd_path(request);
	if (cstr_starts(path, "/healthz"))
		httpd_reply(request, 200, "text/plain", "ok", 2);
	else if (!cstr_starts(path, "/readyz"))
		httpd_reply(request, 404, "text/plain", "not found\n", 10);
	else if (is_synced(manager))
		httpd_reply(request, 200, "text/plain", "ok", 2);
	else
		httpd_reply(request, 500, "text/plain", "watches are not synced yet\n", 27);
}

static bool serve(const char *address, HttpdHandler *handler, Manager *manager, Httpd **out,
		  Error *err)
{
	if (cstr_empty(address) || cstr_eq(address, "0"))
		return true;
	*out = httpd_start(&(HttpdConfig){.address = address,
					  .handler = handler,
					  .arg = manager,
					  .threads = 1,
					  .max_connections = 64},
			   err);
	return *out != NULL;
}

bool manager_serve_start(Manager *manager, Error *err)
{
	metrics_collect_with(manager->metrics, collect, manager);
	return serve(manager->common->metrics_addr, serve_metrics, manager, &manager->metrics_http,
		     err) &&
	       serve(manager->common->health_addr, serve_health, manager, &manager->health_http,
		     err);
}

void manager_serve_stop(Manager *manager)
{
	if (manager->metrics_http)
		httpd_stop(steal(&manager->metrics_http), 0);
	if (manager->health_http)
		httpd_stop(steal(&manager->health_http), 0);
}
