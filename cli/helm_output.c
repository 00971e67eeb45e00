#include <fcntl.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "helm_command.h"

/* --output-dir: a file for each template, in which its objects follow each other. */

typedef struct {
	Map *written; /* paths that were begun */
	Buf *out;
} Writer;

static bool write_file(Writer *writer, const char *dir, const char *path, Str text, Error *err)
{
	autobuf Buf data = {0};
	autofree char *file = mem_printf("%s/%s", dir, path);
	autofree char *parent = path_dir(file);
	int how = map_has(writer->written, file) ? O_APPEND : O_TRUNC;
	if (!dir_make(parent, 0755, err))
		return false;
	autofd int fd = fd_open(file, O_WRONLY | O_CREAT | how, 0644, err);
	if (fd < 0)
		return false;
	helm_manifest_write(path, text, &data);
	if (!fd_write_all(fd, data.ptr, data.len, err))
		return err_wrap(err, "write %s", file);
	map_put(writer->written, file, NULL);
	buf_printf(writer->out, "wrote %s\n", file);
	return true;
}

static bool write_manifests(Writer *writer, const char *dir, const Vec *manifests, bool skip_tests,
			    Error *err)
{
	for (size_t i = 0; i < manifests->len; i++) {
		const HelmManifest *one = manifests->items[i];
		if (skip_tests && helm_words_have(&one->events, "test"))
			continue;
		if (!write_file(writer, dir, one->path, one->text, err))
			return false;
	}
	return true;
}

bool helm_command_write_files(Arena *arena, const HelmArguments *arguments, const HelmChart *chart,
			      const HelmManifests *manifests, Buf *out, Error *err)
{
	automap Map *written = map_new(NULL);
	autovec Vec crds = {0};
	Writer writer = {written, out};
	const char *dir = arguments->output_dir;
	if (arguments->release_name)
		dir = arena_printf(arena, "%s/%s", dir, arguments->name);
	if (arguments->include_crds)
		helm_crds_list(arena, chart, &crds);
	for (size_t i = 0; i < crds.len; i++) {
		const HelmOutput *crd = crds.items[i];
		if (!write_file(&writer, arguments->output_dir, crd->path, crd->text, err))
			return false;
	}
	return write_manifests(&writer, dir, &manifests->objects, false, err) &&
	       (arguments->no_hooks ||
		write_manifests(&writer, dir, &manifests->hooks, arguments->skip_tests, err));
}
