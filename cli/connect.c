/* How a command reaches its API server: kubeconfig, then what the command line says of it. */
#include "connect.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

enum { PEM_MAX = 1024 * 1024, REACH_MS = 15000 };

static void replace(char **text, const char *value)
{
	if (cstr_empty(value))
		return;
	free(*text);
	*text = mem_strdup(value);
}

static bool replace_by_file(char **text, const char *path, Error *err)
{
	autobuf Buf pem = {0};
	if (cstr_empty(path))
		return true;
	if (!file_read(path, PEM_MAX, &pem, err))
		return false;
	replace(text, buf_text(&pem));
	return true;
}

static void replace_groups(const Options *options, KubeConfig *config)
{
	if (!options->as_groups.len)
		return;
	json_decref(config->as_groups);
	config->as_groups = json_array();
	for (size_t i = 0; i < options->as_groups.len; i++)
		json_array_append_new(config->as_groups, json_string(options->as_groups.items[i]));
}

/* What the command line says beats the kubeconfig. */
static bool override(const Options *options, KubeConfig *config, Error *err)
{
	replace(&config->server, options->server);
	replace(&config->as_user, options->as_user);
	replace_groups(options, config);
	replace(&config->server_name, options->tls_server_name);
	config->insecure_skip_verify |= options->insecure;
	if (!cstr_empty(options->token)) {
		replace(&config->token, options->token);
		free(steal(&config->token_file));
	}
	return replace_by_file(&config->ca_pem, options->ca_file, err) &&
	       replace_by_file(&config->cert_pem, options->cert_file, err) &&
	       replace_by_file(&config->key_pem, options->key_file, err);
}

/* An empty flag, as scripts give it, is none. */
static const char *given(const char *flag)
{
	return cstr_empty(flag) ? NULL : flag;
}

static bool find_server(const Options *options, KubeConfig *config, Error *err)
{
	const char *path = given(options->kubeconfig);
	KubeConfigChoice choice = {.context = given(options->context),
				   .cluster = given(options->cluster),
				   .user = given(options->user)};
	if (!kube_config_choose(path, &choice, config, err)) {
		/* --server alone is enough. */
		if (!options->server || path)
			return false;
		error_dispose(err);
	}
	return override(options, config, err);
}

void connection_dispose(Connection *connection)
{
	kube_client_free(connection->client);
	if (connection->loop)
		loop_free(connection->loop);
	kube_config_dispose(&connection->config);
}

/* The client tries an unreachable server again and again, which suits a daemon; a person wants to
 * know at once. Any answer will do. */
static bool check_reachable(KubeClient *client, Error *err)
{
	autofree char *url = mem_printf("%s/version", kube_server(client));
	autohttpresponse HttpResponse response = {0};
	HttpRequest request = {.url = url, .timeout_ms = REACH_MS};
	return httpc_do(kube_http(client), &request, &response, err) ||
	       err_wrap(err, "cannot reach the API server");
}

bool command_connect(Command *command, Connection *out, Error *err)
{
	out->loop = loop_new(err);
	if (!out->loop || !find_server(&command->options, &out->config, err))
		return false;
	if (command->options.ns_follows_context && !command->options.ns && out->config.ns)
		command->ns = out->config.ns;
	/* Writes are upstream's command's, so that either may change what the other wrote. */
	out->client = kube_client_new(out->loop, &out->config, "flux", err);
	command->client = out->client;
	return out->client && check_reachable(out->client, err);
}
