#include "../cmocka_all.h"

#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"

char *tree_new(void)
{
	autoerror Error err = {0};
	char *dir = dir_make_temp("/tmp", "sluice-archive", &err);
	assert_non_null(dir);
	return dir;
}

int tree_fd(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

void tree_make_dir(const char *dir, const char *name)
{
	autoerror Error err = {0};
	autofree char *path = path_join(dir, name);
	assert_true(dir_make(path, 0755, &err));
}

void tree_put(const char *dir, const char *name, const char *text, mode_t mode)
{
	autoerror Error err = {0};
	autofree char *path = path_join(dir, name);
	autofree char *above = path_dir(path);
	assert_true(dir_make(above, 0755, &err));
	autofd int fd = fd_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600, &err);
	assert_true(fd >= 0);
	assert_true(fd_write_all(fd, text, strlen(text), &err));
	assert_int_equal(fchmod(fd, mode), 0);
}

static void list_below(const char *root, const char *dir, Vec *out)
{
	autofree char *path = path_join(root, dir);
	DIR *handle = opendir(path);
	assert_non_null(handle);
	for (const struct dirent *e; (e = readdir(handle));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		char *name = *dir ? path_join(dir, e->d_name) : mem_strdup(e->d_name);
		if (e->d_type == DT_DIR) {
			vec_push(out, mem_printf("%s/", name));
			list_below(root, name, out);
			free(name);
		} else {
			vec_push(out, name);
		}
	}
	closedir(handle);
}

char *tree_list(const char *dir)
{
	autostrings Vec names = {0};
	list_below(dir, "", &names);
	vec_sort(&names, vec_compare_strings);
	Buf out = {0};
	for (size_t i = 0; i < names.len; i++)
		buf_printf(&out, "%s\n", (char *)names.items[i]);
	return buf_steal(&out);
}

static _Noreturn void child(const char *dir, const char *const *argv, int in, int out)
{
	if (dir && chdir(dir) != 0)
		_exit(126);
	dup2(in, 0);
	dup2(out, 1);
	setenv("TZ", "UTC", 1);
	setenv("LC_ALL", "C", 1);
	/* Git must not see the ignore rules of whoever runs the test. */
	setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	execvp(argv[0], (char **)(uintptr_t)argv);
	_exit(127);
}

int tree_run(const char *dir, const char *const *argv, const char *input, Buf *out)
{
	autoerror Error err = {0};
	/* Files, not pipes: no side can block on the other. */
	autofd int in = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	autofd int result = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(in >= 0 && result >= 0);
	assert_true(fd_write_all(in, input, strlen(input), &err));
	assert_int_equal(lseek(in, 0, SEEK_SET), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(dir, argv, in, result);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(lseek(result, 0, SEEK_SET), 0);
	assert_true(fd_read_all(result, 64 << 20, out, &err));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
