/*
 * Chart repositories over HTTP: one GET, with credentials that go no further than they should. And
 * the URLs of repositories and of the charts in them.
 */
#ifndef CHARTS_CLIENT_H
#define CHARTS_CLIENT_H

#include <stdint.h>

#include "net/httpc.h"

/* A URL as repositories are compared by: with one slash at its end, without any when it is of a
 * registry. ERR_INVALID. Owned. */
char *helm_url_normal(const char *url, Error *err) MUST_USE;

/* A repository over HTTP. One thread at a time. */
typedef struct HelmClient HelmClient;

/* Strings are copied, and wiped at the end. */
typedef struct {
	HttpClient *http;
	bool own_http; /* it is the client's once that is made, else borrowed */
	const char *url;
	const char *named_by; /* host whose chart names the repository, which must not lead from
				 outside inside (net/address.h); NULL: nobody */
	const char *user, *password; /* only together; NULL: none */
	bool pass_all;		     /* credentials go to other hosts, too */
	int64_t timeout_ms;
} HelmClientConfig;

/* Opens no connection. ERR_INVALID for what is no URL. Owned. */
HelmClient *helm_client_new(const HelmClientConfig *config, Error *err) MUST_USE;
void helm_client_free(HelmClient *client);
AUTO_POINTER(HelmClient, helm_client_free, auto_helm_client);
#define autohelmclient __attribute__((cleanup(auto_helm_client)))

/* What a GET is for. */
typedef struct {
	const char *url; /* absolute, or relative to the repository */
	uint64_t max_bytes;
	const char *limit; /* what ERR_LIMIT says: "index exceeds ..." */
	int fd;		   /* where the body goes */
	const char *etag;  /* of what is there already; NULL: nothing */
} HelmGet;

/* Of the reply; etag is owned, NULL when it had none. */
typedef struct {
	bool unchanged; /* there is no body: what has that etag is still right */
	char *etag;
} HelmGot;
void helm_got_dispose(HelmGot *got);
#define autohelmgot __attribute__((cleanup(helm_got_dispose)))

/* Credentials go to the repository's own scheme, host and port only, unless it passes them on
 * (S66). `out` may be NULL. */
bool helm_client_get(HelmClient *client, const HelmGet *get, HelmGot *out, Error *err) MUST_USE;

/* URL/index.yaml, its query kept. */
bool helm_client_get_index(HelmClient *client, int64_t max_bytes, const char *etag, int fd,
			   HelmGot *out, Error *err) MUST_USE;

/* The repository's URL as helm_url_normal has it. Borrowed. */
const char *helm_client_base(const HelmClient *client);

/* The absolute URL of what a repository calls `url`, as Helm's ResolveReferenceURL: the
 * repository's query stays, whatever the reference has. Owned. */
char *helm_client_resolve(const HelmClient *client, const char *url, Error *err) MUST_USE;

#endif
