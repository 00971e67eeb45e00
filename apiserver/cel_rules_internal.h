/* Compiled rules, as the files of cel_rules share them. */
#ifndef APISERVER_CEL_RULES_INTERNAL_H
#define APISERVER_CEL_RULES_INTERNAL_H

#include "base/map.h"
#include "cel/cel.h"
#include "cel_rules.h"

/* Per call, and per object (k8s.io/apiserver/pkg/apis/cel/config.go). */
enum { CEL_CALL_COST = 1000000, CEL_OBJECT_COST = 10000000, CEL_MESSAGE_MAX = 5 * 1024 };

typedef struct {
	const json_t *rule;
	CelProgram *program; /* NULL: wrong says why, or the rule is empty */
	CelProgram *message; /* messageExpression, or NULL */
	char *wrong, *wrong_message;
	bool uses_old, optional_old;
} CelRule;

/* One schema's rules and those below it; only what leads to rules is there. */
typedef struct CelLevel CelLevel;
struct CelLevel {
	const json_t *schema;
	CelEnv *env, *optional_env; /* oldSelf as it is, as an optional; NULL without rules */
	CelRule *rules;
	size_t rule_count;
	bool untyped;	 /* rules of what they cannot see */
	Map *properties; /* name -> CelLevel; NULL when none has any */
	CelLevel *items, *additional;
};

/* Compiles the rules of a schema and those below it; NULL when there are none. Owned. */
CelLevel *cel_level_new(const json_t *schema, bool root);
void cel_level_free(CelLevel *level);

/* Only the schema's own rules, not those below; `flags`: of CelFlags. */
CelLevel *cel_level_own(const json_t *schema, bool root, unsigned flags);

/* The text of a rule's failure when it has no message of its own; owned. */
char *cel_rule_text(const json_t *rule);

#endif
