/* Strategic merge patches on built-in kinds (kube-api.md 1.2, 3.6). */
#ifndef APISERVER_STRATEGIC_H
#define APISERVER_STRATEGIC_H

#include "schema_builtin.h"
#include "status_error.h"

/* Changes `object` (of the named definition) by `patch`; neither is taken. Directives: $patch,
 * $retainKeys, $setElementOrder/x, $deleteFromPrimitiveList/x. 400 for a malformed one. */
bool strategic_apply(Definitions *definitions, const char *definition, json_t *object,
		     const json_t *patch, Status *status);

#endif
