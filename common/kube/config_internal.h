/* What the files of the configuration share: config.c (one tree to a KubeConfig), config_find.c
 * (where trees come from). */
#ifndef KUBE_CONFIG_INTERNAL_H
#define KUBE_CONFIG_INTERNAL_H

#include "kube/config.h"

enum { CONFIG_MAX_BYTES = 4 * 1024 * 1024 };

/* The tree of a kubeconfig text with its relative paths made absolute below `dir`. Owned. */
json_t *config_tree(const char *text, size_t len, const char *dir, Error *err) MUST_USE;

bool config_from_tree(const json_t *tree, const char *context, const KubeConfigRules *rules,
		      KubeConfig *out, Error *err) MUST_USE;

#endif
