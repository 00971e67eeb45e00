#include <fcntl.h>
#include <sys/stat.h>

#include "archive/unpack.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "helm/archive.h"
#include "helm/helmignore.h"

/* Charts from disk. An archive is unpacked into a directory of its own first: one reader refuses
 * what is hostile in archives. */

typedef struct {
	Arena *arena;
	HelmFile *items;
	size_t len, cap, bytes;
	const HelmIgnore *ignore; /* NULL: everything counts */
	Error *err;
} Loader;

static bool add_file(Loader *loader, int fd, const char *name)
{
	autobuf Buf data = {0};
	if (!fd_read_all(fd, HELM_MAX_FILE_BYTES, &data, loader->err))
		return err_wrap(loader->err, "chart file \"%s\"", name);
	loader->bytes += data.len;
	if (loader->bytes > HELM_MAX_CHART_BYTES || loader->len >= HELM_MAX_FILES)
		return err_set(loader->err, ERR_LIMIT,
			       "chart is larger than the maximum size of %d bytes",
			       HELM_MAX_CHART_BYTES);
	if (loader->len == loader->cap) {
		loader->cap = loader->cap ? loader->cap * 2 : 32;
		loader->items = mem_realloc(loader->items, loader->cap * sizeof(HelmFile));
	}
	Str bytes = helm_without_mark(buf_str(&data));
	Str kept = str_sized(arena_strndup(loader->arena, bytes.ptr, bytes.len), bytes.len);
	loader->items[loader->len++] = (HelmFile){arena_strdup(loader->arena, name), kept};
	return true;
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
	if (loader->ignore && helmignore_ignores(loader->ignore, path, is_dir))
		return true;
	if (is_dir)
		return walk(loader, fd, path, depth + 1);
	if (!S_ISREG(status.st_mode))
		return err_set(loader->err, ERR_INVALID,
			       "cannot load irregular file %s as it has file mode type bits set",
			       path);
	return add_file(loader, fd, path);
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

static HelmChart *load_dir(Arena *arena, const char *path, Error *err)
{
	autofd int fd = fd_open(path, O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0)
		return NULL;
	autohelmignore HelmIgnore *ignore = helmignore_load(fd, err);
	if (!ignore)
		return NULL;
	Loader loader = {.arena = arena, .ignore = ignore, .err = err};
	HelmChart *chart = NULL;
	if (walk(&loader, fd, "", 0))
		chart = helm_chart_of_files(arena, loader.items, loader.len, err);
	free(loader.items);
	return chart;
}

/* Takes the first part off every name. */
static bool strip_names(Loader *loader)
{
	for (size_t i = 0; i < loader->len; i++) {
		const char *slash = strchr(loader->items[i].name, '/');
		if (!slash)
			return err_set(loader->err, ERR_INVALID, "chart base directory not found");
		loader->items[i].name = slash + 1;
	}
	return loader->len > 0 || err_set(loader->err, ERR_INVALID, "no files in chart archive");
}

static bool unpack_bytes(int dir_fd, Str bytes, Error *err)
{
	UnpackLimits limits = {.max_bytes = HELM_MAX_CHART_BYTES, .max_entries = HELM_MAX_FILES};
	autounpacker Unpacker *unpacker = unpacker_new(dir_fd, &limits);
	return unpacker_feed(unpacker, bytes.ptr, bytes.len, err) && unpacker_finish(unpacker, err);
}

HelmChart *helm_chart_of_archive(Arena *arena, Str bytes, Error *err)
{
	autotempdir char *dir = dir_make_temp("/tmp", "sluice-chart", err);
	if (!dir)
		return NULL;
	autofd int fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0 || !unpack_bytes(fd, bytes, err))
		return NULL;
	Loader loader = {.arena = arena, .err = err};
	HelmChart *chart = NULL;
	if (walk(&loader, fd, "", 0) && strip_names(&loader))
		chart = helm_chart_of_files(arena, loader.items, loader.len, err);
	free(loader.items);
	return chart;
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
		return has_chart_yaml(path, err) ? load_dir(arena, path, err) : NULL;
	autobuf Buf bytes = {0};
	if (!file_read(path, HELM_MAX_CHART_BYTES, &bytes, err))
		return NULL;
	return helm_chart_of_archive(arena, buf_str(&bytes), err);
}
