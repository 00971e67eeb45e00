/* What the parts of the client share. */
#ifndef KUBE_CLIENT_INTERNAL_H
#define KUBE_CLIENT_INTERNAL_H

#include <pthread.h>

#include "base/map.h"
#include "kube/client.h"

enum { KUBE_TIMEOUT_MS = 60000, KUBE_REPLY_MAX = 64 << 20, KUBE_TRIES = 5 };

/* Shared by a client and those that it impersonates with. */
typedef struct {
	pthread_mutex_t lock; /* guards all below; not held over a request */
	Map *groups;          /* "group/version" -> GroupVersion */
	Map *counts;          /* "VERB code" -> uint64_t * */
} KubeShared;

struct KubeClient {
	Loop *loop;
	HttpClient *http;
	KubeShared *shared;
	KubeClient *parent; /* NULL for the first */
	char *server, *field_manager, *user_agent;
	char *as_user;
	HttpClientConfig http_config; /* texts owned by config */
	KubeConfig config;
	pthread_mutex_t lock; /* guards the three below */
	char *token;
	int64_t token_read_ms;
	Map *impersonated; /* user -> KubeClient */
};

/* discovery.c */
void discovery_free(void *group_version);

/* request.c: an HTTP request for a KubeRequest; strings owned. */
typedef struct {
	const char *method, *verb;
	char *url;
	char **headers;
	char *body;
	bool repeatable; /* may be sent again after a cut connection */
} BuiltRequest;

void built_request_dispose(BuiltRequest *built);
bool request_build(KubeClient *client, const KubeRequest *request, BuiltRequest *out, Error *err);

/* status.c: a reply of 400 and above as an Error. */
void status_to_error(int status, const HttpResponse *response, Error *err);

/* client.c */
void client_count(KubeClient *client, const char *verb, int code);

#endif
