#include "data/json.h"

#include <stdarg.h>
#include <string.h>

#include "base/mem.h"

/*
 * Typed reads, comparison and merging of jansson trees. Recursion is bounded by the depth that
 * json_parse and yaml_parse allow.
 */

json_t *json_text_new(const char *text, size_t len)
{
	json_t *whole = json_stringn(text, len);
	if (whole)
		return whole;
	autobuf Buf clean = {0};
	for (size_t at = 0; at < len;) {
		size_t take = len - at < 4 ? len - at : 4;
		for (; take > 0; take--) {
			autojson json_t *piece = json_stringn(text + at, take);
			if (piece)
				break;
		}
		if (take > 0)
			buf_append(&clean, text + at, take);
		else
			buf_puts(&clean, "\xef\xbf\xbd");
		at += take > 0 ? take : 1;
	}
	return json_stringn_nocheck(buf_text(&clean), clean.len);
}

static json_t *walk(const json_t *object, va_list keys)
{
	json_t *at = json_borrow(object);
	for (const char *key; at && (key = va_arg(keys, const char *));)
		at = json_object_get(at, key);
	return json_is_null(at) ? NULL : at;
}

json_t *json_at(const json_t *object, ...)
{
	va_list keys;
	va_start(keys, object);
	json_t *found = walk(object, keys);
	va_end(keys);
	return found;
}

const char *json_text_at(const json_t *object, ...)
{
	va_list keys;
	va_start(keys, object);
	const json_t *found = walk(object, keys);
	va_end(keys);
	return json_string_value(found);
}

const char *json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

const char *json_text_or(const json_t *object, const char *key, const char *fallback)
{
	const char *text = json_text(object, key);
	return text ? text : fallback;
}

bool json_flag(const json_t *object, const char *key, bool fallback)
{
	const json_t *value = json_object_get(object, key);
	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

int64_t json_int(const json_t *object, const char *key, int64_t fallback)
{
	const json_t *value = json_object_get(object, key);
	if (json_is_integer(value))
		return json_integer_value(value);
	/* A whole number that arrived as 3.0 is an integer to the API server. */
	double real = json_is_real(value) ? json_real_value(value) : 0.5;
	if (real >= -9007199254740992.0 && real <= 9007199254740992.0 &&
	    real == (double)(int64_t)real)
		return (int64_t)real;
	return fallback;
}

json_t *json_map(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_object(value) ? value : NULL;
}

json_t *json_list(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_array(value) ? value : NULL;
}

json_t *json_make_at(json_t *object, ...)
{
	va_list keys;
	va_start(keys, object);
	json_t *at = object;
	for (const char *key; (key = va_arg(keys, const char *));) {
		json_t *next = json_object_get(at, key);
		if (!json_is_object(next)) {
			next = json_object();
			json_object_set_new(at, key, next);
		}
		at = next;
	}
	va_end(keys);
	return at;
}

void json_put_text(json_t *object, const char *key, const char *value)
{
	if (value)
		json_object_set_new(object, key, json_text_new(value, strlen(value)));
	else
		json_object_del(object, key);
}

static bool same_number(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b))
		return json_integer_value(a) == json_integer_value(b);
	if (json_is_real(a) && json_is_real(b))
		return json_real_value(a) == json_real_value(b);
	json_int_t whole = json_integer_value(json_is_integer(a) ? a : b);
	double real = json_real_value(json_is_real(a) ? a : b);
	/* A real beyond 2^53 is written with its shortest digits and read back as an integer that
	 * is near but not it: the nearest double decides. */
	return (double)whole == real;
}

static bool same_object(const json_t *a, const json_t *b)
{
	if (json_object_size(a) != json_object_size(b))
		return false;
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(a), key, value)
	{
		const json_t *other = json_object_get(b, key);
		if (!other || !json_same(value, other))
			return false;
	}
	return true;
}

static bool same_array(const json_t *a, const json_t *b)
{
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!json_same(json_array_get(a, i), json_array_get(b, i)))
			return false;
	return true;
}

bool json_same(const json_t *a, const json_t *b)
{
	if (a == b)
		return true;
	if (!a || !b)
		return false;
	if (json_is_number(a) && json_is_number(b))
		return same_number(a, b);
	if (json_typeof(a) != json_typeof(b))
		return false;
	if (json_is_object(a))
		return same_object(a, b);
	if (json_is_array(a))
		return same_array(a, b);
	if (json_is_string(a))
		return json_string_length(a) == json_string_length(b) &&
		       memcmp(json_string_value(a), json_string_value(b), json_string_length(a)) ==
			       0;
	return true; /* the same of true, false, null */
}

json_t *json_clone(const json_t *value)
{
	json_t *source = json_borrow(value);
	if (json_is_array(value)) {
		json_t *array = json_array();
		for (size_t i = 0; i < json_array_size(value); i++)
			json_array_append_new(array, json_clone(json_array_get(value, i)));
		return array;
	}
	if (!json_is_object(value))
		return json_incref(source);
	json_t *object = json_object();
	for (void *i = json_object_iter(source); i; i = json_object_iter_next(source, i))
		json_object_setn_new_nocheck(object, json_object_iter_key(i),
					     json_object_iter_key_len(i),
					     json_clone(json_object_iter_value(i)));
	return object;
}

/* RFC 7386 section 2, MergePatch; copies, so that target and patch share nothing that changes. */
void json_merge_patch(json_t **target, const json_t *patch)
{
	if (!json_is_object(patch)) {
		json_t *copy = json_deep_copy(patch);
		json_decref(*target);
		*target = copy;
		return;
	}
	if (!json_is_object(*target)) {
		json_decref(*target);
		*target = json_object();
	}
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(patch), key, value)
	{
		if (json_is_null(value)) {
			json_object_del(*target, key);
			continue;
		}
		json_t *member = json_incref(json_object_get(*target, key));
		/* Taken out first, so that a nested change works on what the target holds. */
		json_merge_patch(&member, value);
		json_object_set_new_nocheck(*target, key, member);
	}
}

json_t *json_merge_diff(const json_t *from, const json_t *to)
{
	json_t *patch = json_object();
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(from), key, value)
	{
		if (!json_object_get(to, key))
			json_object_set_new_nocheck(patch, key, json_null());
	}
	json_object_foreach(json_borrow(to), key, value)
	{
		const json_t *old = json_object_get(from, key);
		if (old && json_same(old, value))
			continue;
		json_t *change = json_is_object(old) && json_is_object(value)
					 ? json_merge_diff(old, value)
					 : json_deep_copy(value);
		json_object_set_new_nocheck(patch, key, change);
	}
	return patch;
}
