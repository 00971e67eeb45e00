/* One thing by HTTP or from a registry, with what the command line and Helm's files say of it. */
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "charts/client.h"
#include "charts/tags.h"
#include "data/semver.h"
#include "helm_far.h"
#include "oci/dockerhelper.h"
#include "oci/reference.h"

enum {
	PEM_MAX = 1 << 20,
	LOGINS_MAX = 1 << 20,
	INDEX_MAX = 50 << 20, /* as source-controller's default */
	TIMEOUT_MS = 120 * 1000,
	HELPER_MS = 60 * 1000, /* it may ask a person */
};

struct HelmFetcher {
	Loop *loop;
	RegistryHub *hub;
	Error login; /* why the last registry is asked without the login that was configured */
};

void helm_fetcher_free(HelmFetcher *fetcher)
{
	if (!fetcher)
		return;
	error_dispose(&fetcher->login);
	registry_hub_free(fetcher->hub);
	loop_free(fetcher->loop);
	free(fetcher);
}

HelmFetcher *helm_fetcher_new(Error *err)
{
	Loop *loop = loop_new(err);
	if (!loop)
		return NULL;
	HelmFetcher *fetcher = mem_zalloc(1, sizeof(*fetcher));
	fetcher->loop = loop;
	fetcher->hub = registry_hub_new(loop);
	return fetcher;
}

HelmAccess helm_access_of(const HelmSource *source)
{
	return (HelmAccess){.username = source->username,
			    .password = source->password,
			    .ca_file = source->ca_file,
			    .cert_file = source->cert_file,
			    .key_file = source->key_file,
			    .registry_config = source->registry_config,
			    .pass_credentials = source->pass_credentials,
			    .insecure = source->insecure,
			    .plain_http = source->plain_http};
}

HelmAccess helm_access_with(const HelmAccess *access, const HelmRepositoryEntry *entry)
{
	HelmAccess own = *access;
	own.owner = entry->url;
	if (entry->ca_file || entry->cert_file || entry->key_file) {
		own.ca_file = entry->ca_file;
		own.cert_file = entry->cert_file;
		own.key_file = entry->key_file;
	}
	if (!cstr_empty(entry->username) && !cstr_empty(entry->password)) {
		own.username = entry->username;
		own.password = entry->password;
		own.pass_credentials = entry->pass_credentials;
	}
	return own;
}

/* --- TLS --- */

typedef struct {
	Buf ca, cert, key;
} Pems;

static void pems_dispose(Pems *pems)
{
	if (pems->key.ptr)
		mem_wipe(pems->key.ptr, pems->key.len);
	buf_dispose(&pems->ca);
	buf_dispose(&pems->cert);
	buf_dispose(&pems->key);
}
#define autopems __attribute__((cleanup(pems_dispose)))

static bool read_pem(const char *path, const char *what, Buf *out, Error *err)
{
	return cstr_empty(path) || file_read(path, PEM_MAX, out, err) ||
	       err_wrap(err, "can't create TLS config for client: unable to read %s file: \"%s\"",
			what, path);
}

static bool read_pems(const HelmAccess *access, Pems *out, Error *err)
{
	bool pair = !cstr_empty(access->cert_file) && !cstr_empty(access->key_file);
	return read_pem(access->ca_file, "CA", &out->ca, err) &&
	       (!pair || (read_pem(access->cert_file, "cert", &out->cert, err) &&
			  read_pem(access->key_file, "key", &out->key, err)));
}

static const char *text_or_null(const Buf *text)
{
	return text->len ? buf_text(text) : NULL;
}

static HttpClient *open_http(const HelmFetcher *fetcher, const HelmAccess *access, Error *err)
{
	autopems Pems pems = {0};
	if (!read_pems(access, &pems, err))
		return NULL;
	const HttpClientConfig config = {.ca_pem = text_or_null(&pems.ca),
					 .cert_pem = text_or_null(&pems.cert),
					 .key_pem = text_or_null(&pems.key),
					 .insecure_skip_verify = access->insecure,
					 .env_proxy = true};
	HttpClient *http = httpc_new(fetcher->loop, &config, err);
	return http ? http : err_wrap_null(err, "can't create TLS config for client");
}

bool helm_fetch_check(HelmFetcher *fetcher, const HelmAccess *access, Error *err)
{
	autohttpc HttpClient *http = open_http(fetcher, access, err);
	return http || err_wrap(err, "missing registry client");
}

/* --- HTTP --- */

