#include "../cmocka_all.h"
#include "../descriptors.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive/file_tree.h"
#include "base/fd.h"
#include "base/mem.h"
#include "tar_bytes.h"
#include "tree.h"

enum { LIMIT = 1 << 20 };

/* The tree of an archive whose end mark is added, or NULL and err; nothing is left in its
 * directory. */
static FileTree *unpacked(Buf *tar, const UnpackLimits *limits, Error *err)
{
	autobuf Buf bytes = {0};
	autotempdir char *dir = tree_new();
	autofd int fd = memfd_create("archive", MFD_CLOEXEC);
	tar_add_end(tar);
	tar_gzip(tar, &bytes);
	assert_int_equal(write(fd, bytes.ptr, bytes.len), (ssize_t)bytes.len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	FileTree *tree = file_tree_unpack(fd, dir, limits, err);
	autofree char *list = tree_list(dir);
	assert_string_equal(list, "");
	return tree;
}

static FileTree *good_tree(void)
{
	autoerror Error err = {0};
	autobuf Buf tar = {0};
	tar_add(&tar, ".", '5', "");
	tar_add(&tar, "dir", '5', "");
	tar_add(&tar, "dir/b.yaml", '0', "b: 1\n");
	tar_add(&tar, "dir-ty", '0', "between dir and what is in it, byte by byte");
	tar_add(&tar, "dir/a.yaml", '0', "a: 1\n");
	tar_add(&tar, "./deep/er/file", '0', "no directory entries");
	tar_add(&tar, "deep/other", '0', "");
	tar_add(&tar, "void/", '5', "");
	tar_add(&tar, "link", '2', "");
	FileTree *tree = unpacked(&tar, NULL, &err);
	assert_non_null(tree);
	return tree;
}

static void files_and_directories_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		FileTreeNode node;
	} rows[] = {
		{".", FILE_TREE_DIR},		{"dir", FILE_TREE_DIR},
		{"dir/a.yaml", FILE_TREE_FILE}, {"dir-ty", FILE_TREE_FILE},
		{"deep", FILE_TREE_DIR},	{"deep/er", FILE_TREE_DIR},
		{"void", FILE_TREE_DIR},	{"deep/er/file", FILE_TREE_FILE},
		{"di", FILE_TREE_NONE},		{"dir/", FILE_TREE_NONE},
		{"dir/a", FILE_TREE_NONE},	{"dir-", FILE_TREE_NONE},
		{"", FILE_TREE_NONE},		{"dir/a.yaml/x", FILE_TREE_NONE},
		{"link", FILE_TREE_NONE},	{"../dir", FILE_TREE_NONE},
		{"zzz", FILE_TREE_NONE},	{"deep/er/file0", FILE_TREE_NONE},
	};
	autofiletree FileTree *tree = good_tree();
	for (size_t i = 0; i < COUNT(rows); i++)
		if (file_tree_stat(tree, rows[i].path) != rows[i].node)
			fail_msg("%s", rows[i].path);
}

static void check_list(const FileTree *tree, const char *path, const char *want)
{
	autoerror Error err = {0};
	autostrings Vec names = {0};
	autobuf Buf got = {0};
	assert_true(file_tree_list(tree, path, 100, &names, &err));
	for (size_t i = 0; i < names.len; i++)
		buf_printf(&got, "%s ", (const char *)names.items[i]);
	assert_string_equal(buf_text(&got), want);
}

