/* spec.ignore (facts 6.5, K68): fields that others may change without it counting as drift. Pure.
 */
#ifndef DELIVERY_IGNORE_H
#define DELIVERY_IGNORE_H

#include "base/error.h"
#include "data/json.h"

typedef struct IgnoreRules IgnoreRules;

/* Rules of spec.ignore (NULL: none), or of the field that has them; borrows it. ERR_INVALID names
 * field and place of a bad selector or pointer. */
IgnoreRules *ignore_rules_new(const json_t *ignore, const char *field, Error *err) MUST_USE;
void ignore_rules_free(IgnoreRules *rules);
AUTO_POINTER(IgnoreRules, ignore_rules_free, auto_ignore_rules);
#define autoignorerules __attribute__((cleanup(auto_ignore_rules)))

bool ignore_rules_any(const IgnoreRules *rules);

/* The JSON pointers that apply to an object: an owned array, empty when there are none. */
json_t *ignore_paths(const IgnoreRules *rules, const json_t *object);

/* What counts in a comparison: labels, annotations and all but metadata and status, without the
 * ignored paths. Owned. */
json_t *ignore_comparable(const json_t *object, const json_t *paths);

/* Whether applying would change more than the ignored fields: `reply` is what a dry run gave. */
bool ignore_has_drifted(const json_t *live, const json_t *reply, const json_t *paths);

/*
 * Keeps the ignored fields of what is to be sent as they are live: a field that another Apply
 * manager than `manager` owns is left out, any other takes the live value.
 */
void ignore_settle(json_t **payload, const json_t *live, const json_t *reply, const json_t *paths,
		   const char *manager);

#endif
