#include "kustomize/transform.h"

#include "base/mem.h"
#include "data/jsonpatch.h"
#include "data/written.h"
#include "data/yaml.h"
#include "kustomize/load.h"
#include "kustomize/path.h"
#include "kustomize/select.h"
#include "kustomize/smp.h"

/* patches, patchesStrategicMerge, patchesJson6902 (facts 6; B63..B77). */

typedef struct {
	const KTarget *target;
	KSet *set;
	const char *source; /* "patches: path x", for errors */
	bool allow_name, allow_kind;
	bool settle; /* settle_patch also without a target */
} Patch;

/* True for a list of maps, each with an `op`: JSON patch operations. */
static bool is_operations(const json_t *document)
{
	for (size_t i = 0; i < json_array_size(document); i++)
		if (!json_is_object(json_array_get(document, i)))
			return false;
	return json_is_array(document);
}

/* Operations of a text, owned; NULL when the text is none. */
static json_t *read_operations(Str text, const char *source, Error *err)
{
	/* What starts with a bracket is JSON and nothing else, as upstream has it. */
	bool json = text.len > 0 && *text.ptr == '[';
	autojson json_t *document =
		json ? json_parse(text.ptr, text.len, K_MAX_TEXT, err)
		     : yaml_parse_last_wins(text.ptr, text.len, K_MAX_TEXT, source, err);
	if (!document)
		return NULL;
	if (!is_operations(document))
		return err_null(err, ERR_INVALID, "%s: not a list of JSON patch operations",
				source);
	return steal(&document);
}

/* Keeps what a strategic merge may not change (B69). */
static bool merge_into(const Patch *patch, KResource *res, json_t *take_tree, Error *err)
{
	autofree char *name = mem_strdup(kresource_name(res));
	autofree char *ns = mem_strdup(kresource_namespace(res));
	autofree char *kind = mem_strdup(kresource_kind(res));
	if (patch->allow_name || patch->allow_kind)
		kresource_remember(res);
	if (!smp_merge(patch->target->build, &res->tree, take_tree, err))
		return err_wrap(err, "%s", patch->source);
	if (json_object_size(res->tree) == 0) {
		kset_erase(patch->set, res);
		return true;
	}
	if (!patch->allow_kind)
		json_put_text(res->tree, "kind", kind);
	if (!patch->allow_name)
		kresource_set_name(res, name);
	kresource_set_namespace(res, ns);
	kset_reindex(patch->set, res);
	return true;
}

/* Upstream reads and writes these maps of a patch as strings: a null in them is the text, and
 * what is empty or no map is no field [Q]. */
static void settle_texts(json_t *metadata, const char *field)
{
	json_t *map = json_object_get(metadata, field);
	if (!map)
		return;
	if (json_object_size(map) == 0) {
		json_object_del(metadata, field);
		return;
	}
	const char *key;
	json_t *value;
	json_object_foreach(map, key, value)
	{
		if (!written_string(value))
			json_object_set_new_nocheck(map, key, kresource_text_value(value));
	}
}

static void settle_patch(json_t *tree)
{
	settle_texts(json_map(tree, "metadata"), "labels");
	settle_texts(json_map(tree, "metadata"), "annotations");
}

/* Without a target: exactly one object that has or had the patch's id. */
static bool merge_by_id(const Patch *patch, KResource *from, Error *err)
{
	autovec Vec found = {0};
	KPrevious id = kresource_current(from);
	kset_find_any(patch->set, kresource_api_version(from), &id, &found);
	if (found.len == 1 && patch->settle)
		settle_patch(from->tree);
	if (found.len == 1)
		return merge_into(patch, found.items[0], steal(&from->tree), err);
	autofree char *text = kresource_text(from);
	return err_set(err, ERR_INVALID,
		       "%s: %s matches for %s; failed to find unique target for patch",
		       patch->source, found.len ? "multiple" : "no", text);
}

