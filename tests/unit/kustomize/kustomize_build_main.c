/*
 * kustomize-build DIR [ROOT]: prints what the engine builds, for the differential suite. ROOT is
 * the directory that is never left, the current one without it; DIR lies in it.
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "kustomize/kustomize.h"

static bool run(const char *dir, const char *root, Buf *out, Error *err)
{
	autofd int fd = fd_open(root, O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0)
		return false;
	__attribute__((cleanup(auto_kustomize_dir_files))) KustomizeDirFiles *files =
		kustomize_dir_files_new(fd);
	KustomizeOptions options = {.files = kustomize_dir_files(files)};
	autokustomizeresult KustomizeResult result = {0};
	if (!kustomize_build(dir, &options, &result, err))
		return false;
	kustomize_emit(&result, out);
	return true;
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: kustomize-build DIR [ROOT]\n");
		return 2;
	}
	autoerror Error err = {0};
	autobuf Buf out = {0};
	if (!run(argv[1], argc > 2 ? argv[2] : ".", &out, &err)) {
		fprintf(stderr, "Error: %s\n", err_text(&err));
		return 1;
	}
	fwrite(buf_text(&out), 1, out.len, stdout);
	return 0;
}
