/*
 * Metrics in Prometheus' text format. Families come from `static const` rows; series are made on
 * first use and can be dropped by label (when an object goes). Thread-safe.
 */
#ifndef CTRL_METRICS_H
#define CTRL_METRICS_H

#include "base/buf.h"
#include "net/tokens.h"

typedef struct Metrics Metrics;

typedef enum { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM } MetricType;

typedef struct {
	const char *name;
	MetricType type;
	const char *help;
	const char *labels;    /* comma-separated names, "" for none */
	const double *buckets; /* histogram: upper bounds, ascending */
	size_t bucket_count;
} MetricFamily;

Metrics *metrics_new(void);
void metrics_free(Metrics *metrics);

/* Adds to a counter or gauge, sets a gauge, observes into a histogram. `values` are the label
 * values in the family's order. */
void metrics_add(Metrics *metrics, const MetricFamily *family, const char *const *values,
		 double amount);
void metrics_set(Metrics *metrics, const MetricFamily *family, const char *const *values,
		 double value);
void metrics_observe(Metrics *metrics, const MetricFamily *family, const char *const *values,
		     double value);

/* Removes the series with these label values. */
void metrics_drop(Metrics *metrics, const MetricFamily *family, const char *const *values);

/* Registers a function that adds more text at each scrape. */
void metrics_collect_with(Metrics *metrics, void (*fn)(void *arg, Buf *out), void *arg);

/* Tells how a cache of tokens does, under the names that upstream's has. Borrowed: it outlives the
 * scrapes. Nobody may have asked it yet. */
void metrics_add_tokens(Metrics *metrics, TokenCache *tokens);
/* Removes what was counted of its requests for an object. */
void metrics_drop_tokens(Metrics *metrics, const char *kind, const char *ns, const char *name);

/* The whole exposition. */
void metrics_write(Metrics *metrics, Buf *out);

#endif
