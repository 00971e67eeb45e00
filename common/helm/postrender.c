#include "helm/postrender.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/yaml.h"
#include "data/yaml_restyle.h"

enum { STREAM_MAX = 64 << 20 };

/* The texts of a file, in the order of the stream. */
typedef struct {
	Arena *arena;
	Map *files; /* path -> Buf *, owned */
} Files;

static void free_text(void *pointer)
{
	Buf *text = pointer;
	buf_dispose(text);
	free(text);
}

static void files_dispose(Files *files)
{
	map_free(files->files);
}
#define autofiles __attribute__((cleanup(files_dispose)))

static void add_text(Files *files, const char *path, Str text, const char *between)
{
	Buf *known = map_get(files->files, path);
	if (!known) {
		known = mem_zalloc(1, sizeof(*known));
		map_put(files->files, path, known);
	} else {
		buf_puts(known, between);
	}
	buf_add(known, text);
}

/* ---- texts to a stream ---- */

static void add_object(json_t *stream, const char *path, json_t *object)
{
	json_t *annotations = json_make_at(object, "metadata", "annotations", NULL);
	json_put_text(annotations, HELM_FILENAME_ANNOTATION, path);
	json_array_append(stream, object);
}

/* A List alone in its document is the objects in it. */
static bool add_value(json_t *stream, const char *path, json_t *value, Error *err)
{
	const char *kind = json_text_or(value, "kind", "");
	json_t *item, *items = json_list(value, "items");
	size_t index;
	bool is_list = items && (cstr_eq(kind, "List") || cstr_eq(kind, "ResourceList"));
	if (!json_is_object(value))
		return err_set(err, ERR_INVALID, "parsing %s: an object is expected", path);
	if (!is_list)
		add_object(stream, path, value);
	else
		json_array_foreach(items, index, item) add_object(stream, path, item);
	return true;
}

static bool add_output(Arena *arena, json_t *stream, const HelmOutput *output, Error *err)
{
	autovec Vec texts = {0};
	helm_manifest_split(arena, output->text, &texts);
	for (size_t i = 0; i < texts.len; i++) {
		autoyaml YamlStream documents = {0};
		const Str *text = texts.items[i];
		if (!yaml_parse_objects(text->ptr, text->len, STREAM_MAX, "yaml", &documents, err))
			return err_wrap(err, "parsing %s", output->path);
		for (size_t at = 0; at < documents.len; at++)
			if (!add_value(stream, output->path, documents.items[at].value, err))
				return false;
	}
	return true;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const HelmOutput *)a)->path, ((const HelmOutput *)b)->path);
}

static json_t *stream_of(Arena *arena, const HelmOutput *outputs, size_t count, Error *err)
{
	autojson json_t *stream = json_array();
	autovec Vec sorted = {0};
	for (size_t i = 0; i < count; i++)
		vec_push(&sorted, (void *)(uintptr_t)&outputs[i]);
	vec_sort(&sorted, compare_paths);
	for (size_t i = 0; i < sorted.len; i++)
		if (!add_output(arena, stream, sorted.items[i], err))
			return NULL;
	return steal(&stream);
}

/* ---- a stream to texts ---- */

/* Takes the annotation off again, and the annotations when nothing else was in them. */
static char *take_path(json_t *object, const char *group, size_t index)
{
	json_t *metadata = json_map(object, "metadata");
	json_t *annotations = json_map(metadata, "annotations");
	const char *path = json_text_or(annotations, HELM_FILENAME_ANNOTATION, "");
	char *own = *path    ? mem_strdup(path)
		    : *group ? mem_printf("generated-by-postrender-%s-%zu.yaml", group, index)
			     : mem_printf("generated-by-postrender-%zu.yaml", index);
	json_object_del(annotations, HELM_FILENAME_ANNOTATION);
	if (annotations && json_object_size(annotations) == 0)
		json_object_del(metadata, "annotations");
	return own;
}

