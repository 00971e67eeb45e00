/*
 * Who is woken by what: keys under which an object of ours is indexed by what it refers to (its
 * source, dependencies, Secrets and ConfigMaps), and the functions that find it by them. All on the
 * loop's thread.
 */
#ifndef DELIVERY_WAKE_H
#define DELIVERY_WAKE_H

#include "base/map.h"
#include "ctrl/manager.h"

/* The index key of a source. Owned. */
char *wake_source_key(const char *kind, const char *ns, const char *name);

/* For Kind.index: spec.dependsOn; a {name} of a Secret or ConfigMap, or NULL; spec.kubeConfig. */
void wake_add_dependencies(const json_t *spec, const char *ns, IndexAdd *add, void *arg);
void wake_add_config(const char *kind, const char *ns, const json_t *reference, IndexAdd *add,
		     void *arg);
void wake_add_kubeconfig(const json_t *spec, const char *ns, IndexAdd *add, void *arg);

/*
 * For Kind.changed: an object wakes who depends on it once it has turned Ready, and while it is so
 * by each new generation, revision or content that it has been brought to; other writes of its
 * status are no news. `told` remembers by object, and forgets where `object` is NULL.
 */
void wake_dependents(Manager *manager, const Kind *kind, Map *told, const char *ns,
		     const char *name, const json_t *object);

/* KindWatch.map of Secrets and ConfigMaps. */
void wake_by_config(Manager *manager, const Kind *kind, InformerEvent event, const json_t *object);

#endif
