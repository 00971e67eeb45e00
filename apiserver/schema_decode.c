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
	const char *type = json_text_or(schema, "type", "");
	bool quantity = cstr_eq(json_text(schema, "format"), "quantity");
	if (strcmp(type, "string") == 0 && !json_is_string(value))
		return quantity && json_is_number(value) ? NULL : "string";
	if (strcmp(type, "integer") == 0 && !json_is_integer(value))
		return json_text_or(schema, "format", "int32");
	if (strcmp(type, "boolean") == 0 && !json_is_boolean(value))
		return "bool";
	if (strcmp(type, "array") == 0 && !json_is_array(value))
		return "[]";
	if (strcmp(type, "object") == 0 && !json_is_object(value))
		return "map";
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
	autofree char *canonical = quantity_canonical(text);
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
} text_formats[] = {
	{"quantity", read_quantity},
	{"date-time", read_time},
	{"micro-time", read_micro_time},
	{"byte", read_bytes},
};

/* One text member of `value` in a form of its own. */
static bool decode_text(Decoding *decoding, const json_t *schema, json_t *value, const char *key,
			const char *path)
{
	const char *format = json_text(schema, "format");
	json_t *member = json_object_get(value, key);
	if (!format || !(json_is_string(member) || json_is_number(member)))
		return true;
	autofree char *text = json_is_string(member) ? mem_strdup(json_string_value(member))
						     : json_dumps(member, JSON_ENCODE_ANY);
	for (size_t i = 0; i < COUNT(text_formats); i++) {
		if (strcmp(text_formats[i].format, format) != 0)
			continue;
		json_t *canonical = NULL;
		char *problem = NULL;
		if (!text_formats[i].read(text, &canonical, &problem)) {
			*decoding->breach = (TypeBreach){.path = mem_strdup(path), .text = problem};
			return false;
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
	return json_is_null(member) || (json_flag(given, SCHEMA_OMIT_ZERO, false) &&
					is_zero(member) && !go_type_wanted(given, member));
}

static bool decode_member(Decoding *decoding, const json_t *schema, json_t *value, const char *key,
			  const char *path)
{
	const json_t *given = schema_member(schema, key);
	json_t *member = json_object_get(value, key);
	if (!given)
		return true;
	const json_t *child = definitions_resolve(decoding->definitions, given);
	bool named = json_object_get(json_map(schema, "properties"), key) != NULL;
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
	return decode(decoding, given, member, child_path) &&
	       decode_text(decoding, child, value, key, child_path);
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

static bool decode(Decoding *decoding, const json_t *schema, json_t *value, const char *path)
{
	const char *name = struct_name(schema);
	schema = definitions_resolve(decoding->definitions, schema);
	if (!schema)
		return true;
	const char *want = go_type_wanted(schema, value);
	if (want) {
		*decoding->breach = (TypeBreach){mem_strdup(path), decoding->owner, want,
						 go_json_name(value), NULL};
		return false;
	}
	if (json_is_object(value)) {
		const char *owner = decoding->owner;
		decoding->owner = name ? name : owner;
		bool fits = decode_object(decoding, schema, value, path);
		decoding->owner = owner;
		return fits;
	}
	const json_t *items = json_map(schema, "items");
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
	return decode(&decoding, schema, value, "");
}
