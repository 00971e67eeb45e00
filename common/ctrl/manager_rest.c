/* A daemon gives back what start-up and work needed, about once a second while it works and once
 * when it has worked. */
#include "base/footprint.h"
#include "ctrl/manager_internal.h"

enum { AFTER_MS = 1000 };

/* The first requests touch three megabytes of the TLS library for the handshake, and each burst
 * leaves pages with the allocator: they would count until the work ends. */
static void give_back(void *arg)
{
	Manager *manager = arg;
	manager->rest = 0;
	footprint_shrink();
}

static void start_timer(void *arg)
{
	Manager *manager = arg;
	if (!manager->rest)
		manager->rest = loop_after(manager->loop, AFTER_MS, give_back, manager);
}

void manager_note_work(Manager *manager)
{
	loop_post(manager->loop, start_timer, manager);
}
