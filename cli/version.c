/* sluice version: of this program, and of what runs in the cluster. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli.h"
#include "data/yaml.h"
#include "kube/capabilities.h"

#define AT(member) offsetof(Options, member)

#define PART_OF "app.kubernetes.io/part-of"

/* "flux-v2.9.4" as the labels of the installed CRDs say it. Not installed is no error: other parts
 * may be. */
static bool add_distribution(const Command *command, json_t *info, Error *err)
{
	autoerror Error failure = {0};
	autojson json_t *crd =
		kube_do(command->client,
			&(KubeRequest){.verb = KUBE_GET,
				       .api_version = "apiextensions.k8s.io/v1",
				       .kind = "CustomResourceDefinition",
				       .name = "gitrepositories.source.toolkit.fluxcd.io",
				       .metadata_only = true},
			&failure);
	if (!crd)
		return failure.code == ERR_NOT_FOUND || err_move(err, &failure);
	const char *version = object_label(crd, "app.kubernetes.io/version");
	const char *part_of = object_label(crd, PART_OF);
	autofree char *text = mem_printf("%s%s%s", part_of ? part_of : "", part_of ? "-" : "",
					 version ? version : "");
	if (*text)
		json_put_text(info, "distribution", text);
	return true;
}

/* Where the repository starts: behind a registry, which has a dot, a port or is localhost. */
static const char *without_registry(const char *image)
{
	size_t len = strcspn(image, "/");
	Str first = str_sized(image, len);
	bool registry =
		image[len] && (str_find_char(first, '.') >= 0 || str_find_char(first, ':') >= 0 ||
			       str_eq(first, STR("localhost")));
	return registry ? image + len + 1 : image;
}

/* "registry/path/NAME:TAG" */
static bool add_image(json_t *info, const char *image, Error *err)
{
	Str path, tag;
	if (!str_cut(str_of(without_registry(image)), ':', &path, &tag))
		return err_set(err, ERR_INVALID, "missing image tag in image %s", image);
	autofree char *repository = str_dup(path);
	const char *slash = strrchr(repository, '/');
	json_put_text(info, slash ? slash + 1 : repository, tag.ptr);
	return true;
}

/* Beside the embedded API server (`sluice up`) controllers are processes of its own version, which
 * no Deployment speaks of; another cluster without Deployments has none. */
static bool add_server(const Command *command, json_t *info, Error *err)
{
	autokubecapabilities KubeCapabilities *server = kube_capabilities(command->client, err);
	if (!server)
		return false;
	const char *version = kube_capabilities_version(server);
	if (!strstr(version, "+sluice-"))
		return err_set(err, ERR_NOT_FOUND, "no deployments found in %s namespace",
			       command->ns);
	json_put_text(info, "sluice-apiserver", version);
	fprintf(stderr,
		"► no deployments in %s namespace: controllers of \"sluice up\" have the version "
		"of "
		"its API server\n",
		command->ns);
	return true;
}

static bool add_controllers(const Command *command, json_t *info, Error *err)
{
	autojson json_t *list = kube_do(command->client,
					&(KubeRequest){.verb = KUBE_LIST,
						       .api_version = "apps/v1",
						       .kind = "Deployment",
						       .ns = command->ns,
						       .label_selector = PART_OF "=flux"},
					err);
	const json_t *items = json_list(list, "items");
	if (!list)
		return false;
	if (!json_array_size(items))
		return add_server(command, info, err);
	size_t i, n;
	const json_t *object, *container;
	json_array_foreach(items, i, object)
	{
		const json_t *containers =
			json_at(object, "spec", "template", "spec", "containers", NULL);
		json_array_foreach(containers, n, container)
		{
			if (!add_image(info, json_text_or(container, "image", ""), err))
				return false;
		}
	}
	return true;
}

/* This program and the distribution first, the controllers by name. */
static void print_yaml(json_t *info)
{
	static const char *const first[] = {"sluice", "distribution"};
	autobuf Buf out = {0};
	for (size_t i = 0; i < COUNT(first); i++) {
		const char *value = json_text(info, first[i]);
		autojson json_t *line = value ? json_pack("{s:s}", first[i], value) : NULL;
		if (line)
			yaml_emit(line, &out);
		json_object_del(info, first[i]);
	}
	if (json_object_size(info))
		yaml_emit(info, &out);
	fputs(buf_text(&out), stdout);
}

static bool run(Command *command, Error *err)
{
	autojson json_t *info = json_pack("{s:s}", "sluice", "v" SLUICE_VERSION);
	if (!command->options.client_only &&
	    (!add_distribution(command, info, err) || !add_controllers(command, info, err)))
		return false;
	if (cstr_eq(command->options.output, "json")) {
		json_dumpf(info, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
		putchar('\n');
	} else {
		print_yaml(info);
	}
	return true;
}

/* Flags that need no cluster are judged before one is looked for. */
static bool check(Command *command, Error *err)
{
	const char *output = command->options.output;
	command->offline = command->options.client_only;
	return cstr_eq(output, "yaml") || cstr_eq(output, "json") ||
	       err_set(err, ERR_INVALID, "--output must be json or yaml, not %s", output);
}

static const Option options[] = {
	{{"client", FLAG_BOOL, AT(client_only), "false", NULL, "Only the version of this program."},
	 0,
	 NULL},
	{{"output", FLAG_TEXT, AT(output), "yaml", NULL, "yaml or json."}, 'o', "FORMAT"},
};

const Verb verb_version = {
	.name = "version",
	.words = "",
	.summary = "Print the versions of this program and of the controllers.",
	.check = check,
	.run = run,
	.connects = true,
	.options = options,
	.option_count = COUNT(options),
};
