/* How a file comes to lie in the storage where that is not simple: a file system that makes no
 * nameless files (NFS), something in the way, a source that cannot be read. */
#include "../cmocka_all.h"
#include "../descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "artifact/store_internal.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "store_fixture.h"

/* The linker puts the former in the place of the C library's (meson.build). */
int __wrap_openat64(int dir_fd, const char *path, int flags, ...);
int __real_openat64(int dir_fd, const char *path, int flags, ...);

int __wrap_openat64(int dir_fd, const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if ((flags & O_TMPFILE) != O_TMPFILE)
		return __real_openat64(dir_fd, path, flags, mode);
	errno = EOPNOTSUPP;
	return -1;
}

static char *root_new(void)
{
	autoerror Error err = {0};
	char *dir = dir_make_temp("/tmp", "sluice-store-write", &err);
	assert_non_null(dir);
	return dir;
}

/* An open file with that content, whose name is gone. */
static int file_of(const char *root, const char *text)
{
	autoerror Error err = {0};
	autofree char *path = path_join(root, "in");
	assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
	int fd = fd_open(path, O_RDONLY, 0, &err);
	assert_int_equal(unlink(path), 0);
	return fd;
}

static bool put_index(Store *store, int fd, Artifact *out, Error *err)
{
	return store_put_file(store, "HelmRepository", "ns", "n", "i.yaml", "r", fd, out, err);
}

/* Names in the object's directory, joined by blanks. Owned. */
static char *names_in_store(const char *root)
{
	autoerror Error err = {0};
	autofree char *path = path_join(root, "helmrepository/ns/n");
	autofd int fd = fd_open(path, O_RDONLY | O_DIRECTORY, 0, &err);
	autostrings Vec names = {0};
	assert_true(dir_names(fd, 100, &names, &err));
	Buf out = {0};
	for (size_t i = 0; i < names.len; i++)
		buf_printf(&out, "%s%s", i ? " " : "", (char *)names.items[i]);
	return buf_steal(&out);
}

static void S2_without_nameless_files_it_is_renamed(void **state)
{
	(void)state;
	autotempdir char *root = root_new();
	autostore Store *store = open_store(root);
	static const char *const texts[] = {"first", "second one"};
	for (size_t i = 0; i < COUNT(texts); i++) {
		autoerror Error err = {0};
		autoartifact Artifact out = {0};
		autobuf Buf text = {0};
		autofd int fd = file_of(root, texts[i]);
		assert_true(put_index(store, fd, &out, &err));
		bool missing;
		assert_true(store_verify(store, &out, &missing));
		autofree char *path = path_join(root, "helmrepository/ns/n/i.yaml");
		assert_true(file_read(path, 100, &text, &err));
		assert_string_equal(buf_text(&text), texts[i]);
		struct stat st;
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		autofree char *names = names_in_store(root);
		assert_string_equal(names, "i.yaml i.yaml.lock");
	}
}

static void S102_a_directory_in_the_way_leaves_nothing_else(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *root = root_new();
	autostore Store *store = open_store(root);
	autofree char *inside = path_join(root, "helmrepository/ns/n/i.yaml/x");
	assert_true(dir_make(inside, 0700, &err));
	autofd int fd = file_of(root, "text");
	Artifact out = {0};
	assert_false(put_index(store, fd, &out, &err));
	assert_string_equal(err.reason, STORE_REASON_ARCHIVE);
	assert_null(out.path);
	autofree char *names = names_in_store(root);
	assert_string_equal(names, "i.yaml i.yaml.lock");
}

static void S102_what_cannot_be_read_leaves_nothing(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *root = root_new();
	autostore Store *store = open_store(root);
	autofd int fd = fd_open(root, O_RDONLY | O_DIRECTORY, 0, &err);
	Artifact out = {0};
	assert_false(put_index(store, fd, &out, &err));
	assert_string_equal(err.reason, STORE_REASON_ARCHIVE);
	autofree char *names = names_in_store(root);
	assert_string_equal(names, "i.yaml.lock");
	autoerror Error second = {0};
	char digest[DIGEST_TEXT_SIZE];
	assert_false(store_digest_fd(fd, DIGEST_SHA256, digest, &second));
	assert_int_equal(second.code, ERR_IO);
}

/* Somebody's link where the object's directory, or the file's lock, is to be. */
static void links_do_not_lead_a_write_out_of_the_storage(void **state)
{
	(void)state;
	static const char *const links[] = {"helmrepository", "helmrepository/ns",
					    "helmrepository/ns/n",
					    "helmrepository/ns/n/i.yaml.lock"};
	for (size_t i = 0; i < COUNT(links); i++) {
		autoerror Error err = {0};
		autotempdir char *root = root_new(), *outside = root_new();
		autostore Store *store = open_store(root);
		autofree char *link = path_join(root, links[i]);
		autofree char *above = path_dir(link);
		bool is_lock = cstr_ends(link, ".lock");
		autofree char *target = is_lock ? path_join(outside, "made") : mem_strdup(outside);
		assert_true(dir_make(above, 0700, &err));
		assert_int_equal(symlink(target, link), 0);
		autofd int fd = file_of(root, "text");
		Artifact out = {0};
		if (put_index(store, fd, &out, &err))
			fail_msg("written through %s", links[i]);
		assert_string_equal(err.reason,
				    is_lock ? STORE_REASON_ARCHIVE : STORE_REASON_DIRECTORY);
		autofd int outside_fd = fd_open(outside, O_RDONLY | O_DIRECTORY, 0, &err);
		autostrings Vec names = {0};
		assert_true(dir_names(outside_fd, 10, &names, &err));
		assert_int_equal(names.len, 0);
	}
}

/* What is served is read by its owner, whatever the environment. */
static void the_umask_does_not_decide_the_mode(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *root = root_new();
	autostore Store *store = open_store(root);
	autoartifact Artifact out = {0};
	autofree char *above = path_join(root, "helmrepository/ns/n");
	assert_true(dir_make(above, 0700, &err));
	autofd int fd = file_of(root, "text");
	mode_t before = umask(0277);
	bool good = put_index(store, fd, &out, &err);
	umask(before);
	assert_true(good);
	autofree char *path = path_join(above, "i.yaml");
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S2_without_nameless_files_it_is_renamed),
		cmocka_unit_test(S102_a_directory_in_the_way_leaves_nothing_else),
		cmocka_unit_test(S102_what_cannot_be_read_leaves_nothing),
		cmocka_unit_test(links_do_not_lead_a_write_out_of_the_storage),
		cmocka_unit_test(the_umask_does_not_decide_the_mode),
		cmocka_unit_test(no_descriptor_is_left),
	};
	return cmocka_run_group_tests(tests, descriptors_count, NULL);
}
