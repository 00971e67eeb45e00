#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "helm/archive.h"
#include "helm/helmignore.h"
#include "helm/metadata.h"

/* Charts from disk. */

typedef struct {
	HelmFiles files;
	const HelmIgnore *ignore;
	size_t max_file;
	Error *err;
} Loader;

static bool add_file(Loader *loader, int fd, size_t size, const char *name)
{
	autobuf Buf data = {0};
	if (!fd_read_file(fd, size, loader->max_file, &data, loader->err))
		return err_wrap(loader->err, "cannot load file %s", name);
	return helm_files_add(&loader->files, name, buf_str(&data), loader->err);
}

static bool walk(Loader *loader, int dir_fd, const char *prefix, int depth);

static bool visit(Loader *loader, int dir_fd, const char *prefix, const char *name, int depth)
{
	struct stat status;
	autofree char *path = path_join(prefix, name);
	autofd int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) != 0)
		return err_errno(loader->err, "error reading %s", path);
	bool is_dir = S_ISDIR(status.st_mode);
	if (helmignore_ignores(loader->ignore, path, is_dir))
		return true;
	if (is_dir)
		return walk(loader, fd, path, depth + 1);
	if (!S_ISREG(status.st_mode))
		return err_set(loader->err, ERR_INVALID,
			       "cannot load irregular file %s as it has file mode type bits set",
			       path);
	if ((uint64_t)status.st_size > loader->max_file)
		return err_set(loader->err, ERR_LIMIT,
			       "cannot load file %s as file size (%lld) exceeds limit (%zu)", path,
			       (long long)status.st_size, loader->max_file);
	return add_file(loader, fd, (size_t)status.st_size, path);
}

/* Symbolic links are followed, as Helm does, so depth and count are bounded. */
static bool walk(Loader *loader, int dir_fd, const char *prefix, int depth)
{
	autostrings Vec names = {0};
	if (depth > 4 * HELM_MAX_DEPTH)
		return err_set(loader->err, ERR_LIMIT, "%s: directories are nested too deeply",
			       prefix);
	if (!dir_names(dir_fd, HELM_MAX_FILES, &names, loader->err))
		return false;
	for (size_t i = 0; i < names.len; i++)
		if (!visit(loader, dir_fd, prefix, names.items[i], depth))
			return false;
	return true;
}

HelmChart *helm_chart_load_dir(Arena *arena, const char *path, size_t max_file, Error *err)
{
	autofd int fd = fd_open(path, O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0)
		return NULL;
	autohelmignore HelmIgnore *ignore = helmignore_load(fd, err);
	if (!ignore)
		return NULL;
	Loader loader = {
		.files = {.arena = arena}, .ignore = ignore, .max_file = max_file, .err = err};
	HelmChart *chart = NULL;
	if (walk(&loader, fd, "", 0))
		chart = helm_chart_of_files(arena, loader.files.items, loader.files.len, err);
	helm_files_dispose(&loader.files);
	return chart;
}

/* One of the two files that metadata comes from; false without err: there is none. */
static bool read_metadata_file(const char *dir, const char *name, size_t max_file, json_t *metadata,
			       Error *err)
{
	autofree char *path = path_join(dir, name);
	autobuf Buf text = {0};
	autoerror Error own = {0};
	if (!file_read(path, max_file, &text, &own)) {
		bool too_large = own.code == ERR_LIMIT;
		if (own.code == ERR_NOT_FOUND)
			return false;
		if (!too_large)
			return err_move(err, &own);
		return err_set(err, ERR_LIMIT, "size of '%s' exceeds '%zu' bytes limit", name,
			       max_file);
	}
	return metadata_read(metadata, helm_without_mark(buf_str(&text)), err) ||
	       err_wrap(err, "cannot load '%s'", name);
}

json_t *helm_dir_metadata(const char *path, size_t max_file, Error *err)
{
	autojson json_t *metadata = json_object();
	if (!read_metadata_file(path, "Chart.yaml", max_file, metadata, err))
		return err_is_set(err) ? NULL
				       : err_null(err, ERR_NOT_FOUND,
						  "open Chart.yaml: no such file or directory");
	if (cstr_empty(json_text(metadata, "apiVersion")))
		json_put_text(metadata, "apiVersion", "v1");
	if (!read_metadata_file(path, "requirements.yaml", max_file, metadata, err) &&
	    err_is_set(err))
		return NULL;
	return metadata_check(metadata, err) ? steal(&metadata) : NULL;
}

static bool has_chart_yaml(const char *path, Error *err)
{
	autofree char *real = realpath(path, NULL);
	autofree char *file = path_join(real ? real : path, "Chart.yaml");
	struct stat status;
	if (stat(file, &status) == 0)
		return true;
	return err_set(err, ERR_NOT_FOUND,
		       "unable to detect chart at %s: open %s: no such file or directory", file,
		       file);
}

HelmChart *helm_chart_load(Arena *arena, const char *path, Error *err)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return err_null(err, ERR_NOT_FOUND, "path \"%s\" not found", path);
	if (S_ISDIR(status.st_mode))
		return has_chart_yaml(path, err)
			       ? helm_chart_load_dir(arena, path, HELM_MAX_FILE_BYTES, err)
			       : NULL;
	autobuf Buf bytes = {0};
	if (!file_read(path, HELM_MAX_CHART_BYTES, &bytes, err))
		return NULL;
	return helm_chart_of_archive(arena, buf_str(&bytes), err);
}