static bool merge_all(const Patch *patch, const json_t *target, Vec *patches, Error *err)
{
	if (!target) {
		for (size_t i = 0; i < patches->len; i++)
			if (!merge_by_id(patch, patches->items[i], err))
				return false;
		return !patch->settle || kset_check(patch->set, err);
	}
	if (patches->len > 1)
		return err_set(err, ERR_INVALID,
			       "%s: multiple strategic merge patches in one entry may not have a "
			       "target",
			       patch->source);
	autokselector KSelector *selector = kselector_new(target, err);
	if (!selector)
		return err_wrap(err, "%s", patch->source);
	autovec Vec found = {0};
	kselector_select(selector, patch->set, &found);
	const KResource *from = patches->len ? patches->items[0] : NULL;
	for (size_t i = 0; from && i < found.len; i++) {
		KResource *res = found.items[i];
		json_t *copy = json_deep_copy(from->tree);
		json_put_text(copy, "apiVersion", kresource_api_version(res));
		settle_patch(copy);
		if (!merge_into(patch, res, copy, err))
			return false;
	}
	return kset_check(patch->set, err);
}

/* Plain text would be read as something else, or not at all. */
static bool needs_quotes(const char *text)
{
	size_t len = strlen(text);
	if (len == 0 || strchr(" *&!|>%@`\"'#{}[],", text[0]) || text[len - 1] == ' ' ||
	    text[len - 1] == ':' || strpbrk(text, "\n\t") || strstr(text, ": ") ||
	    strstr(text, " #"))
		return true;
	if (strchr("-?:", text[0]) && (len == 1 || text[1] == ' '))
		return true;
	autojson json_t *plain = kpath_scalar_of(text);
	return !written_string(plain);
}

/* What was JSON is YAML again: a text is quoted where it must be. */
static void quote(json_t *tree)
{
	const char *key;
	size_t index;
	json_t *member;
	if (json_is_string(tree) && needs_quotes(json_string_value(tree)))
		written_quote(tree);
	json_object_foreach(tree, key, member)
	{
		quote(member);
	}
	json_array_foreach(tree, index, member)
	{
		quote(member);
	}
}

/* `remember`: `patches` records the old id, patchesJson6902 does not (facts 3). */
static bool operate_all(const Patch *patch, const json_t *target, const json_t *operations,
			bool remember, Error *err)
{
	if (!target)
		return err_set(err, ERR_INVALID, "%s: must specify a target for JSON patch",
			       patch->source);
	autokselector KSelector *selector = kselector_new(target, err);
	if (!selector)
		return err_wrap(err, "%s", patch->source);
	autovec Vec found = {0};
	kselector_select(selector, patch->set, &found);
	for (size_t i = 0; i < found.len; i++) {
		KResource *res = found.items[i];
		autofree char *text = kresource_text(res);
		if (remember)
			kresource_remember(res);
		/* Upstream's notes are there, and so is their map; it goes if it stays empty. */
		if ((res->previous_len > 0 || res->generated) && json_map(res->tree, "metadata"))
			(void)json_make_at(res->tree, "metadata", "annotations", NULL);
		written_settle(&res->tree); /* through JSON, as upstream */
		if (!jsonpatch_apply(&res->tree, operations, true, err))
			return err_wrap(err, "%s: %s", patch->source, text);
		if (!json_is_object(res->tree))
			return err_set(err, ERR_INVALID, "%s: %s is no object any more",
				       patch->source, text);
		quote(res->tree);
		kset_reindex(patch->set, res);
	}
	return true;
}

/* The text of an entry: inline or of a file, not both. `source` is what errors call it; owned. */
static bool read_entry(const KTarget *target, const json_t *entry, const char *where, Buf *out,
		       char **out_source, Error *err)
{
	const char *path = json_text_or(entry, "path", "");
	const char *text = json_text_or(entry, "patch", "");
	Str trimmed = str_trim(str_of(text));
	if (trimmed.len == 0 && *path == '\0')
		return err_set(err, ERR_INVALID, "%s: must specify one of patch and path", where);
	if (trimmed.len > 0 && *path != '\0')
		return err_set(err, ERR_INVALID, "%s: patch and path can't be set at the same time",
			       where);
	if (trimmed.len > 0) {
		buf_add(out, trimmed);
	} else if (!kload_text(target, path, out, err)) {
		return err_wrap(err, "%s: failed to get the patch file from path(%s)", where, path);
	}
	*out_source = mem_printf("%s%s%s", where, *path ? ": " : "", path);
	return true;
}

