/* dependsOn: what must be Ready first. A dependency that turns Ready wakes us by the kind's index.
 */
#ifndef DELIVERY_DEPEND_H
#define DELIVERY_DEPEND_H

#include "ctrl/manager.h"

/* A readyExpr is wrong, and waiting helps nobody. */
#define REASON_INVALID_CEL "InvalidCELExpression"

/* What is asked of a dependency that is Ready besides; NULL: nothing. Fills err when it fails. */
typedef bool DependencyCheck(void *arg, const json_t *dependency, Error *err);

/*
 * True when all of spec.dependsOn (objects of the run's kind) are Ready at their generation, or say
 * so by readyExpr, which takes the place of that, or comes on top of it with the gate
 * AdditiveCELDependencyCheck. Else err names the first that is not, with REASON_INVALID_CEL for an
 * expression that cannot be compiled.
 */
bool dependencies_ready(Run *run, const json_t *depends_on, DependencyCheck *check, void *arg,
			Error *err) MUST_USE;

#endif
