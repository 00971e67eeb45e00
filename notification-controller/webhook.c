/* Webhooks over HTTP: which Receiver, may it, done (notification.md 8 "Codes"). */
#include <string.h>

#include "base/mem.h"
#include "receiver.h"

enum { BODY_MAX = 3 << 20, THREADS = 8 };

/* The Receiver at exactly this request target: a query string makes it another one (N78). */
static json_t *find_receiver(NotificationContext *context, const HttpdRequest *request)
{
	const char *path = httpd_path(request);
	if (!cstr_empty(httpd_query(request)))
		return NULL;
	autofree char *key = receiver_paths_find(context->paths, path);
	char *slash = key ? strchr(key, '/') : NULL;
	if (!slash)
		return NULL;
	*slash = '\0';
	return manager_peer_get(context->manager, RECEIVER_VERSION, "Receiver", key, slash + 1);
}

static int handle(NotificationContext *context, const HttpdRequest *request)
{
	autojson json_t *receiver = find_receiver(context, request);
	if (!receiver)
		return 404;
	autolog Log *log =
		log_with(manager_log(context->manager), "logger", "receiver-server", "name",
			 object_name(receiver), "namespace", object_namespace(receiver), NULL);
	autoerror Error err = {0};
	bool suspended = json_flag(json_map(receiver, "spec"), "suspend", false);
	if (suspended || !cstr_eq(object_condition_status(receiver, "Ready"), "True")) {
		log_error(log, NULL, "unable to process request", "cause",
			  suspended ? "receiver is suspended" : "receiver is not ready", NULL);
		return 503;
	}
	autojson json_t *claims = NULL;
	if (!webhook_check(context, receiver, request, &claims, &err)) {
		log_error(log, &err, "unable to validate payload", NULL);
		return 400;
	}
	return webhook_annotate(context, receiver, request, claims) ? 200 : 500;
}

static void on_request(void *arg, HttpdRequest *request)
{
	NotificationContext *context = arg;
	atomic_fetch_add(&context->receiver_metrics.active, 1);
	httpd_reply(request, handle(context, request), NULL, "", 0);
	atomic_fetch_sub(&context->receiver_metrics.active, 1);
	manager_note_work(context->manager);
}

static void observe(void *arg, const HttpdRequest *request, int status, size_t body_bytes,
		    double seconds)
{
	NotificationContext *context = arg;
	http_metrics_observe(&context->receiver_metrics, request, status, body_bytes, seconds);
}

Httpd *webhook_serve(NotificationContext *context, Error *err)
{
	return httpd_start(&(HttpdConfig){.address = context->flags->receiver_addr,
					  .handler = on_request,
					  .arg = context,
					  .observe = observe,
					  .max_body = BODY_MAX,
					  .max_header = SERVER_HEADER_MAX,
					  .max_connections = SERVER_CONNECTIONS_MAX,
					  .max_kept = SERVER_KEPT_MAX,
					  .idle_timeout_s = SERVER_IDLE_S,
					  .threads = THREADS},
			   err);
}
