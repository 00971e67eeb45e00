#include <math.h>

#include "base/mem.h"
#include "data/regex.h"
#include "helm/schema_internal.h"

/* What holds for objects, lists, strings and numbers. */

/* True when the schema has a limit that `got` breaks. */
static void check_count(Check *check, const json_t *schema, const char *word, size_t got,
			bool least)
{
	json_t *limit = json_object_get(schema, word);
	if (!json_is_number(limit))
		return;
	double wanted = json_number_value(limit);
	if (least ? (double)got < wanted : (double)got > wanted)
		schema_report(check, "%s: got %zu, want %.0f", word, got, wanted);
}

static void report_missing(Check *check, const json_t *names, const char *prefix,
			   const char *suffix)
{
	json_t *name;
	size_t index, count = 0;
	autobuf Buf list = {0};
	json_array_foreach(names, index, name)
	{
		if (json_object_get(check->place.value, json_string_value(name)))
			continue;
		buf_printf(&list, "%s'%s'", count++ ? ", " : "", json_string_value(name));
	}
	if (count > 0)
		schema_report(check, "%s%s %s%s", prefix, count > 1 ? "properties" : "property",
			      buf_text(&list), suffix);
}

static void check_dependencies(Check *check, const json_t *dependencies)
{
	const char *key;
	json_t *dependency;
	json_object_foreach(json_borrow(dependencies), key, dependency)
	{
		if (!json_object_get(check->place.value, key))
			continue;
		autofree char *suffix = mem_printf(" required, if '%s' exists", key);
		if (json_is_array(dependency))
			report_missing(check, dependency, "", suffix);
		else
			schema_apply(check, dependency, check->place);
	}
}

bool schema_matches(Validator *v, const char *pattern, const char *text)
{
	autoerror Error err = {0};
	autoregex Regex *regex = regex_new(pattern, REGEX_SEARCH, &err);
	if (regex)
		return regex_matches(regex, text, strlen(text));
	v->problem = arena_strdup(v->arena, err_text(&err));
	return false;
}

/* True when `properties` or `patternProperties` speak of the member. */
static bool check_named(Check *check, const json_t *schema, const char *key, const json_t *value)
{
	const json_t *own = json_object_get(json_map(schema, "properties"), key);
	Place place = schema_member(check->v, check->place, key, value);
	const char *pattern;
	json_t *pattern_schema;
	bool spoken = own != NULL;
	if (own)
		schema_apply(check, own, place);
	json_object_foreach(json_map(schema, "patternProperties"), pattern, pattern_schema)
	{
		if (!schema_matches(check->v, pattern, key))
			continue;
		spoken = true;
		schema_apply(check, pattern_schema, place);
	}
	return spoken;
}

static void check_members(Check *check, const json_t *schema)
{
	const json_t *more = json_object_get(schema, "additionalProperties");
	const char *key;
	json_t *value;
	autobuf Buf extra = {0};
	size_t count = 0;
	json_object_foreach(json_borrow(check->place.value), key, value)
	{
		if (check_named(check, schema, key, value) || !more)
			continue;
		if (json_is_false(more))
			buf_printf(&extra, "%s'%s'", count++ ? ", " : "", key);
		else
			schema_apply(check, more,
				     schema_member(check->v, check->place, key, value));
	}
	if (count > 0)
		schema_report(check, "additional properties %s not allowed", buf_text(&extra));
}

static void check_names(Check *check, const json_t *names)
{
	const char *key;
	json_t *value;
	const SchemaScope *scope = check->v->scope;
	json_object_foreach(json_borrow(check->place.value), key, value)
	{
		autojson json_t *name = json_string(key);
		Place place = {name, ""};
		Vec causes = {0};
		check->v->scope = NULL;
		Breach *breach = schema_validate(check->v, names, place);
		check->v->scope = scope;
		if (!breach)
			continue;
		vec_push(&causes, breach);
		schema_report_causes(
			check, arena_printf(check->v->arena, "invalid propertyName '%s'", key),
			&causes);
		/* names are told of as if they stood alone */
		((Breach *)check->found.items[check->found.len - 1])->at = "";
	}
}

void schema_check_object(Check *check, const json_t *schema)
{
	size_t size = json_object_size(check->place.value);
	const json_t *names = json_object_get(schema, "propertyNames");
	check_count(check, schema, "minProperties", size, true);
	check_count(check, schema, "maxProperties", size, false);
	report_missing(check, json_list(schema, "required"), "missing ", "");
	check_dependencies(check, json_map(schema, "dependencies"));
	check_members(check, schema);
	if (names && check->v->draft > 4)
		check_names(check, names);
	if (check->v->draft < 2019)
		return;
	check_dependencies(check, json_map(schema, "dependentSchemas"));
	check_dependencies(check, json_map(schema, "dependentRequired"));
}

static Place item_place(Check *check, size_t index)
{
	char key[32];
	snprintf(key, sizeof(key), "%zu", index);
	return schema_member(check->v, check->place, key,
			     json_array_get(check->place.value, index));
}

