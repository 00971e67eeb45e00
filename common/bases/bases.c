#include "bases/bases.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "bases/clone.h"
#include "data/yaml.h"
#include "net/address.h"
#include "net/url.h"

enum {
	MAX_ENTRIES = 100,
	MAX_BYTES = 256 << 20,
	MAX_TIMEOUT_MS = 300000,
	FILE_MAX = 50 << 20,
	FILE_TIMEOUT_MS = 27000,
};

struct Bases {
	BasesConfig config;
	KustomizeFiles files; /* arg is the Bases */
	char *dir;	      /* NULL until something is fetched */
	int dir_fd;
	KustomizeDirFiles *fetched;
	Loop *own_loop;	      /* or NULL */
	HttpClient *own_http; /* or NULL */
	Map *known;	      /* "HOST\nENTRY", who names what -> what bases_fetch gave for it */
	Map *hosts;	      /* name of what was fetched -> the host that it is of */
	size_t count;
};

/* --- both kinds of files as one --- */

/* Where a path is looked up, and how it is called there. */
static const KustomizeFiles *place_of(const Bases *bases, const char **path)
{
	if (!cstr_starts(*path, KUSTOMIZE_FETCHED) || !bases->fetched)
		return bases->config.local;
	*path += strlen(KUSTOMIZE_FETCHED);
	return kustomize_dir_files(bases->fetched);
}

static KustomizeNode both_stat(void *arg, const char *path)
{
	const KustomizeFiles *files = place_of(arg, &path);
	return files->stat(files->arg, path);
}

static bool both_read(void *arg, const char *path, Buf *out, Error *err)
{
	const KustomizeFiles *files = place_of(arg, &path);
	return files->read(files->arg, path, out, err);
}

static bool both_list(void *arg, const char *path, Vec *out, Error *err)
{
	const KustomizeFiles *files = place_of(arg, &path);
	return files->list(files->arg, path, out, err);
}

static char *both_resolve(void *arg, const char *path)
{
	const char *inner = path;
	const KustomizeFiles *files = place_of(arg, &inner);
	autofree char *real = files->resolve ? files->resolve(files->arg, inner) : NULL;
	if (!real || files == ((const Bases *)arg)->config.local)
		return files->resolve ? steal(&real) : mem_strdup(path);
	return mem_printf("%s%s", KUSTOMIZE_FETCHED, real);
}

Bases *bases_new(const BasesConfig *config)
{
	Bases *bases = mem_zalloc(1, sizeof(*bases));
	bases->config = *config;
	BasesLimits *limits = &bases->config.limits;
	limits->max_entries = limits->max_entries ? limits->max_entries : MAX_ENTRIES;
	limits->max_bytes = limits->max_bytes ? limits->max_bytes : MAX_BYTES;
	limits->max_timeout_ms = limits->max_timeout_ms ? limits->max_timeout_ms : MAX_TIMEOUT_MS;
	bases->files = (KustomizeFiles){bases, both_stat, both_read, both_list, both_resolve};
	bases->dir_fd = -1;
	bases->known = map_new(free);
	bases->hosts = map_new(free);
	return bases;
}

void bases_free(Bases *bases)
{
	if (!bases)
		return;
	kustomize_dir_files_free(bases->fetched);
	auto_close(&bases->dir_fd);
	dir_auto_remove(&bases->dir);
	httpc_free(bases->own_http);
	if (bases->own_loop)
		loop_free(bases->own_loop);
	map_free(bases->known);
	map_free(bases->hosts);
	free(bases);
}

const KustomizeFiles *bases_files(const Bases *bases)
{
	return &bases->files;
}

/* --- fetching --- */

static bool make_client(Bases *bases, Error *err)
{
	if (bases->config.loop)
		return true;
	bases->own_loop = loop_new(err);
	if (!bases->own_loop)
		return false;
	bases->own_http = httpc_new(bases->own_loop, &(HttpClientConfig){.env_proxy = true}, err);
	if (!bases->own_http)
		return false;
	bases->config.loop = bases->own_loop;
	bases->config.http = bases->own_http;
	return true;
}

static bool make_dir(Bases *bases, Error *err)
{
	if (bases->dir)
		return true;
	const char *parent = bases->config.work_dir ? bases->config.work_dir : dir_temp();
	bases->dir = dir_make_temp(parent, "bases", err);
	if (!bases->dir)
		return false;
	bases->dir_fd = fd_open(bases->dir, O_RDONLY | O_DIRECTORY, 0, err);
	if (bases->dir_fd < 0)
		return false;
	bases->fetched = kustomize_dir_files_new(bases->dir_fd);
	return true;
}

/* What errors call it: the number and, without credentials, where it came from. Owned. */
static char *file_name(const Bases *bases, const char *url)
{
	enum { MAX_NAME = 100 };
	autofree char *shown = url_redacted(url);
	const char *host = strstr(shown, "://");
	Buf name = {0};
	buf_printf(&name, "%zu-", bases->count);
	for (const char *c = host ? host + 3 : shown; *c && *c != '?' && name.len < MAX_NAME; c++)
		buf_putc(&name, isalnum((unsigned char)*c) || strchr(".:-", *c) ? *c : '_');
	return buf_steal(&name);
}