static HelmClient *open_client(const HelmFetcher *fetcher, const HelmAccess *access,
			       const char *url, Error *err)
{
	HttpClient *http = open_http(fetcher, access, err);
	if (!http)
		return NULL;
	bool has_login = !cstr_empty(access->username) && !cstr_empty(access->password);
	const HelmClientConfig config = {.http = http,
					 .own_http = true,
					 .url = access->owner ? access->owner : url,
					 .user = has_login ? access->username : NULL,
					 .password = has_login ? access->password : NULL,
					 .pass_all = access->pass_credentials,
					 .timeout_ms = TIMEOUT_MS};
	HelmClient *client = helm_client_new(&config, err);
	if (!client)
		httpc_free(http);
	return client;
}

static bool fetch_http(const HelmFetcher *fetcher, const HelmAccess *access,
		       const HelmWanted *wanted, int fd, Error *err)
{
	autofree char *url = mem_printf("%s%s", wanted->url, wanted->provenance ? ".prov" : "");
	autohelmclient HelmClient *client = open_client(fetcher, access, url, err);
	autofree char *limit =
		mem_printf("%s exceeds %llu bytes", url, (unsigned long long)wanted->max_bytes);
	const HelmGet get = {.url = url, .max_bytes = wanted->max_bytes, .limit = limit, .fd = fd};
	return client && helm_client_get(client, &get, NULL, err);
}

bool helm_fetch_index(HelmFetcher *fetcher, const HelmAccess *access, const char *repository,
		      int fd, Error *err)
{
	HelmAccess own = *access;
	own.owner = repository;
	autohelmclient HelmClient *client = open_client(fetcher, &own, repository, err);
	return client && helm_client_get_index(client, INDEX_MAX, NULL, fd, NULL, err);
}

/* --- registries --- */

/* The first part is always the host, "localhost", too, which image references take for a name. */
static bool parse_reference(const char *url, OciReference *out, Error *err)
{
	const char *text = url + strlen("oci://");
	Str host, rest;
	bool has_path = str_cut(str_of(text), '/', &host, &rest);
	bool is_plain = str_find_char(host, '.') < 0 && str_find_char(host, ':') < 0;
	if (!has_path || !is_plain)
		return oci_reference_parse(text, out, err);
	autofree char *dotted = mem_printf("registry.invalid/%.*s", (int)rest.len, rest.ptr);
	if (!oci_reference_parse(dotted, out, err))
		return false;
	free(out->host);
	out->host = str_dup(host);
	return true;
}

/* What one config.json has for a registry: in itself, or by the program that it names. That this
 * program failed is for `held`: perhaps nobody asks for a login. */
static bool find_in(const char *path, const OciReference *reference, RegistryAuth *out, Error *held,
		    Error *err)
{
	autobuf Buf text = {0};
	autoerror Error own = {0};
	autofree char *helper = NULL;
	autodockerconfig DockerConfig *config = docker_config_new();
	if (!file_read(path, LOGINS_MAX, &text, &own))
		return own.code == ERR_NOT_FOUND || err_move(err, &own);
	bool fine = docker_config_add(config, buf_text(&text), text.len, false, err) &&
		    docker_helper_find(buf_text(&text), text.len, reference->host, &helper, err);
	if (text.ptr)
		mem_wipe(text.ptr, text.len);
	if (!fine)
		return err_wrap(err, "%s", path);
	if (!helper)
		docker_config_find(config, reference->host, reference->repository, out);
	else if (!docker_helper_get(helper, reference->host, HELPER_MS, out, held))
		err_wrap(held, "%s", path);
	return true;
}

/* Helm's own, then Docker's. */
static bool find_login(const HelmAccess *access, const OciReference *reference, RegistryAuth *out,
		       Error *held, Error *err)
{
	if (!cstr_empty(access->username) && !cstr_empty(access->password)) {
		*out = (RegistryAuth){.username = mem_strdup(access->username),
				      .password = mem_strdup(access->password)};
		return true;
	}
	const HelmSource source = {.registry_config = access->registry_config};
	const char *dir = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
	autofree char *own = helm_home_registry(&source);
	autofree char *docker = !cstr_empty(dir)
					? path_join(dir, "config.json")
					: mem_printf("%s/.docker/config.json", home ? home : "");
	return find_in(own, reference, out, held, err) &&
	       (!registry_auth_is_empty(out) || err_is_set(held) ||
		find_in(docker, reference, out, held, err));
}

static Registry *open_registry(HelmFetcher *fetcher, const HelmAccess *access,
			       const OciReference *reference, Error *err)
{
	autopems Pems pems = {0};
	autoregistryauth RegistryAuth auth = {0};
	error_dispose(&fetcher->login);
	if (!read_pems(access, &pems, err) ||
	    !find_login(access, reference, &auth, &fetcher->login, err))
		return NULL;
	const RegistryConfig config = {.host = reference->host,
				       .repository = reference->repository,
				       .auth = &auth,
				       .ca_pem = text_or_null(&pems.ca),
				       .cert_pem = text_or_null(&pems.cert),
				       .key_pem = text_or_null(&pems.key),
				       .allow_http = access->plain_http,
				       .skip_verify = access->insecure,
				       .timeout_ms = TIMEOUT_MS};
	return registry_open(fetcher->hub, &config, err);
}

