/* kustomize_small DIR COUNT: builds DIR that many times in one process, files parsed once: what a
 * controller pays for a build whose source it knows. For bench/kustomize. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "kustomize/kustomize.h"

int main(int argc, char **argv)
{
	autoerror Error err = {0};
	autofd int fd = argc == 3 ? fd_open(argv[1], O_RDONLY | O_DIRECTORY, 0, &err) : -1;
	if (fd < 0)
		return 2;
	__attribute__((cleanup(auto_kustomize_dir_files))) KustomizeDirFiles *files =
		kustomize_dir_files_new(fd);
	__attribute__((cleanup(auto_kustomize_cache))) KustomizeCache *cache =
		kustomize_cache_new(1 << 20);
	/* A cache only for what is built more than once. */
	long count = strtol(argv[2], NULL, 10);
	KustomizeOptions options = {.files = kustomize_dir_files(files),
				    .cache = getenv("NOCACHE") ? NULL : cache};
	for (long i = 0; i < count; i++) {
		autokustomizeresult KustomizeResult result = {0};
		if (!kustomize_build(".", &options, &result, &err))
			return 1;
	}
	return 0;
}
