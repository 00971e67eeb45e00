#include "../cmocka_all.h"
#include "../descriptors.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "archive/tar.h"
#include "archive/tar_internal.h"
#include "archive/unpack.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "tree.h"

static bool to_buf(void *arg, const void *bytes, size_t len, Error *err)
{
	(void)err;
	buf_append(arg, bytes, len);
	return true;
}

static void pack(const char *dir, const IgnoreRules *rules, Buf *out)
{
	autoerror Error err = {0};
	autofd int fd = tree_fd(dir);
	autotarwriter TarWriter *tar = tar_writer_new(to_buf, out, &err);
	assert_non_null(tar);
	assert_true(tar_writer_tree(tar, fd, rules, &err));
	assert_true(tar_writer_finish(tar, &err));
}

/* Runs tar on the bytes: the listing, or what one file holds. */
static void run_tar(const Buf *archive, const char *flags, const char *name, Buf *out)
{
	autoerror Error err = {0};
	autotempdir char *dir = tree_new();
	autofree char *path = path_join(dir, "x.tar.gz");
	assert_true(file_write_atomic(path, archive->ptr, archive->len, 0600, &err));
	const char *const argv[] = {"tar", flags, path, "--full-time", name, NULL};
	assert_int_equal(tree_run(NULL, argv, "", out), 0);
}

static void set_time(const char *dir, const char *name, time_t seconds)
{
	autofree char *path = path_join(dir, name);
	const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void S2_equal_trees_give_equal_bytes(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		mode_t one, two;
	} files[] = {{"b.yaml", 0644, 0600},
		     {"a/run.sh", 0755, 0701},
		     {"a/z", 0400, 0666},
		     {"a.yaml", 0640, 0444},
		     {"c/d/e", 0644, 0604}};
	autotempdir char *one = tree_new();
	autotempdir char *two = tree_new();
	for (size_t i = 0; i < COUNT(files); i++) {
		const size_t back = COUNT(files) - 1 - i;
		tree_put(one, files[i].name, files[i].name, files[i].one);
		tree_put(two, files[back].name, files[back].name, files[back].two);
	}
	set_time(one, "b.yaml", 1000000);
	set_time(two, "c/d", 999);
	autofree char *owned = path_join(two, "b.yaml");
	if (getuid() == 0)
		assert_int_equal(chown(owned, 1234, 4321), 0);
	autobuf Buf first = {0}, second = {0};
	pack(one, NULL, &first);
	pack(two, NULL, &second);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.ptr, second.ptr, first.len);
	tree_put(two, "c/d/e", "c/d/E", 0644);
	buf_clear(&second);
	pack(two, NULL, &second);
	assert_false(str_eq(buf_str(&first), buf_str(&second)));
}

