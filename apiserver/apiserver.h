/*
 * The embedded Kubernetes-compatible API server (kube-api.md 2): REST, watch, server-side apply,
 * custom kinds, RBAC and garbage collection over SQLite, in one process of a few MiB.
 */
#ifndef APISERVER_APISERVER_H
#define APISERVER_APISERVER_H

#include "base/error.h"
#include "base/log.h"

typedef struct ApiServer ApiServer;

/* What is done beside storing, each with all before it. */
typedef enum {
	SIMULATE_NONE,
	SIMULATE_BASE,	    /* ServiceAccount default and kube-root-ca.crt per namespace */
	SIMULATE_WORKLOADS, /* status of Deployments, Jobs, Pods, ... as if they ran */
} SimulateProfile;

typedef struct {
	const char *data_dir;	  /* made when absent; state.db, certificates, tokens */
	const char *bind_address; /* "127.0.0.1:0": port 0 picks a free one */
	const char *token_file;	  /* static bearer tokens, or NULL */
	const char *kubeconfig;	  /* where to write the admin's kubeconfig; NULL: in data_dir */
	bool plain_http;	  /* without TLS; for loopback only */
	SimulateProfile simulate;
	int64_t simulate_delay_ms; /* from a change to the status that follows from it */
	int64_t keep_revisions_ms; /* until superseded ones are compacted; 0: 5 minutes */
	unsigned threads;	   /* 0: 8 */
	Log *log;		   /* borrowed; may be NULL */
} ApiServerConfig;

/* Starts and returns when it serves. ERR_IO and ERR_INVALID say what is wrong. Owned by the caller.
 */
ApiServer *apiserver_start(const ApiServerConfig *config, Error *err);

/* Ends watches, lets requests finish, closes the store. */
void apiserver_stop(ApiServer *server);

/* "https://127.0.0.1:6443"; borrowed. */
const char *apiserver_url(const ApiServer *server);

#endif
