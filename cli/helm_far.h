/* What sluice-verbs adds to `sluice helm template`: charts from elsewhere, plugins, clusters. */
#ifndef CLI_HELM_FAR_H
#define CLI_HELM_FAR_H

#include "helm_command.h"
#include "kube/client.h"
#include "oci/registry.h"

/* --- helm_home.c: where Helm keeps its files; $HELM_..., then the XDG directories. Owned. --- */

char *helm_home_repositories(const HelmSource *source);
char *helm_home_index(const HelmSource *source, const char *repository);
char *helm_home_registry(const HelmSource *source);
char *helm_home_plugins(void);
char *helm_home_keyring(const HelmSource *source);

/* A row of repositories.yaml; borrowed from the tree. */
typedef struct {
	const char *name, *url, *username, *password, *ca_file, *cert_file, *key_file;
	bool insecure, pass_credentials;
} HelmRepositoryEntry;

/* repositories.yaml; no file is an empty one. Owned. */
json_t *helm_repositories_load(const HelmSource *source, Error *err) MUST_USE;
/* The row with that name; false without one. */
bool helm_repositories_find(const json_t *repositories, const char *name, HelmRepositoryEntry *out);
/* Calls fn for each row until it says false. */
typedef bool HelmRepositoryFn(void *arg, const HelmRepositoryEntry *entry);
void helm_repositories_each(const json_t *repositories, HelmRepositoryFn *fn, void *arg);

/* --- helm_fetch.c --- */

/* As whom a thing is fetched; all borrowed. */
typedef struct {
	const char *owner; /* URL whose host credentials are for; NULL: that of the thing */
	const char *username, *password, *ca_file, *cert_file, *key_file, *registry_config;
	bool pass_credentials, insecure, plain_http;
} HelmAccess;

/* Of the command line. */
HelmAccess helm_access_of(const HelmSource *source);
/* The same with what the row of repositories.yaml says in its place. */
HelmAccess helm_access_with(const HelmAccess *access, const HelmRepositoryEntry *entry);

/* Connections of this command. */
typedef struct HelmFetcher HelmFetcher;
HelmFetcher *helm_fetcher_new(Error *err) MUST_USE;
void helm_fetcher_free(HelmFetcher *fetcher);

/* True when the files that access names can be read and used. */
bool helm_fetch_check(HelmFetcher *fetcher, const HelmAccess *access, Error *err) MUST_USE;

/* What is fetched by http, https or oci. */
typedef struct {
	const char *url;
	bool provenance; /* the .prov file of the chart there, and not the chart */
	uint64_t max_bytes;
} HelmWanted;

/* Into fd from its start. `out` gets what is printed of charts that registries have. */
bool helm_fetch(HelmFetcher *fetcher, const HelmAccess *access, const HelmWanted *wanted, int fd,
		Buf *out, Error *err) MUST_USE;
/* The same into `text`. */
bool helm_fetch_text(HelmFetcher *fetcher, const HelmAccess *access, const HelmWanted *wanted,
		     Buf *text, Buf *out, Error *err) MUST_USE;

/* The index of a repository into fd. */
bool helm_fetch_index(HelmFetcher *fetcher, const HelmAccess *access, const char *repository,
		      int fd, Error *err) MUST_USE;

/* The reference of a chart in a registry, "oci://HOST/REPOSITORY:TAG", for a version or range
 * (NULL: the newest). Owned. */
char *helm_fetch_reference(HelmFetcher *fetcher, const HelmAccess *access, const char *chart,
			   const char *version, Error *err) MUST_USE;

/* --- helm_locate.c --- */

/* Where a chart is and as whom it is fetched. */
typedef struct {
	char *url; /* owned */
	HelmAccess access;
	json_t *repositories; /* what access borrows; owned */
} HelmFound;
void helm_found_dispose(HelmFound *found);
#define autohelmfound __attribute__((cleanup(helm_found_dispose)))

/* What a name, URL or reference means by the command line's flags. */
bool helm_locate(HelmFetcher *fetcher, const HelmSource *source, const char *chart,
		 const char *version, HelmFound *out, Error *err) MUST_USE;

/* The URL of a chart's version in a repository, whose index is fetched. *out_version, too, is
 * owned. */
char *helm_locate_version(HelmFetcher *fetcher, const HelmAccess *access, const char *repository,
			  const char *chart, const char *range, char **out_version,
			  Error *err) MUST_USE;

/* The archive, its provenance checked where the command line says so, in a file without a name.
 * -1 and err. */
int helm_locate_fetch(HelmFetcher *fetcher, const HelmSource *source, const HelmFound *found,
		      Buf *out, Error *err) MUST_USE;

/* An archive of this machine with FILE.prov beside it. */
bool helm_locate_verify(const HelmSource *source, const char *path, Error *err) MUST_USE;

/* --- helm_update.c: --dependency-update --- */

bool helm_update(HelmFetcher *fetcher, const HelmArguments *arguments, const HelmChart *chart,
		 Buf *out, Error *err) MUST_USE;

/* --- helm_plugin.c --- */

/* A plugin that post-renders. */
typedef struct HelmPlugin HelmPlugin;
HelmPlugin *helm_plugin_find(const char *name, const Vec *arguments, Error *err) MUST_USE;
void helm_plugin_free(HelmPlugin *plugin);
/* HelmPostRenderText with a plugin as its context. */
bool helm_plugin_run(void *plugin, Str stream, Buf *out, Error *err);

/* --- helm_server.c: --dry-run=server --- */

typedef struct HelmServer HelmServer;
/* ERR_UNAVAILABLE when nobody answers. */
HelmServer *helm_server_open(const HelmArguments *arguments, Error *err) MUST_USE;
void helm_server_free(HelmServer *server);
/* What templates see of it; borrowed by the options. */
bool helm_server_prepare(HelmServer *server, HelmOptions *options, Error *err) MUST_USE;
/* Objects of kinds that it knows, in its schemas, and nobody else's. */
bool helm_server_validate(HelmServer *server, const HelmManifests *manifests, Error *err) MUST_USE;

#endif
