/*
 * Rules evaluated along an object (apiextensions-apiserver pkg/apiserver/schema/cel/validation.go):
 * one budget for the whole object, old values found by list keys, ratcheting of what did not
 * change.
 */
#include "cel_rules.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cel_rules_internal.h"
#include "schema.h"

struct CelRules {
	json_t *schema;
	pthread_mutex_t lock; /* guards the two below until the rules are compiled */
	bool compiled;
	CelLevel *root;
};

CelRules *cel_rules_new(const json_t *schema)
{
	CelRules *rules = mem_zalloc(1, sizeof(*rules));
	rules->schema = json_incref(json_borrow(schema));
	pthread_mutex_init(&rules->lock, NULL);
	return rules;
}

void cel_rules_free(CelRules *rules)
{
	if (!rules)
		return;
	cel_level_free(rules->root);
	json_decref(rules->schema);
	pthread_mutex_destroy(&rules->lock);
	free(rules);
}

static const CelLevel *compiled(CelRules *rules)
{
	pthread_mutex_lock(&rules->lock);
	if (!rules->compiled)
		rules->root = cel_level_new(rules->schema, true);
	rules->compiled = true;
	pthread_mutex_unlock(&rules->lock);
	return rules->root;
}

/* Where we are: the value, its old one, and how errors are ratcheted (ratchetingOptions). */
typedef struct {
	const json_t *value;
	const json_t *old;    /* what oldSelf is; NULL when there is none to compare with */
	bool correlated;      /* the value has an old one by its place */
	const json_t *before; /* that one */
	bool has_parent;      /* the nearest part above that has one */
	const json_t *parent, *parent_before;
} Place;

typedef struct {
	FieldErrors *errors;
	int64_t budget; /* below 0: nothing more is evaluated */
} Walk;

static bool unchanged(const Place *place)
{
	if (place->correlated)
		return json_equal(json_borrow(place->value), json_borrow(place->before));
	return place->has_parent &&
	       json_equal(json_borrow(place->parent), json_borrow(place->parent_before));
}

/* The place of a member with the old value `before`, NULL when it has none. */
static Place enter(const Place *place, const json_t *value, const json_t *old, const json_t *before)
{
	Place inner = *place;
	inner.value = value;
	inner.old = old;
	if (!place->correlated)
		return inner;
	inner.has_parent = true;
	inner.parent = place->value;
	inner.parent_before = place->before;
	inner.correlated = before != NULL;
	inner.before = before;
	return inner;
}

/* The root has no path, which Go calls so. */
static const char *shown_path(const char *path)
{
	return *path ? path : "<nil>";
}

static void invalid(Walk *walk, const CelLevel *level, const char *path, const char *text)
{
	field_error(walk->errors, "Invalid value", shown_path(path), "\"%s\": %s",
		    json_text_or(level->schema, "type", ""), text);
}

static void out_of_budget(Walk *walk, const CelLevel *level, const char *path)
{
	invalid(walk, level, path,
		"validation failed due to running out of cost budget, no further validation rules "
		"will be run");
	walk->budget = -1;
}

/* The JSONPath of a rule's fieldPath behind `path`; owned. */
static char *field_path(const json_t *rule, const char *path)
{
	const char *field = json_text_or(rule, "fieldPath", "");
	autobuf Buf out = {0};
	buf_puts(&out, path);
	for (const char *at = field; *at; at++) {
		if (cstr_starts(at, "['")) {
			buf_putc(&out, '.');
			at++;
		} else if (!cstr_starts(at, "']") && *at != ']') {
			buf_putc(&out, *at);
		} else if (*at == '\'') {
			at++;
		}
	}
	bool bare = !*path && out.len > 0 && *out.ptr == '.';
	return mem_strdup(buf_text(&out) + bare);
}

static void tell(Walk *walk, const CelLevel *level, const json_t *rule, const char *path,
		 const char *message)
{
	autofree char *where = field_path(rule, path);
	const char *reason = json_text_or(rule, "reason", "FieldValueInvalid");
	if (strcmp(reason, "FieldValueForbidden") == 0)
		field_error(walk->errors, "Forbidden", shown_path(where), "%s", message);
	else if (strcmp(reason, "FieldValueRequired") == 0)
		field_error(walk->errors, "Required value", shown_path(where), "%s", message);
	else if (strcmp(reason, "FieldValueDuplicate") == 0)
		field_error(walk->errors, "Duplicate value", shown_path(where), "\"%s\"",
			    json_text_or(level->schema, "type", ""));
	else
		invalid(walk, level, where, message);
}

