/*
 * kustomize_small DIR COUNT: builds DIR that many times in one process, files parsed once: what a
 * controller pays for a build whose source it knows. For bench/kustomize, under callgrind, which
 * knows no openat2: so the files are opened plainly.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "kustomize/kustomize.h"

enum { FILE_LIMIT = 1 << 20, CACHE_BYTES = 1 << 20 };

static KustomizeNode plain_stat(void *arg, const char *path)
{
	autofree char *full = path_join(arg, path);
	struct stat info;
	if (stat(full, &info) != 0)
		return KUSTOMIZE_NONE;
	return S_ISDIR(info.st_mode) ? KUSTOMIZE_DIR : KUSTOMIZE_FILE;
}

static bool plain_read(void *arg, const char *path, Buf *out, Error *err)
{
	autofree char *full = path_join(arg, path);
	return file_read(full, FILE_LIMIT, out, err);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	autoerror Error err = {0};
	KustomizeFiles files = {.arg = argv[1], .stat = plain_stat, .read = plain_read};
	__attribute__((cleanup(auto_kustomize_cache))) KustomizeCache *cache =
		kustomize_cache_new(CACHE_BYTES);
	KustomizeOptions options = {.files = &files, .cache = cache};
	for (long i = strtol(argv[2], NULL, 10); i > 0; i--) {
		autokustomizeresult KustomizeResult result = {0};
		if (kustomize_build(".", &options, &result, &err))
			continue;
		fprintf(stderr, "%s\n", err_text(&err));
		return 1;
	}
	return 0;
}
