/* Label and field selectors as the Kubernetes API spells them (kube-api.md 1.6). */
#ifndef DATA_SELECTOR_H
#define DATA_SELECTOR_H

#include "data/json.h"

typedef struct Selector Selector;

/* "a=b,c!=d,e in (f,g),h notin (i),j,!k"; "" selects all. ERR_INVALID. */
Selector *selector_parse(const char *text, Error *err) MUST_USE;

/* metav1.LabelSelector {matchLabels, matchExpressions}. ERR_INVALID. */
Selector *selector_of_json(const json_t *label_selector, Error *err) MUST_USE;
void selector_free(Selector *selector);
AUTO_POINTER(Selector, selector_free, auto_selector);
#define autoselector __attribute__((cleanup(auto_selector)))

/* labels: an object of strings, or NULL for none. */
bool selector_matches(const Selector *selector, const json_t *labels);

/* As the API takes it in a query. Owned. */
char *selector_format(const Selector *selector);

/* True when it selects everything. */
bool selector_is_empty(const Selector *selector);

#endif
