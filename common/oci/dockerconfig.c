/* docker's config.json: entries by host and path, kept in the order in which they match. */
#include "oci/dockerconfig.h"

#include <fnmatch.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "data/base64.h"
#include "data/json.h"
#include "net/url.h"
#include "oci/reference.h"

enum { MAX_TEXT = 1 << 20, MAX_ENTRIES = 1000 };

typedef struct {
	char *key; /* "host[:port]" with the path behind it, for the order */
	char *host;
	int port;
	char *path; /* "" or "/a/b" */
	RegistryAuth auth;
} Entry;

struct DockerConfig {
	Vec entries; /* by key, descending, so that the longer of two prefixes comes first */
};

/* --- RegistryAuth --- */

static void wipe_text(char *text)
{
	if (text)
		mem_wipe(text, strlen(text));
	free(text);
}

void registry_auth_dispose(RegistryAuth *auth)
{
	free(auth->username);
	wipe_text(auth->password);
	wipe_text(auth->identity_token);
	wipe_text(auth->registry_token);
	*auth = (RegistryAuth){0};
}

void registry_auth_copy(RegistryAuth *to, const RegistryAuth *from)
{
	if (!from)
		return;
	*to = (RegistryAuth){.username = mem_strdup(from->username),
			     .password = mem_strdup(from->password),
			     .identity_token = mem_strdup(from->identity_token),
			     .registry_token = mem_strdup(from->registry_token)};
}

bool registry_auth_is_empty(const RegistryAuth *auth)
{
	return !auth->username && !auth->password && !auth->identity_token && !auth->registry_token;
}

/* --- entries --- */

static void entry_free(void *item)
{
	Entry *entry = item;
	free(entry->key);
	free(entry->host);
	free(entry->path);
	registry_auth_dispose(&entry->auth);
	free(entry);
}

DockerConfig *docker_config_new(void)
{
	return mem_zalloc(1, sizeof(DockerConfig));
}

void docker_config_free(DockerConfig *config)
{
	if (!config)
		return;
	vec_dispose_with(&config->entries, entry_free);
	free(config);
}

static int by_key_descending(const void *a, const void *b)
{
	return strcmp(((const Entry *)b)->key, ((const Entry *)a)->key);
}

/* docker's own registry has many names. */
static const char *canonical_host(const char *host)
{
	static const char *const names[] = {"docker.io", "registry-1.docker.io", "www.docker.io"};
	for (size_t i = 0; i < COUNT(names); i++)
		if (cstr_eq(host, names[i]))
			return OCI_DEFAULT_HOST;
	return host;
}

static const char *useful(const char *text)
{
	return cstr_empty(text) ? NULL : text;
}

/* "user:password" in base64, perhaps without its padding. */
static bool decode_auth(const char *text, RegistryAuth *out)
{
	autoerror Error ignored = {0};
	static const char pad[] = "===";
	size_t len = strlen(text);
	autofree char *padded = mem_printf("%s%.*s", text, (int)((4 - len % 4) % 4), pad);
	autobuf Buf plain = {0};
	bool ok = base64_decode(padded, strlen(padded), &plain, &ignored);
	Str user, password;
	if (ok && str_cut(buf_str(&plain), ':', &user, &password)) {
		out->username = str_dup(user);
		out->password = str_dup(password);
	}
	mem_wipe(padded, strlen(padded));
	if (plain.ptr)
		mem_wipe(plain.ptr, plain.len);
	return ok && out->username;
}

static bool read_auth(const json_t *value, RegistryAuth *out)
{
	const char *auth = useful(json_text(value, "auth"));
	const char *username = useful(json_text(value, "username"));
	const char *password = useful(json_text(value, "password"));
	if (auth && !decode_auth(auth, out))
		return false;
	if (!auth && (username || password)) {
		out->username = mem_strdup(username ? username : "");
		out->password = mem_strdup(password ? password : "");
	}
	out->identity_token = mem_strdup(useful(json_text(value, "identitytoken")));
	out->registry_token = mem_strdup(useful(json_text(value, "registrytoken")));
	if (cstr_eq(out->username, "<token>") && !out->identity_token) {
		out->identity_token = steal(&out->password);
		free(steal(&out->username));
	}
	return true;
}

