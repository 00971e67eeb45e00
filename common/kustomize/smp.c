#include "kustomize/smp_internal.h"

#include "base/str.h"
#include "base/vec.h"
#include "data/written.h"
#include "kustomize/path.h"
#include "kustomize/resource.h"

/* Recursion is bounded by the YAML reader's depth limit. */

Directive smp_directive(const char *text)
{
	static const struct {
		const char *text;
		Directive directive;
	} rows[] = {{"merge", SMP_MERGE}, {"replace", SMP_REPLACE}, {"delete", SMP_DELETE}};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (cstr_eq(rows[i].text, text))
			return rows[i].directive;
	return SMP_UNKNOWN;
}

static bool is_absent(const json_t *value)
{
	return !value || json_is_null(value);
}

/* Takes the directive out of a patch map; an unknown one stays. */
static Directive take_directive(json_t *map)
{
	const json_t *value = json_object_get(map, "$patch");
	if (!value)
		return SMP_MERGE;
	Directive directive = smp_directive(json_string_value(value));
	if (directive != SMP_UNKNOWN)
		json_object_del(map, "$patch");
	return directive;
}

static void put_field(json_t *map, const char *key, json_t *take_value)
{
	if (take_value)
		json_object_set_new_nocheck(map, key, take_value);
	else
		json_object_del(map, key);
}

/* The fields that src has. The keys are listed first: dest may be src. */
static bool merge_fields(Merge *merge, json_t *dest, json_t *src, KSchemaAt at)
{
	autostrings Vec keys = {0};
	const char *key;
	json_t *value;
	json_object_foreach(src, key, value)
	{
		vec_push(&keys, str_dup(str_of(key)));
	}
	for (size_t i = 0; i < keys.len; i++) {
		key = keys.items[i];
		json_t *old = json_object_get(dest, key);
		json_t *merged = smp_value(merge, old, json_object_get(src, key),
					   kschema_field(&merge->build->schema, at, key));
		if (err_is_set(merge->err))
			return false;
		put_field(dest, key, merged);
	}
	return true;
}

/* The fields that only dest has: keyed lists in them lose elements with the same key. */
static bool tidy_fields(Merge *merge, json_t *dest, const json_t *src, KSchemaAt at)
{
	const char *key;
	json_t *value;
	json_object_foreach(dest, key, value)
	{
		KSchemaAt field = kschema_field(&merge->build->schema, at, key);
		if (kschema_is_plain(field) || json_object_get(src, key))
			continue;
		json_decref(smp_value(merge, value, NULL, field));
		if (err_is_set(merge->err))
			return false;
	}
	return true;
}

static json_t *merge_map(Merge *merge, json_t *dest, json_t *src, KSchemaAt at)
{
	if (is_absent(dest)) {
		/* What is absent cannot be deleted, and adds nothing (B56, B61). */
		if (take_directive(src) == SMP_DELETE)
			return NULL;
		dest = src;
	} else if (src) {
		switch (take_directive(src)) {
		case SMP_DELETE:
			return NULL;
		case SMP_REPLACE:
			dest = src;
			break;
		case SMP_UNKNOWN:
			err_set(merge->err, ERR_INVALID, "unknown patch strategy '%s'",
				json_text_or(src, "$patch", "?"));
			return NULL;
		case SMP_MERGE:
		default:
			break;
		}
	}
	if ((src && !merge_fields(merge, dest, src, at)) ||
	    (dest != src && !kschema_is_plain(at) && !tidy_fields(merge, dest, src, at)))
		return NULL;
	return json_incref(dest);
}

static const char *shape_name(const json_t *value)
{
	if (json_is_object(value))
		return "a map";
	return json_is_array(value) ? "a list" : "a scalar";
}

static bool same_shape(const json_t *a, const json_t *b)
{
	return json_is_object(a) == json_is_object(b) && json_is_array(a) == json_is_array(b);
}

json_t *smp_value(Merge *merge, json_t *dest, json_t *src, KSchemaAt at)
{
	if (is_absent(dest) && is_absent(src))
		return dest && !src ? json_null() : NULL; /* a null of the base stays (B12) */
	if (json_is_null(src))
		return NULL;
	const json_t *shape = is_absent(dest) ? src : dest;
	if (src && !same_shape(shape, src)) {
		err_set(merge->err, ERR_INVALID, "wrong node kind: expected %s but got %s",
			shape_name(dest), shape_name(src));
		return NULL;
	}
	if (json_is_object(shape))
		return merge_map(merge, dest, src, at);
	const char *keys[K_MERGE_KEYS_MAX];
	size_t len;
	if (json_is_array(shape) && kschema_merge_keys(at, keys, &len))
		return smp_list(merge, dest, src, at);
	/* Upstream keeps the style that a value is written in, so that what is put over a quoted
	 * one is quoted too: a number becomes a string. */
	if (src && !written_string(src) && written_is_quoted(dest))
		return kresource_text_value(src);
	if (dest && src && json_is_string(dest) && json_is_string(src)) {
		if (dest != src) /* in place: see kslot_set_text */
			written_set_text(dest, json_string_value(src));
		return json_incref(dest);
	}
	if (dest && written_is_quoted(src))
		return kresource_text_value(src);
	return json_incref(src ? src : dest);
}

bool smp_merge(const KBuild *build, json_t **object, json_t *take_patch, Error *err)
{
	autojson json_t *patch = take_patch;
	Merge merge = {build, err};
	KSchemaAt at = kschema_of(&build->schema, json_text_or(*object, "apiVersion", ""),
				  json_text_or(*object, "kind", ""));
	json_t *merged = smp_value(&merge, *object, patch, at);
	if (err_is_set(err)) {
		json_decref(merged);
		return false;
	}
	/* A replace of the whole object has no effect [Q]. */
	if (merged)
		json_decref(merged);
	else
		json_decref(steal(object));
	return true;
}
