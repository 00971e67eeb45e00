/*
 * Chart archives, read as a stream. Names are read as Helm reads them: the first part is left away,
 * "\\" is "/" where there is one, and what leads elsewhere is refused.
 */
#include "helm/archive.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "archive/unpack.h"
#include "base/mem.h"
#include "base/path.h"
#include "helm/metadata.h"

/* Helm counts files only; directories and the like are counted here beside. */
static const UnpackLimits unpack_limits = {.max_bytes = HELM_MAX_CHART_BYTES + (1 << 20),
					   .max_entries = 2 * HELM_MAX_FILES};

void helm_files_dispose(HelmFiles *files)
{
	free(files->items);
	*files = (HelmFiles){0};
}

bool helm_files_add(HelmFiles *files, const char *name, Str bytes, Error *err)
{
	files->bytes += bytes.len;
	if (files->len >= HELM_MAX_FILES)
		return err_set(err, ERR_LIMIT, "chart has more than %d files", HELM_MAX_FILES);
	if (files->bytes > HELM_MAX_CHART_BYTES)
		return err_set(err, ERR_LIMIT, "chart is larger than the maximum size of %d bytes",
			       HELM_MAX_CHART_BYTES);
	if (files->len == files->cap) {
		files->cap = files->cap ? files->cap * 2 : 32;
		files->items = mem_realloc(files->items, files->cap * sizeof(HelmFile));
	}
	Str text = helm_without_mark(bytes);
	Str kept = str_sized(arena_strndup(files->arena, text.ptr, text.len), text.len);
	files->items[files->len++] = (HelmFile){arena_strdup(files->arena, name), kept};
	return true;
}

/* --- names --- */

static bool is_drive(const char *path)
{
	return isalpha((unsigned char)path[0]) && path[1] == ':' && path[2] == '/';
}

static char *entry_name(void *arg, const char *raw, Error *err)
{
	(void)arg;
	char delimiter = strchr(raw, '\\') ? '\\' : '/';
	const char *cut = strchr(raw, delimiter);
	autofree char *name = mem_strdup(cut ? cut + 1 : "");
	for (char *at = name; *at; at++)
		if (*at == delimiter)
			*at = '/';
	if (name[0] == '/')
		return err_null(err, ERR_FORBIDDEN,
				"chart illegally contains absolute paths: \"%.200s\"", raw);
	autofree char *clean = path_clean(name);
	if (cstr_eq(clean, "."))
		return err_null(err, ERR_FORBIDDEN,
				"chart illegally contains content outside the base directory: "
				"\"%.200s\"",
				raw);
	if (cstr_starts(clean, ".."))
		return err_null(err, ERR_FORBIDDEN,
				"chart illegally references parent directory: \"%.200s\"", raw);
	if (is_drive(clean))
		return err_null(err, ERR_FORBIDDEN,
				"chart contains illegally named files: \"%.200s\"", raw);
	if (cstr_starts(raw, "Chart.yaml") && cut == raw + strlen("Chart.yaml"))
		return err_null(err, ERR_INVALID, "chart yaml not in base directory");
	return steal(&clean);
}

/* --- whole charts --- */

typedef struct {
	HelmFiles files;
	char *name; /* of the open entry, owned */
	Buf data;
} Collector;

static void collector_dispose(Collector *collector)
{
	helm_files_dispose(&collector->files);
	free(collector->name);
	buf_dispose(&collector->data);
}

static bool collect_open(void *arg, const char *path, unsigned mode, uint64_t size, Error *err)
{
	Collector *collector = arg;
	(void)mode;
	if (size > HELM_MAX_CHART_BYTES - collector->files.bytes)
		return err_set(err, ERR_LIMIT,
			       "decompressed chart is larger than the maximum size %d",
			       HELM_MAX_CHART_BYTES);
	if (size > HELM_MAX_FILE_BYTES)
		return err_set(err, ERR_LIMIT,
			       "decompressed chart file \"%.200s\" is larger than the maximum file "
			       "size %d",
			       path, HELM_MAX_FILE_BYTES);
	free(collector->name);
	collector->name = mem_strdup(path);
	buf_clear(&collector->data);
	return true;
}

