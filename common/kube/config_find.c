/*
 * Where the configuration comes from: a given path, $KUBECONFIG (a list, whose first definition of
 * a name wins), ~/.kube/config, the pod's service account (kube-api.md 1.1). These are the
 * operator's own files, so nothing in them is refused.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kube/config_internal.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

static const KubeConfigRules own_rules = {
	.allow_files = true, .allow_exec = true, .allow_insecure = true};

static json_t *load_file(const char *path, Error *err)
{
	autobuf Buf text = {0};
	if (!file_read(path, CONFIG_MAX_BYTES, &text, err))
		return err_wrap_null(err, "kubeconfig");
	autofree char *dir = path_dir(path);
	json_t *tree = config_tree(buf_text(&text), text.len, dir, err);
	return tree ? tree : err_wrap_null(err, "%s", path);
}

static bool has_named(const json_t *list, const char *name)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item)
	{
		if (cstr_eq(json_text(item, "name"), name))
			return true;
	}
	return false;
}

static void merge_list(json_t *into, const json_t *from, const char *key)
{
	json_t *list = json_list(into, key);
	if (!list) {
		list = json_array();
		json_object_set_new(into, key, list);
	}
	size_t i;
	json_t *item;
	json_array_foreach(json_list(from, key), i, item)
	{
		if (!has_named(list, json_text(item, "name")))
			json_array_append(list, item);
	}
}

static void merge_tree(json_t *into, const json_t *from)
{
	static const char *const lists[] = {"clusters", "users", "contexts"};
	for (size_t i = 0; i < COUNT(lists); i++)
		merge_list(into, from, lists[i]);
	const char *current = json_text(from, "current-context");
	if (cstr_empty(json_text(into, "current-context")) && !cstr_empty(current))
		json_put_text(into, "current-context", current);
}

/* The files of a list as one tree; absent ones are skipped, *out stays NULL when all are. */
static bool load_list(const char *paths, json_t **out, Error *err)
{
	autojson json_t *merged = NULL;
	Str rest = str_of(paths), piece;
	while (str_next(&rest, ':', &piece)) {
		autofree char *path = str_dup(piece);
		if (!piece.len || access(path, F_OK) != 0)
			continue;
		autojson json_t *tree = load_file(path, err);
		if (!tree)
			return false;
		if (!merged)
			merged = json_object();
		merge_tree(merged, tree);
	}
	*out = steal(&merged);
	return true;
}

static char *read_small(const char *path, Error *err)
{
	autobuf Buf text = {0};
	if (!file_read(path, CONFIG_MAX_BYTES, &text, err))
		return err_wrap_null(err, "service account");
	return str_dup(str_trim(buf_str(&text)));
}

/* The service account's own namespace; without the file, none. */
static char *read_namespace(void)
{
	autoerror Error ignored = {0};
	return read_small(SERVICE_ACCOUNT "namespace", &ignored);
}

static bool in_cluster(KubeConfig *out, Error *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	if (cstr_empty(host) || cstr_empty(port))
		return err_set(err, ERR_NOT_FOUND,
			       "no cluster: no kubeconfig given, none in KUBECONFIG or "
			       "~/.kube/config, and KUBERNETES_SERVICE_HOST is not set");
	autokubeconfig KubeConfig config = {0};
	config.ca_pem = read_small(SERVICE_ACCOUNT "ca.crt", err);
	if (!config.ca_pem)
		return false;
	bool is_v6 = strchr(host, ':') != NULL;
	config.server =
		mem_printf("https://%s%s%s:%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
	config.token_file = mem_strdup(SERVICE_ACCOUNT "token");
	config.ns = read_namespace();
	*out = config;
	config = (KubeConfig){0};
	return true;
}

static char *home_config(void)
{
	const char *home = getenv("HOME");
	return cstr_empty(home) ? NULL : path_join(home, ".kube/config");
}

/* Puts cluster and user into the context that will be read. One that does not exist is told later.
 */
static void choose_parts(json_t *tree, const KubeConfigChoice *choice)
{
	const char *name = choice->context ? choice->context : json_text(tree, "current-context");
	size_t i;
	json_t *item;
	json_array_foreach(json_list(tree, "contexts"), i, item)
	{
		json_t *context = json_map(item, "context");
		if (!context || !cstr_eq(json_text(item, "name"), name))
			continue;
		if (choice->cluster)
			json_put_text(context, "cluster", choice->cluster);
		if (choice->user)
			json_put_text(context, "user", choice->user);
	}
}

bool kube_config_choose(const char *path, const KubeConfigChoice *choice, KubeConfig *out,
			Error *err)
{
	autojson json_t *tree = NULL;
	const char *list = getenv("KUBECONFIG");
	autofree char *home = home_config();
	if (path)
		tree = load_file(path, err);
	else if (!load_list(!cstr_empty(list) ? list : home, &tree, err))
		return false;
	if (!tree)
		return !err_is_set(err) && in_cluster(out, err);
	choose_parts(tree, choice);
	return config_from_tree(tree, choice->context, &own_rules, out, err);
}

bool kube_config_find(const char *path, const char *context, KubeConfig *out, Error *err)
{
	return kube_config_choose(path, &(KubeConfigChoice){.context = context}, out, err);
}
