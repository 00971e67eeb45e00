#include "kustomize/transform.h"

#include "base/mem.h"
#include "data/written.h"
#include "data/yaml.h"
#include "kustomize/kustomization.h"
#include "kustomize/load.h"
#include "kustomize/path.h"
#include "kustomize/select.h"

/* replacements (facts 7; B87..B92): a value of one object into fields of others. */

/* delimiter and index, of a source or a target. */
typedef struct {
	const char *delimiter; /* NULL: none */
	int64_t index;
	bool create;
} Options;

static Options options_of(const json_t *owner)
{
	const json_t *options = json_map(owner, "options");
	const char *delimiter = json_text(options, "delimiter");
	return (Options){cstr_empty(delimiter) ? NULL : delimiter, json_int(options, "index", 0),
			 json_flag(options, "create", false)};
}

static bool is_container(const json_t *value)
{
	return json_is_object(value) || json_is_array(value);
}

/* The pieces between delimiters, as owned strings. */
static void split_text(const char *text, const char *delimiter, Vec *out)
{
	size_t len = strlen(delimiter);
	for (const char *at; (at = strstr(text, delimiter)); text = at + len)
		vec_push(out, mem_strndup(text, (size_t)(at - text)));
	vec_push(out, mem_strdup(text));
}

static char *join_texts(const Vec *pieces, const char *delimiter)
{
	autobuf Buf out = {0};
	for (size_t i = 0; i < pieces->len; i++)
		buf_printf(&out, "%s%s", i ? delimiter : "", (const char *)pieces->items[i]);
	return buf_steal(&out);
}

static bool id_selected(const json_t *wanted, const KResource *res, const KPrevious *id)
{
	const char *name = json_text(wanted, "name"), *ns = json_text(wanted, "namespace");
	if (!cstr_empty(name) && !cstr_eq(name, id->name))
		return false;
	if (!cstr_empty(ns) && !cstr_eq(ns, id->ns))
		return false;
	return kgvk_selected(json_text(wanted, "group"), json_text(wanted, "version"),
			     json_text(wanted, "kind"), kresource_api_version(res), id->kind);
}

static bool any_id_selected(const json_t *wanted, const KResource *res)
{
	KPrevious now = kresource_current(res);
	if (id_selected(wanted, res, &now))
		return true;
	for (size_t i = 0; i < res->previous_len; i++)
		if (id_selected(wanted, res, &res->previous[i]))
			return true;
	return false;
}

static const KResource *find_source(const KSet *set, const json_t *source, Error *err)
{
	const char *name = json_text_or(source, "name", "");
	autovec Vec named = {0};
	if (*name)
		kset_find_named(set, name, &named);
	const Vec *list = *name ? &named : &set->items;
	const KResource *found = NULL;
	for (size_t i = 0; i < list->len; i++) {
		const KResource *res = list->items[i];
		if (!res->tree || !any_id_selected(source, res))
			continue;
		if (found)
			return err_null(err, ERR_INVALID, "multiple matches for selector %s %s",
					json_text_or(source, "kind", ""), name);
		found = res;
	}
	if (!found)
		err_set(err, ERR_INVALID, "nothing selected by %s %s",
			json_text_or(source, "kind", ""), name);
	return found;
}

