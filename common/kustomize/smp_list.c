#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "kustomize/path.h"
#include "kustomize/smp_internal.h"

/*
 * Lists with merge keys: the patch's elements first, then the rest of the base (facts 6). Elements
 * are told apart by the texts of their keys; with one key by a map, so that long lists stay linear;
 * with several as upstream does, entry by entry, for the sake of its rules about empty keys.
 */

typedef struct {
	const char *keys[K_MERGE_KEYS_MAX];
	size_t len;
} Keys;

/* The texts of an element's keys, "" for absent ones; owned by the tuple. */
typedef struct {
	char *text[K_MERGE_KEYS_MAX];
} Tuple;

typedef struct {
	Tuple *items;
	size_t len;
} Tuples;

static void dispose_tuples(Tuples *tuples)
{
	for (size_t i = 0; i < tuples->len; i++)
		for (size_t j = 0; j < K_MERGE_KEYS_MAX; j++)
			free(tuples->items[i].text[j]);
	free(tuples->items);
}

/* Carries out a lone `$patch` element; returns what it says. */
static Directive take_directive(Merge *merge, json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const char *text = json_text(item, "$patch");
		if (!text)
			continue;
		if (json_object_size(item) > 1)
			return SMP_MERGE;
		Directive directive = smp_directive(text);
		if (directive == SMP_UNKNOWN)
			err_set(merge->err, ERR_INVALID, "unknown patch strategy '%s'", text);
		else
			json_array_remove(list, i);
		return directive;
	}
	return SMP_MERGE;
}

static void set_content(json_t *list, json_t *items)
{
	if (list == items)
		return;
	json_array_clear(list);
	json_array_extend(list, items);
}

/* Scalars: the union, the patch's first (B60). */
static void unite_scalars(json_t *dest, const json_t *src)
{
	automap Map *seen = map_new(NULL);
	autojson json_t *out = json_array();
	const json_t *lists[] = {src, dest};
	for (size_t i = 0; i < COUNT(lists); i++)
		for (size_t j = 0; j < json_array_size(lists[i]); j++) {
			json_t *item = json_array_get(lists[i], j);
			autofree char *text = kpath_scalar_text(item);
			if (map_has(seen, text))
				continue;
			map_put(seen, text, NULL);
			json_array_append(out, item);
		}
	set_content(dest, out);
}

static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

/* One key: key text -> the first, or the last, element of a list that has it. */
static Map *index_list(const json_t *list, const char *key, bool last)
{
	Map *index = map_new(NULL);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		autofree char *text = kpath_scalar_text(json_object_get(item, key));
		if (*text && (last || !map_has(index, text)))
			map_put(index, text, item);
	}
	return index;
}

typedef struct {
	Merge *merge;
	KSchemaAt items;
	const char *key;
	Map *in_dest, *in_src; /* borrowed elements */
	Map *last_in_dest;     /* what comes out: so the last of equals wins, and a directive
				* `replace` on an element has no effect [Q] */
	Map *done;	       /* keys merged */
	json_t *out;
} OneKey;

static bool merge_keyed(OneKey *state, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		autofree char *text = kpath_scalar_text(json_object_get(item, state->key));
		if (!*text || map_has(state->done, text))
			continue;
		map_put(state->done, text, NULL);
		json_t *merged = smp_value(state->merge, map_get(state->in_dest, text),
					   map_get(state->in_src, text), state->items);
		if (err_is_set(state->merge->err))
			return false;
		json_t *kept = map_get(state->last_in_dest, text);
		if (!is_empty(merged))
			json_array_append(state->out, kept ? kept : merged);
		json_decref(merged);
	}
	return true;
}

static void append_unkeyed(const json_t *list, const char *key, json_t *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		autofree char *text = kpath_scalar_text(json_object_get(item, key));
		if (!*text && !is_empty(item))
			json_array_append(out, item);
	}
}

static bool merge_by_one(Merge *merge, json_t *dest, const json_t *src, const char *key,
			 KSchemaAt items)
{
	automap Map *in_dest = index_list(dest, key, false);
	automap Map *last_in_dest = index_list(dest, key, true);
	automap Map *in_src = index_list(src, key, false);
	automap Map *done = map_new(NULL);
	autojson json_t *out = json_array();
	OneKey state = {merge, items, key, in_dest, in_src, last_in_dest, done, out};
	if (!merge_keyed(&state, src) || !merge_keyed(&state, dest))
		return false;
	append_unkeyed(dest, key, out);
	set_content(dest, out);
	return true;
}

