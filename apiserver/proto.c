/*
 * Decodes along the schema (types) and proto_table.inc (field numbers). Go's encoder writes zero
 * values of fields that are no pointers; those vanish here as they would in JSON. Bounds: nesting
 * 64; lengths are checked against the bytes that are there.
 */
#include "proto.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/base64.h"

enum { NESTING_MAX = 64, WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static const char *const rows[] = {
#include "proto_table.inc"
};

typedef struct {
	const unsigned char *at, *end;
} Wire;

/* One field as it stands in a message. */
typedef struct {
	uint64_t number;
	unsigned wire;
	uint64_t value; /* varint and fixed */
	Wire bytes;
} Field;

typedef struct {
	Definitions *definitions;
	int depth;
} Decoder;

static bool read_varint(Wire *wire, uint64_t *out)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && wire->at < wire->end; shift += 7) {
		unsigned char byte = *wire->at++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = value;
			return true;
		}
	}
	return false;
}

static bool read_fixed(Wire *wire, size_t size, uint64_t *out)
{
	if ((size_t)(wire->end - wire->at) < size)
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)wire->at[i] << (8 * i);
	wire->at += size;
	*out = value;
	return true;
}

/* False at the end and for malformed bytes; the latter leave at < end. */
static bool next_field(Wire *wire, Field *out)
{
	Wire try = *wire;
	uint64_t tag;
	if (!read_varint(&try, &tag))
		return false;
	*out = (Field){.number = tag >> 3, .wire = (unsigned)(tag & 7)};
	bool done = false;
	if (out->wire == WIRE_VARINT)
		done = read_varint(&try, &out->value);
	else if (out->wire == WIRE_64 || out->wire == WIRE_32)
		done = read_fixed(&try, out->wire == WIRE_64 ? 8 : 4, &out->value);
	else if (out->wire == WIRE_BYTES && read_varint(&try, &out->value))
		done = out->value <= (uint64_t)(try.end - try.at);
	if (!done)
		return false;
	if (out->wire == WIRE_BYTES) {
		out->bytes = (Wire){try.at, try.at + out->value};
		try.at += out->value;
	}
	*wire = try;
	return true;
}

static const char *row_of(const char *name)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strcspn(rows[i], "|");
		autofree char *full = schema_long_name(str_sized(rows[i], len));
		if (strcmp(full, name) == 0)
			return rows[i] + len + 1;
	}
	return NULL;
}

/* What the row says of a number: the rest behind it, "*name", "name" or ">Inline". */
static bool find_entry(const char *row, uint64_t number, Str *out)
{
	Str rest = str_of(row);
	Str piece;
	while (str_next(&rest, ';', &piece)) {
		size_t digits = 0;
		while (digits < piece.len && piece.ptr[digits] >= '0' && piece.ptr[digits] <= '9')
			digits++;
		unsigned long long found;
		if (str_to_u64(str_slice(piece, 0, digits), &found) && found == number) {
			*out = str_slice(piece, digits, piece.len);
			return true;
		}
	}
	return false;
}

static bool decode_message(Decoder *decoder, const char *name, const json_t *schema, Wire wire,
			   json_t *target);
static json_t *decode_value(Decoder *decoder, const json_t *schema, const Field *field);

static json_t *wire_text(Wire wire)
{
	return json_stringn((const char *)wire.at, (size_t)(wire.end - wire.at));
}

/* The first field of a number in a small message; false when absent. */
static bool member(Wire wire, uint64_t number, Field *out)
{
	while (next_field(&wire, out))
		if (out->number == number)
			return true;
	return false;
}

static json_t *decode_time(Wire wire, bool micro)
{
	Field seconds, nanos;
	if (!member(wire, 1, &seconds))
		return json_null();
	int64_t s = (int64_t)seconds.value;
	/* Go's zero time is the year 1. */
	if (s <= -62135596800 || s > 253402300799)
		return json_null();
	char text[CLOCK_TEXT_SIZE];
	if (micro) {
		int64_t us = member(wire, 2, &nanos) ? (int64_t)(nanos.value / 1000) : 0;
		clock_format_us(s * 1000000 + us, text);
	} else {
		clock_format(s * 1000, text);
	}
	return json_string(text);
}