static bool is_missing(const json_t *value)
{
	return !value || json_is_null(value) ||
	       (json_is_object(value) && json_object_size(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0);
}

/* The source's value, a piece of it with a delimiter; owned. */
static json_t *refine(const json_t *value, const Options *options, Error *err)
{
	/* Not a copy: a target that changes the source is seen by the targets behind it [Q]. */
	if (!options->delimiter)
		return json_incref(json_borrow(value));
	if (is_container(value))
		return err_null(err, ERR_INVALID,
				"delimiter option can only be used with scalar nodes");
	autofree char *text = kpath_scalar_text(value);
	autostrings Vec pieces = {0};
	split_text(text, options->delimiter, &pieces);
	if (options->index < 0 || (size_t)options->index >= pieces.len)
		return err_null(err, ERR_INVALID,
				"options.index %" JSON_INTEGER_FORMAT
				" is out of bounds for the source's value",
				(json_int_t)options->index);
	const char *piece = pieces.items[options->index];
	return written_string(value) ? json_string_nocheck(piece) : kpath_scalar_of(piece);
}

static json_t *source_value(const KSet *set, const json_t *entry, Error *err)
{
	const json_t *source = json_map(entry, "source");
	const char *fixed = json_text(entry, "sourceValue");
	if (fixed && source)
		return err_null(err, ERR_INVALID,
				"value and resource selectors are mutually exclusive");
	if (fixed)
		return json_string_nocheck(fixed);
	const KResource *res = find_source(set, source, err);
	if (!res)
		return NULL;
	const char *path = json_text_or(source, "fieldPath", "");
	autostrings Vec parts = {0};
	kpath_split(*path ? path : "metadata.name", &parts);
	const json_t *value = kpath_get(res->tree, &parts);
	Options options = options_of(source);
	if (!is_missing(value))
		return refine(value, &options, err);
	autofree char *text = kresource_text(res);
	return err_null(err, ERR_INVALID, "fieldPath `%s` is missing for replacement source %s",
			*path ? path : "metadata.name", text);
}

/* The text that a target gets: the value, or the target's own with one piece changed. Owned. */
static char *combine(const json_t *old, const char *text, const Options *options)
{
	if (!options->delimiter)
		return mem_strdup(text);
	autofree char *have = kpath_scalar_text(old);
	autostrings Vec pieces = {0};
	split_text(have, options->delimiter, &pieces);
	if (options->index < 0) {
		vec_insert(&pieces, 0, mem_strdup(text));
	} else if ((size_t)options->index >= pieces.len) {
		vec_push(&pieces, mem_strdup(text));
	} else {
		free(pieces.items[options->index]);
		pieces.items[options->index] = mem_strdup(text);
	}
	return join_texts(&pieces, options->delimiter);
}

/* Whether a value can stand where the old one stood and keep its type. */
static bool fits(const json_t *old, const json_t *value)
{
	autojson json_t *from = written_value(old);
	autojson json_t *to = written_value(value);
	return (json_is_null(from) && json_is_null(to)) ||
	       (json_is_boolean(from) && json_is_boolean(to)) ||
	       (json_is_integer(from) && json_is_integer(to)) ||
	       (json_is_string(from) && json_is_string(to) && written_text(value)) ||
	       (json_is_real(from) && json_is_number(to));
}

/* A scalar keeps its own type (B91); one just made has the type its text reads as. */
static bool set_scalar(const KFound *found, const json_t *old, const char *text, Error *err)
{
	if (written_string(old)) {
		kslot_set_text(&found->slot, text);
		return true;
	}
	autojson json_t *value = found->is_text ? json_string_nocheck(text) : kpath_scalar_of(text);
	if (json_is_null(old) && !found->created && !*text)
		return true;
	if (!found->created && !fits(old, value))
		return err_set(err, ERR_INVALID, "the value does not fit the target field's type");
	kslot_set(&found->slot, steal(&value));
	return true;
}

/* What a copy weighs: so that replacements that copy copies end (KBuild.copied). */
static size_t weight_of(const json_t *value)
{
	const char *key;
	json_t *member;
	size_t index, weight = 64 + json_string_length(value);
	json_array_foreach(json_borrow(value), index, member)
	{
		weight += weight_of(member);
	}
	json_object_foreach(json_borrow(value), key, member)
	{
		weight += strlen(key) + weight_of(member);
	}
	return weight;
}

static bool set_found(KBuild *build, const KFound *found, const json_t *value,
		      const Options *options, Error *err)
{
	const json_t *old = kslot_get(&found->slot);
	if (options->delimiter && is_container(old))
		return err_set(err, ERR_INVALID,
			       "delimiter option can only be used with scalar nodes");
	if (!kbuild_charge_copy(build, weight_of(value), err))
		return false;
	if (is_container(old) || (found->created && is_container(value))) {
		kslot_set(&found->slot, json_deep_copy(value));
		return true;
	}
	autofree char *text = kpath_scalar_text(value);
	autofree char *whole = combine(old, text, options);
	return kbuild_charge_copy(build, strlen(whole), err) && set_scalar(found, old, whole, err);
}

/* Indented JSON as Go writes it. */
static char *dump_indented(json_t *document)
{
	written_settle(&document);
	char *flat = json_dumps(document, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	autobuf Buf out = {0};
	for (const char *at = flat ? flat : ""; *at; at++) {
		if (strchr("<>&", *at))
			buf_printf(&out, "\\u%04x", (unsigned)*at);
		else
			buf_putc(&out, *at);
	}
	free(flat);
	return buf_steal(&out);
}

/* The document's text in the manner of the old one (B90). Owned. */
static char *dump_like(json_t *document, const char *old)
{
	Str text = str_trim(str_of(old));
	bool json = text.len > 0 && (*text.ptr == '{' || *text.ptr == '[');
	if (json)
		return strchr(old, '\n') && strstr(old, "  ") ? dump_indented(document)
							      : json_dump_go(document);
	autobuf Buf out = {0};
	yaml_emit(document, &out);
	return str_dup(str_trim(buf_str(&out)));
}

static bool set_inside(KBuild *build, json_t *document, const Vec *parts, size_t from,
		       const json_t *value, const Options *options)
{
	autoerror Error ignored = {0};
	autofounds KFounds found = {0};
	Options plain = {.create = options->create}; /* delimiters do not count here [N] */
	if (!kpath_find(document, parts, from, options->create ? value : NULL, &found, &ignored) ||
	    found.len == 0)
		return false;
	for (size_t i = 0; i < found.len; i++)
		if (!set_found(build, &found.items[i], value, &plain, &ignored))
			return false;
	return true;
}

/* A path that continues inside a scalar's JSON or YAML edits that document. False: it does not, and
 * nothing was changed. */
static bool set_structured(KBuild *build, json_t *tree, const Vec *parts, const json_t *value,
			   const Options *options)
{
	for (size_t count = 1; count < parts->len; count++) {
		const char *text = json_string_value(kpath_get_some(tree, parts, count));
		if (!text)
			continue;
		autoerror Error ignored = {0};
		autojson json_t *document =
			yaml_parse(text, strlen(text), K_MAX_TEXT, "value", &ignored);
		if (!document || !set_inside(build, document, parts, count, value, options))
			return false;
		autofree char *dumped = dump_like(document, text);
		json_t *holder = kpath_get_some(tree, parts, count - 1);
		const char *key = parts->items[count - 1];
		if (!json_is_object(holder))
			return false;
		json_object_set_new_nocheck(holder, key, json_string_nocheck(dumped));
		return true;
	}
	return false;
}

static bool set_path(KBuild *build, json_t *tree, const char *path, const json_t *value,
		     const Options *options, Error *err)
{
	autostrings Vec parts = {0};
	kpath_split(path, &parts);
	if (set_structured(build, tree, &parts, value, options))
		return true;
	autofounds KFounds found = {0};
	if (!kpath_find(tree, &parts, 0, options->create ? value : NULL, &found, err))
		return err_wrap(err, "unable to find field \"%s\" in replacement target", path);
	if (found.len == 0)
		return err_set(err, ERR_INVALID,
			       "unable to find%s field \"%s\" in replacement target",
			       options->create ? " or create" : "", path);
	/* An object's annotations come out as text, as it was written. */
	bool is_text = parts.len > 2 && cstr_eq(parts.items[0], "metadata") &&
		       cstr_eq(parts.items[1], "annotations");
	for (size_t i = 0; i < found.len; i++) {
		found.items[i].is_text = is_text;
		if (!set_found(build, &found.items[i], value, options, err))
			return err_wrap(err, "field \"%s\"", path);
	}
	return true;
}

static bool has_id(const json_t *selector)
{
	static const char *const keys[] = {"group", "version", "kind", "name", "namespace"};
	for (size_t i = 0; i < COUNT(keys); i++)
		if (!cstr_empty(json_text(selector, keys[i])))
			return true;
	return false;
}

/* 1: rejected, 0: not, -1: failed. A reject's id and its labels each reject alone. */
static int is_rejected(const json_t *rejects, const KResource *res, Error *err)
{
	for (size_t i = 0; i < json_array_size(rejects); i++) {
		const json_t *reject = json_array_get(rejects, i);
		autokselector KSelector *selector = kselector_new(reject, err);
		if (!selector)
			return -1;
		if ((has_id(reject) && kselector_matches_any_id(selector, res)) ||
		    (kselector_has_labels(selector) && kselector_matches_labels(selector, res)))
			return 1;
	}
	return 0;
}

static bool set_paths(KBuild *build, KSet *set, KResource *res, const json_t *target,
		      const json_t *value, Error *err)
{
	const json_t *paths = json_list(target, "fieldPaths");
	Options options = options_of(target);
	bool ok = json_array_size(paths) > 0 ||
		  set_path(build, res->tree, "metadata.name", value, &options, err);
	for (size_t i = 0; ok && i < json_array_size(paths); i++)
		ok = set_path(build, res->tree, json_string_value(json_array_get(paths, i)), value,
			      &options, err);
	if (ok) {
		kset_reindex(set, res);
		return true;
	}
	autofree char *text = kresource_text(res);
	return err_wrap(err, "%s", text);
}

static bool apply_target(KBuild *build, KSet *set, const json_t *target, const json_t *value,
			 Error *err)
{
	const json_t *select = json_map(target, "select");
	if (!select)
		return err_set(err, ERR_INVALID, "target must specify resources to select");
	autokselector KSelector *selector = kselector_new(select, err);
	if (!selector)
		return false;
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		if (!res->tree || !kselector_matches_any_id(selector, res) ||
		    !kselector_matches_labels(selector, res))
			continue;
		int rejected = is_rejected(json_list(target, "reject"), res, err);
		if (rejected < 0 ||
		    (rejected == 0 && !set_paths(build, set, res, target, value, err)))
			return false;
	}
	return true;
}

static bool apply_entry(KBuild *build, KSet *set, const json_t *entry, Error *err)
{
	const json_t *targets = json_list(entry, "targets");
	if ((!json_map(entry, "source") && !json_text(entry, "sourceValue")) ||
	    json_array_size(targets) == 0)
		return err_set(err, ERR_INVALID,
			       "replacements must specify a source and at least one target");
	autojson json_t *value = source_value(set, entry, err);
	if (!value)
		return false;
	for (size_t i = 0; i < json_array_size(targets); i++)
		if (!kbuild_check_time(build, err) ||
		    !apply_target(build, set, json_array_get(targets, i), value, err))
			return false;
	return true;
}

/* A file holds one replacement or a list of them. */
static bool apply_file(const KTarget *target, KSet *set, const char *path, Error *err)
{
	autojson json_t *document = kload_document(target, path, err);
	if (!document)
		return false;
	autojson json_t *list =
		json_is_array(document) ? json_incref(document) : json_pack("[O]", document);
	for (size_t i = 0; i < json_array_size(list); i++) {
		autojson json_t *entry =
			kustomization_check_element(json_array_get(list, i), "replacements", err);
		if (!entry || !apply_entry(target->build, set, entry, err))
			return err_wrap(err, "%s: [%zu]", path, i);
	}
	return true;
}

bool replacements_apply(const KTarget *target, KSet *set, const json_t *list, Error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		const char *path = json_text(entry, "path");
		bool inline_too = json_map(entry, "source") || json_list(entry, "targets");
		if (!cstr_empty(path) && inline_too)
			return err_set(err, ERR_INVALID,
				       "cannot specify both path and inline replacement");
		if (!(cstr_empty(path) ? apply_entry(target->build, set, entry, err)
				       : apply_file(target, set, path, err)))
			return err_wrap(err, "%s/%s: replacements[%zu]", target->dir, target->file,
					i);
	}
	return true;
}
