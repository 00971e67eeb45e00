/* A store of many objects: what a reconcile of one of them looks at. The kernel tells of each
 * directory that is read (inotify), so nothing is inside the code under test. */
#include "../cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../archive/tree.h"
#include "artifact/store.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "store_fixture.h"

enum { OBJECTS = 300 };

static void pack(Store *store, int tree, const char *name, Artifact *out)
{
	autoerror Error err = {0};
	assert_true(store_pack_dir(store, "OCIRepository", "ns", name, "a.tar.gz",
				   "latest@sha256:1", tree, NULL, out, &err));
}

static int watch(int watches, const char *root, const char *dir)
{
	autofree char *path = path_join(root, dir);
	int id = inotify_add_watch(watches, path, IN_ACCESS | IN_ONLYDIR);
	assert_true(id > 0);
	return id;
}

/* How many of the events so far tell that a directory itself was read; of the watch `id`, or of all
 * others. */
static size_t reads_of(int watches, int id, size_t *out_others)
{
	char events[65536] __attribute__((aligned(8)));
	size_t own = 0;
	ssize_t len = read(watches, events, sizeof(events));
	for (ssize_t at = 0; at < len;) {
		const struct inotify_event *event = (const void *)(events + at);
		bool is_read = (event->mask & IN_ISDIR) && !event->len;
		own += is_read && event->wd == id;
		*out_others += is_read && event->wd != id;
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return own;
}

static void S11_a_run_reads_the_directory_of_its_own_object_only(void **state)
{
	(void)state;
	autotempdir char *root = tree_new(), *tree = tree_new();
	tree_put(tree, "a", "1", 0600);
	autofd int tree_dir = tree_fd(tree), watches = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	autostore Store *store = open_store(root);
	autoartifact Artifact own = {0};
	for (int i = 0; i < OBJECTS; i++) {
		autoartifact Artifact other = {0};
		autofree char *name = mem_printf("other%d", i);
		pack(store, tree_dir, name, &other);
	}
	pack(store, tree_dir, "own", &own);
	static const char *const others[] = {"", "ocirepository", "ocirepository/ns",
					     "ocirepository/ns/other0",
					     "ocirepository/ns/other299"};
	for (size_t i = 0; i < COUNT(others); i++)
		watch(watches, root, others[i]);
	int id = watch(watches, root, "ocirepository/ns/own");
	bool missing = false;
	size_t others_read = 0;
	assert_int_equal(store_sweep(store, "OCIRepository", "ns", "own", &own), 0);
	assert_true(store_verify(store, &own, &missing));
	assert_true(reads_of(watches, id, &others_read) > 0);
	assert_int_equal(others_read, 0);
	assert_int_equal(store_sweep(store, "OCIRepository", "ns", "other0", NULL), 0);
	reads_of(watches, id, &others_read);
	assert_true(others_read > 0);
}

static void S11_of_one_second_the_older_goes(void **state)
{
	(void)state;
	autotempdir char *root = tree_new();
	autostore Store *store = open_store(root);
	static const char *const names[] = {"c", "a", "b"}; /* the oldest first */
	for (size_t i = 0; i < COUNT(names); i++) {
		autofree char *name = path_join("ocirepository/ns/own", names[i]);
		tree_put(root, name, "x", 0600);
		autofree char *path = path_join(root, name);
		struct timespec then;
		clock_gettime(CLOCK_REALTIME, &then);
		then = (struct timespec){then.tv_sec - 5, 1000 * (long)(i + 1)};
		const struct timespec times[2] = {then, then};
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	}
	assert_int_equal(store_sweep(store, "OCIRepository", "ns", "own", NULL), 1);
	autofree char *dir = path_join(root, "ocirepository/ns/own");
	autofree char *left = tree_list(dir);
	assert_string_equal(left, "a\nb\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S11_a_run_reads_the_directory_of_its_own_object_only),
		cmocka_unit_test(S11_of_one_second_the_older_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