static json_t *decode_int_or_string(Wire wire)
{
	Field type, value;
	bool text = member(wire, 1, &type) && type.value == 1;
	if (text)
		return member(wire, 3, &value) ? wire_text(value.bytes) : json_string("");
	return json_integer(member(wire, 2, &value) ? (int32_t)value.value : 0);
}

static json_t *decode_raw(Wire wire)
{
	Field raw;
	autoerror Error ignored = {0};
	if (!member(wire, 1, &raw))
		return json_null();
	size_t len = (size_t)(raw.bytes.end - raw.bytes.at);
	return json_parse((const char *)raw.bytes.at, len, len, &ignored);
}

static json_t *decode_double(uint64_t bits)
{
	double number;
	memcpy(&number, &bits, sizeof(number));
	return json_real(number);
}

static json_t *decode_text(const json_t *schema, Wire wire)
{
	const char *format = json_text_or(schema, "format", "");
	if (strcmp(format, "date-time") == 0 || strcmp(format, "micro-time") == 0)
		return decode_time(wire, *format == 'm');
	Field inner;
	if (strcmp(format, "quantity") == 0)
		return member(wire, 1, &inner) ? wire_text(inner.bytes) : json_string("0");
	if (strcmp(format, "byte") != 0)
		return wire_text(wire);
	autofree char *coded = base64_encode(wire.at, (size_t)(wire.end - wire.at));
	return json_string(coded);
}

