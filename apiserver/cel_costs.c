#include "cel_costs.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum {
	REQUEST_MAX = 3 * 1024 * 1024,
	RULE_MAX = 10000000,
	DEFINITION_MAX = 100000000,
	TOLD_MIN = DEFINITION_MAX / 100,
	TIME_MAX = 32,	  /* a date-time or duration in quotes */
	DATE_SIZE = 12,	  /* a date in quotes */
	TIME_MIN = 21,	  /* a date-time in quotes */
	DURATION_MIN = 3, /* "0" */
	TEXT_MIN = 2,	  /* "" */
	CONTAINER_MIN = 2,
	MEMBER_MIN = 4,	  /* quotes, colon and comma of a member */
	ENTRY_MIN = 6,	  /* those and a key of a map */
	NOT_SEEN = -1,	  /* by expressions */
	CHARACTER_MAX = 4 /* bytes */
};

static bool is_embedded(const json_t *schema)
{
	return json_flag(schema, "x-kubernetes-embedded-resource", false);
}

static bool is_either(const json_t *schema)
{
	return json_flag(schema, "x-kubernetes-int-or-string", false);
}

/* A bound of the schema, 0 where it is negative; false when it has none. */
static bool bound_of(const json_t *schema, const char *name, uint64_t *out)
{
	const json_t *value = json_object_get(schema, name);
	if (!json_is_integer(value))
		return false;
	*out = json_integer_value(value) < 0 ? 0 : (uint64_t)json_integer_value(value);
	return true;
}

/* --- the smallest text of a value --- */

static int64_t min_size(const json_t *schema, bool root);

/* What a resource has besides its own schema. */
static int64_t given_size(const char *name)
{
	if (strcmp(name, "kind") == 0 || strcmp(name, "apiVersion") == 0)
		return TEXT_MIN;
	return strcmp(name, "metadata") == 0 ? CONTAINER_MIN : NOT_SEEN;
}

/* With the members that must be there and get no default. */
static int64_t min_object(const json_t *schema, bool root)
{
	int64_t size = CONTAINER_MIN;
	const json_t *required = json_list(schema, "required");
	for (size_t i = 0; i < json_array_size(required); i++) {
		const char *name = json_string_value(json_array_get(required, i));
		const json_t *member = name ? json_at(schema, "properties", name, NULL) : NULL;
		int64_t own = name && root ? given_size(name) : NOT_SEEN;
		if (own == NOT_SEEN && member && !json_object_get(member, "default"))
			own = min_size(member, is_embedded(member));
		if (own != NOT_SEEN)
			size += (int64_t)strlen(name) + own + MEMBER_MIN;
	}
	return size;
}

static int64_t min_text(const json_t *schema)
{
	static const struct {
		const char *format;
		int64_t size;
	} rows[] = {{"duration", DURATION_MIN}, {"date", DATE_SIZE}, {"date-time", TIME_MIN}};
	const char *format = json_text_or(schema, "format", "");
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].format, format) == 0)
			return rows[i].size;
	return TEXT_MIN;
}

static int64_t min_size(const json_t *schema, bool root)
{
	const char *type = json_text_or(schema, "type", "");
	const json_t *items = json_map(schema, "items");
	const json_t *more = json_map(schema, "additionalProperties");
	const json_t *inner = strcmp(type, "array") == 0 ? items : more;
	if (is_either(schema))
		return 1;
	if (strcmp(type, "array") == 0 || (strcmp(type, "object") == 0 && more))
		return inner && min_size(inner, is_embedded(inner)) != NOT_SEEN ? CONTAINER_MIN
										: NOT_SEEN;
	if (strcmp(type, "object") == 0)
		return min_object(schema, root);
	if (strcmp(type, "string") == 0)
		return min_text(schema);
	if (strcmp(type, "boolean") == 0)
		return (int64_t)strlen("true");
	return strcmp(type, "number") == 0 || strcmp(type, "integer") == 0 ? 1 : NOT_SEEN;
}

/* --- the largest value --- */

static uint64_t longest_choice(const json_t *choices)
{
	size_t longest = 0, i;
	json_t *choice;
	json_array_foreach(choices, i, choice)
	{
		if (json_is_string(choice) && json_string_length(choice) > longest)
			longest = json_string_length(choice);
	}
	return longest;
}

static uint64_t max_text(const json_t *schema)
{
	const char *format = json_text_or(schema, "format", "");
	const json_t *choices = json_list(schema, "enum");
	uint64_t max = 0;
	bool bounded = bound_of(schema, "maxLength", &max);
	if (strcmp(format, "byte") == 0 && bounded)
		return max;
	if (strcmp(format, "duration") == 0 || strcmp(format, "date-time") == 0)
		return TIME_MAX;
	if (strcmp(format, "date") == 0)
		return DATE_SIZE;
	if (bounded)
		return max > UINT64_MAX / CHARACTER_MAX ? UINT64_MAX : max * CHARACTER_MAX;
	if (json_array_size(choices) > 0 && strcmp(format, "byte") != 0)
		return longest_choice(choices);
	return REQUEST_MAX - TEXT_MIN;
}

