/*
 * Rules are matched against a dry run's reply, as upstream does, so that a selector sees labels
 * that the server added. Ownership is read from managedFields: a pointer's list indexes are
 * translated to the keys that fieldsV1 has in their place.
 */
#include "delivery/ignore.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/jsonpatch.h"
#include "kube/fieldset.h"
#include "kube/object.h"
#include "kustomize/select.h"

enum { MAX_RULES = 1000, MAX_POINTER = 4096 };

typedef struct {
	KSelector *selector; /* NULL: every object */
	const json_t *paths;
} IgnoreRule;

struct IgnoreRules {
	size_t len;
	IgnoreRule rules[];
};

void ignore_rules_free(IgnoreRules *rules)
{
	for (size_t i = 0; rules && i < rules->len; i++)
		kselector_free(rules->rules[i].selector);
	free(rules);
}

static bool check_paths(const json_t *paths, Error *err)
{
	size_t i;
	json_t *path;
	json_array_foreach(json_borrow(paths), i, path)
	{
		const char *text = json_string_value(path);
		if (!text || text[0] != '/' || strlen(text) > MAX_POINTER)
			return err_set(err, ERR_INVALID, "'%.100s' is no JSON pointer",
				       text ? text : "");
	}
	return true;
}

IgnoreRules *ignore_rules_new(const json_t *ignore, const char *field, Error *err)
{
	size_t count = json_array_size(ignore);
	if (count > MAX_RULES)
		return err_null(err, ERR_LIMIT, "%s: more than %d rules", field, MAX_RULES);
	autoignorerules IgnoreRules *rules =
		mem_zalloc(1, sizeof(*rules) + count * sizeof(IgnoreRule));
	for (size_t i = 0; i < count; i++) {
		const json_t *row = json_array_get(ignore, i), *target = json_map(row, "target");
		IgnoreRule *rule = &rules->rules[rules->len++];
		rule->paths = json_list(row, "paths");
		if (target && !(rule->selector = kselector_new(target, err)))
			return err_wrap_null(err, "%s[%zu]", field, i);
		if (!check_paths(rule->paths, err))
			return err_wrap_null(err, "%s[%zu]", field, i);
	}
	return steal(&rules);
}

bool ignore_rules_any(const IgnoreRules *rules)
{
	return rules->len > 0;
}

json_t *ignore_paths(const IgnoreRules *rules, const json_t *object)
{
	json_t *paths = json_array();
	for (size_t i = 0; i < rules->len; i++)
		if (!rules->rules[i].selector ||
		    kselector_matches_object(rules->rules[i].selector, object))
			json_array_extend(paths, json_borrow(rules->rules[i].paths));
	return paths;
}

/* --- drift --- */

/* A path that is not there is no failure. */
static void remove_path(json_t **object, const char *path)
{
	autoerror Error ignored = {0};
	autojson json_t *patch = json_pack("[{s:s,s:s}]", "op", "remove", "path", path);
	(void)!jsonpatch_apply(object, patch, true, &ignored);
}

json_t *ignore_comparable(const json_t *object, const json_t *paths)
{
	json_t *copy = json_deep_copy(object);
	size_t i;
	json_t *path;
	json_array_foreach(json_borrow(paths), i, path)
	{
		remove_path(&copy, json_string_value(path));
	}
	autojson json_t *metadata = json_incref(json_map(copy, "metadata"));
	json_object_del(copy, "metadata");
	json_object_del(copy, "status");
	static const char *const kept[] = {"labels", "annotations"};
	for (size_t k = 0; k < COUNT(kept); k++) {
		json_t *values = json_map(metadata, kept[k]);
		if (json_object_size(values))
			json_object_set(json_make_at(copy, "metadata", NULL), kept[k], values);
	}
	return copy;
}

bool ignore_has_drifted(const json_t *live, const json_t *reply, const json_t *paths)
{
	autojson json_t *before = ignore_comparable(live, paths);
	autojson json_t *after = ignore_comparable(reply, paths);
	return !json_equal(before, after);
}

/* --- ownership --- */

/* One step of a pointer, in the object and in an entry's fields at once. */
static const json_t *step(const json_t *fields, const json_t **value, const char *token)
{
	if (json_is_array(*value)) {
		char *end;
		unsigned long index = strtoul(token, &end, 10);
		*value = *token && !*end ? json_array_get(*value, index) : NULL;
		const char *key = *value ? fieldset_item_key(fields, *value) : NULL;
		return key ? json_object_get(fields, key) : NULL;
	}
	*value = json_object_get(*value, token);
	autofree char *key = mem_printf("f:%s", token);
	return json_object_get(fields, key);
}

static char *unescape(Str token)
{
	Buf out = {0};
	for (size_t i = 0; i < token.len; i++) {
		bool escaped = token.ptr[i] == '~' && i + 1 < token.len &&
			       (token.ptr[i + 1] == '0' || token.ptr[i + 1] == '1');
		if (escaped)
			i++;
		buf_putc(&out, !escaped ? token.ptr[i] : token.ptr[i] == '0' ? '~' : '/');
	}
	return buf_steal(&out);
}

static bool owns(const json_t *entry, const json_t *live, const char *pointer)
{
	const json_t *fields = json_map(entry, "fieldsV1"), *value = live;
	Str rest = str_of(pointer + 1), token;
	bool more = true;
	while (more && fields) {
		more = str_cut(rest, '/', &token, &rest);
		autofree char *text = unescape(token);
		fields = step(fields, &value, text);
	}
	return fields != NULL;
}

static bool other_applier_owns(const json_t *live, const char *pointer, const char *manager)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_at(live, "metadata", "managedFields", NULL), i, entry)
	{
		if (cstr_eq(json_text(entry, "operation"), "Apply") &&
		    cstr_empty(json_text(entry, "subresource")) &&
		    !cstr_eq(json_text(entry, "manager"), manager) && owns(entry, live, pointer))
			return true;
	}
	return false;
}

static void adopt(json_t **payload, const char *path, const json_t *value)
{
	autoerror Error ignored = {0}; /* not in the manifest: nothing to keep */
	autojson json_t *patch = json_pack("[{s:s,s:s,s:O}]", "op", "replace", "path", path,
					   "value", json_borrow(value));
	(void)!jsonpatch_apply(payload, patch, true, &ignored);
}

void ignore_settle(json_t **payload, const json_t *live, const json_t *reply, const json_t *paths,
		   const char *manager)
{
	size_t i;
	json_t *path;
	json_array_foreach(json_borrow(paths), i, path)
	{
		const char *pointer = json_string_value(path);
		const json_t *now = jsonpointer_get(live, pointer);
		const json_t *then = jsonpointer_get(reply, pointer);
		if (now && then && json_equal(now, then))
			continue;
		/* Nothing live to keep: not ours to bring back. */
		if (!now || other_applier_owns(live, pointer, manager))
			remove_path(payload, pointer);
		else
			adopt(payload, pointer, now);
	}
}
