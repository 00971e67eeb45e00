/* Ready, told from Remediated, TestSuccess and Released (helm-controller.md 3, "Summary rule"). */
#ifndef HELM_CONTROLLER_SUMMARY_H
#define HELM_CONTROLLER_SUMMARY_H

#include "data/digest.h"
#include "release_spec.h"

/* Also refreshes the two observed digests. */
void release_summarize(json_t *object, const ReleaseSpec *spec, DigestAlgo algo);

/* Digests of spec.postRenderers and spec.commonMetadata; "" for none. Owned. */
char *post_renderers_digest(const json_t *spec, DigestAlgo algo);
char *common_metadata_digest(const json_t *spec, DigestAlgo algo);

#endif
