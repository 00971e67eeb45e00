/* sluice helm where a network, a cluster or another program is needed: what `sluice` leaves to this
 * program. */
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cli.h"
#include "helm_far.h"

enum { VALUES_MAX = 5 << 20 };

typedef struct {
	const HelmArguments *arguments;
	HelmSource source; /* the command line's, with the version that --devel means */
	HelmFetcher *fetcher;
	HelmPlugin *plugin; /* or NULL */
	HelmServer *server; /* or NULL */
} State;

static void close_all(void *arg)
{
	State *state = arg;
	if (!state)
		return;
	helm_plugin_free(state->plugin);
	helm_server_free(state->server);
	helm_fetcher_free(state->fetcher);
	free(state);
}

static bool open_all(const HelmArguments *arguments, void **out_state, Error *err)
{
	State *state = mem_zalloc(1, sizeof(*state));
	*out_state = state;
	state->arguments = arguments;
	state->source = arguments->source;
	if (cstr_empty(state->source.version))
		state->source.version = state->source.devel ? ">0.0.0-0" : NULL;
	const HelmAccess access = helm_access_of(&state->source);
	if (arguments->post_renderer) {
		state->plugin = helm_plugin_find(arguments->post_renderer,
						 &arguments->post_renderer_args, err);
		if (!state->plugin)
			return false;
	}
	state->fetcher = helm_fetcher_new(err);
	return state->fetcher && helm_fetch_check(state->fetcher, &access, err);
}

static bool locate(void *arg, int *out_fd, Buf *out, Error *err)
{
	const State *state = arg;
	const HelmSource *source = &state->source;
	const char *chart = state->arguments->chart;
	if (helm_command_is_local(state->arguments))
		return !source->verify || helm_locate_verify(source, chart, err);
	if (!source->repo && (*chart == '/' || *chart == '.'))
		return err_set(err, ERR_NOT_FOUND, "path \"%s\" not found", chart);
	autohelmfound HelmFound found = {0};
	if (!helm_locate(state->fetcher, source, chart, source->version, &found, err))
		return false;
	*out_fd = helm_locate_fetch(state->fetcher, source, &found, out, err);
	return *out_fd >= 0;
}

static bool read_url(void *arg, const char *url, Buf *out, Error *err)
{
	const State *state = arg;
	const HelmAccess access = {0};
	const HelmWanted wanted = {.url = url, .max_bytes = VALUES_MAX};
	autobuf Buf told = {0};
	return helm_fetch_text(state->fetcher, &access, &wanted, out, &told, err);
}

static bool update(void *arg, const HelmChart *chart, Buf *out, Error *err)
{
	const State *state = arg;
	return helm_update(state->fetcher, state->arguments, chart, out, err);
}

static bool prepare(void *arg, const HelmChart *chart, HelmOptions *options, Error *err)
{
	State *state = arg;
	(void)chart;
	if (state->plugin)
		options->postrenderer =
			(HelmPostRenderer){.run_text = helm_plugin_run, .context = state->plugin};
	if (!helm_command_asks_cluster(state->arguments))
		return true;
	state->server = helm_server_open(state->arguments, err);
	return state->server && helm_server_prepare(state->server, options, err);
}

static bool validate(void *arg, const HelmManifests *manifests, Error *err)
{
	const State *state = arg;
	return !state->server || helm_server_validate(state->server, manifests, err);
}

static int run(int argc, char **argv)
{
	static const HelmFar far = {open_all, close_all, locate,  read_url,
				    update,   prepare,	 validate};
	return helm_command(argc, argv, &far);
}

const Verb verb_helm = {
	.name = "helm",
	.words = "template [NAME] CHART",
	.summary = "Print what a chart renders.",
	.tool_flags = &helm_flags,
	.main = run,
};
