#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/tar.h"
#include "artifact/fetch.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/digest.h"

/* --- a server that answers by a script, byte for byte; the last line repeats --- */

typedef struct {
	int status;
	const Buf *body; /* NULL: "error page" */
	size_t cut;	 /* bytes of the body that are sent; 0: all */
	bool wait;	 /* answers when the site's gate opens */
} Answer;

typedef struct {
	int listen_fd;
	int port;
	pthread_t thread;
	const Answer *answers;
	size_t count;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	size_t asked;
	bool open_gate;
	char last_host[200];
} Peer;

static void peer_note(Peer *peer, const char *request, bool wait)
{
	const char *host = strstr(request, "Host: ");
	pthread_mutex_lock(&peer->lock);
	peer->asked++;
	if (host)
		snprintf(peer->last_host, sizeof(peer->last_host), "%.*s",
			 (int)strcspn(host + 6, "\r\n"), host + 6);
	pthread_cond_broadcast(&peer->changed);
	while (wait && !peer->open_gate)
		pthread_cond_wait(&peer->changed, &peer->lock);
	pthread_mutex_unlock(&peer->lock);
}

static bool read_request(int fd, Buf *out)
{
	char chunk[2048];
	while (!strstr(buf_text(out), "\r\n\r\n")) {
		ssize_t got = read(fd, chunk, sizeof(chunk));
		if (got <= 0)
			return false;
		buf_append(out, chunk, (size_t)got);
	}
	return true;
}

static void answer_one(Peer *peer, int fd, size_t index)
{
	autoerror Error err = {0};
	autobuf Buf request = {0}, page = {0}, reply = {0};
	if (!read_request(fd, &request))
		return;
	const Answer *a = &peer->answers[index < peer->count ? index : peer->count - 1];
	peer_note(peer, buf_text(&request), a->wait);
	buf_puts(&page, "error page");
	const Buf *body = a->body ? a->body : &page;
	buf_printf(&reply, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		   a->status, body->len);
	buf_append(&reply, body->ptr, a->cut ? a->cut : body->len);
	if (!fd_write_all(fd, reply.ptr, reply.len, &err))
		print_message("peer: %s\n", err_text(&err));
}

static void *run_peer(void *arg)
{
	Peer *peer = arg;
	for (size_t index = 0;; index++) {
		autofd int fd = accept(peer->listen_fd, NULL, NULL);
		if (fd < 0)
			return NULL;
		answer_one(peer, fd, index);
	}
}

static void peer_start(Peer *peer, const Answer *answers, size_t count)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	*peer = (Peer){.answers = answers, .count = count};
	pthread_mutex_init(&peer->lock, NULL);
	pthread_cond_init(&peer->changed, NULL);
	peer->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(peer->listen_fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(peer->listen_fd, 64), 0);
	assert_int_equal(getsockname(peer->listen_fd, (struct sockaddr *)&addr, &len), 0);
	peer->port = ntohs(addr.sin_port);
	assert_int_equal(pthread_create(&peer->thread, NULL, run_peer, peer), 0);
}

static size_t peer_stop(Peer *peer)
{
	shutdown(peer->listen_fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->listen_fd);
	pthread_cond_destroy(&peer->changed);
	pthread_mutex_destroy(&peer->lock);
	return peer->asked;
}

/* --- a cache and two archives --- */

typedef struct {
	char *dir;
	Loop *loop;
	HttpClient *http;
	ArtifactCache *cache;
	Buf good;
	Buf other;
	char digest[DIGEST_TEXT_SIZE];
	char other_digest[DIGEST_TEXT_SIZE];
} Site;

static bool to_buf(void *arg, const void *bytes, size_t len, Error *err)
{
	(void)err;
	buf_append(arg, bytes, len);
	return true;
}

