#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/written.h"
#include "data/yaml.h"
#include "kustomize/accumulate.h"
#include "kustomize/cache.h"
#include "kustomize/hash.h"
#include "kustomize/kustomization.h"
#include "kustomize/load.h"
#include "kustomize/metadata.h"
#include "kustomize/order.h"
#include "kustomize/refs.h"

/* The whole build: opens the root, accumulates, then does what only the root does (facts 3). */

static const char *const root_names[] = {"kustomization.yaml", "kustomization.yml",
					 "Kustomization"};

const char *kustomize_find_root(const KustomizeFiles *files, const char *dir, Error *err)
{
	const char *found = NULL;
	for (size_t i = 0; i < COUNT(root_names); i++) {
		autofree char *joined = path_join(dir, root_names[i]);
		autofree char *path = path_clean(joined);
		if (files->stat(files->arg, path) != KUSTOMIZE_FILE)
			continue;
		if (found)
			return err_null(err, ERR_INVALID,
					"Found multiple kustomization files under: %s", dir);
		found = root_names[i];
	}
	return found;
}

static bool charge(size_t *total, size_t bytes, size_t limit, const char *what, Error *err)
{
	if (bytes > limit || *total > limit - bytes)
		return err_set(err, ERR_LIMIT, "the build %s more than %zu bytes", what, limit);
	*total += bytes;
	return true;
}

bool kbuild_check_time(const KBuild *build, Error *err)
{
	return clock_mono_ms() < build->until_ms ||
	       err_set(err, ERR_LIMIT, "the build takes longer than %lld ms",
		       (long long)build->limits.max_ms);
}

bool kbuild_charge(KBuild *build, const char *path, size_t bytes, Error *err)
{
	if (bytes > build->limits.max_file_bytes)
		return err_set(err, ERR_LIMIT, "%s: over %zu bytes", path,
			       build->limits.max_file_bytes);
	return (charge(&build->bytes, bytes, build->limits.max_bytes, "reads", err) &&
		kbuild_check_time(build, err)) ||
	       err_wrap(err, "%s", path);
}

bool kbuild_count_object(KBuild *build, Error *err)
{
	return ++build->objects <= build->limits.max_objects ||
	       err_set(err, ERR_LIMIT, "more than %zu objects", build->limits.max_objects);
}

bool kbuild_charge_copy(KBuild *build, size_t bytes, Error *err)
{
	return charge(&build->copied, bytes, K_MAX_COPIED, "copies", err) &&
	       kbuild_check_time(build, err);
}

bool kbuild_check_name(const char *field, const char *text, Error *err)
{
	return !text || strlen(text) <= K_MAX_NAME ||
	       err_set(err, ERR_LIMIT, "%s: longer than %d bytes", field, K_MAX_NAME);
}

static void free_json(void *pointer)
{
	json_decref(pointer);
}

/* "/patches/2/where" of "...: patches: [2]: unknown field "where""; owned; NULL: another error. */
static char *pointer_of_unknown(const char *text)
{
	static const char before[] = "invalid Kustomization: ", last[] = "unknown field \"";
	const char *field = strstr(text, last), *check = strstr(text, before);
	if (!field || !check || check > field)
		return NULL;
	autobuf Buf pointer = {0};
	Str rest = str_sized(check + strlen(before), (size_t)(field - check) - strlen(before)),
	    step;
	while (str_cut(rest, ':', &step, &rest)) {
		step = str_trim(step);
		bool is_index = str_starts(step, STR("["));
		buf_putc(&pointer, '/');
		buf_add(&pointer, is_index ? str_slice(step, 1, step.len - 1) : step);
	}
	field += strlen(last);
	buf_printf(&pointer, "/%.*s", (int)strcspn(field, "\""), field);
	return buf_steal(&pointer);
}

static json_t *check_spec(const json_t *raw, const char *path, const Buf *text, Error *err)
{
	json_t *spec = kustomization_check(raw, path, K_KNOWN_FIELDS, err);
	autofree char *unknown = spec ? NULL : pointer_of_unknown(err_text(err));
	size_t line = unknown ? yaml_line_of_key(buf_text(text), text->len, 0, unknown) : 0;
	if (!line)
		return spec;
	char *told = mem_printf("%s:%zu%s", path, line, err_text(err) + strlen(path));
	free(err->message);
	err->message = told;
	return NULL;
}

/* The file's one document; of duplicate keys the last wins (facts 1). */
static json_t *read_spec(KBuild *build, const char *path, Error *err)
{
	const KustomizeOptions *options = build->options;
	autobuf Buf text = {0};
	if (!options->files->read(options->files->arg, path, &text, err) ||
	    !kbuild_charge(build, path, text.len, err))
		return NULL;
	autojson json_t *raw =
		yaml_parse_last_wins(buf_text(&text), text.len, K_MAX_TEXT, path, err);
	if (!raw)
		return NULL;
	if (json_is_null(raw))
		return err_null(err, ERR_INVALID, "%s: kustomization.yaml is empty", path);
	return check_spec(raw, path, &text, err);
}

