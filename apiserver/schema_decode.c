/*
 * The rules of Go's decoder and encoder for built-in kinds (kube-api.md 3.7): members of another
 * type are refused; nulls, empty optional containers and zeros that Go leaves out vanish;
 * quantities and times get their canonical text.
 */
#include "schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/base64.h"
#include "data/quantity.h"

void type_breach_dispose(TypeBreach *breach)
{
	free(breach->path);
	free(breach->text);
	*breach = (TypeBreach){0};
}

/* The Go type and JSON type of a breach; NULL want when the value fits. */
static const char *go_type_wanted(const json_t *schema, const json_t *value)
{
	const char *type = json_text(schema, "type");
	if (cstr_eq(type, "string")) {
		bool quantity =
			json_is_number(value) && cstr_eq(json_text(schema, "format"), "quantity");
		return quantity || json_is_string(value) ? NULL : "string";
	}
	if (cstr_eq(type, "integer"))
		return json_is_integer(value) ? NULL : json_text_or(schema, "format", "int32");
	if (cstr_eq(type, "boolean"))
		return json_is_boolean(value) ? NULL : "bool";
	if (cstr_eq(type, "array"))
		return json_is_array(value) ? NULL : "[]";
	if (cstr_eq(type, "object"))
		return json_is_object(value) ? NULL : "map";
	bool either = json_flag(schema, "x-kubernetes-int-or-string", false);
	if (either && !json_is_integer(value) && !json_is_string(value))
		return "int32";
	return NULL;
}

static const char *go_json_name(const json_t *value)
{
	if (json_is_number(value))
		return "number";
	return json_is_boolean(value) ? "bool" : schema_type_name(value);
}

/* A member of another type is noted, the first of them told at the end; what a Go type reads by
 * itself (times, quantities) ends the decoding where it cannot be read, and is told before those.
 */
typedef struct {
	Definitions *definitions;
	TypeBreach *breach;
	const char *owner; /* the struct under way; NULL at the root */
} Decoding;

static bool decode(Decoding *decoding, const json_t *schema, json_t *value, const char *path);

/* Texts in forms that Go reads: *out is the canonical one, or NULL when it stays; false with the
 * breach's text when it cannot be read. */
typedef bool ReadText(const char *text, json_t **out, char **out_problem);

