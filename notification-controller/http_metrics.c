/*
 * What the two HTTP servers tell Prometheus (notification.md 8 "Metrics", N97): how long, how
 * large, how many at once. Requests come from anywhere, so no label's values may grow without
 * bound.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "internal.h"

enum { PATHS_MAX = 1000, PATH_BYTES_MAX = 128 };

static const double seconds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
static const double sizes[] = {1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

#define DURATION(server)                                                                           \
	{                                                                                          \
		"gotk_" server "_http_request_duration_seconds", METRIC_HISTOGRAM,                 \
			"The latency of the HTTP requests.", "service,handler,method,code",        \
			seconds, COUNT(seconds)                                                    \
	}
#define SIZE(server)                                                                               \
	{                                                                                          \
		"gotk_" server "_http_response_size_bytes", METRIC_HISTOGRAM,                      \
			"The size of the HTTP responses.", "service,handler,method,code", sizes,   \
			COUNT(sizes)                                                               \
	}

static const MetricFamily event_duration = DURATION("event"), event_size = SIZE("event");
static const MetricFamily receiver_duration = DURATION("receiver"),
			  receiver_size = SIZE("receiver");

static const char *method_label(const char *method)
{
	static const char *const known[] = {"GET",    "HEAD",	 "POST",    "PUT",  "PATCH",
					    "DELETE", "OPTIONS", "CONNECT", "TRACE"};
	for (size_t i = 0; i < COUNT(known); i++)
		if (cstr_eq(known[i], method))
			return known[i];
	return "other";
}

/* The request's path when --export-http-path-metrics is on, for the first paths that come. */
static const char *path_label(HttpMetrics *metrics, const HttpdRequest *request)
{
	const char *path = httpd_path(request);
	if (!metrics->by_path || strlen(path) > PATH_BYTES_MAX)
		return metrics->handler;
	pthread_mutex_lock(&metrics->lock);
	bool counted = map_has(metrics->paths, path);
	if (!counted && map_len(metrics->paths) < PATHS_MAX) {
		map_put(metrics->paths, path, NULL);
		counted = true;
	}
	pthread_mutex_unlock(&metrics->lock);
	return counted ? path : metrics->handler;
}

void http_metrics_init(HttpMetrics *metrics, Manager *manager, const char *server,
		       const char *handler, bool by_path)
{
	bool events = cstr_eq(server, "event");
	metrics->metrics = manager_metrics(manager);
	metrics->duration = events ? &event_duration : &receiver_duration;
	metrics->size = events ? &event_size : &receiver_size;
	metrics->server = server;
	metrics->handler = handler;
	metrics->by_path = by_path;
	metrics->paths = map_new(NULL);
	pthread_mutex_init(&metrics->lock, NULL);
}

void http_metrics_dispose(HttpMetrics *metrics)
{
	map_free(metrics->paths);
	pthread_mutex_destroy(&metrics->lock);
}

void http_metrics_observe(HttpMetrics *metrics, const HttpdRequest *request, int status,
			  size_t body_bytes, double took_s)
{
	char code[16];
	snprintf(code, sizeof(code), "%d", status);
	const char *const labels[] = {"", path_label(metrics, request),
				      method_label(httpd_method(request)), code};
	metrics_observe(metrics->metrics, metrics->duration, labels, took_s);
	metrics_observe(metrics->metrics, metrics->size, labels, (double)body_bytes);
}

void http_metrics_write_active(HttpMetrics *metrics, Buf *out)
{
	buf_printf(out,
		   "# TYPE gotk_%s_http_requests_inflight gauge\n"
		   "gotk_%s_http_requests_inflight{service=\"\",handler=\"%s\"} %d\n",
		   metrics->server, metrics->server, metrics->handler,
		   atomic_load(&metrics->active));
}
