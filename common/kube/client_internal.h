/*
 * What the files of the API client share: client.c (identities, headers, counts), credential.c (the
 * bearer token), discovery.c, request.c (a KubeRequest as HTTP), reply.c (HTTP as object or Error),
 * batch.c (sending, retries), list.c (pages), call.c (one request from the loop's thread), reach.c
 * (whether the server is there).
 */
#ifndef KUBE_CLIENT_INTERNAL_H
#define KUBE_CLIENT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/vec.h"
#include "kube/client.h"
#include "kube/exec.h"

enum {
	KUBE_MAX_REPLY = 512 * 1024 * 1024, /* a full list; a page or an object is far less */
	KUBE_TIMEOUT_MS = 60000,
	KUBE_PAGE = 500,
};

typedef struct Discovery Discovery;
typedef struct Reach Reach;

/* The root client holds what its impersonating ones share. Fields above `lock` never change. */
struct KubeClient {
	KubeClient *root; /* itself unless made by kube_client_as */
	Loop *loop;
	HttpClient *http;
	char *server, *field_manager;
	char *as_user; /* or NULL */
	char *token_file;
	ExecCredential *exec; /* the root's, or NULL */
	Discovery *discovery;
	Reach *reach;			   /* the root's */
	atomic_bool yields;		   /* the root's */
	atomic_int_least64_t act_until_ms; /* the root's, clock_boot_ms(); 0: no bound */

	pthread_mutex_t lock; /* the root's guards its fields below */
	Map *users;	      /* user -> KubeClient */
	Map *counts;	      /* "VERB CODE" -> uint64_t */
	KubeConfig config;    /* of which token changes */
	int64_t token_read_ms;
	struct KubeCapabilities *capabilities; /* the root's, or NULL */
};

/* --- client.c --- */

/* Counts a request by what came of it, and draws the conclusion (reach.c): its HTTP status, or 0
 * and why there is none. Any thread. */
void kube_count(KubeClient *client, const char *verb, int code, const Error *failure);

/* --- reach.c --- */

Reach *reach_new(Loop *loop);
void reach_free(Reach *reach);

/* Any thread. A reply without a server's error (5xx) is a sign of life; the want of one, or a
 * long-lived stream that was cut (reach_lost), begins an absence. */
void reach_note(KubeClient *client, int status, const Error *failure);
void reach_lost(KubeClient *client);

/* Rests so long, or until the server is back. Never on the loop's thread. */
void reach_wait(KubeClient *client, int64_t wait_ms);

/* --- credential.c --- */

/* "Authorization: Bearer ..." or NULL; reads the token file when it is older than 60 s. Owned. */
char *credential_header(KubeClient *client);

/* After a 401: true when there is a token that may be newer, so that one more try makes sense. A
 * command that gives tokens is waited for up to wait_ms: 0 on the loop's thread. */
bool credential_refresh(KubeClient *client, int64_t wait_ms);

/* --- discovery.c --- */

Discovery *discovery_new(void);
void discovery_free(Discovery *discovery);

/* How often it was invalidated. */
unsigned discovery_generation(KubeClient *client);

/* The URL path of a group-version's document: "/api/v1", "/apis/apps/v1". Owned. */
char *discovery_path(const char *api_version);

/* As kube_resource, done within timeout_ms (0: the client's own limit). */
bool discovery_resource(KubeClient *client, const char *api_version, const char *kind,
			int64_t timeout_ms, KubeResource *out, Error *err) MUST_USE;

/* From what is known already; never asks. */
bool discovery_known(KubeClient *client, const char *api_version, const char *kind,
		     KubeResource *out);

/* Stores a group-version's APIResourceList, asked for at `generation`; NULL: the server has no such
 * version. Whether it has the kind. */
bool discovery_learn(KubeClient *client, const char *api_version, const char *kind,
		     const json_t *document, unsigned generation, KubeResource *out);

/* What is known of this version may be out of date: its path was not found. */
void discovery_forget(KubeClient *client, const char *api_version);

/* --- capabilities.c --- */

/* Appends the versions and kinds of an APIGroupDiscoveryList to `out`, owned, each once. */
void capabilities_add_groups(Map *seen, Vec *out, const json_t *list);

/* --- request.c --- */

/* A request ready to be sent, all owned. */
typedef struct {
	const char *method; /* static */
	const char *verb;   /* for counts; static */
	char *url;
	char *api_version; /* NULL: not about a resource */
	char *kind;	   /* NULL: nor about a whole one */
	char **headers;
	char *body;
	bool repeatable; /* sent twice it does no harm */
} Wire;

void wire_dispose(Wire *wire);
#define autowire __attribute__((cleanup(wire_dispose)))

/* `continue_token` is for LIST, NULL for the first page; `limit` 0: no paging. */
bool wire_make(KubeClient *client, const KubeRequest *request, int limit,
	       const char *continue_token, Wire *out, Error *err) MUST_USE;

/* The headers anew, after the credential changed. */
void wire_renew_headers(KubeClient *client, const KubeRequest *request, Wire *wire);

/* The path of a collection or, with name, an object of a resource that is known. Owned. */
char *resource_path(const char *api_version, const KubeResource *resource, const char *ns,
		    const char *name, const char *subresource);

/* Appends "?key=value" or "&key=value", escaped; a NULL or empty value is left out. */
void query_add(Buf *url, const char *key, const char *value);

/* --- reply.c --- */

/* The object of a reply, or NULL with err from the Status (or the HTTP status). Owned. */
json_t *reply_object(int status, int64_t retry_after_ms, const Buf *body, Error *err) MUST_USE;

/* Fills err from a Status object. Returns false. */
bool reply_status_error(const json_t *status, int http_status, int64_t retry_after_ms, Error *err);

/* True for a 404 that is not about an object but says that the path is not served. */
bool reply_is_no_path(int status, const Buf *body);

/* --- batch.c --- */

/* As kube_do_all, but of a list one page: of `limit` items (0: all) after `continue_token`. */
size_t batch_do(KubeClient *client, const KubeRequest *requests, KubeReply *replies, size_t count,
		int limit, const char *continue_token);

/* GET of a path that is no resource, with the same retries; `accept` NULL: JSON; timeout_ms 0: the
 * client's own limit. Owned. */
json_t *batch_get(KubeClient *client, const char *path, const char *accept, int64_t timeout_ms,
		  Error *err) MUST_USE;

/* --- list.c --- */

/* Follows `continue` of a first page, which it takes; items lacking a kind get one. */
json_t *list_finish(KubeClient *client, const KubeRequest *request, json_t *take_page, Error *err);

/* Fills apiVersion and kind of an item in, or with `replace` sets them anyway. */
void list_name_kind(json_t *item, const char *api_version, const char *kind, bool replace);

/* --- call.c --- */

typedef struct KubeCall KubeCall;

/* Borrowed, copied when the call starts. */
typedef struct {
	const char *verb;   /* for counts */
	const char *method; /* "GET" when NULL */
	const char *path;   /* with query */
	const char *accept, *content_type;
	const json_t *body;
	int64_t timeout_ms;
	size_t max_reply;
} KubeCallSpec;

/* object is borrowed and NULL on error. The call is gone when it returns. */
typedef void KubeCallDone(void *arg, json_t *object, const Error *err);

/* Loop's thread, where done runs later. */
KubeCall *kube_call_start(KubeClient *client, const KubeCallSpec *spec, KubeCallDone *done,
			  void *arg);

/* Loop's thread: done will not run. */
void kube_call_cancel(KubeCall *call);

#endif