static bool add_stream(Files *into, const json_t *stream, const char *group, Error *err)
{
	__attribute__((cleanup(files_dispose))) Files files = {into->arena, map_new(free_text)};
	json_t *object;
	size_t index, at = 0;
	const char *path;
	void *text;
	json_array_foreach(stream, index, object)
	{
		autobuf Buf yaml = {0};
		if (!json_is_object(object))
			return err_set(err, ERR_INVALID, "getting metadata: an object is expected");
		autojson json_t *own = json_deep_copy(object);
		autofree char *file = take_path(own, group, index);
		yaml_emit_long(own, &yaml);
		add_text(&files, file, buf_str(&yaml), "---\n");
	}
	while (map_next(files.files, &at, &path, &text))
		add_text(into, path, buf_str(text), "\n---\n");
	return true;
}

/* ---- the renderer ---- */

static bool run_group(Files *into, const HelmPostRenderer *renderer, const char *group,
		      const HelmOutput *outputs, size_t count, Error *err)
{
	const char *name = *group ? group : "manifests";
	autojson json_t *stream = stream_of(into->arena, outputs, count, err);
	autojson json_t *result = NULL;
	if (!stream)
		return err_wrap(err, "error merging %s", name);
	if (!renderer->run(renderer->context, stream, &result, err))
		return err_wrap(err, "error while running post render on %s",
				*group ? group : "files");
	if (add_stream(into, result, group, err))
		return true;
	return *group ? err_wrap(err, "error while parsing post rendered output for %s", group)
		      : err_wrap(err, "error while parsing post rendered output");
}

static void list_files(const Files *files, HelmOutput **out, size_t *out_count)
{
	const char *path;
	void *text;
	size_t at = 0, count = 0;
	HelmOutput *outputs = arena_alloc(files->arena, map_len(files->files) * sizeof(*outputs));
	while (map_next(files->files, &at, &path, &text)) {
		Str own = buf_str(text);
		own.ptr = arena_strndup(files->arena, own.ptr, own.len);
		outputs[count++] = (HelmOutput){arena_strdup(files->arena, path), own};
	}
	*out = outputs;
	*out_count = count;
}

/* The texts of hooks or of objects, each file's together. */
static void files_of(Arena *arena, const Vec *manifests, HelmOutput **out, size_t *out_count)
{
	autofiles Files files = {arena, map_new(free_text)};
	for (size_t i = 0; i < manifests->len; i++) {
		const HelmManifest *manifest = manifests->items[i];
		add_text(&files, manifest->path, manifest->text, "\n---\n");
	}
	list_files(&files, out, out_count);
}

/* Hooks and objects apart. */
static bool run_apart(Files *into, const HelmPostRenderer *renderer, const HelmOutput *outputs,
		      size_t count, Error *err)
{
	automanifests HelmManifests sorted = {0};
	HelmOutput *hooks, *objects;
	size_t hook_count, object_count;
	if (!helm_manifests_read(into->arena, outputs, count, &sorted, err))
		return false;
	files_of(into->arena, &sorted.hooks, &hooks, &hook_count);
	files_of(into->arena, &sorted.objects, &objects, &object_count);
	bool separate = renderer->strategy == HELM_POSTRENDER_SEPARATE;
	for (size_t i = 0; !separate && i < hook_count; i++)
		add_text(into, hooks[i].path, hooks[i].text, "\n---\n");
	if (separate && hook_count > 0 &&
	    !run_group(into, renderer, "hooks", hooks, hook_count, err))
		return false;
	return object_count == 0 ||
	       run_group(into, renderer, "manifests", objects, object_count, err);
}

/* ---- as text ---- */

/* One document, behind those that are there. A List is written as the objects in it, whose styles
 * nothing knows then. */
