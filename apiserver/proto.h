/*
 * Bodies that Go clients write for built-in kinds (kube-api.md 2.4): "k8s\0" and a protobuf
 * message. Only decoding: replies are JSON, which those clients read.
 */
#ifndef APISERVER_PROTO_H
#define APISERVER_PROTO_H

#include "schema_builtin.h"

/* The object with apiVersion and kind, owned; ERR_INVALID for malformed bytes, ERR_UNSUPPORTED for
 * a kind without a table. */
json_t *proto_decode(Definitions *definitions, const void *bytes, size_t len, Error *err) MUST_USE;

#endif
