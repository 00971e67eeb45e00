#include "archive/walk_internal.h"

#include <fcntl.h>

#include "base/mem.h"

int walk_open_dir(int dir_fd, const char *name, Error *err)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		err_errno(err, "open directory %s", name);
	return fd;
}

char *walk_path(const char *dir, const char *name)
{
	return *dir ? mem_printf("%s/%s", dir, name) : mem_strdup(name);
}
