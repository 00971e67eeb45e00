/*
 * fieldsV1, the wire form of a set of paths (facts 3.1): nested objects whose keys are elements
 * with a one-letter prefix. Elements of unknown prefixes are dropped, as a newer server may write
 * them.
 */
#include <errno.h>
#include <stdlib.h>

#include "smd/smd_internal.h"

static bool parse_below(Arena *arena, json_t *fields, PathSet **out, bool *out_member, Error *err);

static json_t *parse_value(Arena *arena, const char *text)
{
	return smd_keep(arena, json_loads(text, JSON_DECODE_ANY, NULL));
}

static bool parse_key(Arena *arena, const char *text, PathElement *out)
{
	json_t *object = parse_value(arena, text);
	if (!json_is_object(object))
		return false;
	size_t count = json_object_size(object);
	KeyPart *parts = arena_alloc(arena, (count + 1) * sizeof(*parts));
	const char *name;
	json_t *value;
	size_t len = 0;
	json_object_foreach(object, name, value)
	{
		size_t at = len++;
		for (; at > 0 && strcmp(parts[at - 1].name, name) > 0; at--)
			parts[at] = parts[at - 1];
		parts[at] = (KeyPart){name, value};
	}
	*out = (PathElement){.kind = ELEMENT_KEY, .parts = parts, .part_count = count};
	return true;
}

static bool parse_index(const char *text, PathElement *out)
{
	char *end = NULL;
	errno = 0;
	long long index = strtoll(text, &end, 10);
	if (!*text || *end || errno)
		return false;
	*out = (PathElement){.kind = ELEMENT_INDEX, .index = index};
	return true;
}

/* False when the text is malformed; *out_known false for a prefix that is not ours. */
static bool parse_element(Arena *arena, const char *key, PathElement *out, bool *out_known)
{
	*out_known = true;
	if (!key[0] || key[1] != ':')
		return false;
	const char *text = key + 2;
	switch (key[0]) {
	case 'f':
		*out = smd_element_field(text);
		return true;
	case 'k':
		return parse_key(arena, text, out);
	case 'v':
		*out = (PathElement){.kind = ELEMENT_VALUE, .value = parse_value(arena, text)};
		return out->value != NULL;
	case 'i':
		return parse_index(text, out);
	default:
		*out_known = false;
		return true;
	}
}

static bool parse_member(Arena *arena, const char *key, json_t *value, PathSet **out, Error *err)
{
	PathElement element = {0};
	bool known;
	if (!parse_element(arena, key, &element, &known))
		return err_set(err, ERR_INVALID, "malformed path element in fieldsV1: %.64s", key);
	if (!known)
		return true;
	PathSet *below = NULL;
	bool member;
	if (!parse_below(arena, value, &below, &member, err))
		return false;
	smd_set_add(arena, out, element, member, below);
	return true;
}

/* A node without children is a member, with or without its ".". */
static bool parse_below(Arena *arena, json_t *fields, PathSet **out, bool *out_member, Error *err)
{
	if (!json_is_object(fields) && !json_is_null(fields))
		return err_set(err, ERR_INVALID, "fieldsV1 has a value that is no object");
	*out_member = false;
	const char *key;
	json_t *value;
	json_object_foreach(fields, key, value)
	{
		if (strcmp(key, ".") == 0)
			*out_member = true;
		else if (!parse_member(arena, key, value, out, err))
			return false;
	}
	smd_set_seal(arena, *out);
	*out_member = *out_member || smd_set_empty(*out);
	return true;
}

bool smd_fields_parse(Arena *arena, const json_t *fields, PathSet **out, Error *err)
{
	PathSet *set = NULL;
	bool member;
	if (fields && !parse_below(arena, smd_readable(fields), &set, &member, err))
		return false;
	*out = set;
	return true;
}

/* Go's escapes, so that keys compare equal byte by byte with upstream's. */
static void print_value(const json_t *value, Buf *out)
{
	autofree char *text = json_dump_go(value);
	buf_puts(out, text);
}

static void print_parts(const PathElement *element, Buf *out)
{
	buf_puts(out, "k:{");
	for (size_t i = 0; i < element->part_count; i++) {
		autojson json_t *name = json_string(element->parts[i].name);
		buf_puts(out, i ? "," : "");
		print_value(name, out);
		buf_putc(out, ':');
		print_value(element->parts[i].value, out);
	}
	buf_putc(out, '}');
}

static void print_element(const PathElement *element, Buf *out)
{
	buf_clear(out);
	switch (element->kind) {
	case ELEMENT_FIELD:
		buf_printf(out, "f:%s", element->field);
		return;
	case ELEMENT_KEY:
		print_parts(element, out);
		return;
	case ELEMENT_VALUE:
		buf_puts(out, "v:");
		print_value(element->value, out);
		return;
	case ELEMENT_INDEX:
	default:
		buf_printf(out, "i:%lld", element->index);
		return;
	}
}

static void print_below(const PathSet *set, Buf *key, json_t *out)
{
	for (size_t i = 0; set && i < set->len; i++) {
		const PathNode *node = &set->nodes[i];
		json_t *below = json_object();
		print_element(&node->element, key);
		json_object_set_new_nocheck(out, buf_text(key), below);
		if (node->member && node->below)
			json_object_set_new_nocheck(below, ".", json_object());
		print_below(node->below, key, below);
	}
}

json_t *smd_fields_print(const PathSet *set)
{
	autobuf Buf key = {0};
	json_t *out = json_object();
	print_below(set, &key, out);
	return out;
}
