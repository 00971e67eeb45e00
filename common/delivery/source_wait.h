/*
 * Who waits for the artifact of a source, and whether anybody need be told. Most that is new waits
 * for a moment only, because its source is new, too: a status that says so costs the server as much
 * as the one that soon replaces it. Nothing is written for two seconds, nor, where many came at
 * once, as long as artifacts keep coming, up to ten.
 */
#ifndef DELIVERY_SOURCE_WAIT_H
#define DELIVERY_SOURCE_WAIT_H

#include <stdint.h>

/* Of a controller's objects, each by its "ns/name". Thread-safe. */
typedef struct SourceWaits SourceWaits;

SourceWaits *source_waits_new(void);
void source_waits_free(SourceWaits *waits);

/* Some source has told of a new artifact. */
void source_waits_moved(SourceWaits *waits);

/* How many milliseconds `key`, whose wait begins now if it did not wait, need tell nobody yet; 0 or
 * less: somebody may look now. */
int64_t source_waits_quiet_ms(SourceWaits *waits, const char *key);

/* It waits no longer: the artifact is there, or the object is gone. */
void source_waits_over(SourceWaits *waits, const char *key);

#endif
