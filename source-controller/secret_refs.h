/* Secrets that several kinds name alike: certSecretRef and proxySecretRef (source.md 3, 4). */
#ifndef SOURCE_CONTROLLER_SECRET_REFS_H
#define SOURCE_CONTROLLER_SECRET_REFS_H

#include "ctrl/manager.h"
#include "kube/secret.h"

/* Values are borrowed from the Secret and NULL when absent. */
typedef struct {
	Secret *secret;
	const char *ca_pem, *cert_pem, *key_pem;
} TlsSecret;

void tls_secret_dispose(TlsSecret *tls);
#define autotlssecret __attribute__((cleanup(tls_secret_dispose)))

/* tls.crt, tls.key, ca.crt, or their older names certFile, keyFile, caFile. ERR_INVALID for half a
 * pair and for nothing at all. A NULL or "" name leaves *out empty. */
bool tls_secret_get(Run *run, const char *name, TlsSecret *out, Error *err) MUST_USE;

typedef struct {
	Secret *secret;
	const char *address, *username, *password;
} ProxySecret;

void proxy_secret_dispose(ProxySecret *proxy);
#define autoproxysecret __attribute__((cleanup(proxy_secret_dispose)))

/* address (http, https or socks5, at most 2048 bytes), username, password. As tls_secret_get. */
bool proxy_secret_get(Run *run, const char *name, ProxySecret *out, Error *err) MUST_USE;

#endif
