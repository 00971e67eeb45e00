/*
 * Bearer tokens and client certificates from a command that a kubeconfig names (user.exec,
 * client.authentication.k8s.io): cloud providers' logins. The command runs when the client is made,
 * when its token expires and after a 401, always on a thread of its own but for the first time.
 */
#ifndef KUBE_EXEC_H
#define KUBE_EXEC_H

#include "kube/config.h"

typedef struct ExecCredential ExecCredential;

/*
 * Runs config->exec for the first time: blocks, up to a minute. Errors name the user and the
 * command, with what it said on its standard error and its installHint; ERR_UNSUPPORTED for a
 * version of the interface other than v1 and v1beta1, and for one that must talk to a person. Owned
 * by the caller. `changed` is called on the thread of its own, without a lock, when a later run
 * gave another certificate, before exec_credential_renew returns.
 */
ExecCredential *exec_credential_start(const KubeConfig *config, void (*changed)(void *arg),
				      void *arg, Error *err) MUST_USE;

/* A run of the command under way is killed. NULL is allowed. */
void exec_credential_stop(ExecCredential *credential);

/* The token, owned; NULL when it gives none. Thread-safe, never blocks long. */
char *exec_credential_token(ExecCredential *credential);

/* The client certificate and its key, PEM, owned (the key to be wiped). False when it gives none.
 */
bool exec_credential_certificate(ExecCredential *credential, char **out_cert_pem,
				 char **out_key_pem);

/* The server refused the token: asks for another, and waits for it up to wait_ms (0 on the loop's
 * thread). True when there is one. */
bool exec_credential_renew(ExecCredential *credential, int64_t wait_ms);

#endif
