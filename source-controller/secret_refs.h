/* Secrets that several kinds name alike: secretRef, certSecretRef, proxySecretRef (source.md 3, 4).
 * Texts are those of upstream's reader. */
#ifndef SOURCE_CONTROLLER_SECRET_REFS_H
#define SOURCE_CONTROLLER_SECRET_REFS_H

#include "ctrl/manager.h"
#include "kube/secret.h"
#include "net/httpc.h"

/* A Secret of the object's namespace: "secret 'NS/NAME' not found" where it is missing. Owned. */
Secret *secret_ref_get(Run *run, const char *name, Error *err) MUST_USE;

/* The one that an object authenticates by: "failed to get WHAT 'NS/NAME': " and the server's word.
 * A NULL or "" name leaves *out as it is. */
bool secret_ref_load(Run *run, const char *name, const char *what, Secret **out,
		     Error *err) MUST_USE;

/* Values are borrowed from a Secret and NULL when absent. */
typedef struct {
	Secret *secret; /* owned; NULL when it was another's */
	const char *ca_pem, *cert_pem, *key_pem;
} TlsSecret;

void tls_secret_dispose(TlsSecret *tls);
#define autotlssecret __attribute__((cleanup(tls_secret_dispose)))

/* tls.crt, tls.key, ca.crt, or their older names certFile, keyFile, caFile, which are told of.
 * ERR_INVALID for half a pair and for nothing at all. A NULL or "" name leaves *out empty. */
bool tls_secret_get(Run *run, const char *name, TlsSecret *out, Error *err) MUST_USE;

/* The same of a Secret that is there already (NULL: nothing), which may have none of them. */
bool tls_secret_read(Run *run, const char *name, const Secret *secret, TlsSecret *out,
		     Error *err) MUST_USE;

/* Into a client's options, which borrow: the CA beside the system's roots. */
void tls_secret_use(const TlsSecret *tls, HttpClientConfig *config);

typedef struct {
	Secret *secret;
	const char *address, *username, *password;
} ProxySecret;

void proxy_secret_dispose(ProxySecret *proxy);
#define autoproxysecret __attribute__((cleanup(proxy_secret_dispose)))

/* address (http, https or socks5, at most 2048 bytes), username, password. As tls_secret_get. */
bool proxy_secret_get(Run *run, const char *name, ProxySecret *out, Error *err) MUST_USE;
void proxy_secret_use(const ProxySecret *proxy, HttpClientConfig *config);

#endif