static bool same_tuple(const Tuple *a, const Tuple *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!cstr_eq(a->text[i], b->text[i]))
			return false;
	return true;
}

static bool has_tuple(const Tuples *tuples, const Tuple *tuple, size_t len)
{
	for (size_t i = 0; i < tuples->len; i++)
		if (same_tuple(&tuples->items[i], tuple, len))
			return true;
	return false;
}

static void free_tuple(Tuple *tuple)
{
	for (size_t i = 0; i < K_MERGE_KEYS_MAX; i++)
		free(tuple->text[i]);
	*tuple = (Tuple){0};
}

static void add_tuples(Tuples *tuples, const json_t *list, const Keys *keys)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		Tuple tuple = {0};
		for (size_t j = 0; j < keys->len; j++)
			tuple.text[j] = kpath_scalar_text(json_object_get(item, keys->keys[j]));
		if (has_tuple(tuples, &tuple, keys->len)) {
			free_tuple(&tuple);
			continue;
		}
		tuples->items =
			mem_realloc(tuples->items, (tuples->len + 1) * sizeof(*tuples->items));
		tuples->items[tuples->len++] = tuple;
	}
}

/* Agree somewhere, differ nowhere but by emptiness. */
static bool tuples_match(const Tuple *a, const Tuple *b, size_t len)
{
	bool common = false;
	for (size_t i = 0; i < len; i++) {
		if (cstr_eq(a->text[i], b->text[i]))
			common = true;
		else if (*a->text[i] && *b->text[i])
			return false;
	}
	return common;
}

static Tuple join_tuples(const Tuple *a, const Tuple *b, size_t len)
{
	Tuple joined = {0};
	for (size_t i = 0; i < len; i++)
		joined.text[i] = mem_strdup(*a->text[i] ? a->text[i] : b->text[i]);
	return joined;
}

static void set_tuple(Tuple *tuple, Tuple take_new)
{
	free_tuple(tuple);
	*tuple = take_new;
}

/* A port without a protocol is the one with (facts 6, secondary keys). */
static void unify_tuples(Tuples *tuples, size_t len)
{
	for (size_t i = 0; i < tuples->len; i++) {
		Tuple first = join_tuples(&tuples->items[i], &tuples->items[i], len);
		for (size_t j = 0; j < tuples->len; j++) {
			if (!tuples_match(&first, &tuples->items[j], len))
				continue;
			Tuple joined = join_tuples(&first, &tuples->items[j], len);
			set_tuple(&tuples->items[i], join_tuples(&joined, &joined, len));
			set_tuple(&tuples->items[j], joined);
		}
		free_tuple(&first);
	}
}

/* Key j of an element equals the text; an empty text asks only that the key is there. */
static bool key_matches(const json_t *item, const char *key, const char *text)
{
	const json_t *value = json_object_get(item, key);
	if (!value || !*text)
		return value != NULL;
	autofree char *have = kpath_scalar_text(value);
	return cstr_eq(have, text);
}

/* The first element whose keys equal the tuple's non-empty ones. */
static json_t *find_element(const json_t *list, const Keys *keys, const Tuple *tuple)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		bool match = json_is_object(item), any = false;
		for (size_t j = 0; match && j < keys->len; j++) {
			any = any || *tuple->text[j];
			match = !*tuple->text[j] ||
				key_matches(item, keys->keys[j], tuple->text[j]);
		}
		if (match && any)
			return item;
	}
	return NULL;
}

/*
 * Takes out the elements that match all keys given (keys past `given` count as matched); where the
 * first stood, or else at the end, comes `item` (NULL: nothing).
 */
static void put_element(json_t *list, const Keys *keys, const Tuple *tuple, size_t given,
			json_t *item)
{
	bool found = false;
	for (size_t i = 0; i < json_array_size(list);) {
		json_t *have = json_array_get(list, i);
		bool match = json_is_object(have) && given > 0;
		for (size_t j = 0; match && j < given; j++)
			match = key_matches(have, keys->keys[j], tuple->text[j]);
		if (match && item) {
			json_array_set(list, i++, item);
			found = true;
		} else if (match) {
			json_array_remove(list, i);
		} else {
			i++;
		}
	}
	if (!found && item)
		json_array_append(list, item);
}

