#include "ctrl/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

/* One series: its label text ("a=\"x\",b=\"y\"") is its key in the family's map. */
typedef struct {
	double value; /* counter, gauge; histogram: sum */
	uint64_t count;
	uint64_t *buckets; /* cumulative on write, plain here */
} Series;

typedef struct {
	const MetricFamily *family;
	Map *series;
} Family;

typedef struct Collector Collector;
struct Collector {
	Collector *next;
	void (*fn)(void *arg, Buf *out);
	void *arg;
};

struct Metrics {
	pthread_mutex_t lock; /* guards all below */
	Map *families;
	Collector *collectors;
};

static void free_series(void *value)
{
	Series *series = value;
	free(series->buckets);
	free(series);
}

static void free_family(void *value)
{
	Family *family = value;
	map_free(family->series);
	free(family);
}

Metrics *metrics_new(void)
{
	Metrics *metrics = mem_zalloc(1, sizeof(*metrics));
	pthread_mutex_init(&metrics->lock, NULL);
	metrics->families = map_new(free_family);
	return metrics;
}

void metrics_free(Metrics *metrics)
{
	if (!metrics)
		return;
	map_free(metrics->families);
	for (Collector *c = metrics->collectors; c;) {
		Collector *next = c->next;
		free(c);
		c = next;
	}
	pthread_mutex_destroy(&metrics->lock);
	free(metrics);
}

static void put_label_value(Buf *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_printf(out, "\\%c", *value);
		else if (*value == '\n')
			buf_puts(out, "\\n");
		else
			buf_putc(out, *value);
	}
}

static char *label_text(const MetricFamily *family, const char *const *values)
{
	Buf out = {0};
	Str rest = str_of(family->labels), name;
	for (size_t i = 0; str_next(&rest, ',', &name); i++) {
		buf_printf(&out, "%s%.*s=\"", i ? "," : "", (int)name.len, name.ptr);
		put_label_value(&out, values[i]);
		buf_putc(&out, '"');
	}
	return buf_steal(&out);
}

static Family *family_of(Metrics *metrics, const MetricFamily *row)
{
	Family *family = map_get(metrics->families, row->name);
	if (family)
		return family;
	family = mem_zalloc(1, sizeof(*family));
	family->family = row;
	family->series = map_new(free_series);
	map_put(metrics->families, row->name, family);
	return family;
}

static Series *series_of(Metrics *metrics, const MetricFamily *row, const char *const *values)
{
	Family *family = family_of(metrics, row);
	autofree char *labels = label_text(row, values);
	Series *series = map_get(family->series, labels);
	if (series)
		return series;
	series = mem_zalloc(1, sizeof(*series));
	if (row->bucket_count)
		series->buckets = mem_zalloc(row->bucket_count, sizeof(series->buckets[0]));
	map_put(family->series, labels, series);
	return series;
}

void metrics_add(Metrics *metrics, const MetricFamily *family, const char *const *values,
		 double amount)
{
	pthread_mutex_lock(&metrics->lock);
	series_of(metrics, family, values)->value += amount;
	pthread_mutex_unlock(&metrics->lock);
}

void metrics_set(Metrics *metrics, const MetricFamily *family, const char *const *values,
		 double value)
{
	pthread_mutex_lock(&metrics->lock);
	series_of(metrics, family, values)->value = value;
	pthread_mutex_unlock(&metrics->lock);
}

void metrics_observe(Metrics *metrics, const MetricFamily *family, const char *const *values,
		     double value)
{
	pthread_mutex_lock(&metrics->lock);
	Series *series = series_of(metrics, family, values);
	series->value += value;
	series->count++;
	for (size_t i = 0; i < family->bucket_count; i++) {
		if (value <= family->buckets[i]) {
			series->buckets[i]++;
			break;
		}
	}
	pthread_mutex_unlock(&metrics->lock);
}

void metrics_drop(Metrics *metrics, const MetricFamily *family, const char *const *values)
{
	pthread_mutex_lock(&metrics->lock);
	autofree char *labels = label_text(family, values);
	map_remove(family_of(metrics, family)->series, labels);
	pthread_mutex_unlock(&metrics->lock);
}

void metrics_collect_with(Metrics *metrics, void (*fn)(void *arg, Buf *out), void *arg)
{
	Collector *collector = mem_zalloc(1, sizeof(*collector));
	pthread_mutex_lock(&metrics->lock);
	*collector = (Collector){metrics->collectors, fn, arg};
	metrics->collectors = collector;
	pthread_mutex_unlock(&metrics->lock);
}

