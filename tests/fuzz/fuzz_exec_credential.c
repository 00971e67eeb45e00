/* What a command that gives credentials says: no crash; what is taken can stand in a header, a
 * certificate has its key, and no error quotes what may be a secret. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kube/exec_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const ExecSecrets *secrets)
{
	if (!secrets->token && !secrets->cert_pem)
		abort();
	if (!secrets->cert_pem != !secrets->key_pem)
		abort();
	if (secrets->token && strpbrk(secrets->token, " \r\n\t"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	ExecSecrets secrets = {0};
	int64_t due_ms = 0;
	autoerror Error err = {0};
	bool ok = exec_reply_read(str_sized((const char *)bytes, size),
				  "client.authentication.k8s.io/v1", &secrets, &due_ms, &err);
	if (ok)
		check(&secrets);
	else if (err.code != ERR_INVALID || strstr(err_text(&err), "BEGIN"))
		abort();
	exec_secrets_dispose(&secrets);
	return 0;
}
