/*
 * The data directory of `sluice up`: `kubeconfig`, `lock`, `ports` (name and number a line, so that
 * a restart has the same addresses), `apiserver`, `storage`, `logs`, `tmp`. Whoever holds the lock
 * owns all of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/rand.h"
#include "base/str.h"
#include "up_internal.h"

enum { PORTS_MAX = 4096, PORT_LIMIT = 65535, NAMES_MAX = 100000 };

/* A directory that is in use for something else is not ours to fill. */
static bool check_is_ours(const char *dir, Error *err)
{
	autofd int fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, err);
	autostrings Vec names = {0};
	if (fd < 0 || !dir_names(fd, NAMES_MAX, &names, err))
		return false;
	for (size_t i = 0; i < names.len; i++)
		if (cstr_eq(names.items[i], "lock"))
			return true;
	return !names.len || err_set(err, ERR_EXISTS,
				     "%s is neither empty nor a data directory of sluice up", dir);
}

static bool make_dir(Up *up, Error *err)
{
	const char *wanted = up->options->data_dir;
	if (!wanted) {
		up->dir = dir_make_temp(dir_temp(), "sluice-up", err);
		up->temporary = up->dir != NULL;
		return up->dir != NULL;
	}
	char real[PATH_MAX];
	if (!dir_make(wanted, 0700, err))
		return false;
	if (!realpath(wanted, real))
		return err_errno(err, "%s", wanted);
	up->dir = mem_strdup(real);
	return check_is_ours(real, err);
}

static bool lock(Up *up, Error *err)
{
	autofree char *path = path_join(up->dir, "lock");
	autofd int fd = fd_open(path, O_RDWR | O_CREAT, 0600, err);
	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		autobuf Buf holder = {0};
		if (errno != EWOULDBLOCK || !fd_read_all(fd, PORTS_MAX, &holder, err))
			return err_is_set(err) ? false : err_errno(err, "lock %s", path);
		Str pid = str_trim(buf_str(&holder));
		return err_set(err, ERR_EXISTS, "%s is in use by another sluice up (process %.*s)",
			       up->dir, (int)pid.len, pid.ptr);
	}
	autofree char *pid = mem_printf("%d\n", (int)getpid());
	if (ftruncate(fd, 0) != 0)
		return err_errno(err, "%s", path);
	if (!fd_write_all(fd, pid, strlen(pid), err))
		return false;
	up->lock_fd = fd_steal(&fd);
	return true;
}

static bool make_parts(const Up *up, Error *err)
{
	static const char *const parts[] = {"logs", "storage", "tmp"};
	/* What a crash left behind. */
	autofree char *tmp = path_join(up->dir, "tmp");
	if (!dir_remove(tmp, err))
		return false;
	for (size_t i = 0; i < COUNT(parts); i++) {
		autofree char *path = path_join(up->dir, parts[i]);
		if (!dir_make(path, 0700, err))
			return false;
	}
	return true;
}

/* A port. One of last time may be taken by now; one of this run is kept free by a socket until its
 * daemon starts (-1: released). */
typedef struct {
	int number, fd;
	bool of_this_run;
} Port;

static void port_free(void *value)
{
	Port *port = value;
	auto_close(&port->fd);
	free(port);
}

static void put_port(Up *up, const char *name, Port port)
{
	map_put(up->ports, name, mem_dup(&port, sizeof(port)));
}

/* A file that cannot be read or understood costs only the old numbers. */
static void load_ports(Up *up)
{
	autofree char *path = path_join(up->dir, "ports");
	autobuf Buf text = {0};
	autoerror Error err = {0};
	if (!file_read(path, PORTS_MAX, &text, &err))
		return;
	Str rest = buf_str(&text), line, name, number;
	while (str_next(&rest, '\n', &line)) {
		unsigned long long port;
		if (!str_cut(line, ' ', &name, &number) || !str_to_u64(number, &port) || !port ||
		    port > PORT_LIMIT)
			continue;
		autofree char *key = str_dup(name);
		put_port(up, key, (Port){.number = (int)port, .fd = -1});
	}
}

bool up_dir_open(Up *up, Error *err)
{
	if (!make_dir(up, err) || !lock(up, err) || !make_parts(up, err))
		return false;
	up->kubeconfig = path_join(up->dir, "kubeconfig");
	up->ports = map_new(port_free);
	load_ports(up);
	return true;
}

void up_dir_close(Up *up)
{
	autoerror Error err = {0};
	if (up->temporary && !dir_remove(up->dir, &err))
		fprintf(stderr, "⚠️ %s stays behind: %s\n", up->dir, err_text(&err));
	if (up->lock_fd >= 0)
		close(up->lock_fd);
}

/* A socket bound to a loopback port (0: any), or -1. `again`: one of last time, which connections
 * of that run that linger must not cost us; a new one is nobody else's then. */
static int bind_port(int port, bool again)
{
	autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = again;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	return fd_steal(&fd);
}

/* A socket bound to a port from where the kernel takes none for who connects, as long as there is
 * one: else any connection of this machine could have it while we are away, and a restart would
 * have another address. */
static int bind_new_port(void)
{
	enum { FIRST = 12000, SPAN = 8000, TRIES = 100 };
	for (int i = 0; i < TRIES; i++) {
		int fd = bind_port(FIRST + (int)rand_below(SPAN), false);
		if (fd >= 0)
			return fd;
	}
	return bind_port(0, false);
}

bool up_port(Up *up, const char *name, int *out, Error *err)
{
	const Port *last = map_get(up->ports, name);
	if (last && last->of_this_run) {
		*out = last->number;
		return true;
	}
	autofd int fd = last ? bind_port(last->number, true) : -1;
	if (fd < 0)
		fd = bind_new_port();
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	if (fd < 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return err_errno(err, "no free port for %s", name);
	*out = ntohs(address.sin_port);
	put_port(up, name, (Port){*out, fd_steal(&fd), true});
	return true;
}

bool up_ports_save(const Up *up, Error *err)
{
	autobuf Buf text = {0};
	size_t at = 0;
	const char *name;
	void *port;
	while (map_next(up->ports, &at, &name, &port))
		buf_printf(&text, "%s %d\n", name, ((const Port *)port)->number);
	autofree char *path = path_join(up->dir, "ports");
	return file_write_atomic(path, buf_text(&text), text.len, 0600, err);
}

void up_ports_release(Up *up, const char *only)
{
	size_t at = 0;
	const char *name;
	void *value;
	while (map_next(up->ports, &at, &name, &value)) {
		Port *port = value;
		if (only && !cstr_eq(only, name))
			continue;
		auto_close(&port->fd);
		port->fd = -1;
	}
}

char *up_expand(Up *up, const char *text, Error *err)
{
	autobuf Buf out = {0};
	Str rest = str_of(text), piece;
	while (str_cut(rest, '{', &piece, &rest)) {
		buf_add(&out, piece);
		str_cut(rest, '}', &piece, &rest);
		autofree char *name = str_dup(piece);
		int port;
		if (cstr_eq(name, "DIR"))
			buf_puts(&out, up->dir);
		else if (cstr_eq(name, "BIND"))
			buf_puts(&out, up->bind);
		else if (up_port(up, name, &port, err))
			buf_printf(&out, "%d", port);
		else
			return NULL;
	}
	buf_add(&out, piece);
	return buf_steal(&out);
}
