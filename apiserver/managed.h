/* The seam to structured merge: managed fields of writes and server-side apply. */
#ifndef APISERVER_MANAGED_H
#define APISERVER_MANAGED_H

#include "request.h"

/* managedFields of an update or create (live NULL): *object (owned) is replaced. False: 500. */
bool managed_update(Request *request, const json_t *live, json_t **object, Status *status);

/* Applies config to live (NULL: create). *out_changed: it must be stored. Owned; NULL on refusal.
 */
json_t *managed_apply(Request *request, const json_t *live, const json_t *config, bool force,
		      bool *out_changed, Status *status);

#endif
