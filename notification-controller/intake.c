/* Events over HTTP: body, JSON, metadata, limiter, 202 (notification.md 3, N1-N7). */
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "internal.h"

enum { BODY_MAX = 3 << 20 };

static void reply_text(HttpdRequest *request, int status, const char *text)
{
	httpd_reply(request, status, "text/plain; charset=utf-8", text, strlen(text));
}

/* RFC 9110 5.6.7. */
static void http_date(int64_t wall_ms, char out[40])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	strftime(out, 40, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static bool pass_limiter(NotificationContext *context, HttpdRequest *request, const json_t *event)
{
	int64_t reset_ms;
	unsigned char key[DIGEST_MAX_BYTES];
	event_limit_key(event, key);
	bool passes = limiter_pass(context->limiter, key, &reset_ms);
	char date[40];
	http_date(reset_ms, date);
	httpd_set_header(request, "X-RateLimit-Limit", "1");
	httpd_set_header(request, "X-RateLimit-Remaining", "0");
	httpd_set_header(request, "X-RateLimit-Reset", date);
	if (!passes)
		httpd_set_header(request, "Retry-After", date);
	return passes;
}

static void take_event(NotificationContext *context, HttpdRequest *request)
{
	autoerror Error err = {0};
	Str body = httpd_body(request);
	autojson json_t *event = json_parse(body.ptr, body.len, BODY_MAX, &err);
	if (!event || !event_check(event, &err)) {
		log_error(manager_log(context->manager), &err, "decoding the event failed", "peer",
			  httpd_peer(request), NULL);
		reply_text(request, 400, "");
		return;
	}
	event_clean_metadata(event);
	if (!pass_limiter(context, request, event)) {
		reply_text(request, 429, "Too Many Requests");
		return;
	}
	event_drop_token(event);
	/* A full queue is our trouble: the sender's retry brings the event again. */
	if (dispatcher_put(context->dispatcher, event))
		reply_text(request, 202, "");
	else
		reply_text(request, 503, "too many events are waiting\n");
}

static void on_event(void *arg, HttpdRequest *request)
{
	NotificationContext *context = arg;
	atomic_fetch_add(&context->event_metrics.active, 1);
	take_event(context, request);
	atomic_fetch_sub(&context->event_metrics.active, 1);
}

static void observe(void *arg, const HttpdRequest *request, int status, size_t body_bytes,
		    double seconds)
{
	NotificationContext *context = arg;
	http_metrics_observe(&context->event_metrics, request, status, body_bytes, seconds);
}

Httpd *intake_serve(NotificationContext *context, Error *err)
{
	return httpd_start(&(HttpdConfig){.address = context->flags->events_addr,
					  .handler = on_event,
					  .arg = context,
					  .observe = observe,
					  .max_body = BODY_MAX,
					  .max_header = SERVER_HEADER_MAX,
					  .max_connections = SERVER_CONNECTIONS_MAX,
					  .max_kept = SERVER_KEPT_MAX,
					  .idle_timeout_s = SERVER_IDLE_S,
					  .threads = 2},
			   err);
}
