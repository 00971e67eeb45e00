/* CEL of Receivers: filters of resources, validations of OpenID Connect claims (N87, N89-N91). */
#ifndef NOTIFICATION_CONTROLLER_RECEIVER_EXPRS_H
#define NOTIFICATION_CONTROLLER_RECEIVER_EXPRS_H

#include "data/json.h"

/* Compiles all filters of a spec; ERR_INVALID names the one that is wrong (N90). */
bool receiver_check_filters(const json_t *spec, Error *err) MUST_USE;

/* Compiles all expressions of spec.oidcProviders. */
bool receiver_check_claims_expressions(const json_t *spec, Error *err) MUST_USE;

/* Whether verified claims pass all validations of a provider. */
bool claims_accept(const json_t *provider, const json_t *claims, Error *err) MUST_USE;

/* What filters see of one webhook. */
typedef struct {
	json_t *request; /* the body as JSON, {} when it is something else; owned */
	json_t *claims;	 /* or NULL; owned */
} FilterData;

void filter_data_dispose(FilterData *data);
#define autofilterdata __attribute__((cleanup(filter_data_dispose)))

/* Fills `out` for a body of that media type; `claims` may be NULL. ERR_INVALID when it says JSON
 * and is no object. */
bool filter_data_init(FilterData *out, const char *content_type, Str body, const json_t *claims,
		      Error *err) MUST_USE;

/* True when the spec filters this resource of it. */
bool receiver_has_filter(const json_t *spec, const json_t *resource);

/* Evaluates spec.resourceFilter and the resource's own filter for an object of which the metadata
 * is known; both must hold. */
bool receiver_filter(const json_t *spec, const json_t *resource, const FilterData *data,
		     const json_t *object, bool *out_accept, Error *err) MUST_USE;

#endif
