#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/yaml.h"
#include "helm_far.h"

enum { REPOSITORIES_MAX = 8 << 20 };

/* $HELM_X_HOME, $XDG_X_HOME/helm, $HOME/DEFAULT/helm; and a path below. */
static char *below(const char *own, const char *xdg, const char *usual, const char *path)
{
	const char *dir = getenv(own), *home = getenv("HOME");
	if (!cstr_empty(dir))
		return path_join(dir, path);
	dir = getenv(xdg);
	if (!cstr_empty(dir))
		return mem_printf("%s/helm/%s", dir, path);
	return mem_printf("%s/%s/helm/%s", home ? home : "", usual, path);
}

static char *config_path(const char *path)
{
	return below("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", ".config", path);
}

static char *flag_or_env(const char *flag, const char *name)
{
	const char *value = flag ? flag : getenv(name);
	return value ? mem_strdup(value) : NULL;
}

char *helm_home_repositories(const HelmSource *source)
{
	char *path = flag_or_env(source->repository_config, "HELM_REPOSITORY_CONFIG");
	return path ? path : config_path("repositories.yaml");
}

char *helm_home_index(const HelmSource *source, const char *repository)
{
	autofree char *dir = flag_or_env(source->repository_cache, "HELM_REPOSITORY_CACHE");
	autofree char *file = mem_printf("%s%sindex.yaml", repository, *repository ? "-" : "");
	if (!dir)
		dir = below("HELM_CACHE_HOME", "XDG_CACHE_HOME", ".cache", "repository");
	return path_join(dir, file);
}

char *helm_home_registry(const HelmSource *source)
{
	char *path = flag_or_env(source->registry_config, "HELM_REGISTRY_CONFIG");
	return path ? path : config_path("registry/config.json");
}

char *helm_home_plugins(void)
{
	char *path = flag_or_env(NULL, "HELM_PLUGINS");
	return path ? path : below("HELM_DATA_HOME", "XDG_DATA_HOME", ".local/share", "plugins");
}

char *helm_home_keyring(const HelmSource *source)
{
	const char *gnupg = getenv("GNUPGHOME"), *home = getenv("HOME");
	if (source->keyring)
		return mem_strdup(source->keyring);
	return !cstr_empty(gnupg) ? path_join(gnupg, "pubring.gpg")
				  : mem_printf("%s/.gnupg/pubring.gpg", home ? home : "");
}

/* --- repositories.yaml --- */

json_t *helm_repositories_load(const HelmSource *source, Error *err)
{
	autofree char *path = helm_home_repositories(source);
	autobuf Buf text = {0};
	autoerror Error own = {0};
	if (!file_read(path, REPOSITORIES_MAX, &text, &own)) {
		if (own.code == ERR_NOT_FOUND)
			return json_object();
		err_move(err, &own);
		return err_wrap_null(err, "couldn't load repositories file (%s)", path);
	}
	autojson json_t *tree =
		yaml_parse_old(buf_text(&text), text.len, REPOSITORIES_MAX, "yaml", err);
	if (!tree || json_is_object(tree) || json_is_null(tree))
		return steal(&tree);
	return err_null(err, ERR_INVALID, "%s: a map is expected", path);
}

static HelmRepositoryEntry read_entry(const json_t *row)
{
	return (HelmRepositoryEntry){
		.name = json_text_or(row, "name", ""),
		.url = json_text_or(row, "url", ""),
		.username = json_text(row, "username"),
		.password = json_text(row, "password"),
		.ca_file = json_text(row, "caFile"),
		.cert_file = json_text(row, "certFile"),
		.key_file = json_text(row, "keyFile"),
		.insecure = json_flag(row, "insecure_skip_tls_verify", false),
		.pass_credentials = json_flag(row, "pass_credentials_all", false),
	};
}

void helm_repositories_each(const json_t *repositories, HelmRepositoryFn *fn, void *arg)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_list(repositories, "repositories"), i, row)
	{
		const HelmRepositoryEntry entry = read_entry(row);
		if (!fn(arg, &entry))
			return;
	}
}

bool helm_repositories_find(const json_t *repositories, const char *name, HelmRepositoryEntry *out)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_list(repositories, "repositories"), i, row)
	{
		*out = read_entry(row);
		if (cstr_eq(out->name, name))
			return true;
	}
	return false;
}
