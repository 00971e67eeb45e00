/*
 * A build as a reconcile makes it, from a directory in place of an artifact (controller.h). The
 * steps are the reconcile's own; what is here opens the files and hides what SOPS encrypted.
 */
#include "plan.h"

#include <fcntl.h>

#include "archive/ignore.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

typedef struct {
	const IgnoreRules *rules;
	const char *dir;
} LeftOut;

/* Rules are of the directory's own `.sourceignore` files, so paths are told from there. */
static bool leaves_out(void *arg, const char *path, bool is_dir)
{
	const LeftOut *left_out = arg;
	const char *below = path;
	if (!cstr_eq(left_out->dir, ".")) {
		if (!cstr_starts(path, left_out->dir) || path[strlen(left_out->dir)] != '/')
			return false;
		below = path + strlen(left_out->dir) + 1;
	}
	return ignore_matches(left_out->rules, below, is_dir);
}

bool plan_build(const PlanInput *input, const Kustomization *ks, KustomizeResult *out, Error *err)
{
	autofd int dir_fd =
		fd_open_beneath(input->root_fd, input->dir, O_RDONLY | O_DIRECTORY, 0, err);
	if (dir_fd < 0)
		return err_wrap(err, "%s", input->dir);
	autoignore IgnoreRules *rules = ignore_of_dir(dir_fd, input->ignore, err);
	if (!rules)
		return false;
	__attribute__((cleanup(auto_kustomize_dir_files))) KustomizeDirFiles *files =
		kustomize_dir_files_new(input->root_fd);
	LeftOut left_out = {rules, input->dir};
	autobases Bases *bases = bases_new(&(BasesConfig){.local = kustomize_dir_files(files)});
	BuildInput build = {.files = bases_files(bases),
			    .bases = bases,
			    .dir = input->dir,
			    .limits = input->limits,
			    .leaves_out = leaves_out,
			    .leaves_out_arg = &left_out,
			    .unknown = input->unknown};
	const PostBuildInput post_build = {input->client, input->strict, input->limits};
	autokustomizeresult KustomizeResult result = {0};
	if (!generate_and_build(ks, &build, &result, err) ||
	    !postbuild_substitute(ks, &post_build, &result, err))
		return false;
	for (size_t i = 0; i < result.len; i++)
		if (!mask_encrypted(&result.items[i], err))
			return false;
	*out = result;
	result = (KustomizeResult){0};
	return true;
}

bool kustomization_build(const PlanInput *input, KustomizeResult *out, Error *err)
{
	Kustomization ks;
	kustomization_parse(input->object, &ks);
	if (!plan_build(input, &ks, out, err))
		return false;
	for (size_t i = 0; i < out->len; i++)
		prepare_metadata(&ks, out->items[i].object);
	return true;
}
