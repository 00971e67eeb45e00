/*
 * kustomize-build DIR [ROOT]: prints what the engine builds, for the differential suite. ROOT is
 * the directory that is never left, the current one without it; DIR lies in it.
 *
 * kustomize-build -: reads a directory a line and answers each with "OK LENGTH\n" or
 * "ERROR LENGTH\n" and that many bytes, as tests/oracles/kustomize/builds.go does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "kustomize/kustomize.h"

static bool run(const char *dir, const char *root, Buf *out, Error *err)
{
	autofd int fd = fd_open(root, O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0)
		return false;
	__attribute__((cleanup(auto_kustomize_dir_files))) KustomizeDirFiles *files =
		kustomize_dir_files_new(fd);
	KustomizeOptions options = {.files = kustomize_dir_files(files), .keep_written = true};
	autokustomizeresult KustomizeResult result = {0};
	if (!kustomize_build(dir, &options, &result, err))
		return false;
	kustomize_emit(&result, out);
	return true;
}

static void answer(const char *dir)
{
	autoerror Error err = {0};
	autobuf Buf out = {0};
	bool ok = run(dir, ".", &out, &err);
	const char *text = ok ? buf_text(&out) : err_text(&err);
	size_t len = ok ? out.len : strlen(text);
	printf("%s %zu\n", ok ? "OK" : "ERROR", len);
	fwrite(text, 1, len, stdout);
	fflush(stdout);
}

static int answer_all(void)
{
	char *line = NULL;
	size_t size = 0;
	for (ssize_t len; (len = getline(&line, &size, stdin)) > 0;) {
		line[len - 1] = '\0';
		answer(line);
	}
	free(line);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: kustomize-build DIR [ROOT] | -\n");
		return 2;
	}
	if (strcmp(argv[1], "-") == 0)
		return answer_all();
	autoerror Error err = {0};
	autobuf Buf out = {0};
	if (!run(argv[1], argc > 2 ? argv[2] : ".", &out, &err)) {
		fprintf(stderr, "Error: %s\n", err_text(&err));
		return 1;
	}
	fwrite(buf_text(&out), 1, out.len, stdout);
	return 0;
}
