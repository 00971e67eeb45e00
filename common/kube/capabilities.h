/* What a cluster can do, as templates of charts ask of it: its version, its group-versions and the
 * kinds in them. */
#ifndef KUBE_CAPABILITIES_H
#define KUBE_CAPABILITIES_H

#include "base/vec.h"
#include "kube/client.h"

/* Immutable, shared. */
typedef struct KubeCapabilities KubeCapabilities;

/* As the server says, asked again when CRDs were applied by this client or half a minute is over.
 * Groups whose server is away are left out. One reference, the caller's. */
KubeCapabilities *kube_capabilities(KubeClient *client, Error *err) MUST_USE;
void kube_capabilities_unref(KubeCapabilities *capabilities);
AUTO_POINTER(KubeCapabilities, kube_capabilities_unref, auto_kube_capabilities);
#define autokubecapabilities __attribute__((cleanup(auto_kube_capabilities)))

/* "v1.34.4"; borrowed. */
const char *kube_capabilities_version(const KubeCapabilities *capabilities);
/* "apps/v1", "apps/v1/Deployment", ... as char *; borrowed. */
const Vec *kube_capabilities_apis(const KubeCapabilities *capabilities);

#endif
