#include "../cmocka_all.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

static void clean_and_confine(void **state)
{
	(void)state;
	static const struct {
		const char *in, *clean, *confined;
	} rows[] = {
		{"a/b", "a/b", "/r/a/b"},
		{"./a//b/.", "a/b", "/r/a/b"},
		{"../../etc", "../../etc", "/r/etc"},
		{"/etc/passwd", "/etc/passwd", "/r/etc/passwd"},
		{"", ".", "/r"},
		{"a/../..", "..", "/r"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *clean = path_clean(rows[i].in);
		assert_string_equal(clean, rows[i].clean);
		autofree char *confined = path_confine("/r", rows[i].in);
		assert_string_equal(confined, rows[i].confined);
	}
}

static void open_beneath_refuses_ways_out(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "sluice-test", &err);
	assert_non_null(dir);
	autofree char *link = path_join(dir, "link");
	assert_int_equal(symlink("/etc/passwd", link), 0);
	autofree char *up = path_join(dir, "up");
	assert_int_equal(symlink("..", up), 0);
	autofd int fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, &err);
	assert_true(fd >= 0);
	static const char *const bad[] = {"link", "../x", "/etc/passwd", "up/x"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error refused = {0};
		assert_int_equal(fd_open_beneath(fd, bad[i], O_RDONLY, 0, &refused), -1);
		assert_int_equal(refused.code, ERR_FORBIDDEN);
	}
}

static void atomic_write_leaves_no_other_file(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "sluice-test", &err);
	autofree char *path = path_join(dir, "deep/er/file");
	autofree char *parent = path_dir(path);
	assert_true(dir_make(parent, 0700, &err));
	assert_true(file_write_atomic(path, "one", 3, 0600, &err));
	assert_true(file_write_atomic(path, "two", 3, 0600, &err));
	autobuf Buf text = {0};
	assert_true(file_read(path, 10, &text, &err));
	assert_string_equal(buf_text(&text), "two");
	assert_false(file_read(path, 2, &text, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

static void times_round_trip(void **state)
{
	(void)state;
	int64_t ms;
	char text[CLOCK_TEXT_SIZE];
	assert_true(clock_parse("2026-02-28T23:59:59.25+02:00", &ms));
	clock_format_ms(ms, text);
	assert_string_equal(text, "2026-02-28T21:59:59.250Z");
	assert_true(clock_parse("2026-02-28T21:59:59Z", &ms));
	clock_format(ms, text);
	assert_string_equal(text, "2026-02-28T21:59:59Z");
	assert_true(clock_parse("0839-01-01T00:00:00Z", &ms));
	clock_format(ms, text);
	assert_string_equal(text, "0839-01-01T00:00:00Z");
	assert_false(clock_parse("9999-12-31T23:59:59-01:00", &ms));
	assert_false(clock_parse("0000-01-01T00:00:00+01:00", &ms));
	assert_false(clock_parse("2026-02-28", &ms));
	assert_false(clock_parse("2026-02-28T21:59:59", &ms));
	assert_false(clock_parse("2026- 2-28T21:59:59Z", &ms));
	assert_false(clock_parse(" 2026-02-28T21:59:59Z", &ms));
	assert_false(clock_parse("2026-2-28T21:59:59Z", &ms));
	assert_false(clock_parse("2026-02-30T21:59:59Z", &ms));
	assert_false(clock_parse("2026-02-28T21:59:59+2:00", &ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_and_confine),
		cmocka_unit_test(open_beneath_refuses_ways_out),
		cmocka_unit_test(atomic_write_leaves_no_other_file),
		cmocka_unit_test(times_round_trip),
	};
	return cmocka_run_group_tests_name("base/path", tests, NULL, NULL);
}
