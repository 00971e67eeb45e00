#include "../cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

static ChildSpec shell(const char *const argv[4])
{
	return (ChildSpec){.argv = argv, .timeout_ms = 10000, .max_output = 1000};
}

static void bytes_go_in_and_out(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf out = {0}, errors = {0};
	int code = -1;
	const char *const argv[] = {"sh", "-c", "cat; echo told >&2; exit 3", NULL};
	ChildSpec spec = shell(argv);
	spec.input = STR("some bytes");
	assert_true(child_run(&spec, &out, &errors, &code, &err));
	assert_string_equal(buf_text(&out), "some bytes");
	assert_string_equal(buf_text(&errors), "told\n");
	assert_int_equal(code, 3);
}

static void only_what_it_is_given_is_open(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf out = {0};
	int code = -1;
	autofd int careless = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
	autofd int given = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	const char *const env[] = {"PATH=/usr/bin:/bin", "ONLY=this", NULL};
	const char *const argv[] = {
		"sh", "-c", "readlink /proc/$$/fd/3; ls /proc/$$/fd | wc -l; echo $ONLY$HOME",
		NULL};
	ChildSpec spec = shell(argv);
	spec.env = env;
	spec.fds = &given;
	spec.fd_count = 1;
	assert_true(child_run(&spec, &out, NULL, &code, &err));
	assert_true(careless >= 0);
	assert_string_equal(buf_text(&out), "/dev/zero\n4\nthis\n");
}

static void a_program_that_is_not_there(void **state)
{
	(void)state;
	autoerror Error err = {0};
	int code = -1;
	const char *const argv[] = {"no-such-program-here", NULL};
	ChildSpec spec = {.argv = argv, .timeout_ms = 1000, .max_output = 10};
	assert_false(child_run(&spec, NULL, NULL, &code, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_non_null(strstr(err_text(&err), "no-such-program-here"));
}

static void one_that_does_not_end_is_killed_with_its_children(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf out = {0};
	int code = -1;
	const char *const argv[] = {"sh", "-c", "sleep 1000 & echo $!; wait", NULL};
	ChildSpec spec = shell(argv);
	spec.timeout_ms = 300;
	int64_t began_ms = clock_mono_ms();
	assert_false(child_run(&spec, &out, NULL, &code, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(code, 128 + SIGKILL);
	assert_true(clock_mono_ms() - began_ms < 5000);
	pid_t grandchild = (pid_t)strtol(buf_text(&out), NULL, 10);
	assert_true(grandchild > 1);
	/* Init reaps it when it likes; a zombie has no command line. */
	autofree char *path = mem_printf("/proc/%d/cmdline", grandchild);
	autobuf Buf line = {0};
	autoerror Error gone = {0};
	int64_t until_ms = clock_mono_ms() + 5000;
	while (file_read(path, 100, &line, &gone) && line.len && clock_mono_ms() < until_ms)
		buf_clear(&line);
	assert_int_equal(line.len, 0);
}

static void output_has_a_limit(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf out = {0};
	int code = -1;
	const char *const argv[] = {"sh", "-c", "yes", NULL};
	ChildSpec spec = shell(argv);
	assert_false(child_run(&spec, &out, NULL, &code, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(out.len <= 1000);
}

static void a_signal_is_told(void **state)
{
	(void)state;
	autoerror Error err = {0};
	int code = -1;
	const char *const argv[] = {"sh", "-c", "kill -TERM $$", NULL};
	ChildSpec spec = shell(argv);
	assert_true(child_run(&spec, NULL, NULL, &code, &err));
	assert_int_equal(code, 128 + SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_go_in_and_out),
		cmocka_unit_test(only_what_it_is_given_is_open),
		cmocka_unit_test(a_program_that_is_not_there),
		cmocka_unit_test(one_that_does_not_end_is_killed_with_its_children),
		cmocka_unit_test(output_has_a_limit),
		cmocka_unit_test(a_signal_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
