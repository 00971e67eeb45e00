/* spec.healthCheckExprs: health of custom kinds by CEL (facts 7). */
#ifndef DELIVERY_HEALTH_EXPRS_H
#define DELIVERY_HEALTH_EXPRS_H

#include "data/json.h"
#include "kube/kstatus.h"

typedef struct HealthExprs HealthExprs;

/* Compiles the list (NULL is empty), which is borrowed. ERR_INVALID names the entry (K85). Owned.
 */
HealthExprs *health_exprs_new(const json_t *list, Error *err) MUST_USE;
void health_exprs_free(HealthExprs *exprs);
AUTO_POINTER(HealthExprs, health_exprs_free, auto_health_exprs);
#define autohealthexprs __attribute__((cleanup(auto_health_exprs)))

/* True when an entry is about the kind: its own, or one for its whole group. */
bool health_exprs_cover(const HealthExprs *exprs, const char *api_version, const char *kind);

/* The health of a live object that an entry covers; Unknown when an expression fails (K86). */
KstatusCode health_exprs_status(const HealthExprs *exprs, const json_t *object);

#endif
