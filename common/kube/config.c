/* kubeconfig files and the pod's service account. Exec credentials are refused by rule or, so far, named
 * as unsupported. */
#include "kube/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/base64.h"
#include "data/yaml.h"

enum { FILE_MAX = 1 << 20 };

static const char account_dir[] = "/var/run/secrets/kubernetes.io/serviceaccount";

void kube_config_dispose(KubeConfig *config)
{
	char *const texts[] = {config->server,     config->ca_pem,   config->server_name,
			       config->proxy_url,  config->token,    config->token_file,
			       config->cert_pem,   config->key_pem,  config->as_user,
			       config->user,       config->ns};
	for (size_t i = 0; i < COUNT(texts); i++)
		free(texts[i]);
	json_decref(config->exec);
	*config = (KubeConfig){0};
}

/* The entry of that name in a kubeconfig list, its part under `key`. */
static const json_t *named(const json_t *root, const char *list, const char *name, const char *key)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_list(root, list), i, entry)
	{
		if (cstr_eq(json_text(entry, "name"), name))
			return json_map(entry, key);
	}
	return NULL;
}

typedef struct {
	const char *dir;
	const KubeConfigRules *rules;
} Reader;

/* KEY-data (base64) or KEY (a path, where the rules allow files). NULL when both are absent. */
static bool read_material(const Reader *reader, const json_t *part, const char *key, char **out,
			  Error *err)
{
	autofree char *data_key = mem_printf("%s-data", key);
	const char *data = json_text(part, data_key), *path = json_text(part, key);
	autobuf Buf bytes = {0};
	if (!cstr_empty(data)) {
		if (!base64_decode(data, strlen(data), &bytes, err))
			return err_wrap(err, "%s", data_key);
	} else if (!cstr_empty(path)) {
		if (!reader->rules->allow_files)
			return err_set(err, ERR_FORBIDDEN, "%s: files are not allowed", key);
		autofree char *full = path[0] == '/' ? mem_strdup(path) : path_join(reader->dir, path);
		if (!file_read(full, FILE_MAX, &bytes, err))
			return err_wrap(err, "%s", key);
	} else {
		return true;
	}
	*out = buf_steal(&bytes);
	return true;
}

static bool read_cluster(const Reader *reader, const json_t *cluster, KubeConfig *out, Error *err)
{
	out->server = mem_strdup(json_text(cluster, "server"));
	if (cstr_empty(out->server))
		return err_set(err, ERR_INVALID, "the cluster has no server");
	size_t len = strlen(out->server);
	if (out->server[len - 1] == '/')
		out->server[len - 1] = '\0';
	out->insecure_skip_verify = json_flag(cluster, "insecure-skip-tls-verify", false);
	if (out->insecure_skip_verify && !reader->rules->allow_insecure)
		return err_set(err, ERR_FORBIDDEN, "insecure-skip-tls-verify is not allowed");
	out->server_name = mem_strdup(json_text(cluster, "tls-server-name"));
	out->proxy_url = mem_strdup(json_text(cluster, "proxy-url"));
	return read_material(reader, cluster, "certificate-authority", &out->ca_pem, err);
}

static bool read_user(const Reader *reader, const json_t *user, KubeConfig *out, Error *err)
{
	if (!user)
		return true;
	if (json_map(user, "exec") && !reader->rules->allow_exec)
		return err_set(err, ERR_FORBIDDEN, "exec credentials are not allowed");
	if (json_map(user, "exec"))
		return err_set(err, ERR_UNSUPPORTED,
			       "exec credentials are not supported by this version");
	out->token = mem_strdup(json_text(user, "token"));
	out->as_user = mem_strdup(json_text(user, "as"));
	const char *token_file = json_text(user, "tokenFile");
	if (!cstr_empty(token_file)) {
		if (!reader->rules->allow_files)
			return err_set(err, ERR_FORBIDDEN, "tokenFile: files are not allowed");
		out->token_file = token_file[0] == '/' ? mem_strdup(token_file)
						       : path_join(reader->dir, token_file);
	}
	return read_material(reader, user, "client-certificate", &out->cert_pem, err) &&
	       read_material(reader, user, "client-key", &out->key_pem, err);
}