static json_t *decode_object(Decoder *decoder, const json_t *schema, Wire wire)
{
	const char *ref = json_text(schema, "$ref");
	json_t *object = json_object();
	if (ref && decode_message(decoder, ref + strlen(SCHEMA_REF_PREFIX), schema, wire, object))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *decode_value(Decoder *decoder, const json_t *schema, const Field *field)
{
	const char *type = json_text_or(schema, "type", "");
	if (field->wire == WIRE_VARINT)
		return strcmp(type, "boolean") == 0 ? json_boolean(field->value != 0)
						    : json_integer((json_int_t)field->value);
	if (field->wire == WIRE_64)
		return decode_double(field->value);
	if (field->wire != WIRE_BYTES)
		return NULL;
	if (json_text(schema, "$ref"))
		return decode_object(decoder, schema, field->bytes);
	if (json_flag(schema, "x-kubernetes-int-or-string", false))
		return decode_int_or_string(field->bytes);
	if (json_flag(schema, "x-kubernetes-preserve-unknown-fields", false))
		return decode_raw(field->bytes);
	return decode_text(schema, field->bytes);
}

/* A map entry {1 key, 2 value}; a value that is a list is a message of its items. */
static bool decode_entry(Decoder *decoder, const json_t *schema, Wire wire, json_t *map)
{
	Field key, value;
	autofree char *name = member(wire, 1, &key)
				      ? mem_strndup((const char *)key.bytes.at,
						    (size_t)(key.bytes.end - key.bytes.at))
				      : mem_strdup("");
	if (!member(wire, 2, &value)) {
		json_object_set_new(map, name, json_string(""));
		return true;
	}
	json_t *items = json_map(schema, "items");
	if (!items) {
		json_t *decoded = decode_value(decoder, schema, &value);
		return decoded && json_object_set_new(map, name, decoded) == 0;
	}
	json_t *list = json_array();
	Wire rest = value.bytes;
	Field item;
	while (next_field(&rest, &item))
		json_array_append_new(list, decode_value(decoder, items, &item));
	return json_object_set_new(map, name, list) == 0;
}

static bool is_zero(const json_t *value)
{
	if (json_is_null(value) || json_is_false(value))
		return true;
	if (json_is_string(value))
		return json_string_length(value) == 0;
	if (json_is_number(value))
		return json_number_value(value) == 0;
	return json_is_object(value) && json_object_size(value) == 0;
}

static bool decode_member(Decoder *decoder, const json_t *node, const char *name, bool keep_zero,
			  const Field *field, json_t *target)
{
	const json_t *items = json_map(node, "items");
	const json_t *values = json_map(node, "additionalProperties");
	if (values)
		return decode_entry(decoder, values, field->bytes,
				    json_make_at(target, name, NULL));
	json_t *value = decode_value(decoder, items ? items : node, field);
	if (!value)
		return false;
	if (items) {
		if (!json_list(target, name))
			json_object_set_new(target, name, json_array());
		return json_array_append_new(json_list(target, name), value) == 0;
	}
	if (json_is_null(value) || (is_zero(value) && !keep_zero))
		json_decref(value);
	else
		json_object_set_new(target, name, value);
	return true;
}

static bool decode_field(Decoder *decoder, const char *row, const json_t *schema,
			 const Field *field, json_t *target)
{
	Str entry;
	if (!find_entry(row, field->number, &entry) || entry.len == 0)
		return true;
	if (entry.ptr[0] == '>') {
		autofree char *inline_name = schema_long_name(str_slice(entry, 1, entry.len));
		return decode_message(decoder, inline_name, schema, field->bytes, target);
	}
	bool keep_zero = entry.ptr[0] == '*';
	autofree char *name = str_dup(str_slice(entry, keep_zero ? 1 : 0, entry.len));
	const json_t *node = json_object_get(json_map(schema, "properties"), name);
	return !node || decode_member(decoder, node, name, keep_zero, field, target);
}

static bool decode_message(Decoder *decoder, const char *name, const json_t *schema, Wire wire,
			   json_t *target)
{
	const char *row = row_of(name);
	schema = definitions_resolve(decoder->definitions, schema);
	if (!row || !schema || decoder->depth >= NESTING_MAX)
		return false;
	decoder->depth++;
	bool done = true;
	Field field;
	while (done && next_field(&wire, &field))
		done = decode_field(decoder, row, schema, &field, target);
	decoder->depth--;
	return done && wire.at == wire.end;
}

/* Whether the bytes are fields to the end. */
static bool is_whole(Wire wire)
{
	Field field;
	while (next_field(&wire, &field))
		;
	return wire.at == wire.end;
}

static char *field_text(Wire wire, uint64_t number)
{
	Field field;
	if (!member(wire, number, &field) || field.wire != WIRE_BYTES)
		return mem_strdup("");
	return mem_strndup((const char *)field.bytes.at,
			   (size_t)(field.bytes.end - field.bytes.at));
}

static char *definition_of(const char *api_version, const char *kind)
{
	/* DeleteOptions come with the version of what they delete. */
	if (strcmp(kind, "DeleteOptions") == 0)
		return mem_strdup("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions");
	Str group, version;
	if (!str_cut(str_of(api_version), '/', &group, &version)) {
		version = group;
		group = STR("");
	}
	autofree char *group_text = str_dup(group);
	autofree char *version_text = str_dup(version);
	return schema_builtin_name(group_text, version_text, kind);
}

json_t *proto_decode(Definitions *definitions, const void *bytes, size_t len, Error *err)
{
	static const unsigned char magic[4] = {'k', '8', 's', 0};
	if (len < sizeof(magic) || memcmp(bytes, magic, sizeof(magic)) != 0)
		return err_null(err, ERR_INVALID, "the body is no Kubernetes protobuf");
	const unsigned char *start = bytes;
	Wire wire = {start + sizeof(magic), start + len};
	Field type = {0};
	Field raw = {0};
	if (!is_whole(wire) || !member(wire, 1, &type) || !member(wire, 2, &raw) ||
	    raw.wire != WIRE_BYTES)
		return err_null(err, ERR_INVALID,
				"the protobuf body is cut short or names no type");
	autofree char *api_version = field_text(type.bytes, 1);
	autofree char *kind = field_text(type.bytes, 2);
	autofree char *definition = definition_of(api_version, kind);
	if (!definition)
		return err_null(err, ERR_UNSUPPORTED, "protobuf of %s, Kind=%s is not read",
				api_version, kind);
	autojson json_t *object = json_object();
	json_put_text(object, "kind", kind);
	json_put_text(object, "apiVersion", api_version);
	autojson json_t *schema = schema_builtin_ref(definition);
	Decoder decoder = {definitions, 0};
	if (!decode_message(&decoder, definition, schema, raw.bytes, object))
		return err_null(err, ERR_INVALID, "the protobuf of %s is malformed", kind);
	return steal(&object);
}
