#include "ports.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/rand.h"
#include "cmocka_all.h"

enum { FIRST_PORT = 20000, LAST_PORT = 31999, READY_MS = 30000 };

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool can_bind(int port)
{
	struct sockaddr_in address = loopback(port);
	autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* A lock that its holder's end gives back: the descriptor is never closed. */
static bool claim(const char *folder, int port)
{
	autofree char *path = mem_printf("%s/%d", folder, port);
	autofd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || !can_bind(port))
		return false;
	(void)fd_steal(&fd);
	return true;
}

int free_port(void)
{
	enum { COUNT_OF_PORTS = LAST_PORT - FIRST_PORT + 1 };
	const char *tmp = getenv("TMPDIR");
	autofree char *folder = mem_printf("%s/sluice-ports-%u", tmp ? tmp : "/tmp", getuid());
	mkdir(folder, 0700);
	int start = (int)rand_below(COUNT_OF_PORTS);
	for (int i = 0; i < COUNT_OF_PORTS; i++) {
		int port = FIRST_PORT + (start + i) % COUNT_OF_PORTS;
		if (claim(folder, port))
			return port;
	}
	fail_msg("no port is free");
	return -1;
}

static bool listens(int port)
{
	struct sockaddr_in address = loopback(port);
	autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

void wait_for_port(int port, pid_t pid)
{
	int64_t end_ms = clock_mono_ms() + READY_MS;
	while (!listens(port)) {
		siginfo_t ended = {0};
		waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT);
		if (ended.si_pid)
			fail_msg("who was to listen on port %d ended with %d", port,
				 ended.si_status);
		assert_true(clock_mono_ms() < end_ms);
		poll(NULL, 0, 10);
	}
}
