/* Kubernetes resource quantities: "500m", "1Gi", "0.5", "1e3". */
#ifndef DATA_QUANTITY_H
#define DATA_QUANTITY_H

#include <stdbool.h>

/* Reads `text` and writes its canonical form, owned by the caller, as the API server stores it
 * (kube-api.md 3.7: 0.5 -> 500m, 1024Mi -> 1Gi, 1000m -> 1; rounded up to milli... nano at least
 * is kept). NULL when it is no quantity. */
char *quantity_canonical(const char *text);

/* <0, 0, >0; both must be quantities (else false). */
bool quantity_compare(const char *a, const char *b, int *out);

/* The value in units of 10^-9, rounded away from zero; false when it is no quantity. */
bool quantity_nanos(const char *text, __int128 *out);

#endif