static void directories_are_listed_in_order(void **state)
{
	(void)state;
	autofiletree FileTree *tree = good_tree();
	check_list(tree, ".", "deep dir dir-ty void ");
	check_list(tree, "dir", "a.yaml b.yaml ");
	check_list(tree, "deep", "er other ");
	check_list(tree, "void", "");
	autoerror Error err = {0};
	autostrings Vec names = {0};
	assert_false(file_tree_list(tree, ".", 3, &names, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	error_dispose(&err);
	assert_false(file_tree_list(tree, "dir-ty", 3, &names, &err));
	assert_int_equal(err.code, ERR_INVALID);
	error_dispose(&err);
	assert_false(file_tree_list(tree, "nowhere", 3, &names, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void check_text(const FileTree *tree, const char *path, const char *want)
{
	autoerror Error err = {0};
	autobuf Buf text = {0};
	buf_puts(&text, "before ");
	assert_true(file_tree_read(tree, path, LIMIT, &text, &err));
	autofree char *whole = mem_printf("before %s", want);
	assert_string_equal(buf_text(&text), whole);
}

static void fails_to_read(const FileTree *tree, const char *path, size_t limit, ErrorCode code)
{
	autoerror Error err = {0};
	autobuf Buf text = {0};
	assert_false(file_tree_read(tree, path, limit, &text, &err));
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err_text(&err), path));
	assert_int_equal(text.len, 0);
}

static void files_are_read(void **state)
{
	(void)state;
	autofiletree FileTree *tree = good_tree();
	check_text(tree, "dir/a.yaml", "a: 1\n");
	check_text(tree, "dir/b.yaml", "b: 1\n");
	check_text(tree, "deep/er/file", "no directory entries");
	check_text(tree, "deep/other", "");
	fails_to_read(tree, "dir/a.yaml", 4, ERR_LIMIT);
	fails_to_read(tree, "dir", LIMIT, ERR_INVALID);
	fails_to_read(tree, "dir/c.yaml", LIMIT, ERR_NOT_FOUND);
	fails_to_read(tree, "dir/a.yaml/x", LIMIT, ERR_NOT_FOUND);
}

/* More than is gathered before it is written, and what lies behind it. */
static void large_files_are_whole(void **state)
{
	(void)state;
	enum { LARGE = 700000 };
	autoerror Error err = {0};
	autobuf Buf tar = {0}, text = {0};
	autofree char *large = mem_alloc(LARGE + 1);
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)('a' + i * 7 % 26 + i / 1000 % 3);
	large[LARGE] = '\0';
	tar_add(&tar, "first", '0', "1");
	tar_add(&tar, "large", '0', large);
	tar_add(&tar, "last", '0', "2");
	autofiletree FileTree *tree = unpacked(&tar, NULL, &err);
	assert_non_null(tree);
	assert_true(file_tree_read(tree, "large", LIMIT, &text, &err));
	assert_string_equal(buf_text(&text), large);
	check_text(tree, "first", "1");
	check_text(tree, "last", "2");
}

static void what_comes_twice_counts_as_it_came_last(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf tar = {0};
	tar_add(&tar, "a", '0', "the first and longer one");
	tar_add(&tar, "d", '5', "");
	tar_add(&tar, "b", '0', "b");
	tar_add(&tar, "d/", '5', "");
	tar_add(&tar, "a", '0', "the second");
	autofiletree FileTree *tree = unpacked(&tar, NULL, &err);
	assert_non_null(tree);
	check_text(tree, "a", "the second");
	check_text(tree, "b", "b");
	check_list(tree, ".", "a b d ");
}

static void K9_no_path_is_a_file_and_a_directory(void **state)
{
	(void)state;
	static const struct {
		const char *names[3];
		char types[3];
	} rows[] = {
		{{"a", "a/b", "a-"}, "000"}, {{"a/b", "a-", "a"}, "000"},
		{{"a", "x", "a"}, "050"},    {{"a", "a", "x"}, "050"},
		{{"a", "a", "x"}, "500"},    {{"a", "b", "a/b/c"}, "000"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autobuf Buf tar = {0};
		for (size_t n = 0; n < COUNT(rows[i].names); n++)
			tar_add(&tar, rows[i].names[n], rows[i].types[n], "");
		autofiletree FileTree *tree = unpacked(&tar, NULL, &err);
		bool conflict = i != 2;
		assert_true(!tree == conflict);
		if (conflict)
			assert_string_equal(err_text(&err),
					    "archive entry \"a\" is a file and a directory");
	}
}

static void K9_hostile_names_and_sizes_are_refused(void **state)
{
	(void)state;
	static const char *const names[] = {"/etc/passwd", "../a", "a/../../b", "a\\b"};
	for (size_t i = 0; i < COUNT(names); i++) {
		autoerror Error err = {0};
		autobuf Buf tar = {0};
		tar_add(&tar, names[i], '0', "x");
		assert_null(unpacked(&tar, NULL, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
	autoerror Error err = {0};
	autobuf Buf tar = {0};
	const UnpackLimits limits = {.max_bytes = 5};
	tar_add(&tar, "a", '0', "123");
	tar_add(&tar, "b", '0', "456");
	assert_null(unpacked(&tar, &limits, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

static void names_have_a_limit_in_sum(void **state)
{
	(void)state;
	enum { NAME = 4000, COUNT_OF = 17000 }; /* 68 MB */
	autoerror Error err = {0};
	autobuf Buf tar = {0}, name = {0};
	for (size_t i = 0; i < NAME; i++)
		buf_putc(&name, i % 100 == 99 ? '/' : 'n');
	for (size_t i = 0; i < COUNT_OF; i++) {
		autofree char *full = mem_printf("%s%zu", buf_text(&name), i);
		tar_add(&tar, "long", 'L', full);
		tar_add(&tar, "x", '0', "");
	}
	assert_null(unpacked(&tar, NULL, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_non_null(strstr(err_text(&err), "names"));
}

static void an_empty_archive_is_an_empty_tree(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf tar = {0};
	autofiletree FileTree *tree = unpacked(&tar, NULL, &err);
	assert_non_null(tree);
	assert_int_equal(file_tree_stat(tree, "."), FILE_TREE_DIR);
	assert_int_equal(file_tree_stat(tree, "a"), FILE_TREE_NONE);
	check_list(tree, ".", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_and_directories_are_found),
		cmocka_unit_test(directories_are_listed_in_order),
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(large_files_are_whole),
		cmocka_unit_test(what_comes_twice_counts_as_it_came_last),
		cmocka_unit_test(K9_no_path_is_a_file_and_a_directory),
		cmocka_unit_test(K9_hostile_names_and_sizes_are_refused),
		cmocka_unit_test(names_have_a_limit_in_sum),
		cmocka_unit_test(an_empty_archive_is_an_empty_tree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