static void write_tokens(void *arg, Buf *out)
{
	TokenStats stats = token_cache_stats(arg);
	buf_printf(out,
		   "# TYPE gotk_token_cached_items gauge\n"
		   "gotk_token_cached_items %llu\n"
		   "# TYPE gotk_token_cache_requests_total counter\n"
		   "gotk_token_cache_requests_total{status=\"success\"} %llu\n"
		   "gotk_token_cache_requests_total{status=\"failure\"} %llu\n"
		   "# TYPE gotk_token_cache_evictions_total counter\n"
		   "gotk_token_cache_evictions_total %llu\n",
		   (unsigned long long)stats.items, (unsigned long long)stats.succeeded,
		   (unsigned long long)stats.failed, (unsigned long long)stats.evicted);
}

static const MetricFamily token_events = {
	"gotk_token_cache_events_total",
	METRIC_COUNTER,
	"Total number of cache retrieval events for a Gitops Toolkit resource reconciliation.",
	"event_type,kind,name,namespace,operation",
	NULL,
	0};

static const char *const token_event_types[] = {"cache_miss", "cache_hit"};

static void count_token(void *arg, const TokenUser *user, bool hit)
{
	metrics_add(arg, &token_events,
		    (const char *const[]){token_event_types[hit], user->kind, user->name, user->ns,
					  token_operation_name(user->operation)},
		    1);
}

void metrics_add_tokens(Metrics *metrics, TokenCache *tokens)
{
	metrics_collect_with(metrics, write_tokens, tokens);
	token_cache_on_event(tokens, count_token, metrics);
}

void metrics_drop_tokens(Metrics *metrics, const char *kind, const char *ns, const char *name)
{
	for (TokenOperation i = 0; i < TOKEN_OPERATIONS; i++)
		for (size_t k = 0; k < COUNT(token_event_types); k++)
			metrics_drop(metrics, &token_events,
				     (const char *const[]){token_event_types[k], kind, name, ns,
							   token_operation_name(i)});
}

typedef struct {
	char text[24];
} Bound;

static void write_bucket(const char *name, const char *labels, const char *bound, uint64_t count,
			 Buf *out)
{
	char digits[24];
	snprintf(digits, sizeof(digits), "\"} %llu\n", (unsigned long long)count);
	const char *const parts[] = {name,    "_bucket{", labels, *labels ? "," : "",
				     "le=\"", bound,	  digits};
	for (size_t i = 0; i < COUNT(parts); i++)
		buf_puts(out, parts[i]);
}

static void write_histogram(const MetricFamily *family, const Bound *bounds, const char *labels,
			    const Series *series, Buf *out)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < family->bucket_count; i++) {
		sum += series->buckets[i];
		write_bucket(family->name, labels, bounds[i].text, sum, out);
	}
	write_bucket(family->name, labels, "+Inf", series->count, out);
	buf_printf(out, "%s_sum{%s} %.9g\n", family->name, labels, series->value);
	buf_printf(out, "%s_count{%s} %llu\n", family->name, labels,
		   (unsigned long long)series->count);
}

static void write_family(const Family *family, Buf *out)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};
	const MetricFamily *row = family->family;
	if (!map_len(family->series))
		return;
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
		   types[row->type]);
	/* Printed once, not for each of a thousand series. */
	autofree Bound *bounds = mem_zalloc(row->bucket_count, sizeof(*bounds));
	for (size_t i = 0; i < row->bucket_count; i++)
		snprintf(bounds[i].text, sizeof(bounds[i].text), "%g", row->buckets[i]);
	size_t at = 0;
	const char *labels;
	void *value;
	while (map_next(family->series, &at, &labels, &value)) {
		const Series *series = value;
		if (row->type == METRIC_HISTOGRAM)
			write_histogram(row, bounds, labels, series, out);
		else if (*labels)
			buf_printf(out, "%s{%s} %.17g\n", row->name, labels, series->value);
		else
			buf_printf(out, "%s %.17g\n", row->name, series->value);
	}
}

void metrics_write(Metrics *metrics, Buf *out)
{
	pthread_mutex_lock(&metrics->lock);
	size_t at = 0;
	const char *name;
	void *family;
	while (map_next(metrics->families, &at, &name, &family))
		write_family(family, out);
	const Collector *collectors = metrics->collectors;
	pthread_mutex_unlock(&metrics->lock);
	/* Collectors are only ever added in front, and may use this module. */
	for (const Collector *c = collectors; c; c = c->next)
		c->fn(c->arg, out);
}
