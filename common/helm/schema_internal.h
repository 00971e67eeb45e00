/* The validator's state and the pieces that its files share. */
#ifndef HELM_SCHEMA_INTERNAL_H
#define HELM_SCHEMA_INTERNAL_H

#include "base/vec.h"
#include "gotmpl/unicode.h"
#include "helm/schema.h"

enum { SCHEMA_MAX_DEPTH = 200, SCHEMA_MAX_STEPS = 5000000, SCHEMA_MAX_BREACHES = 500000 };

typedef struct Breach Breach;

/* A breach, or a group of them. */
struct Breach {
	const char *text; /* NULL: a group */
	const char *at;
	Vec causes; /* Breach *, in the arena */
};

/* A value at a place. */
typedef struct {
	const json_t *value;
	const char *at;
} Place;

/* What a value is being held against, and what led there. */
typedef struct SchemaScope {
	const json_t *schema;
	Place place;
	const char *keyword; /* the reference that led here, or NULL: it stands in its parent */
	const struct SchemaScope *parent;
} SchemaScope;

typedef struct {
	Arena *arena;
	const GoUnicode *unicode;
	const json_t *root;
	const SchemaScope *scope; /* the innermost one; on the stack */
	int draft;		  /* 4, 6, 7, 2019, 2020 */
	int depth;
	size_t steps, breaches; /* the latter also of choices beside which another fits */
	int64_t until_ms;	/* clock_mono_ms() */
	const char *problem;	/* the schema itself is wrong */
} Validator;

/* Breaches found so far of one schema at one place. */
typedef struct {
	Validator *v;
	Place place;
	Vec found;
} Check;

void schema_report(Check *check, const char *format, ...) PRINTF(2, 3);
/* Breaches of another schema join these. */
void schema_apply(Check *check, const json_t *schema, Place place);
/* NULL when the value fits. */
Breach *schema_validate(Validator *v, const json_t *schema, Place place);
/* A breach with others as its causes. */
void schema_report_causes(Check *check, const char *text, const Vec *causes);
/* Appends "/" and a key as JSON pointers have it. */
void schema_write_part(const char *key, Buf *out);
Place schema_member(Validator *v, Place place, const char *key, const json_t *value);
/* A list that lives as long as the arena. */
void schema_keep(Validator *v, Vec *list);

/* A text as breaches show it: 'it\'s'. In the arena. */
const char *schema_quote(Validator *v, const char *text);
/* The schema that a reference of this one means, or NULL. */
const json_t *schema_resolve(Validator *v, const char *ref);
/* Whether a text has a pattern; a bad pattern is a problem of the schema. */
bool schema_matches(Validator *v, const char *pattern, const char *text);

/* schema_cycle.c: whether the innermost schema is being asked of the same value already, further
 * out; that is reported. */
bool schema_is_cycle(Check *check);
/* schema_meta.c: sets v->problem when the schema is none by its draft. */
void schema_check_itself(Validator *v, const json_t *schema);
/* schema_format.c: what `format` asserts, up to draft 7. A text that breaks it is not looked at
 * further. */
bool schema_check_format(Check *check, const json_t *schema);
/* schema_unevaluated.c: unevaluatedProperties and unevaluatedItems, from 2019-09 on. */
void schema_check_unevaluated(Check *check, const json_t *schema);

void schema_check_object(Check *check, const json_t *schema);
void schema_check_array(Check *check, const json_t *schema);
void schema_check_string(Check *check, const json_t *schema);
void schema_check_number(Check *check, const json_t *schema);

#endif