static void make_archive(const char *text, Buf *out, char digest[DIGEST_TEXT_SIZE])
{
	autoerror Error err = {0};
	autotarwriter TarWriter *tar = tar_writer_new(to_buf, out, &err);
	assert_true(tar_writer_dir(tar, "d", &err));
	assert_true(tar_writer_file(tar, "d/f", false, text, strlen(text), &err));
	assert_true(tar_writer_finish(tar, &err));
	digest_of(DIGEST_SHA256, out->ptr, out->len, digest);
}

static void use_cache(Site *site, const ArtifactCacheConfig *config)
{
	autoerror Error err = {0};
	artifact_cache_free(site->cache);
	ArtifactCacheConfig own = *config;
	own.dir = site->dir;
	site->cache = artifact_cache_new(site->http, &own, &err);
	assert_non_null(site->cache);
}

static int site_open(void **state)
{
	autoerror Error err = {0};
	Site *site = mem_zalloc(1, sizeof(*site));
	site->dir = dir_make_temp("/tmp", "sluice-fetch", &err);
	site->loop = loop_new(&err);
	const HttpClientConfig client = {0};
	site->http = httpc_new(site->loop, &client, &err);
	assert_non_null(site->http);
	const ArtifactCacheConfig config = {.retries = 3, .retry_wait_ms = 1, .max_trees = 2};
	use_cache(site, &config);
	make_archive("good", &site->good, site->digest);
	make_archive("other", &site->other, site->other_digest);
	*state = site;
	return 0;
}

/* Files without a name that this process has open there. */
static size_t count_nameless(const char *dir)
{
	autoerror Error err = {0};
	autofd int fd = fd_open("/proc/self/fd", O_RDONLY | O_DIRECTORY, 0, &err);
	autostrings Vec names = {0};
	size_t count = 0;
	assert_true(dir_names(fd, 1000, &names, &err));
	for (size_t i = 0; i < names.len; i++) {
		char target[PATH_MAX] = "";
		ssize_t len = readlinkat(fd, names.items[i], target, sizeof(target) - 1);
		count += len > 0 && cstr_starts(target, dir) && strstr(target, "(deleted)");
	}
	return count;
}

/* What lies in the directory, with and without a name. */
static size_t count_in(const char *dir)
{
	autoerror Error err = {0};
	autofd int fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, &err);
	autostrings Vec names = {0};
	assert_true(dir_names(fd, 1000, &names, &err));
	return names.len + count_nameless(dir);
}

static int site_close(void **state)
{
	Site *site = *state;
	artifact_cache_free(site->cache);
	assert_int_equal(count_in(site->dir), 0);
	httpc_free(site->http);
	loop_free(site->loop);
	buf_dispose(&site->good);
	buf_dispose(&site->other);
	dir_auto_remove(&site->dir);
	free(site);
	return 0;
}

static ArtifactTree *get_once(const Site *site, const Peer *peer, const char *digest, Error *err)
{
	autoartifact Artifact artifact = {
		.url = mem_printf("http://127.0.0.1:%d/k/ns/n/f.tar.gz", peer->port),
		.digest = mem_strdup(digest),
	};
	return artifact_cache_get(site->cache, &artifact, err);
}

/* As a caller with a queue does it, which comes back when the next try is due. */
static ArtifactTree *get(const Site *site, const Peer *peer, const char *digest, Error *err)
{
	for (;;) {
		ArtifactTree *tree = get_once(site, peer, digest, err);
		if (tree || !err->not_yet)
			return tree;
		assert_true(err->retry_after_ms > 0);
		error_dispose(err);
	}
}

static void check_tree(const ArtifactTree *tree, const char *want)
{
	autoerror Error err = {0};
	autobuf Buf text = {0};
	assert_non_null(tree);
	assert_true(file_tree_read(artifact_tree_files(tree), "d/f", 100, &text, &err));
	assert_string_equal(buf_text(&text), want);
}

