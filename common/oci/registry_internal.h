/*
 * What the files of the registry client share: hub.c (what a process shares), registry.c (one call:
 * credentials, redirects), scheme.c (https or http), token.c (token servers), reply.c (errors,
 * redirect targets); registry_manifest.c, registry_referrers.c, registry_tags.c, registry_blob.c
 * and registry_push.c are calls by kind.
 */
#ifndef OCI_REGISTRY_INTERNAL_H
#define OCI_REGISTRY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/vec.h"
#include "net/httpc.h"
#include "net/tokens.h"
#include "net/url.h"
#include "oci/challenge.h"
#include "oci/registry.h"

enum {
	REGISTRY_MAX_REDIRECTS = 5,
	REGISTRY_MAX_ERROR_BODY = 64 * 1024,
	REGISTRY_IDLE_TIMEOUT_MS = 30000,
};

/* --- hub.c --- */

/* Connections of one TLS identity and one proxy, and what the hosts asked for on them. */
typedef struct {
	char *key; /* digest of all that makes a connection another one */
	HttpClient *http;
	Map *hosts; /* host -> HostFacts; the hub's lock guards it and what follows */
	size_t users;
	int64_t idle_since_ms;
} RegistryIdentity;

struct RegistryHub {
	Loop *loop;
	pthread_mutex_t lock; /* guards identities and their guarded fields */
	Vec identities;
	TokenCache *tokens;
	atomic_uint_fast64_t requests;
};

/* The identity of a configuration, made when it is not there; given back with
 * hub_identity_release. */
RegistryIdentity *hub_identity_take(RegistryHub *hub, const RegistryConfig *config, bool allow_http,
				    Error *err) MUST_USE;
void hub_identity_release(RegistryHub *hub, RegistryIdentity *identity);

/* What is known of a host: its scheme ("http", "https" or NULL, static) and, copied, what it asks
 * for. */
const char *hub_host_facts(RegistryHub *hub, RegistryIdentity *identity, const char *host,
			   Challenge *out);
void hub_host_set_scheme(RegistryHub *hub, RegistryIdentity *identity, const char *host,
			 const char *scheme);
void hub_host_set_challenge(RegistryHub *hub, RegistryIdentity *identity, const char *host,
			    const Challenge *challenge);

/* --- registry.c --- */

struct Registry {
	RegistryHub *hub;
	RegistryIdentity *identity;
	char *host, *repository;
	RegistryAuth auth;
	char *no_login;			   /* or NULL */
	char *proxy_user, *proxy_password; /* hidden in errors */
	bool may_http, push;
	bool is_guarded;       /* no request may go inside */
	int64_t deadline_ms;   /* monotonic */
	char *token;	       /* what was shown last: hidden in errors */
	Buf kept;	       /* the text of a manifest that is about to be pulled, */
	OciDescriptor kept_as; /* and what it is; digest is NULL when there is none */
};

/* A call below "/v2/". */
typedef struct {
	const char *method;
	const char *path;	    /* below "/v2/", or an absolute URL of this registry */
	const char *const *headers; /* "Name: value", NULL-terminated, up to 4; NULL for none */
	const void *body;
	size_t body_len;
	size_t max_body; /* reply bytes; not for streams */
	/* Takes the bytes of a 200 or 206 reply as they come, on the loop's thread; NULL: they go
	 * to the response. */
	bool (*on_data)(void *arg, const HttpResponse *head, const char *bytes, size_t len);
	void *arg;
} RegistryCall;

/*
 * Sends with what the registry wants to see, by the scheme it speaks, and follows redirects. True
 * when a reply came, whatever its status. *out_url (owned) is the URL that answered.
 */
bool registry_call(Registry *registry, const RegistryCall *call, HttpResponse *out, char **out_url,
		   Error *err) MUST_USE;

/* As registry_call, and a status other than `want` is an error. */
bool registry_expect(Registry *registry, const RegistryCall *call, int want, HttpResponse *out,
		     Error *err) MUST_USE;

/* "repository:NAME:pull". Owned. */
char *registry_scope(const Registry *registry);

/* One request on the identity's connections, counted, within the handle's deadline. */
bool registry_send(Registry *registry, const HttpRequest *request, const RegistryCall *call,
		   HttpResponse *out, Error *err) MUST_USE;

/* --- scheme.c --- */

/* "https", or "http" where that is allowed and https is not spoken. Static; NULL and err. */
const char *registry_scheme(Registry *registry, Error *err) MUST_USE;

/* --- token.c --- */

/*
 * A token for what the challenge asks, from the cache: with `fresh` not the one that was shown
 * last. *out_fresh becomes true when it was asked for now. Owned, a secret.
 */
char *registry_token(Registry *registry, const Challenge *challenge, bool fresh, bool *out_fresh,
		     Error *err) MUST_USE;

/* --- reply.c --- */

/* Fills err from a reply that was not wanted. Returns false. */
bool registry_reply_fail(const Registry *registry, const char *method, const char *url,
			 const HttpResponse *reply, Error *err);

/* True for a status that redirects. */
bool http_status_redirects(int status);

/* True when the registry's own host is an internal address (net/address.h), which may then lead to
 * others of them. */
bool registry_is_inside(const Registry *registry);

/* ERR_FORBIDDEN unless a reply from `from` may lead to `to`: never from https to http, never into
 * loopback, link-local or unspecified addresses unless the registry is there itself. */
bool url_check_follow(const Registry *registry, const char *from, const char *to, Error *err);

/* Where the next page of what `url` answered is: `Link: <URL>; rel="next"` (RFC 8288), of the same
 * origin. NULL without err: there is none. Owned. */
char *registry_next_page(const Registry *registry, const char *url, const HttpResponse *reply,
			 Error *err);

/* ERR_FORBIDDEN unless tokens may be fetched there: https, or http as the registry itself; not
 * at private addresses unless it is the registry's own host and port. */
bool url_check_realm(const Registry *registry, const char *scheme, const char *realm, Error *err);

#endif
