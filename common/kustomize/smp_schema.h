/*
 * What the strategic merge needs to know of kinds: which lists merge by which keys (facts 6, the
 * list table; Kubernetes 1.21.2), and the same from a custom OpenAPI document.
 */
#ifndef KUSTOMIZE_SMP_SCHEMA_H
#define KUSTOMIZE_SMP_SCHEMA_H

#include "base/map.h"
#include "data/json.h"

typedef struct {
	json_t *custom;	   /* the OpenAPI document, owned; NULL: none */
	Map *custom_kinds; /* "apiVersion kind" -> borrowed definition */
	bool no_builtin;   /* a custom one drops the built-in, as the tool does */
} KSchema;

void kschema_dispose(KSchema *schema);

/* Takes an OpenAPI document; ERR_INVALID when it has no definitions. */
bool kschema_set_custom(KSchema *schema, json_t *take_document, Error *err) MUST_USE;

enum { K_MERGE_KEYS_MAX = 4 };

typedef struct KSchemaRow KSchemaRow;

/* A place in a schema: of the built-in table or of the custom document. {0} knows nothing. */
typedef struct {
	int type;
	const KSchemaRow *list;
	const json_t *node;
} KSchemaAt;

KSchemaAt kschema_of(const KSchema *schema, const char *api_version, const char *kind);
KSchemaAt kschema_field(const KSchema *schema, KSchemaAt at, const char *name);
KSchemaAt kschema_items(const KSchema *schema, KSchemaAt at);

/* True when nothing below can be a merged list. */
bool kschema_is_plain(KSchemaAt at);

/* Whether a list is merged; its keys (none: a set of scalars). */
bool kschema_merge_keys(KSchemaAt at, const char *keys[K_MERGE_KEYS_MAX], size_t *out_len);

#endif
