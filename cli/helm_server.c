/* --dry-run=server: what a cluster can do, what templates look up in it, and whether what was
 * rendered could be installed there. Nothing is written. */
#include <stdlib.h>

#include "base/mem.h"
#include "connect.h"
#include "data/yaml.h"
#include "helm-controller/controller.h"
#include "helm_far.h"
#include "kube/capabilities.h"
#include "kube/object.h"

enum { OBJECT_MAX = 64 << 20 };

struct HelmServer {
	const HelmArguments *arguments;
	Command command;
	Connection connection;
	KubeCapabilities *capabilities;
	Vec groups; /* owned texts, of the environment */
};

void helm_server_free(HelmServer *server)
{
	if (!server)
		return;
	if (server->capabilities)
		kube_capabilities_unref(server->capabilities);
	connection_dispose(&server->connection);
	vec_dispose_strings(&server->groups);
	free(server);
}

/* A flag, or its variable. The client borrows them while it is made. */
static char *choice(const char *flag, const char *variable)
{
	const char *value = cstr_empty(flag) ? getenv(variable) : flag;
	return (char *)(uintptr_t)value;
}

static void options_of(const HelmCluster *cluster, Options *out)
{
	const char *insecure = getenv("HELM_KUBEINSECURE_SKIP_TLS_VERIFY");
	*out = (Options){.kubeconfig = (char *)(uintptr_t)cluster->kubeconfig,
			 .context = choice(cluster->context, "HELM_KUBECONTEXT"),
			 .token = choice(cluster->token, "HELM_KUBETOKEN"),
			 .as_user = choice(cluster->as_user, "HELM_KUBEASUSER"),
			 .server = choice(cluster->server, "HELM_KUBEAPISERVER"),
			 .ca_file = choice(cluster->ca_file, "HELM_KUBECAFILE"),
			 .tls_server_name =
				 choice(cluster->tls_server_name, "HELM_KUBETLS_SERVER_NAME"),
			 .insecure = cluster->insecure || cstr_eq(insecure, "true")};
}

/* --kube-as-group, or a list in HELM_KUBEASGROUPS. */
static void groups_of(const HelmCluster *cluster, Vec *own, Vec *out)
{
	const char *said = getenv("HELM_KUBEASGROUPS");
	Str rest = str_of(said ? said : ""), group;
	while (!cluster->as_groups.len && str_next(&rest, ',', &group))
		if (group.len)
			vec_push(own, str_dup(group));
	*out = own->len ? *own : cluster->as_groups;
}

HelmServer *helm_server_open(const HelmArguments *arguments, Error *err)
{
	HelmServer *server = mem_zalloc(1, sizeof(*server));
	server->arguments = arguments;
	options_of(&arguments->cluster, &server->command.options);
	groups_of(&arguments->cluster, &server->groups, &server->command.options.as_groups);
	if (command_connect(&server->command, &server->connection, err)) {
		server->capabilities = kube_capabilities(server->command.client, err);
		if (server->capabilities)
			return server;
	}
	helm_server_free(server);
	return err_wrap_null(err,
			     "cluster reachability check failed: kubernetes cluster unreachable");
}

bool helm_server_prepare(HelmServer *server, HelmOptions *options, Error *err)
{
	(void)err;
	options->capabilities =
		(HelmCapabilities){.kube_version = kube_capabilities_version(server->capabilities),
				   .api_versions = kube_capabilities_apis(server->capabilities),
				   .only_api_versions = true};
	options->limits.lookup = release_lookup;
	options->limits.lookup_context = server->command.client;
	return true;
}

/* --- objects --- */

/* A rendered object with what the server has of it. */
static bool look(const HelmServer *server, const json_t *object, json_t **out_live, Error *err)
{
	KubeResource resource;
	const char *ns = object_namespace(object);
	if (!kube_resource(server->command.client, object_api_version(object), object_kind(object),
			   &resource, err))
		return err_wrap(err,
				"unable to build kubernetes objects from release manifest: "
				"resource mapping not found for name: \"%s\" namespace: \"%s\" "
				"from \"\"",
				object_name(object), ns);
	if (!resource.namespaced)
		ns = NULL;
	else if (!*ns)
		ns = server->arguments->ns;
	*out_live = kube_get(server->command.client, object_api_version(object),
			     object_kind(object), ns, object_name(object), err);
	if (*out_live || err->code != ERR_NOT_FOUND)
		return *out_live || err_wrap(err, "unable to continue with install: could not get "
						  "information about the resource");
	error_dispose(err);
	return true;
}

static bool check_object(const HelmServer *server, const HelmManifest *manifest, Error *err)
{
	const HelmArguments *arguments = server->arguments;
	Str text = manifest->text;
	autojson json_t *live = NULL;
	autojson json_t *object = yaml_parse(text.ptr, text.len, OBJECT_MAX, manifest->path, err);
	if (!object)
		return err_wrap(err,
				"unable to build kubernetes objects from release manifest: error "
				"parsing");
	if (!look(server, object, &live, err))
		return false;
	if (!live || arguments->is_upgrade || arguments->take_ownership)
		return true;
	return release_owner_check(live, arguments->name, arguments->ns, err) ||
	       err_wrap(err, "unable to continue with install");
}

bool helm_server_validate(HelmServer *server, const HelmManifests *manifests, Error *err)
{
	for (size_t i = 0; i < manifests->objects.len; i++)
		if (!check_object(server, manifests->objects.items[i], err))
			return false;
	return true;
}