static void check_items(Check *check, const json_t *schema)
{
	bool old = check->v->draft < 2020;
	const json_t *items = json_object_get(schema, "items");
	const json_t *first = old && json_is_array(items) ? items : NULL;
	size_t count = json_array_size(check->place.value);
	if (!old)
		first = json_list(schema, "prefixItems");
	const json_t *rest = first && old ? json_object_get(schema, "additionalItems") : items;
	size_t listed = json_array_size(first);
	for (size_t i = 0; i < listed && i < count; i++)
		schema_apply(check, json_array_get(first, i), item_place(check, i));
	if (first && old && json_is_false(rest) && count > listed) {
		schema_report(check, "last %zu additionalItem(s) not allowed", count - listed);
		return;
	}
	for (size_t i = listed; rest && i < count; i++)
		schema_apply(check, rest, item_place(check, i));
}

static void check_unique(Check *check)
{
	const json_t *list = check->place.value;
	for (size_t i = 0; i < json_array_size(list); i++) {
		for (size_t j = i + 1; j < json_array_size(list); j++) {
			if (++check->v->steps > SCHEMA_MAX_STEPS ||
			    !json_same(json_array_get(list, i), json_array_get(list, j)))
				continue;
			schema_report(check, "items at %zu and %zu are equal", i, j);
			return;
		}
	}
}

/* "but matched 2 items at 0 3" */
static char *matched_text(const Buf *found, size_t count)
{
	return count ? mem_printf(", but matched %zu items at %s", count, buf_text(found))
		     : mem_strdup(", but none matched");
}

static void check_contains(Check *check, const json_t *schema)
{
	const json_t *contains = json_object_get(schema, "contains");
	bool counted = check->v->draft >= 2019;
	json_t *least = counted ? json_object_get(schema, "minContains") : NULL;
	json_t *most = counted ? json_object_get(schema, "maxContains") : NULL;
	double wanted = least ? json_number_value(least) : 1;
	size_t found = 0, count = json_array_size(check->place.value);
	Vec causes = {0};
	autobuf Buf places = {0};
	if (!contains || check->v->draft < 6)
		return;
	for (size_t i = 0; i < count; i++) {
		Breach *breach = schema_validate(check->v, contains, item_place(check, i));
		if (breach)
			vec_push(&causes, breach);
		else
			buf_printf(&places, "%s%zu", found++ ? " " : "", i);
	}
	autofree char *matched = matched_text(&places, found);
	if ((double)found >= wanted)
		vec_dispose(&causes);
	else
		schema_report_causes(
			check,
			least ? arena_printf(check->v->arena,
					     "min %.0f items required to match contains schema%s",
					     wanted, matched)
			      : "no items match contains schema",
			&causes);
	if (most && (double)found > json_number_value(most))
		schema_report(check, "max %.0f items required to match contains schema%s",
			      json_number_value(most), matched);
}

void schema_check_array(Check *check, const json_t *schema)
{
	size_t count = json_array_size(check->place.value);
	check_count(check, schema, "minItems", count, true);
	check_count(check, schema, "maxItems", count, false);
	if (json_flag(schema, "uniqueItems", false))
		check_unique(check);
	check_items(check, schema);
	check_contains(check, schema);
}

static size_t count_runes(const char *text)
{
	size_t count = 0;
	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

void schema_check_string(Check *check, const json_t *schema)
{
	const char *text = json_string_value(check->place.value);
	const char *pattern = json_text(schema, "pattern");
	check_count(check, schema, "minLength", count_runes(text), true);
	check_count(check, schema, "maxLength", count_runes(text), false);
	if (pattern && !schema_matches(check->v, pattern, text) && !check->v->problem)
		schema_report(check, "%s does not match pattern %s", schema_quote(check->v, text),
			      schema_quote(check->v, pattern));
}

static void check_bound(Check *check, const json_t *schema, const char *word, bool lower,
			bool strict)
{
	json_t *bound = json_object_get(schema, word);
	double got = json_number_value(check->place.value), wanted = json_number_value(bound);
	if (!json_is_number(bound))
		return;
	double distance = lower ? got - wanted : wanted - got;
	if (strict ? distance > 0 : distance >= 0)
		return;
	autofree char *got_text = json_dump(check->place.value);
	autofree char *wanted_text = json_dump(bound);
	schema_report(check, "%s: got %s, want %s", word, got_text, wanted_text);
}

void schema_check_number(Check *check, const json_t *schema)
{
	bool old = check->v->draft == 4;
	bool above = old && json_flag(schema, "exclusiveMinimum", false);
	bool below = old && json_flag(schema, "exclusiveMaximum", false);
	json_t *step = json_object_get(schema, "multipleOf");
	check_bound(check, schema, "minimum", true, above);
	check_bound(check, schema, "maximum", false, below);
	check_bound(check, schema, "exclusiveMinimum", true, true);
	check_bound(check, schema, "exclusiveMaximum", false, true);
	if (!json_is_number(step) || json_number_value(step) <= 0)
		return;
	double whole, parts = json_number_value(check->place.value) / json_number_value(step);
	double rest = modf(fabs(parts), &whole);
	autofree char *got = json_dump(check->place.value);
	autofree char *wanted = json_dump(step);
	if ((rest < 0.5 ? rest : 1 - rest) > 1e-9 * (fabs(parts) + 1))
		schema_report(check, "multipleOf: got %s, want %s", got, wanted);
}
