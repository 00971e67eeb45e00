#include "controller.h"

#include "base/clock.h"
#include "base/mem.h"
#include "internal.h"
#include "receiver.h"

/* A stop takes ten seconds at most, whoever does not answer: what came in is taken on, then what
 * was taken on is delivered; the manager's own events have what is left. */
enum { INTAKE_MS = 4000, DELIVERY_MS = 3000, DISPATCH_WORKERS = 4 };

#define AT(member) offsetof(NotificationFlags, member)

static const Flag flags[] = {
	{"events-addr", FLAG_TEXT, AT(events_addr), ":9090", "EVENTS_ADDR",
	 "Address that events are taken on."},
	{"receiverAddr", FLAG_TEXT, AT(receiver_addr), ":9292", NULL,
	 "Address that webhooks are taken on."},
	{"rate-limit-interval", FLAG_DURATION, AT(rate_limit_interval_ms), "5m", NULL,
	 "Time in which an equal event is taken once."},
	{"export-http-path-metrics", FLAG_BOOL, AT(export_http_path_metrics), "false", NULL,
	 "Label HTTP metrics with the request's path."},
	{"gcr-keys-url", FLAG_TEXT, AT(gcr_keys_url), "https://www.googleapis.com/oauth2/v3/certs",
	 NULL, "Where the keys are that sign Google's tokens."},
	{"no-cross-namespace-refs", FLAG_BOOL, AT(no_cross_namespace_refs), "false", NULL,
	 "Refuse events and resources of other namespaces."},
};

static const FeatureGate gates[] = {
	{"CacheSecretsAndConfigMaps", false},
	{"DisableConfigWatchers", false},
	{"ObjectLevelWorkloadIdentity", false},
};

/* A Provider or Alert is read when an event comes; there is nothing to do beforehand. */
static Outcome reconcile_static(Run *run, Error *err)
{
	(void)run;
	(void)err;
	return outcome_again(0);
}

/* A changed token is another path, without waiting for the interval (N95). */
static const KindWatch receiver_watches[] = {
	{.api_version = "v1",
	 .kind = "Secret",
	 .configs = true,
	 .metadata_only = true,
	 .map = receiver_secret_changed},
};

static const Kind kinds[] = {
	{.api_version = NOTIFICATION_VERSION,
	 .kind = "Provider",
	 .reconcile = reconcile_static,
	 .no_status = true,
	 .unsharded = true},
	{.api_version = NOTIFICATION_VERSION,
	 .kind = "Alert",
	 .reconcile = reconcile_static,
	 .no_status = true,
	 .no_finalizer = true,
	 .unsharded = true},
	{.api_version = RECEIVER_VERSION,
	 .kind = "Receiver",
	 .reconcile = receiver_reconcile,
	 .index = receiver_index,
	 .changed = receiver_changed,
	 .watches = receiver_watches,
	 .watch_count = COUNT(receiver_watches),
	 .unsharded = true},
};

/* Requests that wait for the API server hold the intake and the workers up. */
static void give_up(void *arg)
{
	NotificationContext *context = arg;
	kube_client_close(manager_client(context->manager));
}

/* Before the watches end: the intake and the workers that read from them. */
static void cancel(void *arg)
{
	NotificationContext *context = arg;
	Loop *loop = manager_loop(context->manager);
	int64_t until_ms = clock_mono_ms() + INTAKE_MS;
	LoopTimer timer = loop_after(loop, INTAKE_MS, give_up, context);
	if (context->events)
		httpd_stop(steal(&context->events), INTAKE_MS);
	int64_t left_ms = until_ms - clock_mono_ms();
	if (context->webhooks)
		httpd_stop(steal(&context->webhooks), left_ms > 0 ? left_ms : 0);
	if (context->dispatcher)
		dispatcher_stop(steal(&context->dispatcher));
	loop_cancel(loop, timer);
}

static void stop(void *arg)
{
	NotificationContext *context = arg;
	cancel(context);
	notify_sender_free(context->sender, DELIVERY_MS);
	cloud_free(context->cloud);
	limiter_free(context->limiter);
	key_cache_free(context->keys);
	receiver_paths_free(context->paths);
	http_metrics_dispose(&context->event_metrics);
	http_metrics_dispose(&context->receiver_metrics);
	free(context);
}

static void collect(void *arg, Buf *out)
{
	NotificationContext *context = arg;
	http_metrics_write_active(&context->event_metrics, out);
	http_metrics_write_active(&context->receiver_metrics, out);
}

/* Every replica serves, leader or not (N98). */
static void *start(Manager *manager, const void *options, Error *err)
{
	NotificationContext *context = mem_zalloc(1, sizeof(*context));
	context->manager = manager;
	context->flags = options;
	http_metrics_init(&context->event_metrics, manager, "event", "/",
			  context->flags->export_http_path_metrics);
	http_metrics_init(&context->receiver_metrics, manager, "receiver", RECEIVER_PREFIX,
			  context->flags->export_http_path_metrics);
	context->paths = receiver_paths_new();
	context->cloud = workload_cloud_new(manager);
	context->limiter = limiter_new(context->flags->rate_limit_interval_ms);
	context->sender = notify_sender_new(manager_loop(manager), err);
	if (context->sender)
		context->keys = key_cache_new(manager_loop(manager), err);
	if (context->keys)
		context->dispatcher = dispatcher_start(context, DISPATCH_WORKERS);
	if (context->dispatcher)
		context->events = intake_serve(context, err);
	if (context->events)
		context->webhooks = webhook_serve(context, err);
	if (context->webhooks) {
		metrics_collect_with(manager_metrics(manager), collect, context);
		return context;
	}
	stop(context);
	return NULL;
}

const ManagerSpec notification_controller = {
	.name = "notification-controller",
	.kinds = kinds,
	.kind_count = COUNT(kinds),
	.flags = flags,
	.flag_count = COUNT(flags),
	.options_size = sizeof(NotificationFlags),
	.gates = gates,
	.gate_count = COUNT(gates),
	.default_concurrent = 4,
	.calls_elsewhere = true,
	.start = start,
	.cancel = cancel,
	.stop = stop,
};