static bool find_file(const KBuild *build, const char *dir, const char **out, Error *err)
{
	*out = kustomize_find_root(build->options->files, dir, err);
	if (err_is_set(err))
		return false;
	return *out || err_set(err, ERR_NOT_FOUND,
			       "unable to find one of 'kustomization.yaml', 'kustomization.yml' or "
			       "'Kustomization' in directory '%s'",
			       dir);
}

/* Facts 7, openapi: the outermost wins; both fields are an error. */
static bool read_openapi(const KTarget *target, Error *err)
{
	const json_t *openapi = json_map(target->spec, "openapi");
	const char *path = json_text(openapi, "path"), *version = json_text(openapi, "version");
	if (path && version)
		return err_set(err, ERR_INVALID, "%s/%s: openapi: path and version are both given",
			       target->dir, target->file);
	if (version && !cstr_eq(version, "v1.21.2"))
		return err_set(err, ERR_INVALID, "%s/%s: openapi: version %s is not built in",
			       target->dir, target->file, version);
	KBuild *build = target->build;
	if (!path || build->schema.custom)
		return true;
	json_t *document = kload_document(target, path, err);
	if (!document || !kschema_set_custom(&build->schema, document, err))
		return err_wrap(err, "openapi");
	build->schema.no_builtin = !build->options->keep_builtin_schema;
	return true;
}

bool ktarget_open(KBuild *build, const KTarget *parent, const char *path, const char *origin,
		  KTarget *out, Error *err)
{
	*out = (KTarget){.build = build,
			 .parent = parent,
			 .dir = path,
			 .origin = origin,
			 .depth = parent ? parent->depth + 1 : 0};
	if (out->depth > K_MAX_DEPTH)
		return err_set(err, ERR_LIMIT, "nested deeper than %d", K_MAX_DEPTH);
	if (++build->targets > K_MAX_TARGETS)
		return err_set(err, ERR_LIMIT, "more than %d kustomizations", K_MAX_TARGETS);
	json_t *spec;
	if (!parent && build->options->root) {
		out->file = root_names[0];
		spec = kustomization_check(build->options->root, out->file, K_ANY_FIELDS, err);
	} else {
		if (!find_file(build, path, &out->file, err))
			return false;
		autofree char *file = path_join(path, out->file);
		autofree char *clean = path_clean(file);
		spec = read_spec(build, clean, err);
	}
	if (!spec)
		return false;
	arena_defer(build->arena, free_json, spec);
	out->spec = spec;
	return read_openapi(out, err);
}

char *ktarget_entry_name(const KTarget *target, const char *list, size_t own, size_t index)
{
	const char *added = target->parent ? NULL : target->build->options->added;
	if (added && index >= own)
		return mem_printf("%s.%s[%zu]", added, list, index - own);
	return mem_printf("%s/%s: %s[%zu]", target->dir, target->file, list, index);
}

/* "/patches/2" of "patches[2]: ...", "/patches" of "patches: ..."; owned. */
static char *pointer_of(const char *text)
{
	size_t name = strcspn(text, ":[ ");
	if (text[name] != '[')
		return mem_printf("/%.*s", (int)name, text);
	const char *index = text + name + 1;
	return mem_printf("/%.*s/%.*s", (int)name, text, (int)strspn(index, "0123456789"), index);
}

/* Of the file in the target's directory, whatever it is called there; 0: not known. A root that the
 * caller made has none, or one that says the same at the same place. */
static size_t line_of(const KTarget *target, const char *pointer)
{
	const KustomizeFiles *files = target->build->options->files;
	autoerror Error ignored = {0};
	const char *name = kustomize_find_root(files, target->dir, &ignored);
	autofree char *file = name ? path_join(target->dir, name) : NULL;
	autofree char *path = file ? path_clean(file) : NULL;
	autobuf Buf text = {0};
	if (!path || !files->read(files->arg, path, &text, &ignored))
		return 0;
	return yaml_line_of(buf_text(&text), text.len, 0, pointer);
}

void ktarget_tell_line(const KTarget *target, Error *err)
{
	autofree char *where = mem_printf("%s/%s: ", target->dir, target->file);
	const char *text = err_text(err), *at = strstr(text, where);
	if (!at)
		return;
	const char *field = at + strlen(where);
	autofree char *pointer = pointer_of(field);
	size_t line = line_of(target, pointer);
	if (!line)
		return;
	/* Up to the colon behind the file. */
	char *told = mem_printf("%.*s:%zu: %s", (int)(field - 2 - text), text, line, field);
	free(err->message);
	err->message = told;
}

static bool is_local(const KResource *res)
{
	const json_t *value = json_at(res->tree, "metadata", "annotations",
				      "config.kubernetes.io/local-config", NULL);
	return value && !json_is_false(value) && !cstr_eq(json_string_value(value), "false");
}

