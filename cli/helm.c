/* sluice helm template [NAME] CHART: what `helm template` prints, byte for byte. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "helm_command.h"

bool helm_command_asks_cluster(const HelmArguments *arguments)
{
	return arguments->validate || cstr_eq(arguments->dry_run, "server");
}

bool helm_command_is_local(const HelmArguments *arguments)
{
	struct stat status;
	return !arguments->source.repo && stat(arguments->chart, &status) == 0;
}

bool helm_command_is_url(const char *text)
{
	return cstr_starts(text, "http://") || cstr_starts(text, "https://") ||
	       cstr_starts(text, "oci://");
}

/* Of files, or of "key=FILE". */
static bool has_urls(const Vec *texts)
{
	for (size_t i = 0; i < texts->len; i++)
		if (strstr(texts->items[i], "://"))
			return true;
	return false;
}

/* What is no path of this machine, and does not look like one that is missing. */
static bool is_remote(const HelmArguments *arguments)
{
	bool is_path = *arguments->chart == '/' || *arguments->chart == '.';
	return arguments->source.repo || (!is_path && !helm_command_is_local(arguments));
}

bool helm_command_is_far(const HelmArguments *arguments)
{
	const HelmSource *source = &arguments->source;
	return source->verify || source->dependency_update || arguments->post_renderer ||
	       source->ca_file || source->cert_file || source->key_file ||
	       helm_command_asks_cluster(arguments) || has_urls(&arguments->value_files) ||
	       has_urls(&arguments->set_file) || is_remote(arguments);
}

static bool run(HelmArguments *arguments, const HelmFar *far, Buf *text, Error *err)
{
	arguments->far = far;
	bool fine = (!far || far->open(arguments, &arguments->far_state, err)) &&
		    helm_command_template(arguments, text, err);
	if (far)
		far->close(arguments->far_state);
	return fine;
}

int helm_command(int argc, char **argv, const HelmFar *far)
{
	autoerror Error err = {0};
	autohelmarguments HelmArguments arguments = {0};
	autobuf Buf text = {0};
	bool fine = helm_command_parse(argc, argv, &arguments, &err);
	if (fine && arguments.help) {
		helm_command_help(stdout);
		return 0;
	}
	if (fine && !far && helm_command_is_far(&arguments))
		return HELM_IS_FAR;
	if (fine)
		fine = run(&arguments, far, &text, &err);
	autoerror Error unwritten = {0};
	if (!fd_write_all(STDOUT_FILENO, text.ptr, text.len, &unwritten)) {
		fprintf(stderr, "Error: writing to standard output\n");
		return 1;
	}
	if (!fine)
		fprintf(stderr, "Error: %s\n", err_text(&err));
	return fine ? 0 : 1;
}