static bool write_document(Buf *stream, const char *path, Str text, json_t *value, Error *err)
{
	autojson json_t *objects = json_array();
	json_t *object;
	size_t index;
	if (!add_value(objects, path, value, err))
		return false;
	bool is_list = json_array_size(objects) != 1 || json_array_get(objects, 0) != value;
	if (!is_list) {
		buf_puts(stream, stream->len ? "---\n" : "");
		return yaml_restyle(text, HELM_FILENAME_ANNOTATION, path, stream, err) ||
		       err_wrap(err, "annotating %s", path);
	}
	json_array_foreach(objects, index, object)
	{
		buf_puts(stream, stream->len ? "---\n" : "");
		yaml_emit_long(object, stream);
	}
	return true;
}

static bool write_output(Arena *arena, Buf *stream, const HelmOutput *output, Error *err)
{
	autovec Vec texts = {0};
	helm_manifest_split(arena, output->text, &texts);
	for (size_t i = 0; i < texts.len; i++) {
		autoyaml YamlStream documents = {0};
		Str text = *(const Str *)texts.items[i];
		if (!yaml_parse_objects(text.ptr, text.len, STREAM_MAX, "yaml", &documents, err))
			return err_wrap(err, "parsing %s", output->path);
		for (size_t at = 0; at < documents.len; at++)
			if (!write_document(stream, output->path, text, documents.items[at].value,
					    err))
				return false;
	}
	return true;
}

/* Partials are no objects, whatever their text. */
static bool write_stream(Arena *arena, const HelmOutput *outputs, size_t count, Buf *out,
			 Error *err)
{
	autovec Vec sorted = {0};
	for (size_t i = 0; i < count; i++)
		if (*path_base(outputs[i].path) != '_')
			vec_push(&sorted, (void *)(uintptr_t)&outputs[i]);
	vec_sort(&sorted, compare_paths);
	for (size_t i = 0; i < sorted.len; i++)
		if (!write_output(arena, out, sorted.items[i], err))
			return err_wrap(err, "error merging manifests");
	return true;
}

/* A document of what came back, to the file that it says it is of. */
static bool take_document(Files *files, Str text, size_t index, Error *err)
{
	autoyaml YamlStream documents = {0};
	autobuf Buf plain = {0};
	if (!yaml_parse_objects(text.ptr, text.len, STREAM_MAX, "yaml", &documents, err))
		return err_wrap(err, "error parsing YAML");
	if (documents.len == 0)
		return true;
	json_t *object = documents.items[0].value;
	if (!json_is_object(object))
		return err_set(err, ERR_INVALID, "getting metadata: an object is expected");
	autofree char *path = take_path(object, "", index);
	if (!yaml_restyle(text, HELM_FILENAME_ANNOTATION, NULL, &plain, err))
		return err_wrap(err, "clearing filename annotation");
	add_text(files, path, buf_str(&plain), "---\n");
	return true;
}

static bool take_stream(Files *files, Str stream, Error *err)
{
	autovec Vec texts = {0};
	helm_manifest_split(files->arena, stream, &texts);
	for (size_t i = 0; i < texts.len; i++)
		if (!take_document(files, *(const Str *)texts.items[i], i, err))
			return err_wrap(err, "error while parsing post rendered output");
	return true;
}

static bool run_text(Files *into, const HelmPostRenderer *renderer, const HelmOutput *outputs,
		     size_t count, Error *err)
{
	autobuf Buf stream = {0}, result = {0};
	if (!write_stream(into->arena, outputs, count, &stream, err))
		return false;
	if (!renderer->run_text(renderer->context, buf_str(&stream), &result, err))
		return err_wrap(err, "error while running post render on files");
	return take_stream(into, buf_str(&result), err);
}

bool helm_postrender(Arena *arena, const HelmPostRenderer *renderer, const HelmOutput *outputs,
		     size_t count, HelmOutput **out, size_t *out_count, Error *err)
{
	autofiles Files files = {arena, map_new(free_text)};
	bool combined = renderer->strategy == HELM_POSTRENDER_COMBINED;
	bool fine = renderer->run_text ? run_text(&files, renderer, outputs, count, err)
		    : combined	       ? run_group(&files, renderer, "", outputs, count, err)
				       : run_apart(&files, renderer, outputs, count, err);
	if (fine)
		list_files(&files, out, out_count);
	return fine;
}
