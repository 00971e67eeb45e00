/* Text to values, with the errors that Go gives. */
#ifndef GOTMPL_DECODE_H
#define GOTMPL_DECODE_H

#include "gotmpl/convert.h"

/* JSON into a map (GO_MAP), a list (GO_LIST) or anything (GO_NIL); numbers are float64. JSON null
 * gives nil. */
bool decode_json(GoCall *call, Str text, GoType wanted, GoValue *out, Buf *why);
/* YAML 1.1 as sigs.k8s.io/yaml reads it. */
bool decode_yaml(GoCall *call, Str text, GoType wanted, GoValue *out, Buf *why);

/* encoding/base64: appends the bytes and gives -1, or the byte of the text at which it is illegal.
 */
ptrdiff_t decode_base64(Str text, Buf *out);

/* {"Error": why} and [why]. */
GoValue error_map(GoCall *call, const Buf *why);
GoValue error_list(GoCall *call, const Buf *why);

#endif
