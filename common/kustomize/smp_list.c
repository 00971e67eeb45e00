#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "kustomize/path.h"
#include "kustomize/smp_internal.h"

/*
 * Lists with merge keys: the patch's elements first, then the rest of the base (facts 6). Elements
 * are told apart by the texts of their keys; with one key that all of them have by a map, so that
 * long lists stay linear; else as upstream does, entry by entry, for the sake of its rules about
 * empty keys. They lose elements: what has no key at all takes the place of all before it [Q].
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
static bool unite_scalars(json_t *dest, const json_t *src, Error *err)
{
	automap Map *seen = map_new(NULL);
	autojson json_t *out = json_array();
	const json_t *lists[] = {src, dest};
	for (size_t i = 0; i < COUNT(lists); i++)
		for (size_t j = 0; j < json_array_size(lists[i]); j++) {
			json_t *item = json_array_get(lists[i], j);
			if (json_is_object(item) || json_is_array(item))
				return err_set(err, ERR_INVALID,
					       "wrong node kind: expected a scalar in a set");
			autofree char *text = kpath_scalar_text(item);
			if (map_has(seen, text))
				continue;
			map_put(seen, text, NULL);
			json_array_append(out, item);
		}
	set_content(dest, out);
	return true;
}

static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

/* Whether each element has the first key, and none of them without a text. */
static bool all_keyed(const json_t *list, const Keys *keys)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		for (size_t j = 0; j < keys->len; j++) {
			const json_t *value = json_object_get(item, keys->keys[j]);
			autofree char *text = kpath_scalar_text(value);
			if (value ? !*text : j == 0)
				return false;
		}
	}
	return true;
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

static bool add_tuples(const Merge *merge, Tuples *tuples, const json_t *list, const Keys *keys)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!kbuild_check_time(merge->build, merge->err))
			return false;
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
	return true;
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

/* As upstream's node has it: a null's text is its own. */
static char *node_text(const json_t *value)
{
	return json_is_null(value) ? mem_strdup("null") : kpath_scalar_text(value);
}

/* Key j of an element equals the text; an empty text asks only that the key is there. */
static bool key_matches(const json_t *item, const char *key, const char *text)
{
	const json_t *value = json_object_get(item, key);
	if (!value || !*text)
		return value != NULL;
	autofree char *have = node_text(value);
	return cstr_eq(have, text);
}

/* Key j of an element is there and has no text: "", a map, a list. */
static bool key_is_blank(const json_t *item, const char *key)
{
	const json_t *value = json_object_get(item, key);
	autofree char *have = node_text(value);
	return value && !*have;
}

/* The first element whose keys equal the tuple's non-empty ones; where all are empty, one whose
 * keys are. */
static json_t *find_element(const json_t *list, const Keys *keys, const Tuple *tuple)
{
	bool any = false;
	for (size_t j = 0; j < keys->len; j++)
		any = any || *tuple->text[j];
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		bool match = json_is_object(item);
		for (size_t j = 0; match && j < keys->len; j++) {
			const char *key = keys->keys[j], *text = tuple->text[j];
			match = any ? !*text || key_matches(item, key, text)
				    : key_is_blank(item, key);
		}
		if (match)
			return item;
	}
	return NULL;
}

/*
 * Takes out the elements that match all keys given (keys past `given` count as matched), and empty
 * ones; where the first stood, or else at the end, comes `item` (NULL: nothing). With no key given
 * nothing stays.
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
		if (match && item && !is_empty(have)) {
			json_array_set(list, i++, item);
			found = true;
		} else if (match || given == 0 || is_empty(have)) {
			json_array_remove(list, i);
		} else {
			i++;
		}
	}
	if (!found && item && !json_is_null(item))
		json_array_append(list, item);
}

/* What lacks a key is there before it is put, and so there twice where the others do not tell [Q].
 */
static void append_item(json_t *out, const Keys *keys, json_t *item)
{
	Tuple tuple = {0};
	size_t given = 0;
	for (size_t j = 0; j < keys->len; j++) {
		const json_t *value = json_object_get(item, keys->keys[j]);
		if (value)
			tuple.text[given++] = node_text(value);
		else
			json_array_append(out, item);
	}
	if (keys->len > 1)
		put_element(out, keys, &tuple, given, NULL);
	put_element(out, keys, &tuple, given, item);
	free_tuple(&tuple);
}

/* The base's elements, each taken out and put at the end, so that they keep their order. */
static bool append_rest(const Merge *merge, const json_t *dest, const Keys *keys, json_t *out)
{
	for (size_t i = 0; i < json_array_size(dest); i++) {
		if (!kbuild_check_time(merge->build, merge->err))
			return false;
		json_t *item = json_array_get(dest, i);
		if (!json_is_object(item) && !json_is_null(item))
			return err_set(merge->err, ERR_INVALID,
				       "wrong node kind: expected a map in a list of maps");
		append_item(out, keys, item);
	}
	return true;
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
	if (!kbuild_check_time(merge->build, merge->err))
		return false;
	autojson json_t *merged = smp_value(merge, find_element(dest, keys, tuple),
					    find_element(src, keys, tuple), items);
	if (err_is_set(merge->err))
		return false;
	for (size_t j = 0; !is_empty(merged) && j < keys->len; j++)
		if (*tuple->text[j] && !json_object_get(merged, keys->keys[j]))
			json_put_text(merged, keys->keys[j], tuple->text[j]);
	put_element(is_empty(merged) ? dest : out, keys, tuple, keys->len,
		    is_empty(merged) ? NULL : merged);
	return true;
}

static bool merge_by_many(Merge *merge, json_t *dest, const json_t *src, const Keys *all,
			  KSchemaAt items)
{
	__attribute__((cleanup(dispose_tuples))) Tuples tuples = {0};
	if (!add_tuples(merge, &tuples, src, all) || !add_tuples(merge, &tuples, dest, all))
		return false;
	if (all->len > 1)
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
	if (!append_rest(merge, dest, &keys, out))
		return false;
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
	bool fine, merged = kschema_merge_keys(at, keys.keys, &keys.len);
	KSchemaAt items = kschema_items(&merge->build->schema, at);
	if (keys.len == 0)
		fine = !merged || unite_scalars(dest, src, merge->err);
	else if (!all_keyed(dest, &keys) || (keys.len == 1 && !all_keyed(src, &keys)))
		fine = merge_by_many(merge, dest, src, &keys, items);
	else if (!src)
		fine = tidy_list(merge, dest, &keys, items);
	else if (keys.len == 1)
		fine = merge_by_one(merge, dest, src, keys.keys[0], items);
	else
		fine = merge_by_many(merge, dest, src, &keys, items);
	return fine ? json_incref(dest) : NULL;
}
