#include "kustomize/transform.h"

#include "base/mem.h"
#include "base/path.h"
#include "kustomize/load.h"
#include "kustomize/path.h"
#include "kustomize/select.h"

/*
 * The builtin ValueAddTransformer: one text into fields, which are made where they are not, or as
 * one more part into the file paths that they hold. Depth is that of a field path's own text.
 */

enum { FIELD_PARTS_MAX = 64 };

static bool is_element(const char *part, Str *key, Str *value)
{
	Str text = str_of(part);
	return text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']' &&
	       str_cut(str_slice(text, 1, text.len - 1), '=', key, value);
}

/* The element that has the value, made at the list's end if there is none. */
static json_t *element_of(json_t *list, Str key, Str value)
{
	autofree char *name = str_dup(key);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		autofree char *text = kpath_scalar_text(json_object_get(item, name));
		if (str_eq(str_of(text), value))
			return item;
	}
	autofree char *wanted = str_dup(value);
	json_array_append_new(list, json_pack("{s:o}", name, kpath_scalar_of(wanted)));
	return json_array_get(list, json_array_size(list) - 1);
}

/* One part further down, made as what the part behind it needs; NULL: it does not fit. */
static json_t *step(json_t *at, const char *part, const char *next)
{
	Str key, value;
	if (is_element(part, &key, &value))
		return json_is_array(at) ? element_of(at, key, value) : NULL;
	if (!json_is_object(at))
		return NULL;
	json_t *member = json_object_get(at, part);
	if (member && !json_is_null(member))
		return member;
	member = is_element(next, &key, &value) ? json_array() : json_object();
	json_object_set_new_nocheck(at, part, member);
	return member;
}

/* "a/b\/c" is "a", "b/c". */
static void split_slashes(const char *text, Vec *out)
{
	autobuf Buf part = {0};
	for (; *text; text++) {
		if (text[0] == '\\' && text[1] == '/') {
			buf_putc(&part, *++text);
		} else if (*text == '/') {
			vec_push(out, buf_steal(&part));
		} else {
			buf_putc(&part, *text);
		}
	}
	vec_push(out, buf_steal(&part));
}

/* A file path with one part more, at a position from 0 on; behind the last one past the end. A path
 * that begins at the root still does. Owned. */
static char *insert_part(const char *path, size_t position, const char *part)
{
	autostrings Vec parts = {0};
	Str rest = str_of(cstr_eq(path, "/") ? "" : path), first;
	while (str_cut(rest, '/', &first, &rest))
		vec_push(&parts, str_dup(first));
	if (*path)
		vec_push(&parts, str_dup(first));
	position = position > parts.len ? parts.len : position;
	if (*path == '/' && position < parts.len)
		position++;
	vec_insert(&parts, position, mem_strdup(part));
	autobuf Buf out = {0};
	for (size_t i = 0; i < parts.len; i++)
		buf_printf(&out, "%s%s", i ? "/" : "", (const char *)parts.items[i]);
	return path_clean(buf_text(&out));
}

typedef struct {
	const char *value, *field;
	int64_t position; /* of a part in a file path, from 1 on; 0: the value is all */
} Addition;

static bool add_to(const Addition *add, KResource *res, Error *err)
{
	autostrings Vec parts = {0};
	split_slashes(add->field, &parts);
	if (parts.len > FIELD_PARTS_MAX)
		return err_set(err, ERR_LIMIT, "fieldPath has more than %d parts", FIELD_PARTS_MAX);
	json_t *at = res->tree;
	for (size_t i = 0; at && i + 1 < parts.len; i++)
		at = step(at, parts.items[i], parts.items[i + 1]);
	const char *last = parts.items[parts.len - 1];
	const json_t *old = json_object_get(at, last);
	if (!json_is_object(at) || *last == '\0' || json_is_object(old) || json_is_array(old))
		return err_set(err, ERR_INVALID, "fieldPath %s does not name a scalar", add->field);
	autofree char *have = kpath_scalar_text(old);
	autofree char *text = add->position > 0
				      ? insert_part(have, (size_t)add->position - 1, add->value)
				      : mem_strdup(add->value);
	json_object_set_new_nocheck(at, last, kpath_scalar_of(text));
	return true;
}

static bool add_to_target(KSet *set, const char *value, const json_t *target, Error *err)
{
	Addition add = {value, json_text_or(target, "fieldPath", ""),
			json_int(target, "filePathPosition", 0)};
	if (*add.field == '\0')
		return err_set(err, ERR_INVALID, "fieldPath cannot be empty");
	if (add.position < 0)
		return err_set(err, ERR_INVALID, "filePathPosition cannot be negative");
	autojson json_t *all = json_object();
	const json_t *chosen = json_map(target, "selector");
	autokselector KSelector *selector = kselector_new(chosen ? chosen : all, err);
	autovec Vec found = {0};
	if (!selector)
		return false;
	kselector_select(selector, set, &found);
	for (size_t i = 0; i < found.len; i++) {
		KResource *res = found.items[i];
		if (cstr_eq(add.field, "metadata/namespace") &&
		    kgvk_is_cluster_scoped(kresource_api_version(res), kresource_kind(res)))
			continue;
		autofree char *text = kresource_text(res);
		if (!add_to(&add, res, err))
			return err_wrap(err, "%s", text);
		kset_reindex(set, res);
	}
	return true;
}

static bool add_to_all(KSet *set, const char *value, const json_t *targets, Error *err)
{
	for (size_t i = 0; i < json_array_size(targets); i++)
		if (!add_to_target(set, value, json_array_get(targets, i), err))
			return err_wrap(err, "targets[%zu]", i);
	return true;
}

bool valueadd_apply(const KTarget *target, KSet *set, const json_t *config, Error *err)
{
	const char *dir = cstr_eq(target->dir, ".") ? "" : path_base(target->dir);
	Str given = str_trim(str_of(json_text_or(config, "value", "")));
	autofree char *value = given.len ? str_dup(given) : mem_strdup(dir);
	const char *path = json_text_or(config, "targetFilePath", "");
	autojson json_t *file = *path ? kload_document(target, path, err) : json_object();
	if (!file)
		return false;
	if (*value == '\0')
		return err_set(err, ERR_INVALID, "value is missing");
	if (json_array_size(json_list(config, "targets")) +
		    json_array_size(json_list(file, "targets")) ==
	    0)
		return err_set(err, ERR_INVALID, "must specify at least one target");
	return kbuild_check_name("value", value, err) &&
	       add_to_all(set, value, json_list(config, "targets"), err) &&
	       add_to_all(set, value, json_list(file, "targets"), err);
}
