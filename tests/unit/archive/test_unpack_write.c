/* What comes to lie on the disk: modes, depth, sizes and checksums at their bounds, and what is
 * there already. */
#include "../cmocka_all.h"
#include "../descriptors.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/unpack_internal.h"
#include "base/mem.h"
#include "base/path.h"
#include "tar_bytes.h"
#include "tree.h"

static void odd_modes_leave_the_owner_in_charge(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf tar = {0};
	TarHeader dir_header = tar_header_of("d", '5', 0), file = tar_header_of("d/f", '0', 0);
	TarHeader open_dir = tar_header_of("o", '5', 0);
	memcpy(dir_header.mode, "0000000", 8);
	memcpy(open_dir.mode, "0007777", 8);
	memcpy(file.mode, "0006777", 8);
	tar_seal(&dir_header);
	tar_seal(&open_dir);
	tar_seal(&file);
	tar_add_header(&tar, &dir_header);
	tar_add_header(&tar, &open_dir);
	tar_add_header(&tar, &file);
	tar_add_end(&tar);
	autotempdir char *dir = tree_new();
	mode_t before = umask(0);
	bool good = tar_unpack(&tar, dir, NULL, &err);
	umask(before);
	assert_true(good);
	autofd int fd = tree_fd(dir);
	struct stat st;
	assert_int_equal(fstatat(fd, "d", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstatat(fd, "o", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(fstatat(fd, "d/f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void as_deep_as_the_limit_is_not_too_deep(void **state)
{
	(void)state;
	for (int depth = UNPACK_MAX_DEPTH; depth <= UNPACK_MAX_DEPTH + 1; depth++) {
		autoerror Error err = {0};
		autobuf Buf path = {0};
		buf_puts(&path, "a");
		for (int i = 1; i < depth; i++)
			buf_puts(&path, "/a");
		autofree char *name = unpack_name(buf_text(&path), &err);
		assert_int_equal(name != NULL, depth == UNPACK_MAX_DEPTH);
		assert_int_equal(err.code == ERR_LIMIT, depth != UNPACK_MAX_DEPTH);
	}
}

/* As before POSIX: the sum of bytes that are signed, of a name beyond ASCII. */
static void an_old_tars_signed_checksum_is_right(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf tar = {0};
	TarHeader header = tar_header_of("n\xc3\xa4me", '0', 0);
	memset(header.checksum, ' ', sizeof(header.checksum));
	int sum = 0;
	for (size_t i = 0; i < sizeof(header); i++)
		sum += ((const signed char *)&header)[i];
	snprintf(header.checksum, sizeof(header.checksum), "%06o", (unsigned)sum);
	tar_add_header(&tar, &header);
	tar_add_end(&tar);
	autotempdir char *dir = tree_new();
	assert_true(tar_unpack(&tar, dir, NULL, &err));
	autofree char *list = tree_list(dir);
	assert_string_equal(list, "n\xc3\xa4me\n");
}

static void a_negative_size_is_none(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf tar = {0};
	TarHeader header = tar_header_of("f", '0', 0);
	memset(header.size, 0, sizeof(header.size));
	header.size[0] = (char)0xc0; /* base-256, and its sign */
	tar_seal(&header);
	tar_add_header(&tar, &header);
	tar_add_end(&tar);
	autotempdir char *dir = tree_new();
	assert_false(tar_unpack(&tar, dir, NULL, &err));
	assert_int_equal(err.code, ERR_INVALID);
}

static void the_second_of_one_name_replaces_the_first(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf tar = {0}, text = {0};
	tar_add(&tar, "d/f", '0', "a long text");
	tar_add(&tar, "d/f", '0', "short");
	tar_add_end(&tar);
	autotempdir char *dir = tree_new();
	assert_true(tar_unpack(&tar, dir, NULL, &err));
	autofree char *path = path_join(dir, "d/f");
	assert_true(file_read(path, 100, &text, &err));
	assert_string_equal(buf_text(&text), "short");
}

/* Not even one that stays in the tree. */
static void a_directory_that_is_a_link_is_not_entered(void **state)
{
	(void)state;
	static const char *const names[] = {"link/f", "link/new/f"};
	autotempdir char *dir = tree_new();
	tree_make_dir(dir, "real");
	autofree char *link = path_join(dir, "link");
	assert_int_equal(symlink("real", link), 0);
	for (size_t i = 0; i < COUNT(names); i++) {
		autoerror Error err = {0};
		autobuf Buf tar = {0};
		tar_add(&tar, names[i], '0', "x");
		tar_add_end(&tar);
		assert_false(tar_unpack(&tar, dir, NULL, &err));
	}
	autofree char *real = path_join(dir, "real");
	autofree char *list = tree_list(real);
	assert_string_equal(list, "");
}

static void a_pipe_in_the_way_is_not_waited_for(void **state)
{
	enum { FAR_TOO_LONG_S = 60 };
	(void)state;
	autoerror Error err = {0};
	autobuf Buf tar = {0};
	tar_add(&tar, "f", '0', "x");
	tar_add_end(&tar);
	autotempdir char *dir = tree_new();
	autofree char *path = path_join(dir, "f");
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(FAR_TOO_LONG_S);
	assert_false(tar_unpack(&tar, dir, NULL, &err));
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_modes_leave_the_owner_in_charge),
		cmocka_unit_test(as_deep_as_the_limit_is_not_too_deep),
		cmocka_unit_test(an_old_tars_signed_checksum_is_right),
		cmocka_unit_test(a_negative_size_is_none),
		cmocka_unit_test(the_second_of_one_name_replaces_the_first),
		cmocka_unit_test(a_directory_that_is_a_link_is_not_entered),
		cmocka_unit_test(a_pipe_in_the_way_is_not_waited_for),
		cmocka_unit_test(no_descriptor_is_left),
	};
	return cmocka_run_group_tests(tests, descriptors_count, NULL);
}
