/*
 * spec.healthCheckExprs (facts 7, K84-K86): health by CEL for kinds that kstatus does not know, in
 * place of its rules. Texts as fluxcd/pkg runtime/cel has them.
 */
#include "delivery/health_exprs.h"

#include "base/mem.h"
#include "base/visible.h"
#include "cel/expression.h"
#include "kube/object.h"
#include "kube/why.h"

typedef enum { RULE_IN_PROGRESS, RULE_FAILED, RULE_CURRENT, RULES } Rule;

/* In the order in which they are asked (RFC 0009). */
static const struct {
	const char *field, *name;
	KstatusCode code;
} rules[RULES] = {
	[RULE_IN_PROGRESS] = {"inProgress", "InProgress", KSTATUS_IN_PROGRESS},
	[RULE_FAILED] = {"failed", "Failed", KSTATUS_FAILED},
	[RULE_CURRENT] = {"current", "Current", KSTATUS_CURRENT},
};

typedef struct {
	char *group;
	const char *kind; /* "": any of the group; borrowed from the spec */
	Expression *expressions[RULES];
} Entry;

struct HealthExprs {
	Entry *entries;
	size_t len;
};

void health_exprs_free(HealthExprs *exprs)
{
	if (!exprs)
		return;
	for (size_t i = 0; i < exprs->len; i++) {
		free(exprs->entries[i].group);
		for (size_t k = 0; k < RULES; k++)
			expression_free(exprs->entries[i].expressions[k]);
	}
	free(exprs->entries);
	free(exprs);
}

static const Entry *find(const HealthExprs *exprs, const char *group, const char *kind)
{
	for (size_t i = 0; exprs && i < exprs->len; i++)
		if (cstr_eq(exprs->entries[i].group, group) &&
		    cstr_eq(exprs->entries[i].kind, kind))
			return &exprs->entries[i];
	return NULL;
}

static bool compile_rule(const json_t *item, Rule rule, Entry *entry, Error *err)
{
	const char *text = json_text_or(item, rules[rule].field, "");
	if (cstr_empty(text) && rule == RULE_CURRENT)
		return err_set(err, ERR_INVALID, "expression Current not specified");
	if (cstr_empty(text))
		return true;
	entry->expressions[rule] = expression_new(text, NULL, CEL_DYN, err);
	return entry->expressions[rule] ||
	       err_wrap(err, "failed to parse the expression %s", rules[rule].name);
}

static bool compile(const json_t *item, Entry *entry, Error *err)
{
	static const Rule order[] = {RULE_CURRENT, RULE_FAILED, RULE_IN_PROGRESS};
	for (size_t i = 0; i < COUNT(order); i++)
		if (!compile_rule(item, order[i], entry, err))
			return false;
	return true;
}

HealthExprs *health_exprs_new(const json_t *list, Error *err)
{
	__attribute__((cleanup(auto_health_exprs))) HealthExprs *exprs =
		mem_zalloc(1, sizeof(*exprs));
	exprs->entries = mem_zalloc(json_array_size(list) + 1, sizeof(*exprs->entries));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		char *group = api_group(json_text_or(item, "apiVersion", ""));
		const char *kind = json_text_or(item, "kind", "");
		bool twice = find(exprs, group, kind) != NULL;
		Entry *entry = &exprs->entries[exprs->len++];
		entry->group = group;
		entry->kind = kind;
		if (twice)
			return err_null(err, ERR_INVALID,
					"duplicate custom health check for GroupKind %s%s%s at "
					"healthchecks[%zu]",
					kind, *group ? "." : "", group, i);
		if (!compile(item, entry, err))
			return err_wrap_null(err,
					     "failed to create custom status evaluator for "
					     "healthchecks[%zu]",
					     i);
	}
	return steal(&exprs);
}

static const Entry *entry_for(const HealthExprs *exprs, const char *api_version, const char *kind)
{
	autofree char *group = api_group(api_version);
	const Entry *entry = find(exprs, group, kind);
	return entry ? entry : find(exprs, group, "");
}

bool health_exprs_cover(const HealthExprs *exprs, const char *api_version, const char *kind)
{
	return entry_for(exprs, api_version, kind) != NULL;
}

static void say(char **out_message, char *take_text)
{
	if (out_message)
		*out_message = take_text;
	else
		free(take_text);
}

KstatusCode health_exprs_status(const HealthExprs *exprs, const json_t *object, char **out_message)
{
	const Entry *entry = entry_for(exprs, object_api_version(object), object_kind(object));
	const json_t *observed = json_at(object, "status", "observedGeneration", NULL);
	const json_t *generation = json_at(object, "metadata", "generation", NULL);
	say(out_message, NULL);
	/* Some kinds keep a text there: that is none of our business. */
	if (json_is_integer(observed) && json_is_integer(generation) &&
	    json_integer_value(observed) != json_integer_value(generation)) {
		say(out_message, mem_printf("generation %lld, observed %lld",
					    (long long)json_integer_value(generation),
					    (long long)json_integer_value(observed)));
		return KSTATUS_IN_PROGRESS;
	}
	for (size_t i = 0; entry && i < RULES; i++) {
		bool holds = false;
		autoerror Error err = {0};
		if (!entry->expressions[i])
			continue;
		if (!expression_bool(entry->expressions[i], object, &holds, &err)) {
			say(out_message,
			    mem_printf("the expression %s: %s", rules[i].field, err_text(&err)));
			return KSTATUS_UNKNOWN;
		}
		if (holds)
			return rules[i].code;
	}
	return KSTATUS_IN_PROGRESS;
}

char *health_exprs_why(const HealthExprs *exprs, const json_t *object, KstatusCode code)
{
	autofree char *said = NULL;
	if (!health_exprs_cover(exprs, object_api_version(object), object_kind(object)))
		return why_of(object, code);
	health_exprs_status(exprs, object, &said);
	return said ? visible_text(said, WHY_TEXT_MAX) : why_of_conditions(object);
}
