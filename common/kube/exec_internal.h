/* What exec.c (the command's life) and exec_reply.c (what it says) share. */
#ifndef KUBE_EXEC_INTERNAL_H
#define KUBE_EXEC_INTERNAL_H

#include "base/str.h"
#include "kube/exec.h"

enum { EXEC_OUTPUT_MAX = 1024 * 1024 };

/* What a run gave: a token, a certificate with its key, or both; owned. */
typedef struct {
	char *token, *cert_pem, *key_pem;
} ExecSecrets;

/* Wipes and frees them. */
void exec_secrets_dispose(ExecSecrets *secrets);

/*
 * Reads an ExecCredential of `version`, a whole one: what is taken is fit for a header and for TLS.
 * *out_due_ms is when it expires by the monotonic clock, INT64_MAX without a time. Errors, all
 * ERR_INVALID, quote nothing of the output.
 */
bool exec_reply_read(Str output, const char *version, ExecSecrets *out, int64_t *out_due_ms,
		     Error *err) MUST_USE;

#endif
