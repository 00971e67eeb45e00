/* Waits until a controller has dealt with an object, through a watch. */
#ifndef CLI_SETTLE_H
#define CLI_SETTLE_H

#include "kind.h"

typedef struct Settle Settle;

typedef struct {
	KubeClient *client;
	const KindRow *row;
	const char *ns, *name;
	/* What lastHandledReconcileAt said before a request ("" when absent): at rest only once it
	 * says something else. NULL: Ready at the present generation is enough. */
	const char *handled_before;
	bool is_static; /* no status to wait for */
} SettleConfig;

/* Starts watching; strings are copied. Owned by the caller; settle_finish frees it. */
Settle *settle_start(const SettleConfig *config);

/* The object at rest and healthy, owned; NULL and err when it stalled or was deleted (ERR_INVALID
 * with its message), or at `deadline_ms` (monotonic; ERR_TIMEOUT with the last message seen). */
json_t *settle_finish(Settle *take_settle, int64_t deadline_ms, Error *err) MUST_USE;

#endif
