/*
 * Who we are at AWS, Google and Azure: credentials by their REST APIs, kept and shared until
 * shortly before they expire. One Cloud a process; all functions are for workers (they wait for
 * requests), any number at once: of those who want the same credential one asks, the others wait
 * for its answer.
 *
 * Where the providers' endpoints are and what stands in the environment is taken from the variables
 * that the providers' own SDKs read (aws.h, gcp.h, azure.h name them), so that a test, or a private
 * cloud, can put its own in place.
 */
#ifndef CLOUD_CLOUD_H
#define CLOUD_CLOUD_H

#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/map.h"
#include "net/httpc.h"
#include "net/loop.h"
#include "net/tokens.h"

typedef struct Cloud Cloud;

typedef struct {
	Loop *loop;
	size_t cache_max;     /* --token-cache-max-size; 0: nothing is kept */
	int64_t cache_max_ms; /* --token-cache-max-duration */
	const char *const
		*env; /* "NAME=value", NULL-terminated, instead of the process's; or NULL */
} CloudConfig;

/* Owned by the caller; the environment is read when it is needed. */
Cloud *cloud_new(const CloudConfig *config);
void cloud_free(Cloud *cloud);
AUTO_POINTER(Cloud, cloud_free, auto_cloud);
#define autocloud __attribute__((cleanup(auto_cloud)))

/*
 * A Kubernetes ServiceAccount whose workload identity is used instead of the process's (RFC-0010).
 * `annotation` gives an annotation's value or NULL; `token` asks the API server for a token of the
 * account for one audience (owned).
 */
typedef struct {
	const char *ns, *name;
	const char *(*annotation)(void *arg, const char *key);
	char *(*token)(void *arg, const char *audience, Error *err);
	void *arg;
} CloudAccount;

/* On whose behalf a credential is asked for. All borrowed for the call. */
typedef struct {
	HttpClient *http;  /* NULL: the Cloud's own (the environment's proxies, system's roots) */
	const char *proxy; /* what makes `http` another one than others': part of the cache's key */
	int64_t timeout_ms;	     /* of each request; 0: 30 s */
	const CloudAccount *account; /* NULL: the process's own identity */
	TokenUser user;		     /* for metrics; may be empty */
} CloudCaller;

/*
 * The credential kept under the parts (NULL-terminated; hashed, so that they may hold secrets), or
 * what `fetch` gets (token_cache_fetch) for the caller. *out is the caller's own copy.
 */
bool cloud_cached(Cloud *cloud, const CloudCaller *caller, const char *const *parts,
		  TokenFetch *fetch, void *arg, Credential *out, Error *err) MUST_USE;

/* The same caller for what a fetch asks for in turn: it is counted once. */
CloudCaller cloud_caller_within(const CloudCaller *caller);

/* Where they are kept: for others who have such, and for how it has done. Borrowed. */
TokenCache *cloud_tokens(Cloud *cloud);

/* An environment variable, NULL when unset or empty. Borrowed. */
const char *cloud_env(const Cloud *cloud, const char *name);

/* What the caller's requests go by; borrowed. NULL and err only when the Cloud's own client cannot
 * be made. */
HttpClient *cloud_http(Cloud *cloud, const CloudCaller *caller, Error *err) MUST_USE;

/* For metadata services on the node: never through a proxy. Borrowed. */
HttpClient *cloud_http_direct(Cloud *cloud, Error *err) MUST_USE;

/*
 * Sends and takes a 2xx reply's body (up to 1 MiB; timeout_ms 0: 30 s). Redirects are not followed.
 * Any other status is cloud_refused's error.
 */
bool cloud_call(HttpClient *http, const HttpRequest *request, Buf *out, Error *err) MUST_USE;

/*
 * The error for a reply that is no success: names the host and what the reply says was wrong (JSON
 * "error"/"message" or XML <Code>, <Message>; at most 512 bytes) without the secrets of the
 * request; err->reason is the provider's own code, when there is one; http_status and
 * retry_after_ms are set. Returns false.
 */
bool cloud_refused(const HttpRequest *request, const HttpResponse *reply, Error *err);

/* Appends "name=value" percent-encoded, with "&" in front unless the form is empty. */
void cloud_form_add(Buf *form, const char *name, const char *value);

#endif
