/* Values as JSON and YAML text, as encoding/json and sigs.k8s.io/yaml write them. */
#ifndef GOTMPL_ENCODE_H
#define GOTMPL_ENCODE_H

#include "gotmpl/convert.h"

typedef struct {
	bool escape_html;
	const char *indent; /* NULL: compact */
} JsonStyle;

/* Appends a value; fails the call with Go's text for what JSON cannot hold. */
bool encode_json(GoCall *call, GoValue value, const JsonStyle *style, Buf *out);
/* A copy of the value as a JSON tree, numbers as JSON reads them back. Owned; NULL fails the call.
 */
json_t *encode_tree(GoCall *call, GoValue value);
/* As yaml.v3 encodes Go values with an indent of 2, without the last newline. */
bool encode_yaml_pretty(GoCall *call, GoValue value, Buf *out);
/* sigs.k8s.io/yaml.Marshal, without the last newline. */
bool encode_yaml(GoCall *call, GoValue value, Buf *out);

#endif
