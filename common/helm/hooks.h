/* Hooks of a release: what their annotations say, and which of them an event runs in what order
 * (helm-engine.md 11). A hook is an object as a record holds it. */
#ifndef HELM_HOOKS_H
#define HELM_HOOKS_H

#include "helm/manifest.h"

/* A hook's object of its manifest. Owned. */
json_t *helm_hook_new(const HelmManifest *manifest) MUST_USE;

/* The hooks of a list that an event ("pre-install", "test", ...) runs, as json_t *, borrowed, by
 * weight, then name (E75). A hook without a delete policy gets before-hook-creation (E76). */
void helm_hooks_select(json_t *hooks, const char *event, Vec *out);

/* Whether a list of texts in a hook ("events", "delete_policies", ...) holds a word. */
bool helm_hook_has(const json_t *hook, const char *list, const char *word);

/* Notes the start of its run, or its end with a phase ("Succeeded", "Failed"). */
void helm_hook_started(json_t *hook);
void helm_hook_ended(json_t *hook, const char *phase);

#endif
