/* Waits until a controller has dealt with an object, through a watch. */
#ifndef CLI_SETTLE_H
#define CLI_SETTLE_H

#include "kind.h"

/* What counts as being at rest. */
typedef struct {
	/* What lastHandledReconcileAt said before a request ("" when absent): at rest only once it
	 * says something else. NULL: Ready at the present generation is enough. Borrowed. */
	const char *handled_before;
	bool is_static; /* no status to wait for */
} SettleRule;

typedef enum { SETTLE_WAITING, SETTLE_AT_REST, SETTLE_FAILED } SettleState;

/* Judges one state of an object (cli.md 2 "Handled?", "Ready"). *out_why is filled for FAILED with
 * a message for people, owned by the caller, and else left alone. */
SettleState settle_judge(const SettleRule *rule, const json_t *object, char **out_why);

typedef struct Settle Settle;

typedef struct {
	KubeClient *client;
	const KindRow *row;
	const char *ns, *name;
	SettleRule rule;
} SettleConfig;

/* Starts watching; strings are copied. Owned by the caller; settle_finish frees it. */
Settle *settle_start(const SettleConfig *config);

/* The object at rest and healthy, owned; NULL and err when it stalled or was deleted (ERR_INVALID
 * with its message), or at `deadline_ms` (monotonic; ERR_TIMEOUT with the last message seen). */
json_t *settle_finish(Settle *take_settle, int64_t deadline_ms, Error *err) MUST_USE;

#endif
