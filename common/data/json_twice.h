/* Keys that a JSON text has twice in an object: API servers tell of them, trees cannot. */
#ifndef DATA_JSON_TWICE_H
#define DATA_JSON_TWICE_H

#include "data/json.h"

/* How many paths are told of one text, at most. */
enum { JSON_MAX_TWICE = 100 };

/* As json_parse; appends to `out_twice` the path of each key that an object has more than once
 * ("spec.containers[0].name", "[0].op"), each path once, in the order of the text. */
json_t *json_parse_noting(const char *text, size_t len, size_t limit, json_t *out_twice,
			  Error *err) MUST_USE;

#endif