/* Drops what `config.kubernetes.io/local-config` marks with any value but "false" (B94). Patches
 * may have taken away what every object needs. */
static bool drop_local(KSet *set, Error *err)
{
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		const char *kind = kresource_kind(res);
		if (*kind == '\0')
			return err_set(err, ERR_INVALID, "%s:%zu: missing kind in object",
				       res->file, res->line);
		if (!cstr_ends(kind, "List") && *kresource_name(res) == '\0')
			return err_set(err, ERR_INVALID, "%s:%zu: missing metadata.name in object",
				       res->file, res->line);
		if (is_local(res))
			kset_erase(set, res);
	}
	kset_drop_empty(set);
	return true;
}

/* Upstream keeps its notes in annotations: it writes them back as strings, and what is empty or no
 * map is dropped. */
static void settle_annotations(KResource *res)
{
	json_t *metadata = json_make_at(res->tree, "metadata", NULL);
	json_t *annotations = json_object_get(metadata, "annotations");
	if (!annotations)
		return;
	if (json_object_size(annotations) == 0) {
		json_object_del(metadata, "annotations");
		return;
	}
	const char *key;
	json_t *value;
	json_object_foreach(annotations, key, value)
	{
		if (!written_string(value))
			json_object_set_new_nocheck(annotations, key, kresource_text_value(value));
	}
}

static void move_result(KSet *set, bool keep_written, KustomizeResult *out)
{
	out->items = mem_zalloc(set->items.len + 1, sizeof(*out->items));
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		if (!keep_written)
			written_settle(&res->tree);
		out->items[out->len++] = (KustomizeResource){
			.object = steal(&res->tree), .file = steal(&res->file), .line = res->line};
	}
}

static bool finish(const KTarget *root, KAccumulator *acc, KustomizeResult *out, Error *err)
{
	hash_names(acc->set);
	if (!refs_fix(acc->set, acc->config, err))
		return false;
	if (!vars_resolve(root, acc, err))
		return err_wrap(err, "%s/%s", root->dir, root->file);
	if (!drop_local(acc->set, err))
		return false;
	const KustomizeOptions *options = root->build->options;
	if (!order_apply(acc->set, json_map(root->spec, "sortOptions"), options->legacy_order, err))
		return err_wrap(err, "%s/%s", root->dir, root->file);
	for (size_t i = 0; i < acc->set->items.len; i++)
		settle_annotations(kset_at(acc->set, i));
	if (!metadata_finish(acc->set, json_list(root->spec, "buildMetadata"),
			     options->managed_by_label, err))
		return err_wrap(err, "%s/%s: buildMetadata", root->dir, root->file);
	move_result(acc->set, options->keep_written, out);
	return true;
}

static bool build_root(KBuild *build, const char *dir, KustomizeResult *out, Error *err)
{
	KTarget root;
	autofree char *clean = path_clean(dir);
	if (!ktarget_open(build, NULL, arena_strdup(build->arena, clean), "", &root, err))
		return false;
	/* Unknown options mean nothing, as upstream has it; any option makes it take notes. */
	build->origins = json_array_size(json_list(root.spec, "buildMetadata")) > 0;
	autokaccumulator KAccumulator *acc = kaccumulator_new();
	if (ktarget_accumulate(&root, acc, err) && finish(&root, acc, out, err))
		return true;
	ktarget_tell_line(&root, err);
	return false;
}

static KustomizeLimits limits_of(const KustomizeOptions *options)
{
	KustomizeLimits limits = options->limits;
	if (!limits.max_file_bytes || limits.max_file_bytes > K_MAX_TEXT)
		limits.max_file_bytes = K_MAX_TEXT;
	limits.max_bytes = limits.max_bytes ? limits.max_bytes : K_MAX_BYTES;
	limits.max_objects = limits.max_objects ? limits.max_objects : K_MAX_OBJECTS;
	limits.max_ms = limits.max_ms ? limits.max_ms : K_MAX_MS;
	return limits;
}

bool kustomize_build(const char *dir, const KustomizeOptions *options, KustomizeResult *out,
		     Error *err)
{
	autoarena Arena *arena = arena_new();
	KBuild build = {.options = options, .arena = arena, .limits = limits_of(options)};
	build.until_ms = clock_mono_ms() + build.limits.max_ms;
	bool ok = build_root(&build, dir, out, err);
	kschema_dispose(&build.schema);
	return ok;
}

void kustomize_result_dispose(KustomizeResult *result)
{
	for (size_t i = 0; i < result->len; i++) {
		json_decref(result->items[i].object);
		free(result->items[i].file);
	}
	free(result->items);
	*result = (KustomizeResult){0};
}

void kustomize_emit(const KustomizeResult *result, Buf *out)
{
	for (size_t i = 0; i < result->len; i++) {
		if (i > 0)
			buf_puts(out, "---\n");
		yaml_emit(result->items[i].object, out);
	}
}
