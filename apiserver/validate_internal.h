/* What the parts of validation share. */
#ifndef APISERVER_VALIDATE_INTERNAL_H
#define APISERVER_VALIDATE_INTERNAL_H

#include "status_error.h"

/* One struct of an object under validation. */
typedef struct {
	const json_t *value;
	const char *path;
	const char *resource; /* Resource.key of the whole object */
	FieldErrors *errors;
} Check;

typedef struct {
	const char *name; /* of the schema, without "io.k8s.api." */
	void (*check)(const Check *check);
} StructRule;

/* Each ends with a row without name. */
extern const StructRule validate_network_rules[];
extern const StructRule validate_pod_rules[];
extern const StructRule validate_storage_rules[];
extern const StructRule validate_workload_rules[];

/* Adds an error at a member of the struct; `member` may go on ("ports[0].name"), "" is the struct.
 */
void check_fail(const Check *check, const char *member, const char *type, const char *format, ...)
	PRINTF(4, 5);

/* "Required value" unless the text is there. */
void check_required(const Check *check, const char *member);

/* "Unsupported value" unless the text is one of a comma-separated list, told in its order. */
void check_one_of(const Check *check, const char *member, const char *text, const char *list);

bool is_ip_address(const char *text);

#endif
