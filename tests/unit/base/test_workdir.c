#include "../cmocka_all.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/workdir.h"

static int temp_open(void **state)
{
	autoerror Error err = {0};
	char *dir = dir_make_temp("/tmp", "workdir-test", &err);
	*state = dir;
	return dir && setenv("TMPDIR", dir, 1) == 0 ? 0 : -1;
}

static int temp_close(void **state)
{
	char *dir = *state;
	dir_auto_remove(&dir);
	return 0;
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void it_goes_with_what_is_in_it(void **state)
{
	(void)state;
	autoerror Error err = {0};
	WorkDir *workdir = workdir_new("daemon", &err);
	assert_non_null(workdir);
	autofree char *path = mem_strdup(workdir_path(workdir));
	autofree char *below = mem_printf("%s/a", path);
	struct stat info;
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0700);
	assert_int_equal(mkdir(below, 0700), 0);
	workdir_free(workdir);
	assert_false(is_there(path));
}

/* A process that has made a directory, told its name, and lives until it is killed. */
static pid_t owner(const char *prefix, char *out_path, size_t size)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		autoerror Error err = {0};
		WorkDir *workdir = workdir_new(prefix, &err);
		const char *path = workdir ? workdir_path(workdir) : "";
		if (write(ends[1], path, strlen(path) + 1) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	assert_true(read(ends[0], out_path, size) > 1);
	close(ends[0]);
	return pid;
}

static void the_next_one_removes_what_a_killed_one_left(void **state)
{
	(void)state;
	autoerror Error err = {0};
	char killed[256], alive[256], other[256];
	pid_t dead = owner("daemon", killed, sizeof(killed));
	pid_t living = owner("daemon", alive, sizeof(alive));
	pid_t stranger = owner("daemon-b", other, sizeof(other));
	kill(dead, SIGKILL);
	kill(stranger, SIGKILL);
	waitpid(dead, NULL, 0);
	waitpid(stranger, NULL, 0);
	assert_true(is_there(killed));
	WorkDir *workdir = workdir_new("daemon", &err);
	assert_non_null(workdir);
	assert_false(is_there(killed));
	assert_true(is_there(alive));
	assert_true(is_there(other));
	workdir_free(workdir);
	kill(living, SIGKILL);
	waitpid(living, NULL, 0);
}

static void links_and_strangers_names_stay(void **state)
{
	const char *temp = *state;
	autoerror Error err = {0};
	autofree char *target = mem_printf("%s/precious", temp);
	autofree char *link = mem_printf("%s/daemon-abcdef", temp);
	autofree char *longer = mem_printf("%s/daemon-abcdefg", temp);
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(mkdir(longer, 0700), 0);
	assert_int_equal(symlink(target, link), 0);
	workdir_free(workdir_new("daemon", &err));
	assert_true(is_there(target) && is_there(link) && is_there(longer));
}

static void no_place_for_it(void **state)
{
	(void)state;
	autoerror Error err = {0};
	setenv("TMPDIR", "/no/such/place", 1);
	assert_null(workdir_new("daemon", &err));
	assert_non_null(strstr(err_text(&err), "/no/such/place"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_goes_with_what_is_in_it, temp_open, temp_close),
		cmocka_unit_test_setup_teardown(the_next_one_removes_what_a_killed_one_left,
						temp_open, temp_close),
		cmocka_unit_test_setup_teardown(links_and_strangers_names_stay, temp_open,
						temp_close),
		cmocka_unit_test_setup_teardown(no_place_for_it, temp_open, temp_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
