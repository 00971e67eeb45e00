/* What spec says of rendered objects: postRenderers, commonMetadata, and whose they are
 * (helm-controller.md 12). */
#ifndef HELM_CONTROLLER_POSTRENDER_H
#define HELM_CONTROLLER_POSTRENDER_H

#include "helm/postrender.h"
#include "release_spec.h"

/* A HelmPostRender; `context` is the ReleaseSpec. */
bool release_post_render(void *context, json_t *objects, json_t **out, Error *err);

#endif
