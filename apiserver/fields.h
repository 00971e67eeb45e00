/* Field selectors: which fields a kind knows (kube-api.md 2.3) and whether an object matches. */
#ifndef APISERVER_FIELDS_H
#define APISERVER_FIELDS_H

#include "kinds.h"
#include "status_error.h"

typedef struct FieldSelector FieldSelector;

/* "a=b,c!=d"; refuses (400) unknown fields and bad syntax. NULL on refusal. */
FieldSelector *field_selector_parse(const Resource *resource, const char *text, Status *status);
void field_selector_free(FieldSelector *selector);

/* The one name that it selects; NULL when it does not name one. Borrowed. */
const char *field_selector_name(const FieldSelector *selector);
bool field_selector_matches(const FieldSelector *selector, const json_t *object);

#endif
