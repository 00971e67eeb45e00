/* Which objects a patch or a replacement target means (facts 6, Target). */
#ifndef KUSTOMIZE_SELECT_H
#define KUSTOMIZE_SELECT_H

#include "kustomize/set.h"

typedef struct KSelector KSelector;

/* {group, version, kind, name, namespace, labelSelector, annotationSelector}; ERR_INVALID for a bad
 * pattern or selector. Borrows from the tree. */
KSelector *kselector_new(const json_t *selector, Error *err) MUST_USE;
void kselector_free(KSelector *selector);
AUTO_POINTER(KSelector, kselector_free, auto_kselector);
#define autokselector __attribute__((cleanup(auto_kselector)))

/* The objects selected for a patch, in the set's order, appended to out: names and namespaces are
 * tested against the first and the current id. */
void kselector_select(const KSelector *selector, const KSet *set, Vec *out);

/* For replacements: the id alone, of all that the object has or had, with its namespace raw; and
 * the label and annotation selectors alone. */
bool kselector_matches_any_id(const KSelector *selector, const KResource *res);
bool kselector_matches_labels(const KSelector *selector, const KResource *res);
bool kselector_has_labels(const KSelector *selector);

/* One object that is not of a build, such as a live one. */
bool kselector_matches_object(const KSelector *selector, const json_t *object);

#endif
