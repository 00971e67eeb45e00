/* The orders in which Helm installs and uninstalls objects, by their kind. */
#ifndef HELM_KINDS_H
#define HELM_KINDS_H

typedef enum { HELM_INSTALL, HELM_UNINSTALL } HelmOrder;

/* Below, at or above 0 as an object of kind `a` comes before, with or after one of kind `b`. Kinds
 * that Helm does not know come last, from a to z. */
int helm_kinds_compare(HelmOrder order, const char *a, const char *b);

#endif
