/*
 * A kubeconfig's context, cluster and user as one KubeConfig (kube-api.md 1.1). Files that it names
 * are read now, the token file later and again. Error texts name entries and fields, never values.
 */
#include "kube/config.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/base64.h"
#include "data/yaml.h"
#include "kube/config_internal.h"

enum { MAX_GROUPS = 100 };

static void wipe_free(char *text)
{
	if (text)
		mem_wipe(text, strlen(text));
	free(text);
}

void kube_config_dispose(KubeConfig *config)
{
	free(config->server);
	free(config->ca_pem);
	free(config->server_name);
	free(config->proxy_url);
	wipe_free(config->token);
	free(config->token_file);
	free(config->cert_pem);
	wipe_free(config->key_pem);
	free(config->as_user);
	json_decref(config->as_groups);
	free(config->user);
	free(config->ns);
	json_decref(config->exec);
	*config = (KubeConfig){0};
}

/* --- paths --- */

static void make_absolute(json_t *object, const char *key, const char *dir)
{
	const char *path = json_text(object, key);
	if (cstr_empty(path) || path[0] == '/' || cstr_empty(dir))
		return;
	autofree char *full = path_join(dir, path);
	json_put_text(object, key, full);
}

static void make_paths_absolute(json_t *tree, const char *dir)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(tree, "clusters"), i, item)
	{
		make_absolute(json_map(item, "cluster"), "certificate-authority", dir);
	}
	json_array_foreach(json_list(tree, "users"), i, item)
	{
		json_t *user = json_map(item, "user");
		make_absolute(user, "client-certificate", dir);
		make_absolute(user, "client-key", dir);
		make_absolute(user, "tokenFile", dir);
		/* A bare command name is looked up in PATH. */
		json_t *exec = json_map(user, "exec");
		const char *command = json_text(exec, "command");
		if (command && strchr(command, '/'))
			make_absolute(exec, "command", dir);
	}
}

json_t *config_tree(const char *text, size_t len, const char *dir, Error *err)
{
	autojson json_t *tree = yaml_parse(text, len, CONFIG_MAX_BYTES, "kubeconfig", err);
	if (!tree)
		return NULL;
	if (!json_is_object(tree))
		return err_null(err, ERR_INVALID, "kubeconfig: not a mapping");
	make_paths_absolute(tree, dir);
	return steal(&tree);
}

/* --- fields --- */

typedef struct {
	const KubeConfigRules *rules;
	const char *role, *name; /* "cluster", "kind-x": for messages */
	const json_t *entry;
} Source;

static bool refuse(const Source *source, const char *field, const char *what, Error *err)
{
	return err_set(err, ERR_FORBIDDEN, "kubeconfig: %s \"%s\": %s: %s not allowed here",
		       source->role, source->name, field, what);
}

static bool decode_data(const Source *source, const char *field, const char *text, char **out,
			Error *err)
{
	autobuf Buf bytes = {0};
	buf_reserve(&bytes, strlen(text));
	autoerror Error cause = {0};
	if (!base64_decode(text, strlen(text), &bytes, &cause))
		return err_set(err, ERR_INVALID, "kubeconfig: %s \"%s\": %s is not base64",
			       source->role, source->name, field);
	*out = buf_steal(&bytes);
	return true;
}

/* FIELD-data (base64) or else the file that FIELD names; *out stays NULL when neither is there. */
static bool read_pem(const Source *source, const char *field, char **out, Error *err)
{
	autofree char *data_field = mem_printf("%s-data", field);
	const char *data = json_text(source->entry, data_field);
	if (!cstr_empty(data))
		return decode_data(source, data_field, data, out, err);
	const char *path = json_text(source->entry, field);
	if (cstr_empty(path))
		return true;
	if (!source->rules->allow_files)
		return refuse(source, field, "a file is", err);
	autobuf Buf bytes = {0};
	if (!file_read(path, CONFIG_MAX_BYTES, &bytes, err))
		return err_wrap(err, "kubeconfig: %s \"%s\": %s", source->role, source->name,
				field);
	*out = buf_steal(&bytes);
	return true;
}

static bool read_server(const Source *source, KubeConfig *config, Error *err)
{
	const char *server = json_text(source->entry, "server");
	if (cstr_empty(server))
		return err_set(err, ERR_INVALID, "kubeconfig: cluster \"%s\" has no server",
			       source->name);
	if (!cstr_starts(server, "https://") && !cstr_starts(server, "http://"))
		return err_set(err, ERR_INVALID,
			       "kubeconfig: cluster \"%s\": server is not an http or https URL",
			       source->name);
	size_t len = strlen(server);
	while (len && server[len - 1] == '/')
		len--;
	config->server = mem_strndup(server, len);
	return true;
}

static bool read_cluster(const Source *source, KubeConfig *config, Error *err)
{
	config->insecure_skip_verify = json_flag(source->entry, "insecure-skip-tls-verify", false);
	config->server_name = mem_strdup(json_text(source->entry, "tls-server-name"));
	config->proxy_url = mem_strdup(json_text(source->entry, "proxy-url"));
	if (config->insecure_skip_verify && !source->rules->allow_insecure)
		return refuse(source, "insecure-skip-tls-verify", "it is", err);
	if (!read_server(source, config, err) ||
	    !read_pem(source, "certificate-authority", &config->ca_pem, err))
		return false;
	if (config->insecure_skip_verify && config->ca_pem)
		return err_set(err, ERR_INVALID,
			       "kubeconfig: cluster \"%s\": certificate-authority and "
			       "insecure-skip-tls-verify exclude each other",
			       source->name);
	return true;
}

