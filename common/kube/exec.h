/*
 * Bearer tokens from a command that a kubeconfig names (user.exec, client.authentication.k8s.io):
 * cloud providers' logins. The command runs when the client is made, when its token expires and
 * after a 401, always on a thread of its own but for the first time.
 */
#ifndef KUBE_EXEC_H
#define KUBE_EXEC_H

#include "kube/config.h"

typedef struct ExecCredential ExecCredential;

/*
 * Runs config->exec for the first time: blocks, up to a minute. Errors name the user and the
 * command, with what it said on its standard error and its installHint; ERR_UNSUPPORTED for a
 * version of the interface other than v1 and v1beta1, for one that must talk to a person, and for
 * one that gives client certificates and no token. Owned by the caller.
 */
ExecCredential *exec_credential_start(const KubeConfig *config, Error *err) MUST_USE;

/* A run of the command under way is killed. NULL is allowed. */
void exec_credential_stop(ExecCredential *credential);

/* The token, owned. Thread-safe, never blocks long. */
char *exec_credential_token(ExecCredential *credential);

/* The server refused the token: asks for another, and waits for it up to wait_ms (0 on the loop's
 * thread). True when there is one. */
bool exec_credential_renew(ExecCredential *credential, int64_t wait_ms);

#endif
