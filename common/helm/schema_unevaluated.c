#include "base/map.h"
#include "helm/schema_internal.h"

/*
 * What no other keyword of a schema has spoken of. Which members and items were spoken of follows
 * from the schemas that hold at the same place, so those are looked into again when a schema asks.
 */

typedef struct {
	Validator *v;
	Place place;
	Map *names;    /* members, or indexes as text */
	bool complete; /* everything was spoken of */
	int depth;
} Seen;

static void look_into(Seen *seen, const json_t *schema);

static void see(Seen *seen, const char *name)
{
	map_put(seen->names, name, NULL);
}

static void see_index(Seen *seen, size_t index)
{
	char text[32];
	snprintf(text, sizeof(text), "%zu", index);
	see(seen, text);
}

static void see_members(Seen *seen, const json_t *schema)
{
	const char *key, *pattern;
	json_t *value, *own;
	if (json_object_get(schema, "additionalProperties") ||
	    json_object_get(schema, "unevaluatedProperties"))
		seen->complete = true;
	json_object_foreach(json_borrow(seen->place.value), key, value)
	{
		if (json_object_get(json_map(schema, "properties"), key))
			see(seen, key);
		json_object_foreach(json_map(schema, "patternProperties"), pattern,
				    own) if (schema_matches(seen->v, pattern, key)) see(seen, key);
	}
}

static void see_items(Seen *seen, const json_t *schema)
{
	bool old = seen->v->draft < 2020;
	const json_t *items = json_object_get(schema, "items");
	const json_t *first =
		old ? (json_is_array(items) ? items : NULL) : json_list(schema, "prefixItems");
	const json_t *contains = json_object_get(schema, "contains"), *value;
	size_t index;
	bool all = old && json_is_array(items) ? json_object_get(schema, "additionalItems") != NULL
					       : items != NULL;
	if (all || json_object_get(schema, "unevaluatedItems"))
		seen->complete = true;
	for (size_t i = 0; i < json_array_size(first); i++)
		see_index(seen, i);
	json_array_foreach(
		seen->place.value, index,
		value) if (!old && contains &&
			   !schema_validate(seen->v, contains, (Place){value, seen->place.at}))
		see_index(seen, index);
}

/* A schema that the value breaks has spoken of nothing. */
static void look_if_fits(Seen *seen, const json_t *schema)
{
	if (schema && !schema_validate(seen->v, schema, seen->place))
		look_into(seen, schema);
}

static void look_at_choices(Seen *seen, const json_t *schema)
{
	static const char *const words[] = {"allOf", "anyOf", "oneOf"};
	const json_t *test = json_object_get(schema, "if");
	json_t *choice;
	const char *key;
	size_t index;
	for (size_t i = 0; i < COUNT(words); i++)
		json_array_foreach(json_list(schema, words[i]), index, choice)
			look_if_fits(seen, choice);
	json_object_foreach(json_map(schema, "dependentSchemas"), key,
			    choice) if (json_object_get(seen->place.value, key))
		look_if_fits(seen, choice);
	if (!test)
		return;
	bool fits = !schema_validate(seen->v, test, seen->place);
	if (fits)
		look_into(seen, test);
	look_if_fits(seen, json_object_get(schema, fits ? "then" : "else"));
}

static void look_into(Seen *seen, const json_t *schema)
{
	const char *ref = json_text(schema, "$ref"), *dynamic = json_text(schema, "$dynamicRef");
	const char *recursive = json_text(schema, "$recursiveRef");
	if (seen->complete || seen->depth >= SCHEMA_MAX_DEPTH)
		return;
	seen->depth++;
	if (json_is_object(seen->place.value))
		see_members(seen, schema);
	else
		see_items(seen, schema);
	look_at_choices(seen, schema);
	if (ref)
		look_if_fits(seen, schema_resolve(seen->v, ref));
	if (recursive && seen->v->draft >= 2019)
		look_if_fits(seen, schema_resolve(seen->v, recursive));
	if (dynamic)
		look_if_fits(seen, schema_resolve(seen->v, dynamic));
	seen->depth--;
}

/* The schema without the keyword itself, which would have spoken of everything. */
static json_t *without(const json_t *schema, const char *word)
{
	json_t *copy = json_copy(json_borrow(schema));
	json_object_del(copy, word);
	return copy;
}

static void apply_rest(Check *check, const Seen *seen, const json_t *rest)
{
	const char *key;
	json_t *value;
	size_t index;
	json_object_foreach(json_borrow(check->place.value), key,
			    value) if (!map_has(seen->names, key))
		schema_apply(check, rest, schema_member(check->v, check->place, key, value));
	json_array_foreach(check->place.value, index, value)
	{
		char text[32];
		snprintf(text, sizeof(text), "%zu", index);
		if (!map_has(seen->names, text))
			schema_apply(check, rest,
				     schema_member(check->v, check->place, text, value));
	}
}

void schema_check_unevaluated(Check *check, const json_t *schema)
{
	bool is_object = json_is_object(check->place.value);
	const char *word = is_object ? "unevaluatedProperties" : "unevaluatedItems";
	const json_t *rest = json_object_get(schema, word);
	if (!rest || check->v->draft < 2019 || (!is_object && !json_is_array(check->place.value)))
		return;
	automap Map *names = map_new(NULL);
	autojson json_t *others = without(schema, word);
	Seen seen = {.v = check->v, .place = check->place, .names = names};
	look_into(&seen, others);
	if (!seen.complete)
		apply_rest(check, &seen, rest);
}
