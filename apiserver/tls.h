/* The server's own certificates, made at first start. */
#ifndef APISERVER_TLS_H
#define APISERVER_TLS_H

#include "base/error.h"

typedef struct {
	char *ca_pem, *cert_pem, *key_pem; /* owned */
} TlsFiles;

/* Loads ca.crt, server.crt, server.key from dir, or makes them (P-256, ten years, for localhost,
 * 127.0.0.1, ::1, kubernetes.default.svc and `host`). ca.key stays there, mode 0600, for client
 * certificates. */
bool tls_files_load(const char *dir, const char *host, TlsFiles *out, Error *err);
void tls_files_dispose(TlsFiles *files);

#endif