static json_t *evaluate(Walk *walk, const CelProgram *program, const Place *place, bool *over,
			bool *spent, Error *err)
{
	CelVariable variables[] = {{"self", place->value}, {"oldSelf", place->old}};
	uint64_t cost = 0;
	CelLimits limits = {.cost = CEL_CALL_COST, .out_cost = &cost, .out_over_cost = over};
	json_t *result = cel_eval(program, variables, COUNT(variables), &limits, err);
	*spent = cost > (uint64_t)walk->budget;
	walk->budget -= *spent ? 0 : (int64_t)cost;
	return result;
}

static char *default_message(const json_t *rule)
{
	const char *message = json_text_or(rule, "message", "");
	autofree char *text = cel_rule_text(rule);
	return *message ? steal(&text) : mem_printf("failed rule: %s", text);
}

/* The text of a failed rule, by its messageExpression when that gives one; owned. NULL when nothing
 * more may be evaluated, with the error told. */
static char *failure_text(Walk *walk, const CelLevel *level, const CelRule *rule,
			  const Place *place, const char *path)
{
	autoerror Error err = {0};
	bool over = false, spent = false;
	if (!rule->message)
		return default_message(rule->rule);
	autojson json_t *result = evaluate(walk, rule->message, place, &over, &spent, &err);
	const char *source = json_text_or(rule->rule, "messageExpression", "");
	if (spent || over) {
		autofree char *text =
			spent ? mem_strdup(
					"messageExpression evaluation failed due to running out of "
					"cost budget, no further validation rules will be run")
			      : mem_printf(
					"no further validation rules will be run due to call cost "
					"exceeds limit for messageExpression: \"%s\"",
					source);
		invalid(walk, level, path, text);
		walk->budget = -1;
		return NULL;
	}
	Str text = str_trim(str_of(json_string_value(result)));
	bool usable = text.len > 0 && text.len <= CEL_MESSAGE_MAX && str_find_char(text, '\n') < 0;
	return usable ? str_dup(text) : default_message(rule->rule);
}

static void tell_error(Walk *walk, const CelLevel *level, const CelRule *rule, const char *path,
		       bool over, const Error *err)
{
	autofree char *rule_text = cel_rule_text(rule->rule);
	autofree char *text = NULL;
	if (cstr_starts(err_text(err), "no such overload"))
		text = mem_printf(
			"'%s': call arguments did not match a supported operator, function "
			"or macro signature for rule: %s",
			err_text(err), rule_text);
	else if (over)
		text = mem_printf("'%s': no further validation rules will be run due to call cost "
				  "exceeds limit for rule: %s",
				  err_text(err), rule_text);
	else
		text = mem_printf("%s evaluating rule: %s", err_text(err), rule_text);
	invalid(walk, level, path, text);
	if (over)
		walk->budget = -1;
}

static void check_rule(Walk *walk, const CelLevel *level, const CelRule *rule, const Place *place,
		       const char *path)
{
	autoerror Error err = {0};
	bool over = false, spent = false;
	if (rule->wrong) {
		autofree char *text = mem_printf("rule compile error: %s", rule->wrong);
		invalid(walk, level, path, text);
	}
	/* A transition rule needs something to compare with, unless it asks for less. */
	if (!rule->program || (rule->uses_old && !place->old && !rule->optional_old))
		return;
	autojson json_t *result = evaluate(walk, rule->program, place, &over, &spent, &err);
	if (spent) {
		out_of_budget(walk, level, path);
		return;
	}
	if (!result) {
		tell_error(walk, level, rule, path, over, &err);
		return;
	}
	if (json_is_true(result) || (!rule->uses_old && unchanged(place)))
		return;
	autofree char *message = failure_text(walk, level, rule, place, path);
	if (message)
		tell(walk, level, rule->rule, path, message);
}

