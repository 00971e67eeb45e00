/* A daemon that has had nothing to do for a while gives back what work and start-up needed. */
#include "base/footprint.h"
#include "ctrl/manager_internal.h"

enum { REST_AFTER_MS = 3000 };

static bool has_work(const Manager *manager)
{
	for (size_t i = 0; i < manager->spec->kind_count; i++)
		if (queue_depth(manager->kinds[i].queue))
			return true;
	return false;
}

static void rest(void *arg)
{
	Manager *manager = arg;
	manager->rest = 0;
	/* Work under way ends with manager_note_work. */
	if (!has_work(manager))
		footprint_shrink();
}

static void restart_timer(void *arg)
{
	Manager *manager = arg;
	loop_cancel(manager->loop, manager->rest);
	manager->rest = loop_after(manager->loop, REST_AFTER_MS, rest, manager);
}

void manager_note_work(Manager *manager)
{
	loop_post(manager->loop, restart_timer, manager);
}