/* How many of what takes so many bytes each fit into a request. */
static uint64_t max_count(const json_t *inner, int64_t more)
{
	int64_t size = inner ? min_size(inner, is_embedded(inner)) : 0;
	return (uint64_t)((REQUEST_MAX - CONTAINER_MIN) / ((size == NOT_SEEN ? 0 : size) + more));
}

uint64_t cel_schema_max_size(const json_t *schema)
{
	const char *type = json_text_or(schema, "type", "");
	const json_t *more = json_map(schema, "additionalProperties");
	uint64_t max;
	if (is_either(schema))
		return bound_of(schema, "maxLength", &max) ? max * CHARACTER_MAX
							   : REQUEST_MAX - TEXT_MIN;
	if (strcmp(type, "array") == 0)
		return bound_of(schema, "maxItems", &max) ? max
							  : max_count(json_map(schema, "items"), 1);
	if (strcmp(type, "object") == 0 && more)
		return bound_of(schema, "maxProperties", &max) ? max : max_count(more, ENTRY_MIN);
	return strcmp(type, "string") == 0 ? max_text(schema) : 0;
}

/* --- how often --- */

static uint64_t multiply(uint64_t a, uint64_t b)
{
	return a && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

CelCardinality cel_cardinality_below(CelCardinality above, const json_t *schema)
{
	static const CelCardinality unbounded = {false, 0};
	const char *type = json_text_or(schema, "type", "");
	bool list = strcmp(type, "array") == 0;
	uint64_t max = 1;
	if (!above.bounded)
		return unbounded;
	if (list || (strcmp(type, "object") == 0 && json_map(schema, "additionalProperties")))
		if (!bound_of(schema, list ? "maxItems" : "maxProperties", &max))
			return unbounded;
	return (CelCardinality){true, multiply(above.count, max)};
}

uint64_t cel_rule_cost(uint64_t cost, CelCardinality cardinality, const json_t *schema, bool root)
{
	/* As many as fit into a request with a comma each. */
	int64_t size = min_size(schema, root);
	uint64_t fitting = (uint64_t)(REQUEST_MAX / ((size == NOT_SEEN ? 0 : size) + 1));
	return multiply(cost, cardinality.bounded ? cardinality.count : fitting);
}

/* --- refusals --- */

static void tell(const char *what, uint64_t cost, uint64_t limit, const char *path,
		 FieldErrors *errors)
{
	double times = (double)cost / (double)limit;
	autofree char *factor = times > 100   ? mem_strdup("more than 100x")
				: times < 1.5 ? mem_printf("%fx", times)
					      : mem_printf("%.1fx", times);
	field_error(errors, "Forbidden", path,
		    "%s exceeds budget by factor of %s (try simplifying the rule, or adding "
		    "maxItems, maxProperties, and maxLength where arrays, maps, and strings are "
		    "declared)",
		    what, factor);
}

void cel_costs_dispose(CelCosts *costs)
{
	for (size_t i = 0; i < CEL_COSTS_TOLD; i++)
		free(costs->dearest[i].path);
	*costs = (CelCosts){0};
}

/* The dearest first. */
static void remember(CelCosts *costs, uint64_t cost, const char *path)
{
	size_t at = 0, last = CEL_COSTS_TOLD - 1;
	while (at < CEL_COSTS_TOLD && costs->dearest[at].path && costs->dearest[at].cost >= cost)
		at++;
	if (at == CEL_COSTS_TOLD)
		return;
	free(costs->dearest[last].path);
	memmove(&costs->dearest[at + 1], &costs->dearest[at],
		(last - at) * sizeof(costs->dearest[0]));
	costs->dearest[at].path = mem_strdup(path);
	costs->dearest[at].cost = cost;
}

void cel_costs_add(CelCosts *costs, uint64_t cost, const char *what, const char *path,
		   FieldErrors *errors)
{
	autofree char *name = strcmp(what, "rule") == 0 ? mem_strdup("estimated rule cost")
							: mem_printf("estimated %s cost", what);
	if (!costs->unchanged && cost > RULE_MAX)
		tell(name, cost, RULE_MAX, path, errors);
	costs->total = cost > UINT64_MAX - costs->total ? UINT64_MAX : costs->total + cost;
	if (cost >= TOLD_MIN)
		remember(costs, cost, path);
}

void cel_costs_check(const CelCosts *costs, const char *path, FieldErrors *errors)
{
	if (costs->total <= DEFINITION_MAX)
		return;
	for (size_t i = 0; i < CEL_COSTS_TOLD && costs->dearest[i].path; i++)
		field_error(errors, "Forbidden", costs->dearest[i].path,
			    "contributed to estimated rule cost total exceeding cost limit for "
			    "entire OpenAPIv3 schema");
	tell("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema",
	     costs->total, DEFINITION_MAX, path, errors);
}