/* A page that says "no such file" in HTML must not pass for a manifest. */
static bool is_manifest(const Buf *text)
{
	autoyaml YamlStream stream = {0};
	autoerror Error ignored = {0};
	if (!yaml_parse_all(buf_text(text), text->len, FILE_MAX, "", &stream, &ignored))
		return false;
	for (size_t i = 0; i < stream.len; i++)
		if (!json_is_object(stream.items[i].value))
			return false;
	return stream.len > 0;
}

/* Whose tree a kustomization in that directory is of: a host, or NULL where nobody minds. */
static const char *namer_of(const Bases *bases, const char *from)
{
	if (!cstr_starts(from, KUSTOMIZE_FETCHED))
		return bases->config.named_by;
	const char *name = from + strlen(KUSTOMIZE_FETCHED);
	autofree char *first = mem_strndup(name, strcspn(name, "/"));
	const char *host = map_get(bases->hosts, first);
	return host ? host : "";
}

static void note_host(Bases *bases, const char *name, const char *text)
{
	autoerror Error ignored = {0};
	autourl Url url = {0};
	map_put(bases->hosts, name,
		url_parse(text, &url, &ignored) ? steal(&url.host) : mem_strdup(""));
}

/* What somebody asked for. */
typedef struct {
	const char *url, *named_by;
	KustomizeWanted wanted;
} Asked;

/* The entry's path as a file; NULL with *out_why when it is none. */
static char *get_file(Bases *bases, const Asked *asked, Error *out_why)
{
	const char *url = asked->url;
	autohttpresponse HttpResponse reply = {0};
	HttpRequest request = {.url = url,
			       .timeout_ms = FILE_TIMEOUT_MS,
			       .max_body = FILE_MAX,
			       .follow_redirects = true,
			       .no_internal = address_leads_elsewhere(asked->named_by, url)};
	if (!httpc_do(bases->config.http, &request, &reply, out_why))
		return NULL;
	autofree char *shown = url_redacted(url);
	if (reply.status < 200 || reply.status >= 300)
		return err_null(out_why, err_code_of_http(reply.status),
				"HTTP Error: %s: status code %d", shown, reply.status);
	if (asked->wanted == KUSTOMIZE_BASE && !is_manifest(&reply.body))
		return err_null(out_why, ERR_INVALID, "%s: not a stream of YAML objects", shown);
	autofree char *name = file_name(bases, url);
	autofd int fd =
		fd_open_beneath(bases->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, 0600, out_why);
	if (fd < 0 || !fd_write_all(fd, buf_text(&reply.body), reply.body.len, out_why))
		return NULL;
	return mem_printf("%s%s", KUSTOMIZE_FETCHED, name);
}

static char *get_clone(Bases *bases, const Asked *asked, Error *err)
{
	autobasespec BaseSpec spec = {0};
	if (!base_spec_parse(asked->url, &spec, err))
		return NULL;
	spec.named_by = asked->named_by;
	autofree char *name = file_name(bases, spec.url);
	autofree char *dir = path_join(bases->dir, name);
	if (!base_clone(bases->config.loop, &spec, &bases->config.limits, dir, err)) {
		autofree char *shown = url_redacted(spec.url);
		return err_wrap_null(err, "failed to fetch %s", shown);
	}
	note_host(bases, name, spec.url);
	return mem_printf("%s%s//%s", KUSTOMIZE_FETCHED, name, spec.path);
}

static char *get(Bases *bases, const Asked *asked, Error *err)
{
	autoerror Error no_file = {0}, no_clone = {0};
	bool http = cstr_starts(asked->url, "http://") || cstr_starts(asked->url, "https://");
	char *path = http ? get_file(bases, asked, &no_file) : NULL;
	if (path)
		return path;
	if (asked->wanted == KUSTOMIZE_TEXT)
		return http ? (err_move(err, &no_file), NULL)
			    : err_null(err, ERR_UNSUPPORTED,
				       "only http and https files are fetched");
	path = get_clone(bases, asked, &no_clone);
	if (path)
		return path;
	err_set(err, no_clone.code, "%s%s%s", err_text(&no_file), http ? "; " : "",
		err_text(&no_clone));
	return NULL;
}

char *bases_fetch(void *arg, const char *from, const char *url, KustomizeWanted wanted, Error *err)
{
	Bases *bases = arg;
	const Asked asked = {url, namer_of(bases, from), wanted};
	autofree char *key = mem_printf("%s\n%s", asked.named_by ? asked.named_by : " ", url);
	const char *known = map_get(bases->known, key);
	if (known)
		return mem_strdup(known);
	if (bases->count >= bases->config.limits.max_entries)
		return err_null(err, ERR_LIMIT, "more than %zu remote bases",
				bases->config.limits.max_entries);
	if (!make_client(bases, err) || !make_dir(bases, err))
		return NULL;
	bases->count++;
	char *path = get(bases, &asked, err);
	if (path && wanted == KUSTOMIZE_BASE)
		map_put(bases->known, key, mem_strdup(path));
	return path;
}