/* One get that fails so, leaving nothing on disk; returns how often the peer was asked. */
static size_t fails(const Site *site, const Answer *answers, size_t count, const char *digest,
		    ErrorCode code)
{
	Peer peer;
	autoerror Error err = {0};
	size_t before = count_in(site->dir);
	peer_start(&peer, answers, count);
	assert_null(get(site, &peer, digest, &err));
	if (err.code != code)
		fail_msg("wanted %s, got %s: %s", err_code_name(code), err_code_name(err.code),
			 err_text(&err));
	assert_int_equal(count_in(site->dir), before);
	return peer_stop(&peer);
}

static void K7_the_digest_decides(void **state)
{
	Site *site = *state;
	const Answer good = {.status = 200, .body = &site->good};
	assert_int_equal(fails(site, &good, 1, site->other_digest, ERR_INVALID), 1);
	static const char *const bad[] = {
		"",
		"md5:0123",
		"sha256:",
		"sha256:0123",
		"sha1:0123456789012345678901234567890123456789",
		"zz",
		"sha256:zz00000000000000000000000000000000000000000000000000000000000000"};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(fails(site, &good, 1, bad[i], ERR_INVALID), 0);
}

static void K7_bare_hex_is_sha256(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	Peer peer;
	const Answer good = {.status = 200, .body = &site->good};
	peer_start(&peer, &good, 1);
	autoartifacttree ArtifactTree *bare = get(site, &peer, strchr(site->digest, ':') + 1, &err);
	check_tree(bare, "good");
	autoartifacttree ArtifactTree *full = get(site, &peer, site->digest, &err);
	assert_ptr_equal(bare, full);
	assert_int_equal(peer_stop(&peer), 1);
}

static void K8_404_is_not_tried_again(void **state)
{
	Site *site = *state;
	const Answer absent = {.status = 404};
	assert_int_equal(fails(site, &absent, 1, site->digest, ERR_NOT_FOUND), 1);
	const Answer forbidden = {.status = 403};
	assert_int_equal(fails(site, &forbidden, 1, site->digest, ERR_FORBIDDEN), 1);
}

static void K8_503_and_429_are_tried_again(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	Peer peer;
	const Answer answers[] = {
		{.status = 503}, {.status = 429}, {.status = 200, .body = &site->good}};
	peer_start(&peer, answers, COUNT(answers));
	autoartifacttree ArtifactTree *tree = get(site, &peer, site->digest, &err);
	check_tree(tree, "good");
	assert_int_equal(peer_stop(&peer), 3);
	const Answer down = {.status = 503};
	assert_int_equal(fails(site, &down, 1, site->other_digest, ERR_UNAVAILABLE), 4);
}

static void a_cut_download_is_tried_again(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	Peer peer;
	const Answer answers[] = {{.status = 200, .body = &site->good, .cut = 10},
				  {.status = 200, .body = &site->good, .cut = 50},
				  {.status = 200, .body = &site->good}};
	peer_start(&peer, answers, COUNT(answers));
	autoartifacttree ArtifactTree *tree = get(site, &peer, site->digest, &err);
	check_tree(tree, "good");
	assert_int_equal(peer_stop(&peer), 3);
	assert_int_equal(fails(site, answers, 1, site->other_digest, ERR_UNAVAILABLE), 4);
}