static void check_own(Walk *walk, const CelLevel *level, const Place *place, const char *path)
{
	if (level->rule_count == 0)
		return;
	if (level->untyped) {
		invalid(walk, level, path,
			"rule compiler initialization error: failed to convert to declType for CEL "
			"validation rules");
		return;
	}
	if (walk->budget <= 0) {
		out_of_budget(walk, level, path);
		return;
	}
	for (size_t i = 0; i < level->rule_count && walk->budget >= 0; i++)
		check_rule(walk, level, &level->rules[i], place, path);
}

static void check(Walk *walk, const CelLevel *level, const Place *place, const char *path);

/* Where a list is one of kind "map": the old item with the same keys. */
static const json_t *old_item(const CelLevel *level, const json_t *old, const json_t *item)
{
	const json_t *keys = json_list(level->schema, "x-kubernetes-list-map-keys");
	if (!cstr_eq(json_text(level->schema, "x-kubernetes-list-type"), "map"))
		return NULL;
	for (size_t i = 0; i < json_array_size(old); i++) {
		const json_t *candidate = json_array_get(old, i);
		bool same = json_array_size(keys) > 0;
		for (size_t k = 0; k < json_array_size(keys) && same; k++) {
			const char *key = json_string_value(json_array_get(keys, k));
			const json_t *a = json_object_get(item, key);
			const json_t *b = json_object_get(candidate, key);
			same = a == b || (a && b && json_same(a, b));
		}
		if (same)
			return candidate;
	}
	return NULL;
}

static void check_items(Walk *walk, const CelLevel *level, const Place *place, const char *path)
{
	for (size_t i = 0; i < json_array_size(place->value) && walk->budget >= 0; i++) {
		const json_t *item = json_array_get(place->value, i);
		const json_t *before =
			place->correlated ? old_item(level, place->before, item) : NULL;
		Place inner = enter(place, item, old_item(level, place->old, item), before);
		autofree char *item_path = schema_path_index(path, i);
		check(walk, level->items, &inner, item_path);
	}
}

/* apiVersion and kind are never ratcheted: both sides have been converted to the same. */
static void enter_member(const Place *place, const char *key, const json_t *value, bool granular,
			 Place *out)
{
	const json_t *old = granular ? json_object_get(place->old, key) : NULL;
	const json_t *before =
		granular && place->correlated ? json_object_get(place->before, key) : NULL;
	*out = enter(place, value, old, before);
	if (place->correlated && !place->has_parent &&
	    (strcmp(key, "apiVersion") == 0 || strcmp(key, "kind") == 0)) {
		out->correlated = false;
		out->has_parent = false;
	}
}

static void check_members(Walk *walk, const CelLevel *level, const Place *place, const char *path)
{
	bool granular = !cstr_eq(json_text(level->schema, "x-kubernetes-map-type"), "atomic");
	const char *key;
	json_t *member;
	json_object_foreach(json_borrow(place->value), key, member)
	{
		const CelLevel *child = level->properties ? map_get(level->properties, key) : NULL;
		autofree char *child_path = child || !level->additional
						    ? schema_path_key(path, key)
						    : mem_printf("%s[%s]", path, key);
		child = child ? child : level->additional;
		if (!child)
			continue;
		Place inner;
		enter_member(place, key, member, granular, &inner);
		check(walk, child, &inner, child_path);
		if (walk->budget < 0)
			return;
	}
}

static void check(Walk *walk, const CelLevel *level, const Place *place, const char *path)
{
	if (!place->value || json_is_null(place->value))
		return;
	check_own(walk, level, place, path);
	if (walk->budget < 0)
		return;
	if (json_is_array(place->value) && level->items)
		check_items(walk, level, place, path);
	if (json_is_object(place->value))
		check_members(walk, level, place, path);
}

void cel_rules_check(CelRules *rules, const json_t *object, const json_t *old, FieldErrors *errors)
{
	const CelLevel *root = compiled(rules);
	Walk walk = {.errors = errors, .budget = CEL_OBJECT_COST};
	Place place = {.value = object, .old = old, .correlated = old != NULL, .before = old};
	if (root)
		check(&walk, root, &place, "");
}
