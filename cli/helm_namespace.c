/* The namespace that a kubeconfig's context says: all that a render needs of it, read without what
 * a connection needs. What is wrong with a file says nothing here. */
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/yaml.h"
#include "helm_command.h"

enum { CONFIG_MAX = 8 << 20 };

/* Files in their order, of which the first that says something counts. */
typedef struct {
	json_t *files; /* owned */
} Configs;

static void configs_dispose(Configs *configs)
{
	json_decref(configs->files);
}

static void add_file(Configs *configs, const char *path)
{
	autobuf Buf text = {0};
	autoerror Error ignored = {0};
	if (!file_read(path, CONFIG_MAX, &text, &ignored))
		return;
	json_t *file = yaml_parse(buf_text(&text), text.len, CONFIG_MAX, path, &ignored);
	if (file)
		json_array_append_new(configs->files, file);
}

/* "A:B:C" */
static void add_list(Configs *configs, const char *list)
{
	Str rest = str_of(list), piece;
	while (str_next(&rest, ':', &piece)) {
		autofree char *path = str_dup(piece);
		if (*path)
			add_file(configs, path);
	}
}

static void add_usual(Configs *configs, const HelmCluster *cluster)
{
	const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
	if (!cstr_empty(cluster->kubeconfig)) {
		add_file(configs, cluster->kubeconfig);
	} else if (!cstr_empty(list)) {
		add_list(configs, list);
	} else if (!cstr_empty(home)) {
		autofree char *path = path_join(home, ".kube/config");
		add_file(configs, path);
	}
}

static const char *context_of(const Configs *configs, const HelmCluster *cluster)
{
	const char *name = cluster->context ? cluster->context : getenv("HELM_KUBECONTEXT");
	for (size_t i = 0; cstr_empty(name) && i < json_array_size(configs->files); i++)
		name = json_text(json_array_get(configs->files, i), "current-context");
	return name;
}

static const char *namespace_of(const Configs *configs, const char *context)
{
	size_t i, k;
	json_t *file, *row;
	json_array_foreach(configs->files, i, file)
	{
		json_array_foreach(json_list(file, "contexts"), k, row)
		{
			if (cstr_eq(json_text(row, "name"), context))
				return json_text(json_map(row, "context"), "namespace");
		}
	}
	return NULL;
}

const char *helm_command_namespace(const HelmCluster *cluster, char **out_own)
{
	const char *ns = getenv("HELM_NAMESPACE");
	if (!cstr_empty(ns))
		return ns;
	__attribute__((cleanup(configs_dispose))) Configs configs = {json_array()};
	add_usual(&configs, cluster);
	const char *context = context_of(&configs, cluster);
	ns = context ? namespace_of(&configs, context) : NULL;
	if (cstr_empty(ns))
		return "default";
	*out_own = mem_strdup(ns);
	return *out_own;
}