/* "https://host/v1/path" to host, port and path; false when it is no URL. */
static bool read_key(const char *text, Entry *out)
{
	autoerror Error ignored = {0};
	autourl Url url = {0};
	bool has_scheme = cstr_starts(text, "https://") || cstr_starts(text, "http://");
	autofree char *whole = mem_printf("%s%s", has_scheme ? "" : "https://", text);
	/* "*" is no host's character, but one of ours. */
	for (char *at = whole; *at; at++)
		if (*at == '*')
			*at = '~';
	if (!url_parse(whole, &url, &ignored))
		return false;
	for (char *at = url.host; *at; at++)
		if (*at == '~')
			*at = '*';
	const char *path = url.path;
	if (cstr_starts(path, "/v1/") || cstr_starts(path, "/v2/"))
		path += 3;
	size_t len = strlen(path);
	while (len && path[len - 1] == '/')
		len--;
	out->host = mem_strdup(canonical_host(url.host));
	out->port = url.port;
	out->path = mem_strndup(path, len);
	out->key = mem_printf("%s:%d%s", out->host, out->port, out->path);
	return true;
}

static bool add_entry(DockerConfig *config, const char *key, const json_t *value, Error *err)
{
	if (config->entries.len >= MAX_ENTRIES)
		return err_set(err, ERR_LIMIT, "docker config has more than %d entries",
			       MAX_ENTRIES);
	Entry *entry = mem_zalloc(1, sizeof(*entry));
	if (read_key(key, entry) && json_is_object(value) && read_auth(value, &entry->auth)) {
		vec_push(&config->entries, entry);
		return true;
	}
	entry_free(entry);
	return err_set(err, ERR_INVALID, "docker config has a malformed entry");
}

bool docker_config_add(DockerConfig *config, const char *text, size_t len, bool legacy, Error *err)
{
	if (len > MAX_TEXT)
		return err_set(err, ERR_LIMIT, "docker config is larger than %d bytes", MAX_TEXT);
	autoerror Error ignored = {0};
	autojson json_t *root = json_parse(text, len, MAX_TEXT, &ignored);
	json_t *auths = legacy || !root ? root : json_object_get(root, "auths");
	if (!json_is_object(root) || (auths && !json_is_object(auths) && !json_is_null(auths)))
		return err_set(err, ERR_INVALID, "docker config is no valid JSON object");
	const char *key;
	json_t *value;
	json_object_foreach(auths, key, value)
	{
		if (!add_entry(config, key, value, err))
			return false;
	}
	vec_sort(&config->entries, by_key_descending);
	return true;
}

/* --- matching --- */

static bool host_matches(const char *pattern, const char *host)
{
	Str patterns = str_of(pattern), hosts = str_of(host), want, part;
	if (!strchr(pattern, '*'))
		return cstr_eq(pattern, host);
	while (str_next(&patterns, '.', &want)) {
		if (!str_next(&hosts, '.', &part))
			return false;
		autofree char *glob = str_dup(want);
		autofree char *name = str_dup(part);
		if (fnmatch(glob, name, 0) != 0)
			return false;
	}
	return hosts.len == 0;
}

bool docker_config_is_empty(const DockerConfig *config)
{
	return config->entries.len == 0;
}

/* A path covers what is below it, by whole parts: "/team" is not "/team-b". */
static bool path_matches(const char *path, const char *repository)
{
	size_t len = strlen(path);
	if (len == 0)
		return true;
	return strncmp(path + 1, repository, len - 1) == 0 &&
	       (repository[len - 1] == '\0' || repository[len - 1] == '/');
}

bool docker_config_find(const DockerConfig *config, const char *host, const char *repository,
			RegistryAuth *out)
{
	autoerror Error ignored = {0};
	autourl Url url = {0};
	autofree char *text = mem_printf("https://%s", host);
	if (!url_parse(text, &url, &ignored))
		return false;
	const char *name = canonical_host(url.host);
	for (size_t i = 0; i < config->entries.len; i++) {
		const Entry *entry = config->entries.items[i];
		if (entry->port != url.port || !host_matches(entry->host, name) ||
		    !path_matches(entry->path, repository))
			continue;
		if (registry_auth_is_empty(&entry->auth))
			return false;
		registry_auth_copy(out, &entry->auth);
		return true;
	}
	return false;
}
