/*
 * The end of a daemon that does not come: while the manager stops, a thread of its own waits for
 * --graceful-shutdown-timeout or another signal, and then ends the process as it is. What must
 * survive that survives a kill -9, too.
 */
#include "ctrl/manager_internal.h"

#include <errno.h>
#include <signal.h>

#include "base/mem.h"

enum { MS = 1000, NS = 1000000 };

struct Grace {
	const Log *log;
	int64_t limit_ms;
	sigset_t signals; /* with SIGUSR1, by which grace_end ends the thread */
	pthread_t thread;
};

static void *watch_stop(void *arg)
{
	const Grace *grace = arg;
	const struct timespec limit = {grace->limit_ms / MS, grace->limit_ms % MS * NS};
	int signal_number;
	do
		signal_number = sigtimedwait(&grace->signals, NULL, &limit);
	while (signal_number < 0 && errno == EINTR);
	if (signal_number == SIGUSR1)
		return NULL;
	log_info(grace->log, "stopped by force", "cause",
		 signal_number < 0 ? "reconciles did not end within --graceful-shutdown-timeout"
				   : "another signal",
		 NULL);
	_exit(1);
}

Grace *grace_start(const Log *log, int64_t limit_ms, const sigset_t *signals)
{
	Grace *grace = mem_zalloc(1, sizeof(*grace));
	grace->log = log;
	grace->limit_ms = limit_ms > 0 ? limit_ms : 0;
	grace->signals = *signals;
	sigaddset(&grace->signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &grace->signals, NULL);
	if (pthread_create(&grace->thread, NULL, watch_stop, grace) == 0)
		return grace;
	free(grace); /* whoever started us has a limit of its own */
	return NULL;
}

void grace_end(Grace *grace)
{
	if (!grace)
		return;
	pthread_kill(grace->thread, SIGUSR1);
	pthread_join(grace->thread, NULL);
	free(grace);
}
