/* The registry client against the real docker-registry. Its faults are in tests/faults. */
#include "../cmocka_all.h"

#include <fcntl.h>
#include <signal.h>

#include "../git/fixture.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "data/digest.h"
#include "net/httpd.h"
#include "oci/registry.h"

#define TYPE "application/x.test"

static struct {
	char *dir, *host;
	pid_t pid;
	Loop *loop;
} world;

static int set_up(void **state)
{
	(void)state;
	autoerror Error err = {0};
	int port = free_port();
	world.dir = temp_dir();
	world.host = mem_printf("127.0.0.1:%d", port);
	autofree char *config =
		mem_printf("version: 0.1\nlog: {level: error, accesslog: {disabled: "
			   "true}}\nstorage: {filesystem: {rootdirectory: "
			   "%s/data}}\nhttp: {addr: '%s'}\n",
			   world.dir, world.host);
	write_file(world.dir, "config.yml", config);
	world.pid = spawn(world.dir,
			  (const char *const[]){"docker-registry", "serve", "config.yml", NULL});
	wait_for_port(port, world.pid);
	world.loop = loop_new(&err);
	return world.loop ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	loop_free(world.loop);
	stop(world.pid);
	dir_auto_remove(&world.dir);
	free(world.host);
	return 0;
}

static Registry *open_as(RegistryHub *hub, const char *repository)
{
	autoerror Error err = {0};
	Registry *registry = registry_open(
		hub, &(RegistryConfig){.host = world.host, .repository = repository, .push = true},
		&err);
	assert_non_null(registry);
	return registry;
}

static int open_file(const char *name)
{
	autoerror Error err = {0};
	autofree char *path = mem_printf("%s/%s", world.dir, name);
	int fd = fd_open(path, O_RDWR | O_CREAT | O_TRUNC, 0600, &err);
	assert_true(fd >= 0);
	return fd;
}

static void describe(Str bytes, OciDescriptor *out)
{
	char digest[DIGEST_TEXT_SIZE];
	digest_of(DIGEST_SHA256, bytes.ptr, bytes.len, digest);
	*out = (OciDescriptor){.media_type = mem_strdup(TYPE),
			       .digest = mem_strdup(digest),
			       .size = (int64_t)bytes.len};
}

static void push_bytes(Registry *registry, Str bytes, OciDescriptor *out)
{
	autoerror Error err = {0};
	autofd int fd = open_file("in");
	describe(bytes, out);
	assert_true(fd_write_all(fd, bytes.ptr, bytes.len, &err));
	if (!registry_push_blob(registry, out, fd, &err))
		fail_msg("%s", err_text(&err));
}

static char *push_image(Registry *registry, const char *tag, const OciDescriptor *layer)
{
	autoerror Error err = {0};
	autoocidescriptor OciDescriptor config = {0};
	push_bytes(registry, STR("{}"), &config);
	char *text =
		mem_printf("{\"schemaVersion\": 2, \"mediaType\": \"" OCI_TYPE_MANIFEST
			   "\", \"config\": {\"mediaType\": \"" TYPE
			   "\", \"digest\": \"%s\", \"size\": 2}, \"layers\": [{\"mediaType\": "
			   "\"" TYPE "\", \"digest\": \"%s\", \"size\": %lld}]}",
			   config.digest, layer->digest, (long long)layer->size);
	if (!registry_push_manifest(registry, tag, OCI_TYPE_MANIFEST, str_of(text), &err))
		fail_msg("%s", err_text(&err));
	return text;
}

/* More than one chunk of an upload, and more than a read of a download. */
static void push_and_pull_again(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoregistryhub RegistryHub *hub = registry_hub_new(world.loop);
	autoregistry Registry *registry = open_as(hub, "team/app");
	autobuf Buf bytes = {0};
	buf_reserve(&bytes, 9 << 20);
	rand_bytes(bytes.ptr, 9 << 20);
	autoocidescriptor OciDescriptor blob = {0}, top = {0};
	push_bytes(registry, str_sized(bytes.ptr, 9 << 20), &blob);
	uint64_t before = registry_hub_requests(hub);
	autoocidescriptor OciDescriptor again = {0};
	push_bytes(registry, str_sized(bytes.ptr, 9 << 20), &again);
	assert_int_equal(registry_hub_requests(hub) - before, 1); /* the HEAD that finds it */
	autofree char *text = push_image(registry, "v1", &blob);
	assert_true(registry_resolve(registry, "v1", &top, &err));
	assert_int_equal(top.size, strlen(text));
	autoocimanifest OciManifest manifest = {0};
	assert_true(registry_image(registry, top.digest, &manifest, &err));
	assert_string_equal(manifest.items[0].digest, blob.digest);
	autofd int fd = open_file("out");
	assert_true(registry_blob(registry, &manifest.items[0], 10 << 20, fd, &err));
	autobuf Buf got = {0};
	lseek(fd, 0, SEEK_SET);
	assert_true(fd_read_all(fd, 10 << 20, &got, &err));
	assert_int_equal(got.len, 9 << 20);
	assert_memory_equal(got.ptr, bytes.ptr, got.len);
}

