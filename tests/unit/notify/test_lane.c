/* Lanes on a real loop: one Provider is deaf, the other answers. */
#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sender_site.h"

typedef struct {
	SenderSite site;
	int deaf_fd;
	char *deaf_url;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	int delivered, cancelled, failed, asked;
	int flaky; /* replies of 503 that are still to come */
} Fixture;

static void answer(void *arg, HttpdRequest *request)
{
	Fixture *f = arg;
	pthread_mutex_lock(&f->lock);
	f->asked++;
	bool busy = f->flaky > 0 && f->flaky--;
	pthread_mutex_unlock(&f->lock);
	httpd_reply(request, busy ? 503 : 200, NULL, "", 0);
}

static int setup(void **state)
{
	Fixture *f = mem_zalloc(1, sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	sender_site_open(&f->site, answer, f);
	struct sockaddr_in address = {.sin_family = AF_INET};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->deaf_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(address);
	assert_int_equal(bind(f->deaf_fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(f->deaf_fd, 512), 0);
	getsockname(f->deaf_fd, (struct sockaddr *)&address, &len);
	f->deaf_url = mem_printf("http://127.0.0.1:%d/", ntohs(address.sin_port));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;
	sender_site_close(&f->site);
	close(f->deaf_fd);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f->deaf_url);
	free(f);
	return 0;
}

static void on_done(void *arg, const Error *err)
{
	Fixture *f = arg;
	pthread_mutex_lock(&f->lock);
	if (!err_is_set(err))
		f->delivered++;
	else if (err->code == ERR_CANCELLED)
		f->cancelled++;
	else
		f->failed++;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static bool send_to(Fixture *f, const char *lane, const char *url, size_t body, int64_t timeout_ms,
		    Error *err)
{
	NotifyRequest request = {.url = mem_strdup(url)};
	autofree char *text = mem_zalloc(1, body + 1);
	memset(text, 'b', body);
	buf_puts(&request.body, text);
	NotifyDelivery how = {.lane = lane, .timeout_ms = timeout_ms, .on_done = on_done, .arg = f};
	return notify_send(f->site.sender, &request, &how, err);
}

/* Waits until *counter is `count`; fails after 20 s. */
static void wait_for(Fixture *f, const int *counter, int count)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 20;
	pthread_mutex_lock(&f->lock);
	int code = 0;
	while (*counter < count && code == 0)
		code = pthread_cond_timedwait(&f->changed, &f->lock, &end);
	int got = *counter;
	pthread_mutex_unlock(&f->lock);
	assert_int_equal(got, count);
}

static void N26_a_deaf_lane_costs_another_nothing(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	for (int i = 0; i < 200; i++)
		assert_true(send_to(f, "deaf", f->deaf_url, 10, 60000, &err));
	for (int i = 0; i < 200; i++)
		assert_true(send_to(f, "good", f->site.url, 10, 60000, &err));
	wait_for(f, &f->delivered, 200);
	assert_int_equal(f->failed + f->cancelled, 0);
}

static void a_full_lane_refuses_and_others_do_not(void **state)
{
	enum { BODY = 1 << 20 };
	Fixture *f = *state;
	int taken = 0;
	for (;;) {
		autoerror Error err = {0};
		if (!send_to(f, "deaf", f->deaf_url, BODY, 60000, &err)) {
			assert_int_equal(err.code, ERR_LIMIT);
			break;
		}
		assert_true(++taken < 200);
	}
	/* 32 on their way, and 8 MiB of waiting ones at most, or 48 MiB in all. */
	assert_in_range(taken, 33, 48);
	autoerror Error err = {0};
	assert_true(send_to(f, "good", f->site.url, BODY, 60000, &err));
	wait_for(f, &f->delivered, 1);
	notify_sender_free(f->site.sender, 0);
	assert_int_equal(f->cancelled, taken);
	f->site.sender = notify_sender_new(f->site.loop, &err);
}

static void N27_the_timeout_cuts(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	assert_true(send_to(f, "deaf", f->deaf_url, 10, 200, &err));
	wait_for(f, &f->failed, 1);
}

static void N28_503_is_tried_again(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	f->flaky = 1;
	assert_true(send_to(f, "good", f->site.url, 10, 60000, &err));
	wait_for(f, &f->delivered, 1);
	assert_int_equal(f->asked, 2);
}

/* The second try would come after the time is over: it is not waited for. */
static void no_wait_beyond_the_timeout(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	f->flaky = 1;
	assert_true(send_to(f, "good", f->site.url, 10, 1000, &err));
	wait_for(f, &f->failed, 1);
	assert_int_equal(f->asked, 1);
}

static bool second(NotifyRequest *self, int status, Str reply, NotifyRequest *out_next, Error *err)
{
	(void)status, (void)reply, (void)err;
	out_next->url = mem_strdup(self->url);
	return true;
}

static bool refuse(NotifyRequest *self, int status, Str reply, NotifyRequest *out_next, Error *err)
{
	(void)self, (void)status, (void)reply, (void)out_next;
	return err_set(err, ERR_INVALID, "no");
}

static void requests_follow_one_another(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	NotifyDelivery how = {.lane = "x", .timeout_ms = 60000, .on_done = on_done, .arg = f};
	NotifyRequest two = {.url = mem_strdup(f->site.url), .then = second};
	assert_true(notify_send(f->site.sender, &two, &how, &err));
	wait_for(f, &f->delivered, 1);
	assert_int_equal(f->asked, 2);
	NotifyRequest bad = {.url = mem_strdup(f->site.url), .then = refuse};
	assert_true(notify_send(f->site.sender, &bad, &how, &err));
	wait_for(f, &f->failed, 1);
}

static void an_unusable_client_is_told_at_once(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	HttpClientConfig client = {.ca_pem = "no certificate"};
	NotifyRequest request = {.url = mem_strdup(f->site.url)};
	NotifyDelivery how = {
		.lane = "x", .client = &client, .timeout_ms = 1, .on_done = on_done, .arg = f};
	assert_false(notify_send(f->site.sender, &request, &how, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_null(request.url);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(N26_a_deaf_lane_costs_another_nothing),
		TEST(a_full_lane_refuses_and_others_do_not),
		TEST(N27_the_timeout_cuts),
		TEST(N28_503_is_tried_again),
		TEST(no_wait_beyond_the_timeout),
		TEST(requests_follow_one_another),
		TEST(an_unusable_client_is_told_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
