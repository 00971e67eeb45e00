/* What single kinds do at create and update, beside defaults: allocation, copies, immutability. */
#ifndef APISERVER_STRATEGY_H
#define APISERVER_STRATEGY_H

#include "request.h"

/* Status at the start, finalizers, allocated fields. */
bool strategy_create(Request *request, json_t *object, Status *status);

/* What an update takes over from the live object when the client left it out. */
void strategy_update(Request *request, json_t *object, const json_t *live);

/* Rules of built-in kinds; live is NULL at create. */
void strategy_validate(Request *request, const json_t *object, const json_t *live,
		       FieldErrors *errors);

/* After the commit: custom kinds enter the catalog. */
void strategy_stored(ApiServer *server, const Resource *resource, const json_t *object);

/* After the commit that removed `live`: custom kinds leave the catalog. */
void strategy_gone(ApiServer *server, const Resource *resource, const json_t *live);

/* Keep claims and volumes that are in use. Nothing here mounts them: a deletion takes them off, as
 * the controllers of a cluster do. */
#define CLAIM_PROTECTION "kubernetes.io/pvc-protection"
#define VOLUME_PROTECTION "kubernetes.io/pv-protection"

#endif