static void S53_sizes_and_digests_bind(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoregistryhub RegistryHub *hub = registry_hub_new(world.loop);
	autoregistry Registry *registry = open_as(hub, "team/sizes");
	autoocidescriptor OciDescriptor blob = {0};
	autobuf Buf out = {0};
	push_bytes(registry, STR("0123456789"), &blob);
	assert_true(registry_blob_read(registry, &blob, 10, &out, &err));
	assert_string_equal(buf_text(&out), "0123456789");
	assert_false(registry_blob_read(registry, &blob, 9, &out, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	static const int sizes[] = {9, 11};
	for (size_t i = 0; i < COUNT(sizes); i++) {
		error_dispose(&err);
		blob.size = sizes[i];
		assert_false(registry_blob_read(registry, &blob, 100, &out, &err));
		if (err.code != ERR_INVALID)
			fail_msg("%d: %s", sizes[i], err_text(&err));
	}
	assert_int_equal(out.len, 10);
}

static bool collect(void *arg, const char *tag)
{
	Buf *out = arg;
	buf_printf(out, "%s ", tag);
	return !cstr_eq(tag, "v3");
}

static void S49_tags_and_an_early_end(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoregistryhub RegistryHub *hub = registry_hub_new(world.loop);
	autoregistry Registry *registry = open_as(hub, "team/tags");
	autoocidescriptor OciDescriptor blob = {0};
	push_bytes(registry, STR("x"), &blob);
	static const char *const tags[] = {"v1", "v2", "v3", "v4"};
	for (size_t i = 0; i < COUNT(tags); i++)
		free(push_image(registry, tags[i], &blob));
	autobuf Buf out = {0};
	assert_true(registry_tags(registry, collect, &out, &err));
	assert_true(cstr_ends(buf_text(&out), "v3 "));
	autoregistry Registry *nothing = open_as(hub, "team/nothing");
	assert_false(registry_tags(nothing, collect, &out, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(err.http_status, 404);
	assert_non_null(strstr(err_text(&err), "NAME_UNKNOWN"));
}

/* What is about to be pulled is asked for once. */
static void S53_a_new_tag_costs_one_get(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoregistryhub RegistryHub *hub = registry_hub_new(world.loop);
	autoregistry Registry *registry = open_as(hub, "team/new");
	autoocidescriptor OciDescriptor blob = {0}, top = {0}, second = {0};
	autoocimanifest OciManifest manifest = {0}, other = {0};
	push_bytes(registry, STR("x"), &blob);
	free(push_image(registry, "v1", &blob));
	uint64_t before = registry_hub_requests(hub);
	assert_true(registry_resolve_to_pull(registry, "v1", &top, &err));
	assert_true(registry_image(registry, top.digest, &manifest, &err));
	assert_string_equal(manifest.items[0].digest, blob.digest);
	assert_int_equal(registry_hub_requests(hub) - before, 1);
	/* By the tag it is asked for again: that may have moved. */
	oci_descriptor_dispose(&blob);
	push_bytes(registry, STR("y"), &blob);
	free(push_image(registry, "v1", &blob));
	before = registry_hub_requests(hub);
	assert_true(registry_image(registry, "v1", &other, &err));
	assert_string_equal(other.items[0].digest, blob.digest);
	assert_true(registry_resolve_to_pull(registry, "v1", &second, &err));
	assert_string_not_equal(second.digest, top.digest);
	assert_int_equal(registry_hub_requests(hub) - before, 2);
}

static void S57_referrers_by_their_tag(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoregistryhub RegistryHub *hub = registry_hub_new(world.loop);
	autoregistry Registry *registry = open_as(hub, "team/signed");
	autoocidescriptor OciDescriptor blob = {0}, top = {0}, signature = {0};
	push_bytes(registry, STR("x"), &blob);
	free(push_image(registry, "v1", &blob));
	free(push_image(registry, "signature", &blob));
	assert_true(registry_resolve(registry, "v1", &top, &err));
	assert_true(registry_resolve(registry, "signature", &signature, &err));
	autoocimanifest OciManifest none = {0}, some = {0}, other = {0};
	assert_true(registry_referrers(registry, top.digest, NULL, &none, &err));
	assert_int_equal(none.count, 0);
	autofree char *text =
		mem_printf("{\"schemaVersion\": 2, \"mediaType\": \"" OCI_TYPE_INDEX
			   "\", \"manifests\": [{\"mediaType\": \"" OCI_TYPE_MANIFEST
			   "\", \"digest\": \"%s\", \"size\": %lld, \"artifactType\": \"a/b\"}]}",
			   signature.digest, (long long)signature.size);
	autofree char *tag = mem_strdup(top.digest);
	*strchr(tag, ':') = '-';
	assert_true(registry_push_manifest(registry, tag, OCI_TYPE_INDEX, str_of(text), &err));
	assert_true(registry_referrers(registry, top.digest, "a/b", &some, &err));
	assert_int_equal(some.count, 1);
	assert_true(registry_referrers(registry, top.digest, "c/d", &other, &err));
	assert_int_equal(other.count, 0);
}

/* A registry that has the API for one digest, answers with a page of its own for another, and fails
 * for a third; it has no such tags. */
#define SUBJECT(digit) "sha256:" digit digit digit digit digit digit digit digit
#define DIGIT(d) d d d d d d d d

static void serve_referrers(void *arg, HttpdRequest *request)
{
	static const struct {
		const char *digest, *type, *text;
		int status;
	} rows[] = {
		{SUBJECT(DIGIT("a")), OCI_TYPE_INDEX,
		 "{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_INDEX "\",\"manifests\":["
		 "{\"mediaType\":\"" OCI_TYPE_MANIFEST "\",\"artifactType\":\"a/b\",\"size\":3,"
		 "\"digest\":\"" SUBJECT(DIGIT("1")) "\"},"
						     "{\"mediaType\":\"" OCI_TYPE_MANIFEST
						     "\",\"artifactType\":\"c/d\",\"size\":3,"
						     "\"digest\":\"" SUBJECT(DIGIT("2")) "\"}]}",
		 200},
		{SUBJECT(DIGIT("b")), "text/html", "<html>all you want", 200},
		{SUBJECT(DIGIT("c")), "application/json", "{\"errors\":[{\"code\":\"DENIED\"}]}",
		 403},
		{SUBJECT(DIGIT("d")), OCI_TYPE_INDEX, "{\"manifests\":[{\"digest\":\"../x\"}]}",
		 200},
	};
	(void)arg;
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *path = mem_printf("/v2/team/app/referrers/%s", rows[i].digest);
		if (cstr_eq(httpd_path(request), path)) {
			httpd_reply(request, rows[i].status, rows[i].type, rows[i].text,
				    strlen(rows[i].text));
			return;
		}
	}
	httpd_reply(request, 404, NULL, "", 0);
}

static void S57_referrers_by_the_api(void **state)
{
	(void)state;
	autoerror Error err = {0}, denied = {0}, bad = {0};
	Httpd *httpd = httpd_start(
		&(HttpdConfig){.address = "127.0.0.1:0", .handler = serve_referrers}, &err);
	assert_non_null(httpd);
	autoregistryhub RegistryHub *hub = registry_hub_new(world.loop);
	autofree char *host = mem_printf("127.0.0.1:%d", httpd_port(httpd));
	Registry *registry =
		registry_open(hub, &(RegistryConfig){.host = host, .repository = "team/app"}, &err);
	assert_non_null(registry);
	autoocimanifest OciManifest all = {0}, some = {0}, page = {0}, none = {0};
	assert_true(registry_referrers(registry, SUBJECT(DIGIT("a")), NULL, &all, &err));
	assert_int_equal(all.count, 2);
	assert_true(registry_referrers(registry, SUBJECT(DIGIT("a")), "c/d", &some, &err));
	assert_int_equal(some.count, 1);
	assert_string_equal(some.items[0].digest, SUBJECT(DIGIT("2")));
	assert_true(registry_referrers(registry, SUBJECT(DIGIT("b")), NULL, &page, &err));
	assert_int_equal(page.count, 0);
	assert_false(registry_referrers(registry, SUBJECT(DIGIT("c")), NULL, &none, &denied));
	assert_int_equal(denied.http_status, 403);
	assert_false(registry_referrers(registry, SUBJECT(DIGIT("d")), NULL, &none, &bad));
	assert_int_equal(bad.code, ERR_INVALID);
	registry_close(registry);
	httpd_stop(httpd, 1000);
}

/* Pages of one entry each: "a" has three of them, "b" an endless row, "c" leads to another host,
 * "d" loses the second one. */
static void serve_pages(void *arg, HttpdRequest *request)
{
	static const char *const next[] = {"", "", "http://o.test/", "/gone"};
	(void)arg;
	const char *prefix = "/v2/team/app/referrers/sha256:", *path = httpd_path(request);
	if (!cstr_starts(path, prefix)) {
		httpd_reply(request, 404, NULL, "", 0);
		return;
	}
	unsigned long long page = 0;
	const char *at = httpd_param(request, "page");
	str_to_u64(str_of(at ? at : "0"), &page);
	size_t row = (size_t)(path[strlen(prefix)] - 'a');
	autofree char *target = mem_printf("%s?page=%llu", next[row], page + 1);
	autofree char *link = mem_printf("<%s>; rel=\"next\"", target);
	if (row != 0 || page < 2)
		httpd_set_header(request, "Link", link);
	autofree char *text = mem_printf(
		"{\"schemaVersion\": 2, \"manifests\": [{\"mediaType\": \"" OCI_TYPE_MANIFEST
		"\", \"artifactType\": \"%s\", \"size\": 3, \"digest\": \"%s\"}]}",
		page % 2 ? "c/d" : "a/b", SUBJECT(DIGIT("1")));
	httpd_reply(request, 200, OCI_TYPE_INDEX, text, strlen(text));
}

static void S57_referrers_page_by_page(void **state)
{
	(void)state;
	static const struct {
		const char *digest, *type;
		ErrorCode code;
		size_t count;
	} rows[] = {
		{SUBJECT(DIGIT("a")), NULL, ERR_NONE, 3},
		{SUBJECT(DIGIT("a")), "a/b", ERR_NONE, 2},
		{SUBJECT(DIGIT("a")), "c/d", ERR_NONE, 1},
		{SUBJECT(DIGIT("b")), NULL, ERR_LIMIT, 0},
		{SUBJECT(DIGIT("c")), NULL, ERR_FORBIDDEN, 0},
		{SUBJECT(DIGIT("d")), NULL, ERR_INVALID, 0},
	};
	autoerror Error err = {0};
	Httpd *httpd =
		httpd_start(&(HttpdConfig){.address = "127.0.0.1:0", .handler = serve_pages}, &err);
	assert_non_null(httpd);
	autoregistryhub RegistryHub *hub = registry_hub_new(world.loop);
	autofree char *host = mem_printf("127.0.0.1:%d", httpd_port(httpd));
	autoregistry Registry *registry =
		registry_open(hub, &(RegistryConfig){.host = host, .repository = "team/app"}, &err);
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoocimanifest OciManifest got = {0};
		error_dispose(&err);
		bool ok = registry_referrers(registry, rows[i].digest, rows[i].type, &got, &err);
		if (ok != (rows[i].code == ERR_NONE) || err.code != rows[i].code ||
		    got.count != rows[i].count)
			fail_msg("%zu: %zu %s", i, got.count, err_text(&err));
	}
	httpd_stop(httpd, 1000);
}

/* What one repository learnt of the host, the next one need not ask. */
static void S53_one_request_when_the_host_is_known(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autoregistryhub RegistryHub *hub = registry_hub_new(world.loop);
	autoocidescriptor OciDescriptor blob = {0};
	for (int i = 0; i < 20; i++) {
		autofree char *name = mem_printf("many/r%d", i);
		autoregistry Registry *registry = open_as(hub, name);
		push_bytes(registry, STR("x"), &blob);
		free(push_image(registry, "v1", &blob));
		oci_descriptor_dispose(&blob);
	}
	autoregistryhub RegistryHub *fresh = registry_hub_new(world.loop);
	for (int i = 0; i < 20; i++) {
		autofree char *name = mem_printf("many/r%d", i);
		autoregistry Registry *registry = open_as(fresh, name);
		autoocidescriptor OciDescriptor top = {0};
		assert_true(registry_resolve(registry, "v1", &top, &err));
	}
	assert_int_equal(registry_hub_requests(fresh), 2 + 20); /* https or http?, and the HEADs */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(push_and_pull_again),
		cmocka_unit_test(S53_sizes_and_digests_bind),
		cmocka_unit_test(S49_tags_and_an_early_end),
		cmocka_unit_test(S53_a_new_tag_costs_one_get),
		cmocka_unit_test(S57_referrers_by_their_tag),
		cmocka_unit_test(S57_referrers_by_the_api),
		cmocka_unit_test(S57_referrers_page_by_page),
		cmocka_unit_test(S53_one_request_when_the_host_is_known),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
