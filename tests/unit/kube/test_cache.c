/*
 * What the client's cache costs: a million events through one watch, as fast as loopback carries
 * them, each told once and in order, and memory as flat at the end as after the first ones; ten
 * thousand objects of a usual size.
 */
#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/footprint.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/informer.h"

enum {
	EVENTS = 1000000,
	WARM = 100000, /* by then all that grows once has grown */
	OBJECTS = 200,
	CACHED = 10000,
	PIECE = 64 * 1024,
	GROWTH_KIB = 4096,
	WAIT_MS = 200000, /* under sanitizers on a busy machine; some 10 s otherwise */
};

/* Freed memory that the sanitizer keeps for its reports would look like growth. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=16";
}

static const char core_v1[] =
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	"96\r\n"
	"{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[{\"name\":"
	"\"configmaps\",\"kind\":\"ConfigMap\",\"namespaced\":true,\"verbs\":[\"get\",\"list\","
	"\"watch\"]}]}\r\n0\r\n\r\n";

static const char watch_head[] =
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";

typedef void WatchFn(int fd);

typedef struct {
	WatchFn *watch; /* what a watch is answered with */
	int listen_fd;
	pthread_t thread;
	atomic_size_t told;
	atomic_long last_version;
	atomic_bool disordered;
	long warm_kib;
} Site;

static long resident_kib(void)
{
	autobuf Buf text = {0};
	autoerror Error err = {0};
	if (!file_read("/proc/self/status", 65536, &text, &err))
		return -1;
	const char *line = strstr(buf_text(&text), "VmRSS:");
	return line ? strtol(line + 6, NULL, 10) : -1;
}

static void add_event(Buf *out, const char *type, long version)
{
	buf_printf(out,
		   "{\"type\":\"%s\",\"object\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
		   "\"metadata\":{\"name\":\"map-%ld\",\"namespace\":\"apps\","
		   "\"resourceVersion\":\"%ld\"},\"data\":{\"v\":\"%ld\"}}}\n",
		   type, version % OBJECTS, version, version);
}

static bool flush(int fd, Buf *out)
{
	for (size_t at = 0; at < out->len;) {
		ssize_t sent = send(fd, out->ptr + at, out->len - at, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		at += (size_t)sent;
	}
	buf_clear(out);
	return true;
}

static void tell_a_million(int fd)
{
	autobuf Buf out = {0};
	long version = 0;
	buf_puts(&out, watch_head);
	while (version < OBJECTS)
		add_event(&out, "ADDED", ++version);
	buf_printf(&out,
		   "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{"
		   "\"resourceVersion\":\"%ld\",\"annotations\":{\"k8s.io/initial-events-end\":"
		   "\"true\"}}}}\n",
		   version);
	while (version < EVENTS + OBJECTS) {
		add_event(&out, "MODIFIED", ++version);
		if (out.len > PIECE && !flush(fd, &out))
			return;
	}
	char byte;
	if (flush(fd, &out))
		(void)!recv(fd, &byte, 1, 0); /* until the client ends it */
}

/* Some 3 KiB: a Deployment as kubectl shows it, a third of it managedFields. */
static void add_deployment(Buf *out, int number)
{
	enum { ENV = 12, FIELDS = 18 };
	buf_printf(out,
		   "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
		   "\"metadata\":{\"name\":\"app-%d\",\"namespace\":\"apps\",\"uid\":"
		   "\"3f2b9c1e-55f2-4a6f-9d3b-0123456789ab\",\"resourceVersion\":\"%d\","
		   "\"managedFields\":[{\"manager\":\"kustomize-controller\",\"operation\":"
		   "\"Apply\",\"fieldsV1\":{\"f:spec\":{",
		   number, number + 1);
	for (int i = 0; i < FIELDS; i++)
		buf_printf(out, "%s\"k:{\\\"containerPort\\\":%d}\":{\".\":{},\"f:name\":{}}",
			   i ? "," : "", 8000 + i);
	buf_puts(out, "}}}]},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"env\":[");
	for (int i = 0; i < ENV; i++)
		buf_printf(out,
			   "%s{\"name\":\"SETTING_NUMBER_%d\",\"valueFrom\":{\"configMapKeyRef\":"
			   "{\"name\":\"settings-of-the-application\",\"key\":\"setting-%d\"}}}",
			   i ? "," : "", i, i);
	buf_puts(out, "]}]}}}}}\n");
}

static void tell_ten_thousand(int fd)
{
	autobuf Buf out = {0};
	buf_puts(&out, watch_head);
	for (int i = 0; i < CACHED; i++) {
		add_deployment(&out, i);
		if (out.len > PIECE && !flush(fd, &out))
			return;
	}
	buf_printf(&out,
		   "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{"
		   "\"resourceVersion\":\"%d\",\"annotations\":{\"k8s.io/initial-events-end\":"
		   "\"true\"}}}}\n",
		   CACHED + 1);
	char byte;
	if (flush(fd, &out))
		(void)!recv(fd, &byte, 1, 0);
}

static void *serve(void *arg)
{
	Site *site = arg;
	for (int fd; (fd = accept(site->listen_fd, NULL, NULL)) >= 0; close(fd)) {
		char head[4096];
		for (ssize_t got; (got = recv(fd, head, sizeof(head) - 1, 0)) > 0;) {
			head[got] = '\0'; /* requests without body, each in one segment */
			if (strstr(head, "watch=true"))
				site->watch(fd);
			else if (send(fd, core_v1, sizeof(core_v1) - 1, MSG_NOSIGNAL) < 0)
				break;
		}
	}
	return NULL;
}

static char *start_server(Site *site)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	site->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(site->listen_fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(site->listen_fd, 8), 0);
	getsockname(site->listen_fd, (struct sockaddr *)&address, &len);
	pthread_create(&site->thread, NULL, serve, site);
	return mem_printf("http://127.0.0.1:%d", ntohs(address.sin_port));
}

