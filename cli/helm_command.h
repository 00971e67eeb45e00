/*
 * The pieces of `sluice helm template`. What needs a network, a cluster or another program is far:
 * `sluice` has none of it and leaves such a command line to sluice-verbs, which does.
 */
#ifndef CLI_HELM_COMMAND_H
#define CLI_HELM_COMMAND_H

#include <stdio.h>

#include "base/buf.h"
#include "base/vec.h"
#include "data/json.h"
#include "helm/limits.h"
#include "helm/template.h"
#include "tool_flags.h"

typedef struct HelmFar HelmFar;

/* Where charts come from, and as whom they are fetched. */
typedef struct {
	const char *repo, *version, *username, *password, *ca_file, *cert_file, *key_file, *keyring;
	const char *repository_config, *repository_cache, *registry_config;
	bool devel, verify, insecure, plain_http, pass_credentials, dependency_update;
} HelmSource;

/* The cluster that --dry-run=server asks. */
typedef struct {
	const char *kubeconfig, *context, *token, *as_user, *server, *ca_file, *tls_server_name;
	Vec as_groups;
	bool insecure;
} HelmCluster;

/* The command line; texts are borrowed from argv, lists own theirs. */
typedef struct {
	const char *name, *chart, *ns, *kube_version, *name_template, *output_dir, *dry_run;
	const char *post_renderer, *wait, *color;
	HelmLimits limits;
	HelmSource source;
	HelmCluster cluster;
	char *own_name; /* name, when it was made */
	char *own_ns;	/* ns, when it was found */
	Vec words;	/* borrowed */
	Vec value_files, set, set_string, set_file, set_json, set_literal, show_only, api_versions;
	Vec post_renderer_args, labels;
	bool include_crds, skip_tests, no_hooks, is_upgrade, skip_schema, generate_name, debug,
		enable_dns, release_name, help, validate, skip_openapi, take_ownership, force,
		force_replace, force_conflicts;
	const HelmFar *far; /* NULL: nothing far is needed */
	void *far_state;    /* of far->open */
} HelmArguments;

/* What sluice-verbs does; each is called once at most, in this order. */
struct HelmFar {
	/* Reads what flags name: certificates, plugins. *out_state is freed by close. */
	bool (*open)(const HelmArguments *arguments, void **out_state, Error *err);
	void (*close)(void *state);
	/* Finds arguments->chart: *out_fd is its archive, or -1 when it is a path of this machine.
	 * Appends to `out` what is printed of it. */
	bool (*locate)(void *state, int *out_fd, Buf *out, Error *err);
	/* The content of a URL; called for each. */
	bool (*read_url)(void *state, const char *url, Buf *out, Error *err);
	/* Puts the dependencies of a chart's directory into charts/. */
	bool (*update)(void *state, const HelmChart *chart, Buf *out, Error *err);
	/* Before the render: what of the options a cluster says, and a program. */
	bool (*prepare)(void *state, const HelmChart *chart, HelmOptions *options, Error *err);
	/* What a cluster has against what was rendered. */
	bool (*validate)(void *state, const HelmManifests *manifests, Error *err);
};

/* Returned for a command line that needs what `far` has when that is NULL: nothing was done. */
enum { HELM_IS_FAR = -1 };

/* `argv[0]` is "helm". The exit code, or HELM_IS_FAR. */
int helm_command(int argc, char **argv, const HelmFar *far);

/* True for a command line that cannot do without HelmFar. */
bool helm_command_is_far(const HelmArguments *arguments);
bool helm_command_asks_cluster(const HelmArguments *arguments);
/* A path of this machine is there, and no repository is asked for. */
bool helm_command_is_local(const HelmArguments *arguments);

/* A scheme that things are fetched by. */
bool helm_command_is_url(const char *text);

/* The command line of "template". */
extern const ToolFlags helm_flags;
bool helm_command_parse(int argc, char **argv, HelmArguments *out, Error *err) MUST_USE;
void helm_command_dispose(HelmArguments *arguments);
#define autohelmarguments __attribute__((cleanup(helm_command_dispose)))
void helm_command_help(FILE *out);

/* Labels that Helm keeps for itself are refused, once values are known. */
bool helm_command_check_labels(const HelmArguments *arguments, Error *err) MUST_USE;

/* The values of all flags, in Helm's order: files, --set-json, --set, --set-string, --set-file,
 * --set-literal. Owned. */
json_t *helm_command_values(const HelmArguments *arguments, Error *err) MUST_USE;

/* Files of rendered objects below --output-dir in place of standard output: tells of each. */
bool helm_command_write_files(Arena *arena, const HelmArguments *arguments, const HelmChart *chart,
			      const HelmManifests *manifests, Buf *out, Error *err) MUST_USE;

/* The name that --name-template gives. Owned. */
char *helm_command_name(const char *template, Error *err) MUST_USE;

/* The namespace without --namespace: $HELM_NAMESPACE, the kubeconfig's context's, "default".
 * Borrowed from *out_own or static. */
const char *helm_command_namespace(const HelmCluster *cluster, char **out_own);

/* Appends what is to be printed, which on failure may be something too (--debug). */
bool helm_command_template(HelmArguments *arguments, Buf *out, Error *err) MUST_USE;

#endif
