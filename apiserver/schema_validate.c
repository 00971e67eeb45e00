/*
 * Validation of custom objects (kube-api.md 2.6): type, enum, pattern, ranges, lengths in runes,
 * required, allOf/anyOf/oneOf/not, int-or-string. Texts are those of a real server. Uniqueness in
 * lists (schema_unique.c) and CEL rules are passes of their own.
 */
#include "schema.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/base64.h"
#include "data/duration.h"
#include "data/regex.h"

static void validate(const json_t *schema, const json_t *value, const json_t *old, const char *path,
		     FieldErrors *errors);

/* How a value reads behind "Invalid value: ". */
static char *shown(const json_t *value)
{
	if (json_is_object(value) || json_is_array(value))
		return mem_printf("\"%s\"", schema_type_name(value));
	return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

/* 7.0 is an integer; a number beyond what a double holds exactly is not. */
static bool is_exact_integer(double number)
{
	const double most = 9007199254740991.0;
	return floor(number) == number && fabs(number) <= most;
}

static bool type_fits(const json_t *schema, const json_t *value)
{
	if (json_is_null(value))
		return json_flag(schema, "nullable", false);
	if (json_flag(schema, "x-kubernetes-int-or-string", false))
		return json_is_integer(value) || json_is_string(value);
	const char *type = json_text(schema, "type");
	if (!type)
		return true;
	if (strcmp(type, "number") == 0)
		return json_is_number(value);
	if (strcmp(type, "integer") == 0 && json_is_real(value))
		return is_exact_integer(json_real_value(value));
	return strcmp(type, schema_type_name(value)) == 0;
}

static void check_enum(const json_t *schema, const json_t *value, const char *path,
		       FieldErrors *errors)
{
	const json_t *allowed = json_list(schema, "enum");
	autobuf Buf text = {0};
	for (size_t i = 0; i < json_array_size(allowed); i++) {
		const json_t *choice = json_array_get(allowed, i);
		if (json_same(choice, value))
			return;
		autofree char *name = json_dumps(choice, JSON_ENCODE_ANY | JSON_COMPACT);
		buf_printf(&text, "%s%s", i ? ", " : "", name);
	}
	if (!allowed)
		return;
	autofree char *given = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	field_error(errors, "Unsupported value", path, "%s: supported values: %s", given,
		    buf_text(&text));
}

static size_t runes(const char *text)
{
	size_t count = 0;
	for (; *text; text++)
		count += ((unsigned char)*text & 0xC0) != 0x80;
	return count;
}

static void check_pattern(const char *pattern, const char *text, const char *path,
			  FieldErrors *errors)
{
	autoerror Error err = {0};
	autoregex Regex *regex = regex_new(pattern, REGEX_SEARCH, &err);
	/* A pattern that does not compile was refused with the CRD. */
	if (!regex || regex_matches(regex, text, strlen(text)))
		return;
	field_error(errors, "Invalid value", path, "\"%s\": %s in body should match '%s'", text,
		    path, pattern);
}

static bool format_fits(const char *format, const char *text)
{
	int64_t number;
	if (strcmp(format, "date-time") == 0)
		return clock_parse(text, &number);
	if (strcmp(format, "duration") == 0)
		return duration_parse(text, &number);
	if (strcmp(format, "byte") != 0)
		return true;
	autobuf Buf bytes = {0};
	autoerror Error err = {0};
	return base64_decode(text, strlen(text), &bytes, &err);
}

/* The first breach is told, as on a real server. */
static void check_text(const json_t *schema, const char *text, const char *path,
		       FieldErrors *errors)
{
	int64_t least = json_int(schema, "minLength", 0);
	int64_t most = json_int(schema, "maxLength", INT64_MAX);
	int64_t len = (int64_t)runes(text);
	const char *pattern = json_text(schema, "pattern");
	if (len > most)
		field_error(errors, "Too long", path, "may not be more than %lld bytes",
			    (long long)most);
	else if (len < least)
		field_error(errors, "Invalid value", path,
			    "\"%s\": %s in body should be at least %lld chars long", text, path,
			    (long long)least);
	else if (pattern)
		check_pattern(pattern, text, path, errors);
}

static void check_string(const json_t *schema, const json_t *value, const char *path,
			 FieldErrors *errors)
{
	const char *text = json_string_value(value);
	check_text(schema, text, path, errors);
	const char *format = json_text(schema, "format");
	if (format && !format_fits(format, text))
		field_error(errors, "Invalid value", path,
			    "\"%s\": %s in body must be of type %s: \"%s\"", text, path, format,
			    text);
}

static void check_bound(const json_t *schema, const char *key, bool upper, const json_t *value,
			const char *path, FieldErrors *errors)
{
	const json_t *bound = json_object_get(schema, key);
	if (!json_is_number(bound))
		return;
	const char *exclusive_key = upper ? "exclusiveMaximum" : "exclusiveMinimum";
	bool exclusive = json_flag(schema, exclusive_key, false);
	double difference = json_number_value(value) - json_number_value(bound);
	if (upper)
		difference = -difference;
	if (difference > 0 || (difference >= 0 && !exclusive))
		return;
	autofree char *given = shown(value);
	autofree char *limit = json_dumps(bound, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
	field_error(errors, "Invalid value", path, "%s: %s in body should be %s than%s %s", given,
		    path, upper ? "less" : "greater", exclusive ? "" : " or equal to", limit);
}

static void check_number(const json_t *schema, const json_t *value, const char *path,
			 FieldErrors *errors)
{
	check_bound(schema, "minimum", false, value, path, errors);
	check_bound(schema, "maximum", true, value, path, errors);
	double step = json_number_value(json_object_get(schema, "multipleOf"));
	double number = json_number_value(value);
	if (step > 0 && fabs(number / step - round(number / step)) > 1e-9) {
		autofree char *given = shown(value);
		field_error(errors, "Invalid value", path,
			    "%s: %s in body should be a multiple of %g", given, path, step);
	}
}

static void check_count(const json_t *schema, const json_t *value, const char *path,
			FieldErrors *errors)
{
	bool list = json_is_array(value);
	int64_t count = (int64_t)(list ? json_array_size(value) : json_object_size(value));
	int64_t least = json_int(schema, list ? "minItems" : "minProperties", 0);
	int64_t most = json_int(schema, list ? "maxItems" : "maxProperties", INT64_MAX);
	const char *unit = list ? "items" : "properties";
	if (count < least)
		field_error(errors, "Invalid value", path,
			    "%lld: %s in body should have at least %lld %s", (long long)count, path,
			    (long long)least, unit);
	if (count > most)
		field_error(errors, "Too many", path, "%lld: must have at most %lld %s",
			    (long long)count, (long long)most,
			    most != 1 ? unit
			    : list    ? "item"
				      : "property");
}

static void check_list(const json_t *schema, const json_t *value, const json_t *old,
		       const char *path, FieldErrors *errors)
{
	check_count(schema, value, path, errors);
	const json_t *items = json_map(schema, "items");
	for (size_t i = 0; items && i < json_array_size(value); i++) {
		autofree char *item_path = schema_path_index(path, i);
		validate(items, json_array_get(value, i), json_array_get(old, i), item_path,
			 errors);
	}
}

static void check_required(const json_t *schema, const json_t *value, const char *path,
			   FieldErrors *errors)
{
	const json_t *required = json_list(schema, "required");
	for (size_t i = 0; i < json_array_size(required); i++) {
		const char *key = json_string_value(json_array_get(required, i));
		if (!key || json_object_get(value, key))
			continue;
		autofree char *member_path = schema_path_key(path, key);
		field_error(errors, "Required value", member_path, "%s", "");
	}
}

static void check_object(const json_t *schema, const json_t *value, const json_t *old,
			 const char *path, FieldErrors *errors)
{
	check_count(schema, value, path, errors);
	check_required(schema, value, path, errors);
	const char *key;
	json_t *member;
	json_t *members = (json_t *)(uintptr_t)value;
	json_object_foreach(members, key, member)
	{
		const json_t *child = schema_member(schema, key);
		if (!child)
			continue;
		autofree char *member_path = schema_path_key(path, key);
		validate(child, member, json_object_get(old, key), member_path, errors);
	}
}

static bool passes(const json_t *schema, const json_t *value, const char *path)
{
	autofielderrors FieldErrors trial = {0};
	validate(schema, value, NULL, path, &trial);
	return !trial.causes;
}

static size_t count_passing(const json_t *choices, const json_t *value, const char *path)
{
	size_t count = 0;
	for (size_t i = 0; i < json_array_size(choices); i++)
		count += passes(json_array_get(choices, i), value, path);
	return count;
}

static void check_junctors(const json_t *schema, const json_t *value, const char *path,
			   FieldErrors *errors)
{
	const json_t *all = json_list(schema, "allOf");
	for (size_t i = 0; i < json_array_size(all); i++)
		validate(json_array_get(all, i), value, NULL, path, errors);
	autofree char *given = shown(value);
	const json_t *any = json_list(schema, "anyOf");
	if (any && count_passing(any, value, path) == 0)
		field_error(errors, "Invalid value", path,
			    "%s: \"%s\" must validate at least one schema (anyOf)", given, path);
	const json_t *one = json_list(schema, "oneOf");
	size_t count = one ? count_passing(one, value, path) : 1;
	if (count != 1)
		field_error(errors, "Invalid value", path,
			    "%s: \"%s\" must validate one and only one schema (oneOf). Found %s",
			    given, path, count ? "more than one valid" : "none valid");
	const json_t *not = json_map(schema, "not");
	if (not &&passes(not, value, path))
		field_error(errors, "Invalid value", path,
			    "%s: \"%s\" must not validate the schema (not)", given, path);
}

static void refuse_type(const json_t *schema, const json_t *value, const char *path,
			FieldErrors *errors)
{
	const char *type = json_text_or(schema, "type", "integer,string");
	const char *given = schema_type_name(value);
	size_t before = json_array_size(errors->causes);
	field_error(errors, "Invalid value", path, "\"%s\": %s in body must be of type %s: \"%s\"",
		    given, path, type, given);
	/* The one breach whose reason differs from its text. */
	json_t *cause = json_array_get(errors->causes, before);
	if (cause)
		json_put_text(cause, "reason", "FieldValueTypeInvalid");
}

/* What the real server says besides where the schema also spells out "integer or string". */
static void refuse_either(const json_t *value, const char *path, FieldErrors *errors)
{
	autojson json_t *integer = json_pack("{s:s}", "type", "integer");
	field_error(errors, "Invalid value", "<nil>",
		    "\"\": \"%s\" must validate at least one schema (anyOf)", path);
	refuse_type(integer, value, path, errors);
}

static void validate(const json_t *schema, const json_t *value, const json_t *old, const char *path,
		     FieldErrors *errors)
{
	/* Ratcheting: what was stored and did not change is not judged again. */
	if (old && json_same(old, value))
		return;
	if (!type_fits(schema, value)) {
		refuse_type(schema, value, path, errors);
		if (json_flag(schema, "x-kubernetes-int-or-string", false) &&
		    json_list(schema, "anyOf"))
			refuse_either(value, path, errors);
		check_enum(schema, value, path, errors);
		return;
	}
	if (json_is_null(value))
		return;
	check_enum(schema, value, path, errors);
	check_junctors(schema, value, path, errors);
	if (json_is_string(value))
		check_string(schema, value, path, errors);
	else if (json_is_number(value))
		check_number(schema, value, path, errors);
	else if (json_is_array(value))
		check_list(schema, value, old, path, errors);
	else if (json_is_object(value))
		check_object(schema, value, old, path, errors);
}

void schema_validate(const json_t *schema, const json_t *value, const json_t *old, const char *path,
		     FieldErrors *errors)
{
	validate(schema, value, old, path, errors);
}

bool schema_has_rules(const json_t *schema)
{
	if (json_array_size(json_list(schema, "x-kubernetes-validations")) > 0)
		return true;
	const char *key;
	json_t *child;
	json_t *members = json_map(schema, "properties");
	json_object_foreach(members, key, child)
	{
		if (schema_has_rules(child))
			return true;
	}
	const json_t *items = json_map(schema, "items");
	const json_t *more = json_map(schema, "additionalProperties");
	return (items && schema_has_rules(items)) || (more && schema_has_rules(more));
}