/* The base's elements, each taken out and put at the end, so that they keep their order. */
static void append_rest(const json_t *dest, const Keys *keys, json_t *out)
{
	for (size_t i = 0; i < json_array_size(dest); i++) {
		json_t *item = json_array_get(dest, i);
		Tuples one = {mem_zalloc(1, sizeof(Tuple)), 1};
		size_t given = 0;
		for (size_t j = 0; j < keys->len; j++)
			if (json_object_get(item, keys->keys[j]))
				one.items->text[given++] =
					kpath_scalar_text(json_object_get(item, keys->keys[j]));
		if (keys->len > 1)
			put_element(out, keys, one.items, given, NULL);
		put_element(out, keys, one.items, given, item);
		dispose_tuples(&one);
	}
}

/* The keys that any element has. */
static Keys used_keys(const Tuples *tuples, const Keys *all)
{
	Keys used = {0};
	for (size_t j = 0; j < all->len; j++)
		for (size_t i = 0; i < tuples->len; i++)
			if (*tuples->items[i].text[j]) {
				used.keys[used.len++] = all->keys[j];
				break;
			}
	return used.len ? used : *all;
}

static bool merge_tuple(Merge *merge, json_t *dest, const json_t *src, const Keys *keys,
			const Tuple *tuple, KSchemaAt items, json_t *out)
{
	autojson json_t *merged = smp_value(merge, find_element(dest, keys, tuple),
					    find_element(src, keys, tuple), items);
	if (err_is_set(merge->err))
		return false;
	put_element(is_empty(merged) ? dest : out, keys, tuple, keys->len,
		    is_empty(merged) ? NULL : merged);
	return true;
}

static bool merge_by_many(Merge *merge, json_t *dest, const json_t *src, const Keys *all,
			  KSchemaAt items)
{
	__attribute__((cleanup(dispose_tuples))) Tuples tuples = {0};
	add_tuples(&tuples, src, all);
	add_tuples(&tuples, dest, all);
	unify_tuples(&tuples, all->len);
	Keys keys = used_keys(&tuples, all);
	autojson json_t *out = json_array();
	for (size_t i = 0; i < tuples.len; i++) {
		Tuple used = {0};
		for (size_t j = 0, k = 0; j < all->len; j++)
			if (k < keys.len && cstr_eq(keys.keys[k], all->keys[j]))
				used.text[k++] = tuples.items[i].text[j];
		if (!merge_tuple(merge, dest, src, &keys, &used, items, out))
			return false;
	}
	append_rest(dest, &keys, out);
	set_content(dest, out);
	return true;
}

/* A list that the patch does not touch: of elements with equal keys the last one stays. */
static bool tidy_list(Merge *merge, json_t *dest, const Keys *keys, KSchemaAt items)
{
	automap Map *places = map_new(NULL);
	autojson json_t *out = json_array();
	for (size_t i = 0; i < json_array_size(dest); i++) {
		json_t *item = json_array_get(dest, i);
		autobuf Buf key = {0};
		for (size_t j = 0; j < keys->len; j++) {
			autofree char *text =
				kpath_scalar_text(json_object_get(item, keys->keys[j]));
			buf_printf(&key, "%s\x1f", text);
		}
		json_decref(smp_value(merge, item, NULL, items));
		if (err_is_set(merge->err))
			return false;
		if (is_empty(item))
			continue;
		bool keyed = key.len > keys->len;
		size_t place = keyed ? (size_t)(uintptr_t)map_get(places, buf_text(&key)) : 0;
		if (place > 0) {
			json_array_set(out, place - 1, item);
			continue;
		}
		json_array_append(out, item);
		if (keyed)
			map_put(places, buf_text(&key), (void *)json_array_size(out));
	}
	set_content(dest, out);
	return true;
}

json_t *smp_list(Merge *merge, json_t *dest, json_t *src, KSchemaAt at)
{
	if (!dest || json_is_null(dest)) {
		dest = src;
	} else if (src) {
		switch (take_directive(merge, src)) {
		case SMP_DELETE:
			return NULL;
		case SMP_REPLACE:
			dest = src;
			break;
		case SMP_UNKNOWN:
			return NULL;
		case SMP_MERGE:
		default:
			break;
		}
	}
	Keys keys = {0};
	bool merged = kschema_merge_keys(at, keys.keys, &keys.len);
	KSchemaAt items = kschema_items(merge->schema, at);
	if (!src && keys.len > 0)
		return tidy_list(merge, dest, &keys, items) ? json_incref(dest) : NULL;
	if (merged && keys.len == 0)
		unite_scalars(dest, src);
	else if (keys.len == 1 && !merge_by_one(merge, dest, src, keys.keys[0], items))
		return NULL;
	else if (keys.len > 1 && !merge_by_many(merge, dest, src, &keys, items))
		return NULL;
	return json_incref(dest);
}
