/*
 * Structured merge (server-side apply) on JSON trees: kube-api.md 3. Pure. A schema says which
 * lists are sets, maps by key or atomic, and which maps are atomic; without one, lists are atomic
 * and maps granular.
 */
#ifndef SMD_SMD_H
#define SMD_SMD_H

#include "data/json.h"

/*
 * A schema node, immutable. Built from an OpenAPI v3 schema with Kubernetes' extensions
 * (x-kubernetes-list-type, -list-map-keys, -map-type, -preserve-unknown-fields), as CRDs and the
 * API server's own OpenAPI documents have them. `$ref` is resolved in `definitions` (or NULL).
 */
typedef struct SmdSchema SmdSchema;
SmdSchema *smd_schema_new(const json_t *openapi, const json_t *definitions, Error *err) MUST_USE;

/*
 * As smd_schema_new for a kind that upstream has as a Go struct: a create is then compared with the
 * struct's zero value, read off `default: {}` and `required`, so that spec, template, strategy get
 * no
 * "." (facts 3.3), and an empty list of managedFields resets them (facts 3.5).
 */
SmdSchema *smd_schema_new_builtin(const json_t *openapi, const json_t *definitions,
				  Error *err) MUST_USE;
void smd_schema_free(SmdSchema *schema);
AUTO_POINTER(SmdSchema, smd_schema_free, auto_smd_schema);

/* What an apply or update came to. */
typedef struct {
	json_t *object; /* the new object with metadata.managedFields, owned */
	bool changed;	/* anything but times differs from live: it must be stored (A20, A33) */
} SmdResult;

void smd_result_dispose(SmdResult *result);

typedef struct {
	const char *manager;
	const char *api_version;
	const char *subresource; /* "status", "scale" or NULL */
	bool force;		 /* apply only */
	const char *now;	 /* RFC 3339 seconds */

	/*
	 * Fields that this path never changes, NULL-terminated, such as {"spec",
	 * "metadata.labels"}; left out of ownership. NULL: `status`, or `spec` when subresource is
	 * "status", none for other subresources. A custom resource without /status gives an empty
	 * list.
	 */
	const char *const *ignored_fields;

	/* apiVersions of the kind that are served, NULL-terminated; managers of others are dropped.
	 * NULL: all. Objects are not converted: versions must share one structure. */
	const char *const *served_versions;
} SmdRequest;

/*
 * Server-side apply of `config` (has no managedFields) onto `live` (NULL: create). schema NULL: no
 * schema (deduced). Not forced conflicts: ERR_CONFLICT, and *out_causes (owned) gets the Status
 * causes [{reason: FieldManagerConflict, message, field}]. Unknown fields by schema: ERR_INTERNAL
 * with "field not declared in schema" (A48). Duplicate list-map items in config: ERR_INVALID.
 */
bool smd_apply(const SmdSchema *schema, const json_t *live, const json_t *config,
	       const SmdRequest *request, SmdResult *out, json_t **out_causes, Error *err) MUST_USE;

/*
 * Managed fields of an update (create, PUT, other patches): `live` (NULL on create) became
 * `object`. Takes managedFields that the client sent in `object` as facts 3.5 says.
 */
bool smd_update(const SmdSchema *schema, const json_t *live, const json_t *object,
		const SmdRequest *request, SmdResult *out, Error *err) MUST_USE;

/*
 * True when `object`, after defaulting and admission, is the same as live but for times in
 * managedFields; those are then set back to live's, so that nothing need be stored (A33, facts
 * 0.5).
 */
bool smd_restore_times(const json_t *live, json_t *object);

#endif
