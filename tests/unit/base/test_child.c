#include "../cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
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
		"sh", "-c",
		"readlink /proc/$$/fd/3; set -- /proc/$$/fd/*; echo $#; echo $ONLY$HOME", NULL};
	ChildSpec spec = shell(argv);
	spec.env = env;
	spec.fds = &given;
	spec.fd_count = 1;
	assert_true(child_run(&spec, &out, NULL, &code, &err));
	assert_true(careless >= 0);
	/* The fifth is the shell's own, of the directory that it lists. */
	assert_string_equal(buf_text(&out), "/dev/zero\n5\nthis\n");
}

static void a_program_that_is_not_there(void **state)
{
	(void)state;
	autoerror Error err = {0};
	int code = -1;
	const char *const argv[] = {"no-such-program-here", NULL};
	ChildSpec spec = {.argv = argv, .timeout_ms = 10000, .max_output = 10};
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
	spec.timeout_ms = 3000; /* a busy machine's shell has begun by then */
	int64_t began_ms = clock_mono_ms();
	assert_false(child_run(&spec, &out, NULL, &code, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(code, 128 + SIGKILL);
	assert_true(clock_mono_ms() - began_ms < 60000);
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

/* A daemon that was started with its standard input closed gets descriptor 0 for whatever it opens
 * first. */
static void a_descriptor_cancels_it_also_when_it_is_number_0(void **state)
{
	(void)state;
	autoerror Error err = {0};
	int code = -1;
	const char *const argv[] = {"sh", "-c", "sleep 100", NULL};
	autofd int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), event = eventfd(1, EFD_CLOEXEC);
	assert_true(saved >= 0 && event >= 0);
	assert_int_equal(dup2(event, STDIN_FILENO), STDIN_FILENO);
	const int cancel_fd = STDIN_FILENO;
	ChildSpec spec = shell(argv);
	spec.timeout_ms = 5000;
	spec.cancel_fd = &cancel_fd;
	bool ok = child_run(&spec, NULL, NULL, &code, &err);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	assert_false(ok);
	assert_int_equal(err.code, ERR_CANCELLED);
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

static void wait_to_read(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&item, 1, 10000), 1);
}

static void one_beside_us_speaks_and_is_ended(void **state)
{
	(void)state;
	const char *const argv[] = {"sh", "-c", "read x; echo got $x; echo bad >&2; sleep 60",
				    NULL};
	ChildSpec spec = shell(argv);
	ChildPipes child;
	autoerror Error err = {0};
	char text[16] = "";
	assert_true(child_open(&spec, &child, &err));
	assert_int_equal(read(child.output, text, sizeof(text)), -1); /* does not wait */
	assert_int_equal(write(child.input, "it\n", 3), 3);
	wait_to_read(child.output);
	assert_int_equal(read(child.output, text, sizeof(text)), 7);
	assert_memory_equal(text, "got it\n", 7);
	wait_to_read(child.errors);
	assert_int_equal(read(child.errors, text, sizeof(text)), 4);
	pid_t pid = child.pid;
	child_close(&child);
	/* The sleeper, too, which the system's first process has to collect. */
	for (int look = 0; look < 3000 && kill(-pid, 0) == 0; look++)
		poll(NULL, 0, 10);
	assert_int_equal(kill(-pid, 0), -1);
	child_close(&child);
}

static void one_that_is_not_there_cannot_be_beside_us(void **state)
{
	(void)state;
	const char *const argv[] = {"no-such-program", NULL};
	ChildSpec spec = {.argv = argv};
	ChildPipes child;
	autoerror Error err = {0};
	assert_false(child_open(&spec, &child, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_go_in_and_out),
		cmocka_unit_test(only_what_it_is_given_is_open),
		cmocka_unit_test(a_program_that_is_not_there),
		cmocka_unit_test(one_that_does_not_end_is_killed_with_its_children),
		cmocka_unit_test(a_descriptor_cancels_it_also_when_it_is_number_0),
		cmocka_unit_test(output_has_a_limit),
		cmocka_unit_test(a_signal_is_told),
		cmocka_unit_test(one_beside_us_speaks_and_is_ended),
		cmocka_unit_test(one_that_is_not_there_cannot_be_beside_us),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
