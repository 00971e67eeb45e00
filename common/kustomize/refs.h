/* Name references follow renamed objects (facts 4; B28..B40). */
#ifndef KUSTOMIZE_REFS_H
#define KUSTOMIZE_REFS_H

#include "kustomize/config.h"
#include "kustomize/set.h"

/* Rewrites the references in all objects; two possible referrals are an error (B38). */
bool refs_fix(KSet *set, const KConfig *added, Error *err) MUST_USE;

#endif