static void a_refused_connection_is_unavailable(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	Peer peer;
	const Answer none = {.status = 500};
	peer_start(&peer, &none, 1);
	peer_stop(&peer);
	assert_null(get(site, &peer, site->digest, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

static void K9_a_hostile_archive_leaves_nothing(void **state)
{
	Site *site = *state;
	autobuf Buf bytes = {0};
	char digest[DIGEST_TEXT_SIZE];
	/* Right digest, no archive. */
	buf_puts(&bytes, "<html>");
	digest_of(DIGEST_SHA256, bytes.ptr, bytes.len, digest);
	const Answer answer = {.status = 200, .body = &bytes};
	assert_int_equal(fails(site, &answer, 1, digest, ERR_INVALID), 1);
	autoerror Error err = {0};
	autobuf Buf evil = {0};
	autotarwriter TarWriter *tar = tar_writer_new(to_buf, &evil, &err);
	assert_true(tar_writer_file(tar, "fine", false, "x", 1, &err));
	assert_true(tar_writer_file(tar, "../evil", false, "x", 1, &err));
	assert_true(tar_writer_finish(tar, &err));
	digest_of(DIGEST_SHA256, evil.ptr, evil.len, digest);
	const Answer second = {.status = 200, .body = &evil};
	assert_int_equal(fails(site, &second, 1, digest, ERR_INVALID), 1);
}

static void limits_on_size_hold(void **state)
{
	Site *site = *state;
	const ArtifactCacheConfig small = {.retries = 3, .retry_wait_ms = 1, .max_bytes = 100};
	use_cache(site, &small);
	const Answer good = {.status = 200, .body = &site->good};
	assert_int_equal(fails(site, &good, 1, site->digest, ERR_INVALID), 1);
	/* An error page is no artifact, whatever its size. */
	const Answer absent = {.status = 404, .body = &site->good};
	assert_int_equal(fails(site, &absent, 1, site->digest, ERR_NOT_FOUND), 1);
	const ArtifactCacheConfig tiny = {.retries = 3, .retry_wait_ms = 1, .max_bytes = 3};
	use_cache(site, &tiny);
	assert_int_equal(fails(site, &good, 1, site->digest, ERR_INVALID), 1);
}

enum { GETTERS = 20 };

typedef struct {
	const Site *site;
	const Peer *peer;
	ArtifactTree *tree;
	ErrorCode code;
} Getter;

static void *run_getter(void *arg)
{
	Getter *g = arg;
	autoerror Error err = {0};
	g->tree = get(g->site, g->peer, g->site->digest, &err);
	g->code = err.code;
	return NULL;
}

/* 20 threads while the peer holds its answer back. */
static size_t get_together(Site *site, const Answer *answer, Getter getters[GETTERS])
{
	Peer peer;
	pthread_t threads[GETTERS];
	peer_start(&peer, answer, 1);
	for (size_t i = 0; i < GETTERS; i++) {
		getters[i] = (Getter){.site = site, .peer = &peer};
		assert_int_equal(pthread_create(&threads[i], NULL, run_getter, &getters[i]), 0);
	}
	pthread_mutex_lock(&peer.lock);
	while (peer.asked == 0)
		pthread_cond_wait(&peer.changed, &peer.lock);
	peer.open_gate = true;
	pthread_cond_broadcast(&peer.changed);
	pthread_mutex_unlock(&peer.lock);
	for (size_t i = 0; i < GETTERS; i++)
		pthread_join(threads[i], NULL);
	return peer_stop(&peer);
}

static void twenty_threads_cause_one_get(void **state)
{
	Site *site = *state;
	Getter getters[GETTERS];
	const Answer good = {.status = 200, .body = &site->good, .wait = true};
	assert_int_equal(get_together(site, &good, getters), 1);
	assert_int_equal(count_in(site->dir), 1);
	for (size_t i = 0; i < GETTERS; i++) {
		check_tree(getters[i].tree, "good");
		assert_ptr_equal(getters[i].tree, getters[0].tree);
	}
	for (size_t i = 0; i < GETTERS; i++)
		artifact_tree_unref(getters[i].tree);
}

static void all_who_wait_get_the_error(void **state)
{
	Site *site = *state;
	Getter getters[GETTERS];
	const Answer absent = {.status = 404, .wait = true};
	/* Who comes after the failure asks again. */
	assert_true(get_together(site, &absent, getters) >= 1);
	for (size_t i = 0; i < GETTERS; i++) {
		assert_null(getters[i].tree);
		assert_int_equal(getters[i].code, ERR_NOT_FOUND);
	}
	assert_int_equal(count_in(site->dir), 0);
}

static void idle_trees_go_when_they_are_too_many(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	enum { TREES = 4 };
	Buf bodies[TREES] = {{0}};
	char digests[TREES][DIGEST_TEXT_SIZE];
	Answer answers[TREES + 1];
	for (size_t i = 0; i < TREES; i++) {
		char text[2] = {(char)('a' + i), '\0'};
		make_archive(text, &bodies[i], digests[i]);
		answers[i] = (Answer){.status = 200, .body = &bodies[i]};
	}
	answers[TREES] = answers[1];
	Peer peer;
	peer_start(&peer, answers, COUNT(answers));
	autoartifacttree ArtifactTree *held = get(site, &peer, digests[0], &err);
	for (size_t i = 1; i < TREES; i++)
		artifact_tree_unref(get(site, &peer, digests[i], &err));
	/* The held one and the two (max_trees) used last. */
	assert_int_equal(count_in(site->dir), 3);
	check_tree(held, "a");
	for (size_t i = 2; i < TREES; i++) {
		autoartifacttree ArtifactTree *kept = get(site, &peer, digests[i], &err);
		assert_non_null(kept);
	}
	autoartifacttree ArtifactTree *again = get(site, &peer, digests[1], &err);
	check_tree(again, "b");
	assert_int_equal(peer_stop(&peer), TREES + 1);
	for (size_t i = 0; i < TREES; i++)
		buf_dispose(&bodies[i]);
}

static void localhost_replaces_the_host(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	Peer peer;
	const Answer answers[] = {{.status = 200, .body = &site->good},
				  {.status = 200, .body = &site->other}};
	peer_start(&peer, answers, COUNT(answers));
	autofree char *host = mem_printf("127.0.0.1:%d", peer.port);
	const ArtifactCacheConfig config = {.localhost_env = host};
	use_cache(site, &config);
	const Artifact one = {.url = (char[]){"http://source-controller.flux-system.svc/a/b"},
			      .digest = site->digest};
	autoartifacttree ArtifactTree *tree = artifact_cache_get(site->cache, &one, &err);
	check_tree(tree, "good");
	assert_string_equal(peer.last_host, host);
	artifact_tree_unref(steal(&tree));
	const ArtifactCacheConfig watcher = {.watcher_localhost_env = host};
	use_cache(site, &watcher);
	const Artifact two = {.url = (char[]){"http://source-watcher.flux-system.svc:80/a"},
			      .digest = site->other_digest};
	tree = artifact_cache_get(site->cache, &two, &err);
	check_tree(tree, "other");
	assert_int_equal(peer_stop(&peer), 2);
}

static void leftovers_of_a_killed_process_go(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	autofree char *tree = path_join(site->dir, "tree-abc123/d");
	autofree char *file = path_join(site->dir, FD_NAMELESS_PREFIX "abc123");
	autofree char *foreign = path_join(site->dir, "foreign");
	assert_true(dir_make(tree, 0700, &err));
	assert_true(file_write_atomic(file, "x", 1, 0600, &err));
	assert_true(file_write_atomic(foreign, "x", 1, 0600, &err));
	const ArtifactCacheConfig config = {0};
	use_cache(site, &config);
	assert_int_equal(count_in(site->dir), 1);
	assert_int_equal(unlink(foreign), 0);
}

static void a_lost_directory_is_not_a_missing_artifact(void **state)
{
	Site *site = *state;
	autoerror Error err = {0}, make_err = {0};
	Peer peer;
	const Answer good = {.status = 200, .body = &site->good};
	peer_start(&peer, &good, 1);
	assert_int_equal(rmdir(site->dir), 0);
	assert_null(get(site, &peer, site->digest, &err));
	assert_int_equal(err.code, ERR_IO);
	assert_true(dir_make(site->dir, 0700, &make_err));
	assert_int_equal(peer_stop(&peer), 0);
}

static void nobody_waits_between_two_tries(void **state)
{
	Site *site = *state;
	const ArtifactCacheConfig slow = {.retries = 9, .retry_wait_ms = 600000};
	use_cache(site, &slow);
	Peer peer;
	const Answer answers[] = {{.status = 503}, {.status = 200, .body = &site->other}};
	peer_start(&peer, answers, COUNT(answers));
	/* Whoever asks again is told the same, and the peer is not asked. */
	for (int i = 0; i < 3; i++) {
		autoerror Error err = {0};
		assert_null(get_once(site, &peer, site->digest, &err));
		assert_true(err.not_yet);
		assert_int_equal(err.code, ERR_UNAVAILABLE);
		assert_non_null(strstr(err_text(&err), "503"));
		assert_true(err.retry_after_ms > 590000 && err.retry_after_ms <= 600000);
	}
	/* Another artifact is another matter. */
	autoerror Error err = {0};
	autoartifacttree ArtifactTree *other = get_once(site, &peer, site->other_digest, &err);
	check_tree(other, "other");
	assert_int_equal(peer_stop(&peer), 2);
}

static void the_last_retry_tells_and_the_count_starts_anew(void **state)
{
	Site *site = *state;
	const ArtifactCacheConfig two = {.retries = 1, .retry_wait_ms = 1};
	use_cache(site, &two);
	const Answer down = {.status = 429};
	assert_int_equal(fails(site, &down, 1, site->digest, ERR_UNAVAILABLE), 2);
	assert_int_equal(fails(site, &down, 1, site->digest, ERR_UNAVAILABLE), 2);
}

static void a_cache_of_files_keeps_the_bytes_as_they_came(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	const ArtifactCacheConfig files = {.as_files = true, .retry_wait_ms = 1};
	use_cache(site, &files);
	const Answer answers[] = {{.status = 200, .body = &site->other},
				  {.status = 200, .body = &site->good}};
	Peer peer;
	peer_start(&peer, answers, 2);
	assert_null(get(site, &peer, site->digest, &err));
	assert_int_equal(err.code, ERR_INVALID); /* another digest leaves nothing */
	assert_int_equal(count_in(site->dir), 0);
	error_dispose(&err);
	autoartifacttree ArtifactTree *tree = get(site, &peer, site->digest, &err);
	assert_non_null(tree);
	peer_stop(&peer);
	autobuf Buf bytes = {0};
	autofree char *path = path_join(artifact_tree_path(tree), ARTIFACT_FILE);
	assert_true(file_read(path, 1 << 20, &bytes, &err));
	assert_int_equal(bytes.len, site->good.len);
	assert_memory_equal(bytes.ptr, site->good.ptr, bytes.len);
}

#define SITE_TEST(name) cmocka_unit_test_setup_teardown(name, site_open, site_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SITE_TEST(K7_the_digest_decides),
		SITE_TEST(K7_bare_hex_is_sha256),
		SITE_TEST(K8_404_is_not_tried_again),
		SITE_TEST(K8_503_and_429_are_tried_again),
		SITE_TEST(a_cut_download_is_tried_again),
		SITE_TEST(a_refused_connection_is_unavailable),
		SITE_TEST(K9_a_hostile_archive_leaves_nothing),
		SITE_TEST(limits_on_size_hold),
		SITE_TEST(twenty_threads_cause_one_get),
		SITE_TEST(all_who_wait_get_the_error),
		SITE_TEST(idle_trees_go_when_they_are_too_many),
		SITE_TEST(localhost_replaces_the_host),
		SITE_TEST(leftovers_of_a_killed_process_go),
		SITE_TEST(a_lost_directory_is_not_a_missing_artifact),
		SITE_TEST(a_cache_of_files_keeps_the_bytes_as_they_came),
		SITE_TEST(nobody_waits_between_two_tries),
		SITE_TEST(the_last_retry_tells_and_the_count_starts_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
