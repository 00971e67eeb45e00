/* Waits for a change of objects through a watch; nothing polls the server. */
#ifndef CLI_AWAIT_H
#define CLI_AWAIT_H

#include "kube/client.h"
#include "kube/informer.h"

typedef struct Await Await;

/* Called for each event on the loop's thread, one at a time; true once the wait is over. Not called
 * again after that. */
typedef bool AwaitFn(void *arg, InformerEvent event, const json_t *object);

/* Which objects; everything borrowed, arg until await_stop, the rest during the call. */
typedef struct {
	const char *api_version, *kind;
	const char *ns;	    /* NULL: all namespaces */
	const char *name;   /* NULL: all objects */
	const char *labels; /* NULL: any */
	const char *fields; /* NULL: any; not together with name */
	AwaitFn *fn;
	void *arg;
} AwaitConfig;

/* Starts the watch. Owned by the caller. */
Await *await_start(KubeClient *client, const AwaitConfig *config);

/* Blocks until fn has returned true; false at the time-out. */
bool await_done(Await *await, int64_t timeout_ms);

/* Ends the watch and frees; fn does not run after it returns. */
void await_stop(Await *await);
AUTO_POINTER(Await, await_stop, auto_await);
#define autoawait __attribute__((cleanup(auto_await)))

#endif
