#include "build_release.h"

#include <sys/stat.h>

#include "base/str.h"
#include "helm-controller/controller.h"
#include "kind.h"
#include "local.h"

#define GROUP "helm.toolkit.fluxcd.io"

bool build_release_is_meant(const Command *command)
{
	const char *kind = command_word(command, 0);
	return kind && kind_has_word("helmrelease|helmreleases|hr", kind);
}

bool build_release_check(Command *command, Error *err)
{
	const Options *options = &command->options;
	struct stat info;
	if (!command_word(command, 1))
		return err_set(err, ERR_INVALID, "HelmRelease name is required");
	if (cstr_empty(options->path) || stat(options->path, &info) != 0)
		return err_set(err, ERR_INVALID, "invalid chart path \"%s\"",
			       options->path ? options->path : "");
	if (cstr_empty(options->helmrelease_file) && options->dry_run)
		return err_set(err, ERR_INVALID, "--dry-run needs --helmrelease-file");
	command->offline = options->dry_run;
	return true;
}

static json_t *find(const Command *command, Error *err)
{
	static const LocalKind kind = {GROUP, "HelmRelease"};
	const char *file = command->options.helmrelease_file;
	return cstr_empty(file) ? kube_get(command->client, GROUP "/v2", kind.kind, command->ns,
					   command_word(command, 1), err)
				: local_object_of_file(command, &kind, file, err);
}

bool build_release(const Command *command, Error *err)
{
	autobuf Buf out = {0};
	autojson json_t *object = find(command, err);
	if (!object)
		return false;
	HelmReleaseBuild input = {.object = object,
				  .chart = command->options.path,
				  .client = command->offline ? NULL : command->client};
	if (!helmrelease_build(&input, &out, err))
		return false;
	fwrite(buf_text(&out), 1, out.len, stdout);
	return true;
}
