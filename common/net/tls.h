/*
 * One side's TLS identity: trusted roots, own certificate, expected server name. Parsed once per
 * HttpClient and given to each connection by OpenSSL references, so that a connection costs no
 * second copy of the roots. Not changed after tls_identity_new. The system's roots are read when
 * the first connection needs them (a megabyte and 20 ms where they are one file), and shared by
 * all.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"

typedef struct TlsIdentity TlsIdentity;

typedef struct {
	const char *ca_pem; /* NULL: the system's roots */
	bool add_system_roots;
	const char *cert_pem;
	const char *key_pem;
	const char *server_name;
} TlsConfig;

/* ERR_INVALID says which text is unusable. Owned by the caller. */
TlsIdentity *tls_identity_new(const TlsConfig *config, Error *err) MUST_USE;
void tls_identity_free(TlsIdentity *identity);

/* Sets a connection's SSL_CTX up; false when OpenSSL refuses. */
bool tls_identity_apply(TlsIdentity *identity, void *ssl_ctx) MUST_USE;

#endif
