/* Servers that stop while connections come: nothing aborts, spins or is left hanging. */
#include "pki.h"
#include "raw_client.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "net/httpd.h"

enum {
	CLIENTS = 4,
	STORM_MS = 2000,
	STOPS_MIN = 20,
	PATIENCE_S = 30,
	DRAIN_MS = 1000,
	SPUN_MS = 200, /* of CPU time; a thread that spins takes most of DRAIN_MS */
};

static void reply_ok(void *arg, HttpdRequest *request)
{
	(void)arg;
	httpd_reply(request, 200, NULL, "ok", 2);
}

/* --- a storm --- */

/* Clients come from 127.0.0.1: none can meet itself at a port that was a server's. */
static const char address[] = "127.0.0.2:0";
static const in_addr_t own = INADDR_LOOPBACK + 1;

typedef struct {
	atomic_int port; /* of the server that stands or stops, 0: none */
	atomic_bool over;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	uint64_t ended; /* connections that the kernel made and that saw their end */
	uint64_t hung;	/* those that did not */
} Storm;

/* Closed by a reset, so that no thousands of ports wait for their time. */
static void hang_up(int fd)
{
	const struct linger at_once = {.l_onoff = 1};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* Whether the peer ended the connection, by a close or a reset. */
static bool sees_its_end(int fd)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	char bytes[512];
	ssize_t got;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		;
	return got == 0 || errno != EAGAIN;
}

static void *storm_client(void *arg)
{
	Storm *storm = arg;
	while (!storm->over) {
		const int port = storm->port;
		int fd = port ? dial_at(own, port) : -1;
		if (fd < 0) {
			sched_yield();
			continue;
		}
		bool ended = sees_its_end(fd);
		hang_up(fd);
		pthread_mutex_lock(&storm->lock);
		storm->ended += ended;
		storm->hung += !ended;
		pthread_cond_broadcast(&storm->changed);
		pthread_mutex_unlock(&storm->lock);
	}
	return NULL;
}

/* Until `more` further connections have ended: the server is busy with the next ones. */
static void await_storm(Storm *storm, uint64_t more)
{
	const int64_t until_ms = clock_mono_ms() + PATIENCE_S * 1000;
	pthread_mutex_lock(&storm->lock);
	const uint64_t want = storm->ended + more;
	while (storm->ended < want && cond_wait_until(&storm->changed, &storm->lock, until_ms))
		;
	assert_true(storm->ended >= want);
	pthread_mutex_unlock(&storm->lock);
}

static void stop_servers(Storm *storm, const HttpdConfig *config)
{
	const int64_t until_ms = clock_mono_ms() + STORM_MS;
	for (unsigned i = 0; i < STOPS_MIN || clock_mono_ms() < until_ms; i++) {
		autoerror Error err = {0};
		Httpd *httpd = httpd_start(config, &err);
		assert_non_null(httpd);
		storm->port = httpd_port(httpd);
		await_storm(storm, 1 + i % 5);
		httpd_stop(httpd, i % 2 ? PATIENCE_S * 1000 : 0);
		storm->port = 0;
	}
}

/* Starts and stops servers of this kind, each amid new connections. */
static void check_storm(HttpdConfig config)
{
	Storm storm = {.lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t clients[CLIENTS];
	config.address = address;
	config.handler = reply_ok;
	cond_init(&storm.changed);
	for (size_t i = 0; i < CLIENTS; i++)
		assert_int_equal(pthread_create(&clients[i], NULL, storm_client, &storm), 0);
	stop_servers(&storm, &config);
	storm.over = true;
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_join(clients[i], NULL);
	pthread_cond_destroy(&storm.changed);
	assert_int_equal(storm.hung, 0);
}

static void stops_amid_a_storm(void **state)
{
	(void)state;
	check_storm((HttpdConfig){0});
}

/* Each thread has its one connection, and the next ones wait in the kernel's queue. */
static void stops_amid_a_storm_at_its_limit(void **state)
{
	(void)state;
	check_storm((HttpdConfig){.max_connections = 2});
	check_storm((HttpdConfig){.max_connections = 1, .threads = 1});
}

static void stops_amid_a_storm_with_threads_of_their_own(void **state)
{
	(void)state;
	check_storm((HttpdConfig){.thread_each = true, .max_connections = 2});
}

static Identity make_identity(void)
{
	static const char *const names[] = {"CN", "server", NULL};
	return pki_make(NULL, names, NULL);
}

/* What comes is no TLS: its connection ends by an alert. */
static void stops_amid_a_storm_with_tls(void **state)
{
	(void)state;
	Identity server = make_identity();
	check_storm((HttpdConfig){
		.max_connections = 2, .cert_pem = server.cert_pem, .key_pem = server.key_pem});
	pki_dispose(&server);
}

/* --- a drain --- */

static int64_t cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A request that never ends makes the drain last; nobody's time is taken by it, whether there is
 * room for another connection or none, and who waits for room sees an end. */
static void check_drain(HttpdConfig config)
{
	autoerror Error err = {0};
	config.address = "127.0.0.1:0";
	config.handler = reply_ok;
	Httpd *httpd = httpd_start(&config, &err);
	assert_non_null(httpd);
	autofd int half = dial(httpd_port(httpd));
	send_text(half, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
			"Content-Length: 5\r\n\r\n");
	autofree char *begun = receive(half, "\r\n\r\n");
	assert_has(begun, "100 Continue");
	autofd int waits = dial(httpd_port(httpd));
	const int64_t since_ms = clock_mono_ms(), spent_ms = cpu_ms();
	httpd_stop(httpd, DRAIN_MS);
	assert_true(clock_mono_ms() - since_ms >= DRAIN_MS);
	assert_in_range(cpu_ms() - spent_ms, 0, SPUN_MS);
	assert_true(sees_its_end(half));
	assert_true(sees_its_end(waits));
}

static void a_drain_takes_no_processor(void **state)
{
	(void)state;
	check_drain((HttpdConfig){0});
	check_drain((HttpdConfig){.threads = 1});
	check_drain((HttpdConfig){.threads = 1, .max_connections = 1});
	check_drain((HttpdConfig){.thread_each = true});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stops_amid_a_storm_at_its_limit),
		cmocka_unit_test(stops_amid_a_storm),
		cmocka_unit_test(stops_amid_a_storm_with_threads_of_their_own),
		cmocka_unit_test(stops_amid_a_storm_with_tls),
		cmocka_unit_test(a_drain_takes_no_processor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