static void S4_entries_have_fixed_modes_times_and_owners(void **state)
{
	(void)state;
	autotempdir char *dir = tree_new();
	tree_put(dir, "a/run.sh", "#!", 0710);
	tree_put(dir, "a/plain", "12345", 0666);
	tree_put(dir, "a.txt", "", 0600);
	autofree char *link = path_join(dir, "link");
	autofree char *dirlink = path_join(dir, "a/dirlink");
	autofree char *fifo = path_join(dir, "fifo");
	assert_int_equal(symlink("a.txt", link), 0);
	assert_int_equal(symlink(".", dirlink), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	autobuf Buf archive = {0}, listing = {0};
	pack(dir, NULL, &archive);
	run_tar(&archive, "tvzf", NULL, &listing);
	assert_string_equal(buf_text(&listing),
			    "drwxr-x--- 0/0               0 1970-01-01 00:00:00 .\n"
			    "drwxr-x--- 0/0               0 1970-01-01 00:00:00 a\n"
			    "-rw------- 0/0               5 1970-01-01 00:00:00 a/plain\n"
			    "-rwx------ 0/0               2 1970-01-01 00:00:00 a/run.sh\n"
			    "-rw------- 0/0               0 1970-01-01 00:00:00 a.txt\n");
	/* RFC 1952: deflate, no flags, no time, no extra flags, OS unknown. */
	static const unsigned char head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
	assert_memory_equal(archive.ptr, head, sizeof(head));
}

static void S8_ignored_directories_are_still_entered(void **state)
{
	(void)state;
	autotempdir char *dir = tree_new();
	tree_put(dir, "out/keep/a", "a", 0600);
	tree_put(dir, "out/b", "b", 0600);
	tree_put(dir, "c.md", "c", 0600);
	autoignore IgnoreRules *rules = ignore_new();
	ignore_add_spec(rules, "out\n!out/keep\n");
	ignore_finish(rules);
	autobuf Buf archive = {0}, listing = {0};
	pack(dir, rules, &archive);
	run_tar(&archive, "tzf", NULL, &listing);
	assert_string_equal(buf_text(&listing), ".\nc.md\nout/keep\nout/keep/a\n");
}

/* A name of `len` bytes with a slash each `step`. */
static char *long_name(size_t len, size_t step)
{
	Buf out = {0};
	for (size_t i = 1; i <= len; i++)
		buf_putc(&out, i % step == 0 && i < len ? '/' : 'x');
	return buf_steal(&out);
}

static void long_and_foreign_names_survive(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autostrings Vec names = {0};
	static const size_t lengths[] = {99, 100, 101, 155, 156, 255, 256, 257, 300, 1000, 3000};
	for (size_t i = 0; i < COUNT(lengths); i++) {
		autofree char *tail = long_name(lengths[i] - 3, 50);
		vec_push(&names, mem_printf("%02zu/%s", i, tail));
	}
	vec_push(&names, mem_strdup("n\xc3\xa4me with blank"));
	vec_push(&names, mem_strdup("new\nline"));
	vec_push(&names, mem_strdup("raw\xff"
				    "byte"));
	autobuf Buf archive = {0}, listing = {0}, want = {0};
	autotarwriter TarWriter *tar = tar_writer_new(to_buf, &archive, &err);
	buf_puts(&want, ".\n");
	for (size_t i = 0; i < names.len; i++) {
		const char *name = names.items[i];
		assert_true(tar_writer_file(tar, name, false, name, strlen(name), &err));
		buf_printf(&want, "%s\n", name);
	}
	assert_true(tar_writer_finish(tar, &err));
	/* One name holds a newline; nothing else in the listing is quoted. */
	autotempdir char *dir = tree_new();
	autofree char *path = path_join(dir, "x.tgz");
	assert_true(file_write_atomic(path, archive.ptr, archive.len, 0600, &err));
	const char *const argv[] = {"tar", "tzf", path, "--quoting-style=literal", NULL};
	assert_int_equal(tree_run(NULL, argv, "", &listing), 0);
	assert_string_equal(buf_text(&listing), buf_text(&want));
	/* And our own reader. */
	autotempdir char *out = tree_new();
	autofd int out_fd = tree_fd(out);
	autounpacker Unpacker *unpacker = unpacker_new(out_fd, NULL);
	assert_true(unpacker_feed(unpacker, archive.ptr, archive.len, &err));
	assert_true(unpacker_finish(unpacker, &err));
	for (size_t i = 0; i < names.len; i++) {
		autofd int fd = fd_open_beneath(out_fd, names.items[i], O_RDONLY, 0, &err);
		assert_true(fd >= 0);
		autobuf Buf text = {0};
		assert_true(fd_read_all(fd, 8192, &text, &err));
		assert_string_equal(buf_text(&text), names.items[i]);
	}
}

/* How many records an archive of one empty file has, as Go's writer: ustar where that is enough. */
static size_t records_of(const char *name)
{
	enum { ROOM = 64 << 10 };
	autoerror Error err = {0};
	autobuf Buf archive = {0};
	autotarwriter TarWriter *tar = tar_writer_new(to_buf, &archive, &err);
	assert_true(tar_writer_file(tar, name, false, "", 0, &err));
	assert_true(tar_writer_finish(tar, &err));
	autofree unsigned char *plain = mem_alloc(ROOM);
	z_stream zip = {.next_in = (unsigned char *)archive.ptr,
			.avail_in = (uInt)archive.len,
			.next_out = plain,
			.avail_out = ROOM};
	assert_int_equal(inflateInit2(&zip, 15 + 16), Z_OK);
	assert_int_equal(inflate(&zip, Z_FINISH), Z_STREAM_END);
	inflateEnd(&zip);
	return zip.total_out / TAR_RECORD;
}

static void S2_only_names_that_need_one_have_a_record(void **state)
{
	(void)state;
	enum { ROOT = 1, END = 2, PLAIN = ROOT + 1 + END, WITH_PAX = PLAIN + 2 };
	autofree char *fits = mem_printf("%0155d/%0100d", 1, 2);
	autofree char *prefix_too_long = mem_printf("%0156d/%0100d", 1, 2);
	autofree char *name_too_long = mem_printf("%0101d", 1);
	assert_int_equal(records_of("a.yaml"), PLAIN);
	assert_int_equal(records_of(fits), PLAIN);
	assert_int_equal(records_of(prefix_too_long), WITH_PAX);
	assert_int_equal(records_of(name_too_long), WITH_PAX);
	assert_int_equal(records_of("\xc3\xa4"), WITH_PAX);
}

static void chunks_do_not_show_in_the_bytes(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf content = {0}, whole = {0}, streamed = {0};
	uint64_t seed = 3;
	for (int i = 0; i < 300000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		buf_putc(&content, (char)('a' + (seed >> 60)));
	}
	autotempdir char *dir = tree_new();
	tree_put(dir, "f", buf_text(&content), 0600);
	pack(dir, NULL, &streamed);
	autotarwriter TarWriter *tar = tar_writer_new(to_buf, &whole, &err);
	assert_true(tar_writer_file(tar, "f", false, content.ptr, content.len, &err));
	assert_true(tar_writer_finish(tar, &err));
	assert_true(str_eq(buf_str(&whole), buf_str(&streamed)));
}

typedef struct {
	int calls_left;
} FailingSink;

static bool fail_later(void *arg, const void *bytes, size_t len, Error *err)
{
	FailingSink *sink = arg;
	(void)bytes;
	(void)len;
	if (sink->calls_left-- > 0)
		return true;
	return err_set(err, ERR_IO, "disk full");
}

static void a_failing_sink_stops_the_writer(void **state)
{
	(void)state;
	for (int calls = 0; calls < 4; calls++) {
		autoerror Error err = {0};
		FailingSink sink = {calls};
		autobuf Buf noise = {0};
		uint64_t seed = 1;
		for (int i = 0; i < 400000; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			buf_putc(&noise, (char)(seed >> 56));
		}
		autotarwriter TarWriter *tar = tar_writer_new(fail_later, &sink, &err);
		assert_non_null(tar);
		bool ok = tar_writer_file(tar, "noise", false, noise.ptr, noise.len, &err) &&
			  tar_writer_finish(tar, &err);
		assert_false(ok);
		assert_int_equal(err.code, ERR_IO);
		assert_non_null(strstr(err_text(&err), "disk full"));
	}
}

static void impossible_entries_fail(void **state)
{
	(void)state;
	autobuf Buf archive = {0};
	autoerror Error err = {0}, shrunk = {0}, empty = {0};
	autotarwriter TarWriter *tar = tar_writer_new(to_buf, &archive, &err);
	autotempdir char *dir = tree_new();
	tree_put(dir, "f", "four", 0600);
	autofree char *path = path_join(dir, "f");
	autofd int fd = fd_open(path, O_RDONLY, 0, &err);
	assert_false(tar_writer_file_fd(tar, "f", false, fd, 5, &shrunk));
	assert_non_null(strstr(err_text(&shrunk), "shrank"));
	assert_false(tar_writer_dir(tar, "", &empty));
	assert_int_equal(empty.code, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S2_equal_trees_give_equal_bytes),
		cmocka_unit_test(S4_entries_have_fixed_modes_times_and_owners),
		cmocka_unit_test(S8_ignored_directories_are_still_entered),
		cmocka_unit_test(long_and_foreign_names_survive),
		cmocka_unit_test(S2_only_names_that_need_one_have_a_record),
		cmocka_unit_test(chunks_do_not_show_in_the_bytes),
		cmocka_unit_test(a_failing_sink_stops_the_writer),
		cmocka_unit_test(impossible_entries_fail),
		cmocka_unit_test(no_descriptor_is_left),
	};
	return cmocka_run_group_tests(tests, descriptors_count, NULL);
}
