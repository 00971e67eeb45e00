/* What the YAML reader and writer share: how plain scalars resolve. */
#ifndef DATA_YAML_INTERNAL_H
#define DATA_YAML_INTERNAL_H

#include "base/str.h"
#include "data/yaml.h"

enum { YAML_MAX_DEPTH = 100, YAML_MAX_EXPANDED = 1000000 };

typedef enum {
	YAML_STR,
	YAML_NULL,
	YAML_BOOL,
	YAML_INT,
	YAML_FLOAT,
	YAML_TIMESTAMP,
} YamlType;

/* What a plain scalar stands for; only the member of its type counts. */
typedef struct {
	YamlType type;
	bool flag;
	int64_t integer;
	double real;	/* also an integer beyond int64 */
	uint64_t large; /* what an integer beyond int64 is below 2^64; else 0 */
	char stamp[40]; /* RFC 3339 */
} YamlScalar;

/* Resolves a plain scalar by the core schema as Go's yaml.v3 reads it. */
void yaml_resolve(Str text, YamlScalar *out);

/* Changes what yaml_resolve gave where go-yaml v2 reads otherwise: y, yes and on are booleans,
 * dates are text. */
void yaml_resolve_old(Str text, YamlScalar *scalar);

/* True for the words that only YAML 1.1 reads as booleans. */
bool yaml_is_old_boolean(Str text, bool *out);

/* True when text, written plain, is a string in YAML 1.1 and 1.2 both. */
bool yaml_is_plain_string(Str text);

#endif