static bool parse_into(const Reader *reader, const json_t *root, const char *context, KubeConfig *out,
		       Error *err)
{
	const char *name = context ? context : json_text(root, "current-context");
	if (cstr_empty(name))
		return err_set(err, ERR_INVALID, "no current-context is set");
	const json_t *chosen = named(root, "contexts", name, "context");
	if (!chosen)
		return err_set(err, ERR_INVALID, "context \"%s\" is not there", name);
	const char *cluster_name = json_text_or(chosen, "cluster", "");
	const char *user_name = json_text_or(chosen, "user", "");
	const json_t *cluster = named(root, "clusters", cluster_name, "cluster");
	const json_t *user = named(root, "users", user_name, "user");
	if (!cluster)
		return err_set(err, ERR_INVALID, "cluster \"%s\" is not there", cluster_name);
	if (*user_name && !user)
		return err_set(err, ERR_INVALID, "user \"%s\" is not there", user_name);
	out->ns = mem_strdup(json_text(chosen, "namespace"));
	out->user = mem_strdup(user_name);
	return read_cluster(reader, cluster, out, err) && read_user(reader, user, out, err);
}

bool kube_config_parse(const char *text, size_t len, const char *dir, const char *context,
		       const KubeConfigRules *rules, KubeConfig *out, Error *err)
{
	/* The parser would quote the text, which holds credentials. */
	autoerror Error hidden = {0};
	autojson json_t *root = yaml_parse(text, len, FILE_MAX, "kubeconfig", &hidden);
	if (!json_is_object(root))
		return err_set(err, ERR_INVALID, "kubeconfig: not a YAML mapping");
	Reader reader = {dir, rules};
	autokubeconfig KubeConfig config = {0};
	if (!parse_into(&reader, root, context, &config, err))
		return err_wrap(err, "kubeconfig");
	*out = config;
	config = (KubeConfig){0};
	return true;
}

static bool load_file(const char *path, const char *context, KubeConfig *out, Error *err)
{
	static const KubeConfigRules own = {true, true, true};
	autobuf Buf text = {0};
	if (!file_read(path, FILE_MAX, &text, err))
		return false;
	autofree char *dir = path_dir(path);
	if (!kube_config_parse(buf_text(&text), text.len, dir, context, &own, out, err))
		return err_wrap(err, "%s", path);
	return true;
}

/* The first file of the list that exists. */
static char *from_environment(void)
{
	const char *list = getenv("KUBECONFIG");
	Str rest = str_of(list), piece;
	while (str_next(&rest, ':', &piece)) {
		char *path = str_dup(piece);
		if (piece.len && access(path, R_OK) == 0)
			return path;
		free(path);
	}
	const char *home = getenv("HOME");
	autofree char *path = mem_printf("%s/.kube/config", home ? home : "");
	return access(path, R_OK) == 0 ? steal(&path) : NULL;
}

static bool in_cluster(KubeConfig *out, Error *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	if (cstr_empty(host) || cstr_empty(port))
		return err_set(err, ERR_NOT_FOUND,
			       "no kubeconfig was found and this is not a pod: set --kubeconfig or "
			       "$KUBECONFIG");
	autobuf Buf ca = {0}, ns = {0};
	autofree char *ca_path = path_join(account_dir, "ca.crt");
	autofree char *ns_path = path_join(account_dir, "namespace");
	if (!file_read(ca_path, FILE_MAX, &ca, err) || !file_read(ns_path, FILE_MAX, &ns, err))
		return false;
	bool v6 = strchr(host, ':') != NULL;
	out->server = mem_printf("https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
	out->ca_pem = buf_steal(&ca);
	out->ns = str_dup(str_trim(buf_str(&ns)));
	out->token_file = path_join(account_dir, "token");
	return true;
}

bool kube_config_find(const char *path, const char *context, KubeConfig *out, Error *err)
{
	if (path)
		return load_file(path, context, out, err);
	autofree char *found = from_environment();
	return found ? load_file(found, context, out, err) : in_cluster(out, err);
}