/* What is allocated, in KiB: by the sanitizer's count, which has no red zones in it, or the
 * process's memory. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static long held_kib(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return (long)(__sanitizer_get_current_allocated_bytes() / 1024);
	footprint_shrink();
	return resident_kib();
}

static void on_event(void *arg, InformerEvent event, const json_t *object)
{
	Site *site = arg;
	if (event == INFORMER_SYNCED)
		return;
	long version = strtol(object_resource_version(object), NULL, 10);
	if (version != atomic_load(&site->last_version) + 1)
		atomic_store(&site->disordered, true);
	atomic_store(&site->last_version, version);
	if (atomic_fetch_add(&site->told, 1) + 1 == WARM)
		site->warm_kib = held_kib();
}

static void stop_server(Site *site)
{
	shutdown(site->listen_fd, SHUT_RDWR);
	pthread_join(site->thread, NULL);
	close(site->listen_fd);
}

static void a_million_events_are_told_in_order_in_flat_memory(void **state)
{
	(void)state;
	Site site = {.watch = tell_a_million};
	autoerror Error err = {0};
	autoloop Loop *loop = loop_new(&err);
	autokubeconfig KubeConfig config = {.server = start_server(&site)};
	KubeClient *client = kube_client_new(loop, &config, "tester", &err);
	assert_non_null(client);
	Informer *informer = informer_start(client, &(InformerConfig){.api_version = "v1",
								      .kind = "ConfigMap",
								      .keep_objects = true,
								      .on_event = on_event,
								      .arg = &site});
	int64_t until_ms = clock_mono_ms() + WAIT_MS;
	while (atomic_load(&site.told) < EVENTS + OBJECTS && clock_mono_ms() < until_ms)
		usleep(20000); /* between looks */
	long grown_kib = held_kib() - site.warm_kib;
	assert_int_equal(atomic_load(&site.told), EVENTS + OBJECTS);
	assert_false(atomic_load(&site.disordered));
	autojson json_t *last = informer_get(informer, "apps", "map-0");
	assert_string_equal(json_text(json_map(last, "data"), "v"), "1000200");
	informer_stop(informer);
	kube_client_free(client);
	stop_server(&site);
	print_message("%ld KiB after %d events, %+ld KiB at the end\n", site.warm_kib, WARM,
		      grown_kib);
	assert_true(grown_kib < GROWTH_KIB);
}

static void ten_thousand_objects_take_less_than_10_mib(void **state)
{
	(void)state;
	Site site = {.watch = tell_ten_thousand};
	autoerror Error err = {0};
	long before_kib = held_kib();
	autoloop Loop *loop = loop_new(&err);
	autokubeconfig KubeConfig config = {.server = start_server(&site)};
	KubeClient *client = kube_client_new(loop, &config, "tester", &err);
	assert_non_null(client);
	Informer *informer = informer_start(
		client,
		&(InformerConfig){.api_version = "v1", .kind = "ConfigMap", .keep_objects = true});
	assert_true(informer_wait(informer, WAIT_MS));
	long taken_kib = held_kib() - before_kib;
	autojson json_t *one = informer_get(informer, "apps", "app-9999");
	assert_non_null(one);
	assert_null(json_at(one, "metadata", "managedFields", NULL));
	informer_stop(informer);
	kube_client_free(client);
	stop_server(&site);
	print_message("%d objects: %ld KiB\n", CACHED, taken_kib);
	assert_true(taken_kib > CACHED / 4); /* they were there */
	assert_true(taken_kib < 10 * 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_objects_take_less_than_10_mib),
		cmocka_unit_test(a_million_events_are_told_in_order_in_flat_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