/* What a registry refuses to a stranger is told with what became of the login. */
static bool refused(const HelmFetcher *fetcher, Error *err)
{
	bool by_login = err->code == ERR_UNAUTHORIZED || err->code == ERR_FORBIDDEN;
	if (by_login && err_is_set(&fetcher->login))
		err_wrap(err, "%s", err_text(&fetcher->login));
	return false;
}

static const OciDescriptor *wanted_layer(const OciManifest *manifest, const HelmWanted *wanted,
					 Error *err)
{
	const OciDescriptor *chart = chart_layer(manifest, err);
	if (!chart || !wanted->provenance)
		return chart;
	const OciDescriptor *layer = oci_manifest_layer(manifest, CHART_PROVENANCE_TYPE);
	return layer ? layer
		     : err_null(err, ERR_NOT_FOUND,
				"manifest does not contain a layer with "
				"mediatype " CHART_PROVENANCE_TYPE);
}

static bool fetch_oci(HelmFetcher *fetcher, const HelmAccess *access, const HelmWanted *wanted,
		      int fd, Buf *out, Error *err)
{
	autoocireference OciReference reference = {0};
	if (!parse_reference(wanted->url, &reference, err))
		return false;
	autoregistry Registry *registry = open_registry(fetcher, access, &reference, err);
	const char *name = reference.digest ? reference.digest : reference.tag;
	autoocidescriptor OciDescriptor found = {0};
	autoocimanifest OciManifest manifest = {0};
	if (!registry ||
	    !registry_resolve_to_pull(registry, name ? name : OCI_DEFAULT_TAG, &found, err) ||
	    !registry_image(registry, found.digest, &manifest, err))
		return refused(fetcher, err);
	const OciDescriptor *layer = wanted_layer(&manifest, wanted, err);
	if (!layer || !registry_blob(registry, layer, wanted->max_bytes, fd, err))
		return false;
	/* On standard output, in front of the manifests, as the real tool has it. */
	buf_printf(out, "Pulled: %s\nDigest: %s\n", wanted->url + strlen("oci://"), found.digest);
	return true;
}

static char *reference_of(const OciReference *reference, const char *tag)
{
	return reference->digest
		       ? mem_printf("oci://%s/%s@%s", reference->host, reference->repository,
				    reference->digest)
		       : mem_printf("oci://%s/%s:%s", reference->host, reference->repository, tag);
}

char *helm_fetch_reference(HelmFetcher *fetcher, const HelmAccess *access, const char *chart,
			   const char *version, Error *err)
{
	autoocireference OciReference reference = {0};
	autosemver Semver exact = {0};
	if (!parse_reference(chart, &reference, err))
		return NULL;
	if (reference.tag && version && !cstr_eq(reference.tag, version))
		return err_null(err, ERR_INVALID,
				"chart reference and version mismatch: %s is not %s", version,
				reference.tag);
	const char *wanted = version ? version : reference.tag;
	if (reference.digest || (wanted && semver_parse(wanted, &exact))) {
		autofree char *tag = wanted ? chart_tag_of(wanted) : NULL;
		return reference_of(&reference, tag);
	}
	autoregistry Registry *registry = open_registry(fetcher, access, &reference, err);
	const ChartTags tags = {registry, path_base(reference.repository), chart};
	autofree char *found = registry ? chart_tags_find(&tags, wanted ? wanted : "", err) : NULL;
	autofree char *tag = found ? chart_tag_of(found) : NULL;
	if (!tag)
		refused(fetcher, err);
	return tag ? reference_of(&reference, tag) : NULL;
}

/* --- both --- */

bool helm_fetch(HelmFetcher *fetcher, const HelmAccess *access, const HelmWanted *wanted, int fd,
		Buf *out, Error *err)
{
	if (cstr_starts(wanted->url, "oci://"))
		return fetch_oci(fetcher, access, wanted, fd, out, err);
	if (cstr_starts(wanted->url, "http://") || cstr_starts(wanted->url, "https://"))
		return fetch_http(fetcher, access, wanted, fd, err);
	return err_set(err, ERR_UNSUPPORTED, "scheme \"%.*s\" not supported",
		       (int)strcspn(wanted->url, ":"), wanted->url);
}

bool helm_fetch_text(HelmFetcher *fetcher, const HelmAccess *access, const HelmWanted *wanted,
		     Buf *text, Buf *out, Error *err)
{
	autofd int fd = fd_nameless(dir_temp(), err);
	if (fd < 0 || !helm_fetch(fetcher, access, wanted, fd, out, err))
		return false;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, "read %s", wanted->url);
	return fd_read_all(fd, (size_t)wanted->max_bytes, text, err);
}
