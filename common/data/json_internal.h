/* What the files of JSON share. */
#ifndef DATA_JSON_INTERNAL_H
#define DATA_JSON_INTERNAL_H

#include "data/json.h"

typedef enum {
	JSON_QUICK_ANY,	  /* as json_parse */
	JSON_QUICK_PLAIN, /* only what a YAML parser reads the same */
	JSON_QUICK_ONCE,  /* no key twice in an object */
} JsonQuick;

/* Nesting up to which JSON_QUICK_PLAIN goes: a value in it is at the limit of yaml.h. */
enum { JSON_PLAIN_NESTING = 99 };

/* The value, owned; NULL for text that is wrong, unusual (reals, integers of 19 digits and more,
 * keys and escapes beyond ASCII's plain ones) or nested too deeply. */
json_t *json_quick(const char *text, size_t len, JsonQuick rules);

#endif
