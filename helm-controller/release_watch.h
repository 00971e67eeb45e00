/*
 * Which revisions of which releases this cluster holds, by one watch on the metadata of Helm's
 * Secrets in place of a list for each release that is looked at. It may be a moment behind: good
 * for whoever checks what it says (loop.c). Thread-safe.
 */
#ifndef HELM_CONTROLLER_RELEASE_WATCH_H
#define HELM_CONTROLLER_RELEASE_WATCH_H

#include "kube/informer.h"
#include "storage.h"

typedef struct ReleaseWatch ReleaseWatch;

/* Nothing is asked for before the first look. `ns` is NULL for all namespaces. */
ReleaseWatch *release_watch_new(KubeClient *client, const char *ns, const Log *log) MUST_USE;
/* No look may be under way. */
void release_watch_free(ReleaseWatch *watch);

/*
 * The revisions of a release, maybe none. False: the watch does not know, because it is not in
 * step, not allowed, of another namespace or of another client; the server has to be asked. The
 * first look waits for the first listing, some seconds at most. Not on the loop's thread.
 */
bool release_watch_rows(ReleaseWatch *watch, const Storage *storage, StoredRows *out);

#endif