static bool collect_data(void *arg, const void *bytes, size_t len, Error *err)
{
	(void)err;
	buf_append(&((Collector *)arg)->data, bytes, len);
	return true;
}

static bool collect_close(void *arg, Error *err)
{
	Collector *collector = arg;
	return helm_files_add(&collector->files, collector->name, buf_str(&collector->data), err);
}

static HelmChart *chart_of(Collector *collector, Error *err)
{
	if (collector->files.len == 0)
		return err_null(err, ERR_INVALID, "no files in chart archive");
	return helm_chart_of_files(collector->files.arena, collector->files.items,
				   collector->files.len, err);
}

HelmChart *helm_chart_of_archive(Arena *arena, Str bytes, Error *err)
{
	__attribute__((cleanup(collector_dispose))) Collector collector = {.files.arena = arena};
	const UnpackTarget target = {&collector,   entry_name,	 NULL,
				     collect_open, collect_data, collect_close};
	autounpacker Unpacker *unpacker = unpacker_new_for(&target, &unpack_limits);
	if (!unpacker_feed(unpacker, bytes.ptr, bytes.len, err) || !unpacker_finish(unpacker, err))
		return NULL;
	return chart_of(&collector, err);
}

HelmChart *helm_chart_of_archive_fd(Arena *arena, int fd, Error *err)
{
	__attribute__((cleanup(collector_dispose))) Collector collector = {.files.arena = arena};
	const UnpackTarget target = {&collector,   entry_name,	 NULL,
				     collect_open, collect_data, collect_close};
	if (lseek(fd, 0, SEEK_SET) != 0) {
		err_errno(err, "rewind");
		return NULL;
	}
	return unpack_fd_for(fd, &target, &unpack_limits, err) ? chart_of(&collector, err) : NULL;
}

/* --- metadata --- */

typedef struct {
	json_t *metadata; /* NULL until a file of it came; owned */
	size_t max_file;
	char *name; /* of the open entry, when it is one of the two; owned */
	Buf data;
} MetadataReader;

static void metadata_reader_dispose(MetadataReader *reader)
{
	json_decref(reader->metadata);
	free(reader->name);
	buf_dispose(&reader->data);
}

static bool metadata_open(void *arg, const char *path, unsigned mode, uint64_t size, Error *err)
{
	MetadataReader *reader = arg;
	(void)mode;
	free(steal(&reader->name));
	if (!cstr_eq(path, "Chart.yaml") && !cstr_eq(path, "requirements.yaml"))
		return true;
	if (size > reader->max_file)
		return err_set(err, ERR_LIMIT, "size of '%s' exceeds '%zu' bytes limit", path,
			       reader->max_file);
	reader->name = mem_strdup(path);
	buf_clear(&reader->data);
	return true;
}

static bool metadata_data(void *arg, const void *bytes, size_t len, Error *err)
{
	MetadataReader *reader = arg;
	(void)err;
	if (reader->name)
		buf_append(&reader->data, bytes, len);
	return true;
}

static bool metadata_close(void *arg, Error *err)
{
	MetadataReader *reader = arg;
	if (!reader->name)
		return true;
	if (!reader->metadata)
		reader->metadata = json_object();
	if (!metadata_read(reader->metadata, helm_without_mark(buf_str(&reader->data)), err))
		return err_wrap(err, "cannot load '%s'", reader->name);
	if (cstr_empty(json_text(reader->metadata, "apiVersion")))
		json_put_text(reader->metadata, "apiVersion", "v1");
	return true;
}

json_t *helm_archive_metadata(int fd, size_t max_file, Error *err)
{
	__attribute__((cleanup(metadata_reader_dispose)))
	MetadataReader reader = {.max_file = max_file};
	const UnpackTarget target = {&reader,	    entry_name,	   NULL,
				     metadata_open, metadata_data, metadata_close};
	if (lseek(fd, 0, SEEK_SET) != 0) {
		err_errno(err, "rewind");
		return NULL;
	}
	if (!unpack_fd_for(fd, &target, &unpack_limits, err))
		return NULL;
	if (!reader.metadata)
		return err_null(err, ERR_INVALID, "no 'Chart.yaml' found");
	return metadata_check(reader.metadata, err) ? steal(&reader.metadata) : NULL;
}
