/* How to reach an API server: kubeconfig or the pod's own service account (kube-api.md 1.1). */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"
#include "data/json.h"

/* All strings owned, NULL when absent. */
typedef struct {
	char *server; /* "https://host:port[/path]" */
	char *ca_pem;
	bool insecure_skip_verify;
	char *server_name;
	char *proxy_url;
	char *token;
	char *token_file; /* read again every 60 s and on 401; beats token */
	char *cert_pem;
	char *key_pem;
	char *as_user;	   /* impersonation from the file */
	json_t *as_groups; /* texts, or NULL; nothing without as_user */
	char *user;	   /* Basic authentication is not supported by servers; kept for messages */
	char *ns;	   /* the context's namespace, or the pod's */
	json_t *exec;	   /* user.exec, or NULL */

	/* Not from a file. A server that is out of reach must not hold a worker for long when it is
	 * one of many. */
	int64_t timeout_ms; /* of a request with its retries; 0: 60 s */
	int max_tries;	    /* of a request; 0: 10 */
} KubeConfig;

void kube_config_dispose(KubeConfig *config);
#define autokubeconfig __attribute__((cleanup(kube_config_dispose)))

/* What a kubeconfig from outside (a tenant's Secret) may do. */
typedef struct {
	bool allow_files;    /* token, key and CA by path */
	bool allow_exec;     /* --insecure-kubeconfig-exec (K95) */
	bool allow_insecure; /* --insecure-kubeconfig-tls (K95) */
} KubeConfigRules;

/* From bytes; `dir` resolves relative paths; context NULL is current-context. ERR_INVALID names
 * what is missing; ERR_FORBIDDEN what the rules refuse. */
bool kube_config_parse(const char *text, size_t len, const char *dir, const char *context,
		       const KubeConfigRules *rules, KubeConfig *out, Error *err) MUST_USE;

/* The usual search: `path` when not NULL, $KUBECONFIG (a list), ~/.kube/config when it exists,
 * in-cluster. */
bool kube_config_find(const char *path, const char *context, KubeConfig *out, Error *err) MUST_USE;

/* What a command line chooses of a kubeconfig; NULL: what the file says. */
typedef struct {
	const char *context; /* by name; else current-context */
	const char *cluster; /* in place of the context's */
	const char *user;
} KubeConfigChoice;

/* As kube_config_find. */
bool kube_config_choose(const char *path, const KubeConfigChoice *choice, KubeConfig *out,
			Error *err) MUST_USE;

#endif
