/*
 * A YAML document written again in the styles that its author chose (quotes, blocks, flow, the
 * order of keys), as kyaml writes it: what goes through a program that reads and writes objects
 * should not change more than that program changes. Comments are gone.
 */
#ifndef DATA_YAML_RESTYLE_H
#define DATA_YAML_RESTYLE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/*
 * Appends the first document of a text, an object, with the annotation `name`
 * (metadata.annotations) set to `value`, or taken away for NULL, with what is empty then. The text
 * must be one that yaml_parse_all took: its limits are not looked at again. ERR_INVALID.
 */
bool yaml_restyle(Str text, const char *name, const char *value, Buf *out, Error *err) MUST_USE;

#endif
