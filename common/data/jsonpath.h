/* The JSONPath subset of printer columns and kubectl: fields, [n], ['key'], [*], [?(@.a=="b")]. */
#ifndef DATA_JSONPATH_H
#define DATA_JSONPATH_H

#include "data/json.h"

typedef struct JsonPath JsonPath;

/* ".status.conditions[?(@.type==\"Ready\")].status", with or without {} around. ERR_INVALID. */
JsonPath *jsonpath_new(const char *text, Error *err) MUST_USE;
void jsonpath_free(JsonPath *path);
AUTO_POINTER(JsonPath, jsonpath_free, auto_jsonpath);
#define autojsonpath __attribute__((cleanup(auto_jsonpath)))

/* The matches in document order as an array of references; empty when none. Owned. */
json_t *jsonpath_find(const JsonPath *path, const json_t *document);

#endif
