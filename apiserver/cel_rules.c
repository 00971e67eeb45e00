/*
 * The part of CEL that the rules of Flux's CRDs use (kube-api.md 2.6): self and its members, has(),
 * size(), == != < <= > >= ! && ||, in-line literals, parentheses. && and || absorb errors of their
 * other side. A rule with anything else counts as passed. Bounds: nesting 64, rules of 4 KiB.
 */
#include "cel_rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "schema.h"

enum { RULE_MAX = 4096, DEPTH_MAX = 64 };

/* A value is an owned reference; NULL is an error of evaluation ("no such key"). */
typedef struct {
	const char *at;
	const json_t *self;
	int depth;
	bool unsupported;
} Parser;

static json_t *parse_or(Parser *p);

static void skip_blanks(Parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static bool take(Parser *p, const char *token)
{
	skip_blanks(p);
	if (!cstr_starts(p->at, token))
		return false;
	p->at += strlen(token);
	return true;
}

static char *take_name(Parser *p)
{
	skip_blanks(p);
	const char *start = p->at;
	while (isalnum((unsigned char)*p->at) || *p->at == '_')
		p->at++;
	return mem_strndup(start, (size_t)(p->at - start));
}

static json_t *unsupported(Parser *p)
{
	p->unsupported = true;
	return NULL;
}

/* .name.name behind a value; *out_missing when the last step (only) was absent. */
static json_t *parse_members(Parser *p, json_t *take_value, bool *out_missing)
{
	json_t *value = take_value;
	*out_missing = false;
	while (*p->at == '.') {
		p->at++;
		autofree char *name = take_name(p);
		if (*p->at == '(') {
			json_decref(value);
			return unsupported(p);
		}
		json_t *member = json_incref(json_object_get(value, name));
		*out_missing = value && !member;
		json_decref(value);
		value = member;
	}
	return value;
}

static json_t *parse_call(Parser *p, const char *name)
{
	bool missing;
	if (strcmp(name, "has") == 0) {
		if (!take(p, "self"))
			return unsupported(p);
		autojson json_t *value =
			parse_members(p, json_incref((json_t *)(uintptr_t)p->self), &missing);
		if (!take(p, ")"))
			return unsupported(p);
		return value || missing ? json_boolean(value != NULL) : NULL;
	}
	if (strcmp(name, "size") != 0)
		return unsupported(p);
	autojson json_t *value = parse_or(p);
	if (!take(p, ")"))
		return unsupported(p);
	if (json_is_string(value))
		return json_integer((json_int_t)json_string_length(value));
	if (json_is_array(value))
		return json_integer((json_int_t)json_array_size(value));
	return json_is_object(value) ? json_integer((json_int_t)json_object_size(value)) : NULL;
}

static json_t *parse_string(Parser *p)
{
	char quote = *p->at++;
	const char *start = p->at;
	while (*p->at && *p->at != quote && *p->at != '\\')
		p->at++;
	if (*p->at != quote)
		return unsupported(p);
	json_t *text = json_stringn(start, (size_t)(p->at - start));
	p->at++;
	return text;
}

static json_t *parse_number(Parser *p)
{
	char *end = NULL;
	long long number = strtoll(p->at, &end, 10);
	if (end == p->at || *end == '.')
		return unsupported(p);
	p->at = end;
	return json_integer(number);
}

static json_t *parse_word(Parser *p)
{
	autofree char *name = take_name(p);
	bool missing;
	if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
		return json_boolean(*name == 't');
	if (strcmp(name, "null") == 0)
		return json_null();
	if (strcmp(name, "self") == 0)
		return parse_members(p, json_incref((json_t *)(uintptr_t)p->self), &missing);
	return take(p, "(") ? parse_call(p, name) : unsupported(p);
}

static json_t *parse_primary(Parser *p)
{
	skip_blanks(p);
	if (p->depth++ > DEPTH_MAX)
		return unsupported(p);
	json_t *value = NULL;
	if (take(p, "(")) {
		value = parse_or(p);
		if (!take(p, ")")) {
			json_decref(value);
			value = unsupported(p);
		}
	} else if (*p->at == '!' && p->at[1] != '=') {
		p->at++;
		autojson json_t *inner = parse_primary(p);
		value = json_is_boolean(inner) ? json_boolean(json_is_false(inner)) : NULL;
	} else if (*p->at == '\'' || *p->at == '"') {
		value = parse_string(p);
	} else if (isdigit((unsigned char)*p->at) || *p->at == '-') {
		value = parse_number(p);
	} else {
		value = parse_word(p);
	}
	p->depth--;
	return value;
}

static json_t *order(const json_t *a, const json_t *b, const char *operator)
{
	if (!json_is_number(a) || !json_is_number(b))
		return NULL;
	double difference = json_number_value(a) - json_number_value(b);
	bool less = difference < 0;
	bool greater = difference > 0;
	bool result = *operator== '<' ? less : greater;
	return json_boolean(result || (operator[1] == '=' && !less && !greater));
}

static json_t *parse_comparison(Parser *p)
{
	static const char *const operators[] = {"==", "!=", "<=", ">=", "<", ">"};
	autojson json_t *left = parse_primary(p);
	for (size_t i = 0; i < COUNT(operators); i++) {
		if (!take(p, operators[i]))
			continue;
		autojson json_t *right = parse_primary(p);
		if (!left || !right)
			return NULL;
		if (i < 2)
			return json_boolean(json_same(left, right) == (i == 0));
		return order(left, right, operators[i]);
	}
	return steal(&left);
}

/* A definite answer of either side decides; else an error stays an error. */
static json_t *junction(const json_t *a, const json_t *b, bool decisive)
{
	bool a_decides = decisive ? json_is_true(a) : json_is_false(a);
	bool b_decides = decisive ? json_is_true(b) : json_is_false(b);
	if (a_decides || b_decides)
		return json_boolean(decisive);
	return json_is_boolean(a) && json_is_boolean(b) ? json_boolean(!decisive) : NULL;
}

static json_t *parse_and(Parser *p)
{
	json_t *value = parse_comparison(p);
	while (take(p, "&&")) {
		autojson json_t *left = value;
		autojson json_t *right = parse_comparison(p);
		value = junction(left, right, false);
	}
	return value;
}

static json_t *parse_or(Parser *p)
{
	json_t *value = parse_and(p);
	while (take(p, "||")) {
		autojson json_t *left = value;
		autojson json_t *right = parse_and(p);
		value = junction(left, right, true);
	}
	return value;
}

static bool rule_holds(const char *rule, const json_t *self)
{
	Parser p = {.at = rule, .self = self};
	if (strlen(rule) > RULE_MAX)
		return true;
	autojson json_t *value = parse_or(&p);
	skip_blanks(&p);
	return p.unsupported || *p.at != '\0' || json_is_true(value);
}

static void check_rules(const json_t *schema, const json_t *value, const char *path,
			FieldErrors *errors)
{
	const json_t *rules = json_list(schema, "x-kubernetes-validations");
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		const char *text = json_text_or(rule, "rule", "true");
		if (rule_holds(text, value))
			continue;
		autofree char *failed = mem_printf("failed rule: %s", text);
		autofree char *shown = json_is_object(value) || json_is_array(value)
					       ? mem_printf("\"%s\"", schema_type_name(value))
					       : json_dump(value);
		field_error(errors, "Invalid value", path, "%s: %s", shown,
			    json_text_or(rule, "message", failed));
	}
}

void cel_validate(const json_t *schema, const json_t *value, const json_t *old, const char *path,
		  FieldErrors *errors)
{
	if (old && json_same(old, value))
		return;
	check_rules(schema, value, path, errors);
	const json_t *named = json_map(schema, "properties");
	const json_t *more = json_map(schema, "additionalProperties");
	const char *key;
	json_t *member;
	json_t *members = json_is_object(value) ? (json_t *)(uintptr_t)value : NULL;
	json_object_foreach(members, key, member)
	{
		const json_t *child = json_object_get(named, key);
		child = child ? child : more;
		autofree char *child_path = schema_path_key(path, key);
		if (child)
			cel_validate(child, member, json_object_get(old, key), child_path, errors);
	}
	const json_t *items = json_map(schema, "items");
	for (size_t i = 0; items && i < json_array_size(value); i++) {
		autofree char *item_path = schema_path_index(path, i);
		cel_validate(items, json_array_get(value, i), json_array_get(old, i), item_path,
			     errors);
	}
}
