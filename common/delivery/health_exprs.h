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

/* The health of a live object that an entry covers; Unknown when an expression fails (K86).
 * out_message, or NULL: why, owned; NULL where an expression holds, which says it all. */
KstatusCode health_exprs_status(const HealthExprs *exprs, const json_t *object, char **out_message);

/* Why a live object is in that state: as why_of; where an entry (exprs may be NULL) covers it, why
 * its expressions could not be asked, or its conditions. Bounded. Owned; NULL: nothing says it. */
char *health_exprs_why(const HealthExprs *exprs, const json_t *object, KstatusCode code);

#endif