static bool read_quantity(const char *text, json_t **out, char **out_problem)
{
	autofree char *trimmed = str_dup(str_trim(str_of(text)));
	autofree char *canonical = quantity_canonical(trimmed);
	if (canonical) {
		*out = json_string(canonical);
		return true;
	}
	*out_problem = mem_strdup("quantities must match the regular expression "
				  "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
	return false;
}

static bool unreadable_time(const char *text, const char *layout, char **out_problem)
{
	*out_problem = mem_printf("parsing time \"%s\" as \"%s\": cannot parse \"%s\"", text,
				  layout, text);
	return false;
}

static bool read_time(const char *text, json_t **out, char **out_problem)
{
	int64_t when;
	if (!*text)
		return true;
	if (!clock_parse(text, &when))
		return unreadable_time(text, "2006-01-02T15:04:05Z07:00", out_problem);
	char canonical[CLOCK_TEXT_SIZE];
	clock_format(when, canonical);
	*out = json_string(canonical);
	return true;
}

/* Exactly six digits of a fraction. */
static bool read_micro_time(const char *text, json_t **out, char **out_problem)
{
	(void)out;
	enum { DIGITS = 6 };
	int64_t when;
	const char *dot = strchr(text, '.');
	bool exact = dot && strspn(dot + 1, "0123456789") == DIGITS;
	if (!*text || (exact && clock_parse(text, &when)))
		return true;
	return unreadable_time(text, "2006-01-02T15:04:05.000000Z07:00", out_problem);
}

static bool read_bytes(const char *text, json_t **out, char **out_problem)
{
	(void)out;
	autobuf Buf bytes = {0};
	autoerror Error err = {0};
	if (base64_decode(text, strlen(text), &bytes, &err))
		return true;
	*out_problem = mem_strdup("illegal base64 data");
	return false;
}

static const struct {
	const char *format;
	ReadText *read;
	bool ends; /* the decoding, when it cannot be read */
} text_formats[] = {
	{"quantity", read_quantity, true},
	{"date-time", read_time, true},
	{"micro-time", read_micro_time, true},
	{"byte", read_bytes, false},
};

/* Takes the breach's own parts. False when the decoding ends. */
static bool note_breach(Decoding *decoding, TypeBreach take_breach, bool ends)
{
	if (ends || !decoding->breach->path) {
		type_breach_dispose(decoding->breach);
		*decoding->breach = take_breach;
	} else {
		type_breach_dispose(&take_breach);
	}
	return !ends;
}

/* One text member of `value` in a form of its own. */
static bool decode_text(Decoding *decoding, const json_t *schema, json_t *value, const char *key,
			const char *path)
{
	json_t *member = json_object_get(value, key);
	bool scalar = json_is_string(member) || json_is_number(member);
	const char *format = scalar ? json_text(schema, "format") : NULL;
	if (!format)
		return true;
	autofree char *text = json_is_string(member) ? mem_strdup(json_string_value(member))
						     : json_dumps(member, JSON_ENCODE_ANY);
	for (size_t i = 0; i < COUNT(text_formats); i++) {
		if (strcmp(text_formats[i].format, format) != 0)
			continue;
		json_t *canonical = NULL;
		char *problem = NULL;
		if (!text_formats[i].read(text, &canonical, &problem)) {
			TypeBreach breach = {.path = mem_strdup(path), .text = problem};
			return note_breach(decoding, breach, text_formats[i].ends);
		}
		if (canonical)
			json_object_set_new(value, key, canonical);
	}
	return true;
}

static bool is_zero(const json_t *value)
{
	if (json_is_object(value) || json_is_array(value))
		return json_object_size(value) + json_array_size(value) == 0;
	return json_is_false(value) || (json_is_integer(value) && json_integer_value(value) == 0) ||
	       (json_is_string(value) && json_string_length(value) == 0);
}

/* An optional list, map or plain value that is empty vanishes in Go's encoding (omitempty), where
 * it is no pointer. Structs stay. `given` is the member's own node. */
static bool vanishes(const json_t *given, const json_t *member)
{
	return json_is_null(member) ||
	       (is_zero(member) && json_flag(given, SCHEMA_OMIT_ZERO, false) &&
		!go_type_wanted(given, member));
}

/* Amounts in a map of resources are kept to the thousandth, and rounded away from zero. */
static void round_amount(const json_t *schema, json_t *value, const char *key)
{
	enum { MILLI = 1000000 };
	const char *text = json_text(value, key);
	__int128 nanos = 0;
	if (!cstr_eq(json_text(schema, "format"), "quantity") || !text ||
	    !quantity_nanos(text, &nanos) || nanos % MILLI == 0)
		return;
	__int128 milli = nanos / MILLI + (nanos > 0 ? 1 : -1);
	if (milli > INT64_MAX || milli < INT64_MIN)
		return;
	autofree char *rounded = mem_printf("%lldm", (long long)milli);
	autofree char *canonical = quantity_canonical(rounded);
	json_put_text(value, key, canonical ? canonical : rounded);
}

static bool decode_member(Decoding *decoding, const json_t *schema, json_t *value, const char *key,
			  const char *path)
{
	const json_t *named = json_object_get(json_map(schema, "properties"), key);
	const json_t *given = named ? named : json_map(schema, "additionalProperties");
	json_t *member = json_object_get(value, key);
	if (!given)
		return true;
	const json_t *child = definitions_resolve(decoding->definitions, given);
	/* A null in a map of texts is an empty one. */
	if (!named && json_is_null(member) && cstr_eq(json_text(child, "type"), "string")) {
		json_object_set_new(value, key, json_string(""));
		return true;
	}
	if (!child || vanishes(given, member)) {
		json_object_del(value, key);
		return true;
	}
	autofree char *child_path = named ? schema_path_key(path, key) : mem_strdup(path);
	if (!decode(decoding, given, member, child_path) ||
	    !decode_text(decoding, child, value, key, child_path))
		return false;
	if (!named)
		round_amount(child, value, key);
	return true;
}

static bool decode_object(Decoding *decoding, const json_t *schema, json_t *value, const char *path)
{
	const char *key;
	json_t *member;
	void *next;
	json_object_foreach_safe(value, next, key, member)
	{
		if (!decode_member(decoding, schema, value, key, path))
			return false;
	}
	return true;
}

/* "DeploymentSpec" of a reference to io.k8s.api.apps.v1.DeploymentSpec; NULL of anything else. */
static const char *struct_name(const json_t *schema)
{
	const char *ref = json_text(schema, "$ref");
	const char *dot = ref ? strrchr(ref, '.') : NULL;
	return dot ? dot + 1 : NULL;
}

/* Whether a Go type of its own reads the value. */
static bool reads_itself(const json_t *schema)
{
	const char *format = json_text_or(schema, "format", "");
	for (size_t i = 0; i < COUNT(text_formats); i++)
		if (text_formats[i].ends && strcmp(text_formats[i].format, format) == 0)
			return true;
	return json_flag(schema, "x-kubernetes-int-or-string", false);
}

static bool decode(Decoding *decoding, const json_t *schema, json_t *value, const char *path)
{
	const char *name = struct_name(schema);
	schema = definitions_resolve(decoding->definitions, schema);
	if (!schema)
		return true;
	const char *want = go_type_wanted(schema, value);
	if (want) {
		TypeBreach breach = {mem_strdup(path), decoding->owner, want, go_json_name(value),
				     NULL};
		return note_breach(decoding, breach, reads_itself(schema));
	}
	if (json_is_object(value)) {
		const char *owner = decoding->owner;
		decoding->owner = name ? name : owner;
		bool fits = decode_object(decoding, schema, value, path);
		decoding->owner = owner;
		return fits;
	}
	const json_t *items = json_is_array(value) ? json_map(schema, "items") : NULL;
	for (size_t i = 0; items && i < json_array_size(value); i++)
		if (!json_is_null(json_array_get(value, i)) &&
		    !decode(decoding, items, json_array_get(value, i), path))
			return false;
	return true;
}

bool schema_decode(Definitions *definitions, const json_t *schema, json_t *value,
		   TypeBreach *out_breach)
{
	Decoding decoding = {definitions, out_breach, NULL};
	return decode(&decoding, schema, value, "") && !out_breach->path;
}
