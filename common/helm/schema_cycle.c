#include "helm/schema_internal.h"

/*
 * A reference that leads back to a schema which the same value is being held against is a breach at
 * that place, and not an error of the schema: beside it another choice may fit. Where the two stand
 * is told by the keywords on the way, for which the schema's place in its document is looked up,
 * since that is not wanted otherwise.
 */

static void cut(Buf *out, size_t len)
{
	out->len = len;
	if (out->ptr)
		out->ptr[len] = '\0';
}

/* Appends a key as a URL's fragment has it. */
static void write_part(const char *key, Buf *out)
{
	autobuf Buf part = {0};
	schema_write_part(key, &part);
	buf_putc(out, '/');
	for (size_t i = 1; i < part.len; i++) {
		unsigned char byte = (unsigned char)part.ptr[i];
		bool is_letter = (byte | 32) >= 'a' && (byte | 32) <= 'z';
		bool is_digit = byte >= '0' && byte <= '9';
		if (is_letter || is_digit || strchr("-_.~$&+=:@", byte))
			buf_putc(out, (char)byte);
		else
			buf_printf(out, "%%%02X", byte);
	}
}

/* Appends the pointer to `wanted` below `at`; false, with nothing appended, when it is not there.
 */
static bool write_pointer(const json_t *at, const json_t *wanted, int depth, Buf *out)
{
	const char *key;
	json_t *item;
	size_t index, before = out->len;
	if (at == wanted || depth > SCHEMA_MAX_DEPTH)
		return at == wanted;
	json_object_foreach(json_borrow(at), key, item)
	{
		write_part(key, out);
		if (write_pointer(item, wanted, depth + 1, out))
			return true;
		cut(out, before);
	}
	json_array_foreach(at, index, item)
	{
		buf_printf(out, "/%zu", index);
		if (write_pointer(item, wanted, depth + 1, out))
			return true;
		cut(out, before);
	}
	return false;
}

/* In the arena. */
static const char *pointer_of(const Validator *v, const json_t *schema)
{
	autobuf Buf text = {0};
	write_pointer(v->root, schema, 0, &text);
	return arena_strdup(v->arena, buf_text(&text));
}

/* The keywords from the whole schema to this one. */
static void write_way(const Validator *v, const SchemaScope *scope, Buf *out)
{
	if (!scope->parent)
		return;
	write_way(v, scope->parent, out);
	if (scope->keyword) {
		buf_printf(out, "/%s", scope->keyword);
		return;
	}
	const char *here = pointer_of(v, scope->schema);
	const char *above = pointer_of(v, scope->parent->schema);
	if (cstr_starts(here, above))
		buf_puts(out, here + strlen(above));
}

static bool is_same(const SchemaScope *a, const SchemaScope *b)
{
	return a->place.value == b->place.value && a->place.at == b->place.at;
}

bool schema_is_cycle(Check *check)
{
	const Validator *v = check->v;
	const SchemaScope *now = v->scope, *before = now->parent;
	while (before && is_same(before, now) && before->schema != now->schema)
		before = before->parent;
	if (!before || !is_same(before, now))
		return false;
	autobuf Buf here = {0}, there = {0};
	write_way(v, now, &here);
	write_way(v, before, &there);
	schema_report(check,
		      "both %s and %s resolve to \"file:///values.schema.json#%s\" causing "
		      "reference cycle",
		      buf_text(&here), buf_text(&there), pointer_of(v, now->schema));
	return true;
}