/* Facts 6: the kind of a patch is decided by parsing. */
static bool apply_text(const Patch *patch, const json_t *target, Str text, Error *err)
{
	autoerror Error not_merge = {0};
	autoerror Error not_json = {0};
	autokresources Vec patches = {0};
	bool merge = kload_resources_text(patch->target, text, patch->source, &patches, &not_merge);
	if (merge)
		return patches.len == 0 || merge_all(patch, target, &patches, err);
	autojson json_t *operations = read_operations(text, patch->source, &not_json);
	if (!operations) {
		/* Both say the same of what is no YAML. */
		bool same = cstr_ends(err_text(&not_merge), err_text(&not_json));
		return err_set(err, ERR_INVALID, "%s: unable to parse SM or JSON patch: %s%s%s",
			       patch->source, err_text(&not_merge), same ? "" : "; ",
			       same ? "" : err_text(&not_json));
	}
	return operate_all(patch, target, operations, true, err);
}

bool patch_apply(const KTarget *target, KSet *set, const json_t *entry, const char *where,
		 Error *err)
{
	autobuf Buf text = {0};
	autofree char *source = NULL;
	if (!read_entry(target, entry, where, &text, &source, err))
		return false;
	const json_t *options = json_map(entry, "options");
	Patch patch = {.target = target,
		       .set = set,
		       .source = source,
		       .allow_name = json_flag(options, "allowNameChange", false),
		       .allow_kind = json_flag(options, "allowKindChange", false)};
	return apply_text(&patch, json_map(entry, "target"), buf_str(&text), err);
}

bool patch_json_apply(const KTarget *target, KSet *set, const json_t *entry, const char *where,
		      Error *err)
{
	autobuf Buf text = {0};
	autofree char *source = NULL;
	if (!read_entry(target, entry, where, &text, &source, err))
		return false;
	const json_t *selector = json_map(entry, "target");
	if (cstr_empty(json_text(selector, "name")))
		return err_set(err, ERR_INVALID, "%s: must specify the target name", source);
	autojson json_t *operations = read_operations(buf_str(&text), source, err);
	if (!operations)
		return false;
	if (json_array_size(operations) == 0)
		return err_set(err, ERR_INVALID, "%s: patch appears to be empty", source);
	Patch patch = {.target = target, .set = set, .source = source};
	return operate_all(&patch, selector, operations, false, err);
}

/* An entry is inline YAML when it reads as objects, else a path. */
static bool load_merge(const KTarget *target, const char *entry, Vec *out, Error *err)
{
	autoerror Error not_inline = {0};
	if (kload_resources_text(target, str_of(entry), "inline patch", out, &not_inline))
		return true;
	kload_dispose_resources(out);
	*out = (Vec){0};
	autobuf Buf text = {0};
	if (strchr(entry, '\n'))
		return err_move(err, &not_inline);
	return kload_text(target, entry, &text, err) &&
	       kload_resources_text(target, buf_str(&text), entry, out, err);
}

bool patch_merge_apply(const KTarget *target, KSet *set, const char *entry, Error *err)
{
	autofree char *where =
		mem_printf("%s/%s: patchesStrategicMerge", target->dir, target->file);
	autokresources Vec patches = {0};
	if (!load_merge(target, entry, &patches, err))
		return err_wrap(err, "%s", where);
	if (patches.len == 0)
		return err_set(err, ERR_INVALID, "%s: patch appears to be empty", where);
	Patch patch = {.target = target, .set = set, .source = where, .settle = true};
	return merge_all(&patch, NULL, &patches, err);
}
