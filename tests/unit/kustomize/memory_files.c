#include "memory_files.h"

#include "base/mem.h"
#include "base/path.h"

static KustomizeNode memory_stat(void *arg, const char *path)
{
	KustomizeNode node = cstr_eq(path, ".") ? KUSTOMIZE_DIR : KUSTOMIZE_NONE;
	for (const MemoryFile *file = arg; file->path; file++) {
		if (cstr_eq(file->path, path))
			return KUSTOMIZE_FILE;
		if (path_is_below(file->path, path))
			node = KUSTOMIZE_DIR;
	}
	return node;
}

static bool memory_read(void *arg, const char *path, Buf *out, Error *err)
{
	for (const MemoryFile *file = arg; file->path; file++)
		if (cstr_eq(file->path, path)) {
			buf_puts(out, file->text);
			return true;
		}
	return err_set(err, ERR_NOT_FOUND, "%s: not found", path);
}

static bool memory_list(void *arg, const char *path, Vec *out, Error *err)
{
	(void)arg;
	(void)out;
	return err_set(err, ERR_UNSUPPORTED, "%s: no listing", path);
}

KustomizeFiles memory_files(const MemoryFile *files)
{
	return (KustomizeFiles){(void *)(uintptr_t)files, memory_stat, memory_read, memory_list,
				NULL};
}

char *memory_build_with(const MemoryFile *files, const char *dir, KustomizeOptions options,
			Error *err)
{
	KustomizeFiles source = memory_files(files);
	autokustomizeresult KustomizeResult result = {0};
	autobuf Buf out = {0};
	options.files = &source;
	if (!kustomize_build(dir, &options, &result, err))
		return NULL;
	kustomize_emit(&result, &out);
	return buf_steal(&out);
}

char *memory_build(const MemoryFile *files, Error *err)
{
	return memory_build_with(files, ".", (KustomizeOptions){0}, err);
}
