/*
 * Names of objects and parts of them, keys and values of labels: what Kubernetes lets pass, and
 * what it says of the rest (kube-api.md 2.1).
 */
#ifndef APISERVER_NAMES_H
#define APISERVER_NAMES_H

#include "status_error.h"

/* Adds an error at `path` unless the text is a DNS label (63 characters), or a DNS subdomain (253).
 */
void name_check_label(const char *text, const char *path, FieldErrors *errors);
void name_check_subdomain(const char *text, const char *path, FieldErrors *errors);

/* The same unless it is a DNS label that begins with a letter (RFC 1035); `mixed`: its case is
 * nobody's affair. An empty text passes. */
void name_check_word(const char *text, bool mixed, const char *path, FieldErrors *errors);

/* Keys and values of a map of labels; NULL has none. */
void name_check_labels(const json_t *labels, const char *path, FieldErrors *errors);

/* "example.com/name" or "name", and what is wrong with a key that is neither. */
bool name_is_qualified(const char *key);
const char *name_qualified_text(const char *key);

#endif