/* Dropping these silently would act with other rights than the file says. */
static bool check_supported(const Source *source, Error *err)
{
	static const char *const fields[] = {"auth-provider", "as-uid", "as-user-extra"};
	for (size_t i = 0; i < COUNT(fields); i++) {
		if (json_object_get(source->entry, fields[i]))
			return err_set(err, ERR_UNSUPPORTED,
				       "kubeconfig: user \"%s\": %s is not supported", source->name,
				       fields[i]);
	}
	return true;
}

static bool read_token(const Source *source, KubeConfig *config, Error *err)
{
	const char *file = json_text(source->entry, "tokenFile");
	if (!cstr_empty(file)) {
		if (!source->rules->allow_files)
			return refuse(source, "tokenFile", "a file is", err);
		config->token_file = mem_strdup(file);
	}
	const char *token = json_text(source->entry, "token");
	if (!cstr_empty(token))
		config->token = mem_strdup(token);
	return true;
}

static bool read_groups(const Source *source, KubeConfig *config, Error *err)
{
	json_t *groups = json_object_get(source->entry, "as-groups");
	if (!groups || json_is_null(groups))
		return true;
	bool fine = json_is_array(groups) && json_array_size(groups) <= MAX_GROUPS;
	for (size_t i = 0; fine && i < json_array_size(groups); i++)
		fine = json_is_string(json_array_get(groups, i));
	if (!fine)
		return err_set(err, ERR_INVALID,
			       "kubeconfig: user \"%s\": as-groups is no list of up to %d texts",
			       source->name, MAX_GROUPS);
	config->as_groups = json_incref(groups);
	return true;
}

static bool read_user(const Source *source, KubeConfig *config, Error *err)
{
	json_t *exec = json_map(source->entry, "exec");
	config->user = mem_strdup(source->name);
	if (exec && !source->rules->allow_exec)
		return refuse(source, "exec", "running a command is", err);
	if (!check_supported(source, err) || !read_token(source, config, err) ||
	    !read_pem(source, "client-certificate", &config->cert_pem, err) ||
	    !read_pem(source, "client-key", &config->key_pem, err))
		return false;
	if (!config->cert_pem != !config->key_pem)
		return err_set(err, ERR_INVALID, "kubeconfig: user \"%s\": %s is missing",
			       source->name,
			       config->cert_pem ? "client-key" : "client-certificate");
	const char *as_user = json_text(source->entry, "as");
	if (!cstr_empty(as_user))
		config->as_user = mem_strdup(as_user);
	config->exec = json_incref(exec);
	return read_groups(source, config, err);
}

/* --- the context --- */

/* Member `inner` of the item of list `list` with that name. */
static const json_t *find_named(const json_t *tree, const char *list, const char *inner,
				const char *name)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(tree, list), i, item)
	{
		if (cstr_eq(json_text(item, "name"), name))
			return json_map(item, inner);
	}
	return NULL;
}

static const json_t *find_context(const json_t *tree, const char *context, Error *err)
{
	if (!context)
		context = json_text(tree, "current-context");
	if (cstr_empty(context))
		return err_null(err, ERR_INVALID, "kubeconfig: current-context is not set");
	const json_t *found = find_named(tree, "contexts", "context", context);
	return found ? found
		     : err_null(err, ERR_INVALID, "kubeconfig: context \"%s\" does not exist",
				context);
}

/* The entry that the context names as its cluster or user. */
static bool find_part(const json_t *tree, const json_t *context, Source *source, Error *err)
{
	autofree char *list = mem_printf("%ss", source->role);
	source->name = json_text(context, source->role);
	if (cstr_empty(source->name))
		return err_set(err, ERR_INVALID, "kubeconfig: the context has no %s", source->role);
	source->entry = find_named(tree, list, source->role, source->name);
	if (!source->entry)
		return err_set(err, ERR_INVALID, "kubeconfig: %s \"%s\" does not exist",
			       source->role, source->name);
	return true;
}

bool config_from_tree(const json_t *tree, const char *context_name, const KubeConfigRules *rules,
		      KubeConfig *out, Error *err)
{
	const json_t *context = find_context(tree, context_name, err);
	if (!context)
		return false;
	autokubeconfig KubeConfig config = {0};
	Source cluster = {.rules = rules, .role = "cluster"},
	       user = {.rules = rules, .role = "user"};
	if (!find_part(tree, context, &cluster, err) || !read_cluster(&cluster, &config, err))
		return false;
	/* A context without a user is anonymous. */
	if (!cstr_empty(json_text(context, "user")) &&
	    (!find_part(tree, context, &user, err) || !read_user(&user, &config, err)))
		return false;
	const char *ns = json_text(context, "namespace");
	config.ns = cstr_empty(ns) ? NULL : mem_strdup(ns);
	*out = config;
	config = (KubeConfig){0};
	return true;
}

bool kube_config_parse(const char *text, size_t len, const char *dir, const char *context,
		       const KubeConfigRules *rules, KubeConfig *out, Error *err)
{
	autojson json_t *tree = config_tree(text, len, dir, err);
	return tree && config_from_tree(tree, context, rules, out, err);
}
