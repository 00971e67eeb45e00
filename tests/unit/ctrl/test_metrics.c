#include "../cmocka_all.h"

#include <string.h>

#include "ctrl/metrics.h"

static const double buckets[] = {1, 10};
static const MetricFamily counter = {"jobs_total", METRIC_COUNTER, "Jobs.", "kind,name", NULL, 0};
static const MetricFamily gauge = {"depth", METRIC_GAUGE, "Depth.", "", NULL, 0};
static const MetricFamily histogram = {"took_seconds", METRIC_HISTOGRAM, "Time.",
				       "kind",	       buckets,		 COUNT(buckets)};

static void exposition(void **state)
{
	(void)state;
	Metrics *metrics = metrics_new();
	metrics_add(metrics, &counter, (const char *const[]){"A", "x\"y\n"}, 2);
	metrics_add(metrics, &counter, (const char *const[]){"A", "x\"y\n"}, 1);
	metrics_set(metrics, &gauge, NULL, 7);
	metrics_observe(metrics, &histogram, (const char *const[]){"K"}, 0.5);
	metrics_observe(metrics, &histogram, (const char *const[]){"K"}, 5);
	metrics_observe(metrics, &histogram, (const char *const[]){"K"}, 50);
	autobuf Buf out = {0};
	metrics_write(metrics, &out);
	static const char *const want[] = {
		"# TYPE jobs_total counter\n",
		"jobs_total{kind=\"A\",name=\"x\\\"y\\n\"} 3\n",
		"depth 7\n",
		"took_seconds_bucket{kind=\"K\",le=\"1\"} 1\n",
		"took_seconds_bucket{kind=\"K\",le=\"10\"} 2\n",
		"took_seconds_bucket{kind=\"K\",le=\"+Inf\"} 3\n",
		"took_seconds_sum{kind=\"K\"} 55.5\n",
		"took_seconds_count{kind=\"K\"} 3\n",
	};
	for (size_t i = 0; i < COUNT(want); i++)
		assert_non_null(strstr(buf_text(&out), want[i]));
	metrics_free(metrics);
}

static void S100_series_vanish_with_the_object(void **state)
{
	(void)state;
	Metrics *metrics = metrics_new();
	metrics_add(metrics, &counter, (const char *const[]){"A", "gone"}, 1);
	metrics_add(metrics, &counter, (const char *const[]){"A", "stays"}, 1);
	metrics_drop(metrics, &counter, (const char *const[]){"A", "gone"});
	metrics_drop(metrics, &counter, (const char *const[]){"A", "never"});
	autobuf Buf out = {0};
	metrics_write(metrics, &out);
	assert_null(strstr(buf_text(&out), "gone"));
	assert_non_null(strstr(buf_text(&out), "stays"));
	metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exposition),
		cmocka_unit_test(S100_series_vanish_with_the_object),
	};
	return cmocka_run_group_tests_name("ctrl/metrics", tests, NULL, NULL);
}
