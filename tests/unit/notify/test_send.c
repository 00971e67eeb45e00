/* Which replies bring another try, and how many (notification.md 5 "std POST", N28, N29). The waits
 * between them are written down and not waited. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <string.h>

#include "net/retry.h"
#include "sender_site.h"

enum { WAITS_MAX = 16, TIMEOUT_MS = 60000 };

/* What was asked for, on the loop's thread; read when the delivery is done. */
typedef struct {
	int count;
	int failures[WAITS_MAX];
	int64_t base_ms[WAITS_MAX], max_ms[WAITS_MAX], retry_after_ms[WAITS_MAX];
	int64_t answer_ms;
} Waits;

static Waits *waits(void)
{
	static Waits all;
	return &all;
}

/* The linker puts it in the place of net/retry.h's (meson.build). */
int64_t __wrap_retry_wait_ms(const RetryPolicy *policy, int failures, const Error *err);

int64_t __wrap_retry_wait_ms(const RetryPolicy *policy, int failures, const Error *err)
{
	Waits *w = waits();
	if (w->count == WAITS_MAX)
		return TIMEOUT_MS;
	w->failures[w->count] = failures;
	w->base_ms[w->count] = policy->base_ms;
	w->max_ms[w->count] = policy->max_ms;
	w->retry_after_ms[w->count++] = err->retry_after_ms;
	return w->answer_ms;
}

typedef struct {
	SenderSite site;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	int status;    /* of each reply */
	int bad_count; /* so many replies; what follows is 200. -1: all */
	const char *retry_after;
	int asked, done;
	Error outcome;
} Fixture;

static void answer(void *arg, HttpdRequest *request)
{
	Fixture *f = arg;
	pthread_mutex_lock(&f->lock);
	bool bad = f->bad_count < 0 || f->asked < f->bad_count;
	f->asked++;
	if (bad && f->retry_after)
		httpd_set_header(request, "Retry-After", f->retry_after);
	int status = bad ? f->status : 200;
	pthread_mutex_unlock(&f->lock);
	httpd_reply(request, status, NULL, " the cause\n", 11);
}

static int setup(void **state)
{
	Fixture *f = mem_zalloc(1, sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	sender_site_open(&f->site, answer, f);
	f->bad_count = -1;
	*waits() = (Waits){0};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;
	sender_site_close(&f->site);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	error_dispose(&f->outcome);
	free(f);
	return 0;
}

static void on_done(void *arg, const Error *err)
{
	Fixture *f = arg;
	pthread_mutex_lock(&f->lock);
	error_dispose(&f->outcome);
	if (err_is_set(err))
		err_copy(&f->outcome, err);
	f->done++;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

/* One delivery to its end; how often the server was asked. */
static int deliver(Fixture *f, int64_t timeout_ms)
{
	autoerror Error err = {0};
	autonotifyrequest NotifyRequest request = {.url = mem_strdup(f->site.url)};
	buf_puts(&request.body, "body");
	NotifyDelivery how = {
		.lane = "one", .timeout_ms = timeout_ms, .on_done = on_done, .arg = f};
	f->asked = f->done = 0;
	assert_true(notify_send(f->site.sender, &request, &how, &err));
	pthread_mutex_lock(&f->lock);
	while (!f->done)
		pthread_cond_wait(&f->changed, &f->lock);
	int asked = f->asked;
	pthread_mutex_unlock(&f->lock);
	return asked;
}

static void N28_five_tries_two_seconds_apart_and_doubling(void **state)
{
	Fixture *f = *state;
	f->status = 503;
	assert_int_equal(deliver(f, TIMEOUT_MS), 5);
	assert_int_equal(f->outcome.http_status, 503);
	assert_int_equal(waits()->count, 4);
	for (int i = 0; i < waits()->count; i++) {
		assert_int_equal(waits()->failures[i], i + 1);
		assert_int_equal(waits()->base_ms[i], 2000);
		assert_int_equal(waits()->max_ms[i], 30000);
	}
}

static void N28_the_fifth_try_may_succeed(void **state)
{
	Fixture *f = *state;
	f->status = 500;
	f->bad_count = 4;
	assert_int_equal(deliver(f, TIMEOUT_MS), 5);
	assert_false(err_is_set(&f->outcome));
}

static void N28_what_the_server_asks_for_is_passed_on(void **state)
{
	Fixture *f = *state;
	static const int statuses[] = {429, 503};
	f->bad_count = 1;
	f->retry_after = "7";
	for (size_t i = 0; i < COUNT(statuses); i++) {
		f->status = statuses[i];
		*waits() = (Waits){0};
		assert_int_equal(deliver(f, TIMEOUT_MS), 2);
		assert_int_equal(waits()->retry_after_ms[0], 7000);
		assert_false(err_is_set(&f->outcome));
	}
}

static void N27_no_try_begins_behind_the_timeout(void **state)
{
	Fixture *f = *state;
	f->status = 503;
	waits()->answer_ms = TIMEOUT_MS;
	assert_int_equal(deliver(f, TIMEOUT_MS), 1);
	assert_int_equal(f->outcome.http_status, 503);
}

static void N29_what_is_final_is_not_tried_again(void **state)
{
	Fixture *f = *state;
	static const int statuses[] = {300, 304, 400, 401, 403, 404, 409, 501};
	for (size_t i = 0; i < COUNT(statuses); i++) {
		f->status = statuses[i];
		assert_int_equal(deliver(f, TIMEOUT_MS), 1);
		assert_int_equal(f->outcome.http_status, statuses[i]);
		autofree char *status = mem_printf("%d", statuses[i]);
		assert_non_null(strstr(err_text(&f->outcome), status));
	}
	f->status = 400;
	deliver(f, TIMEOUT_MS);
	assert_non_null(strstr(err_text(&f->outcome), "400, the cause"));
	f->status = 299;
	deliver(f, TIMEOUT_MS);
	assert_false(err_is_set(&f->outcome));
	assert_int_equal(waits()->count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(N28_five_tries_two_seconds_apart_and_doubling),
		TEST(N28_the_fifth_try_may_succeed),
		TEST(N28_what_the_server_asks_for_is_passed_on),
		TEST(N27_no_try_begins_behind_the_timeout),
		TEST(N29_what_is_final_is_not_tried_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
