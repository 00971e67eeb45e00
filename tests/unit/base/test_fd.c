#include "../cmocka_all.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

static int file_of(size_t size)
{
	int fd = memfd_create("test_fd", MFD_CLOEXEC);
	autoerror Error err = {0};
	autofree char *bytes = mem_alloc(size);
	memset(bytes, 'x', size);
	assert_true(fd >= 0 && fd_write_all(fd, bytes, size, &err));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* What fstat said and what there is: the same, not known, and a file that grew or shrank. */
static void all_of_a_file_is_read_whatever_its_size_was(void **state)
{
	(void)state;
	static const size_t rows[][2] = {
		{0, 0},	 {1, 0},      {1, 1},	      {0, 7},	      {4096, 4096},
		{9, 20}, {20, 40000}, {40000, 40000}, {16383, 16383}, {16384, 16384},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autobuf Buf text = {0};
		autofd int fd = file_of(rows[i][1]);
		assert_true(fd_read_file(fd, rows[i][0], 50000, &text, &err));
		assert_int_equal(text.len, rows[i][1]);
		assert_int_equal(strlen(buf_text(&text)), text.len);
	}
}

static void no_more_than_the_limit_is_read(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 3, 10, 11, 1u << 30};
	for (size_t i = 0; i < COUNT(sizes); i++) {
		autoerror Error err = {0};
		autobuf Buf text = {0};
		autofd int fd = file_of(11);
		assert_false(fd_read_file(fd, sizes[i], 10, &text, &err));
		assert_int_equal(err.code, ERR_LIMIT);
		assert_true(text.cap < 20000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_file_is_read_whatever_its_size_was),
		cmocka_unit_test(no_more_than_the_limit_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
