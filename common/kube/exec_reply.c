/* What a command that gives credentials said: an ExecCredential's status (kube-api.md 1.1). */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/json.h"
#include "kube/exec_internal.h"
#include "net/tls.h"

enum { TOKEN_MAX = 64 * 1024 };

static bool is_header_safe(const char *token)
{
	for (const char *c = token; *c; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
			return false;
	return true;
}

static void free_wiped(char *text)
{
	if (text)
		mem_wipe(text, strlen(text));
	free(text);
}

void exec_secrets_dispose(ExecSecrets *secrets)
{
	free_wiped(secrets->token);
	free_wiped(secrets->cert_pem);
	free_wiped(secrets->key_pem);
	*secrets = (ExecSecrets){0};
}

static bool check_secrets(const char *token, const char *cert, const char *key, Error *err)
{
	if (cstr_empty(token) && cstr_empty(cert) && cstr_empty(key))
		return err_set(err, ERR_INVALID,
			       "its output has no status.token and no client certificate");
	if (cstr_empty(cert) != cstr_empty(key))
		return err_set(err, ERR_INVALID,
			       "its output has only one of status.clientCertificateData and "
			       "status.clientKeyData");
	if (token && (strlen(token) > TOKEN_MAX || !is_header_safe(token)))
		return err_set(err, ERR_INVALID, "its status.token is not one");
	autoerror Error pair = {0};
	TlsIdentity *tried =
		cstr_empty(cert)
			? NULL
			: tls_identity_new(&(TlsConfig){.cert_pem = cert, .key_pem = key}, &pair);
	tls_identity_free(tried);
	/* Without what OpenSSL says: it could quote. */
	return !err_is_set(&pair) ||
	       err_set(err, ERR_INVALID, "its client certificate and key are not a pair in PEM");
}

static bool read_status(const json_t *reply, const char *version, ExecSecrets *out,
			int64_t *out_due_ms, Error *err)
{
	const json_t *status = json_map(reply, "status");
	const char *token = json_text(status, "token");
	const char *cert = json_text(status, "clientCertificateData");
	const char *key = json_text(status, "clientKeyData");
	int64_t expires_ms;
	if (!cstr_eq(json_text(reply, "kind"), "ExecCredential") ||
	    !cstr_eq(json_text(reply, "apiVersion"), version))
		return err_set(err, ERR_INVALID, "its output is no ExecCredential of %s", version);
	if (!check_secrets(token, cert, key, err))
		return false;
	const char *expires = json_text(status, "expirationTimestamp");
	*out_due_ms = INT64_MAX;
	if (expires && !clock_parse(expires, &expires_ms))
		return err_set(err, ERR_INVALID, "its status.expirationTimestamp is not a time");
	if (expires)
		*out_due_ms = clock_mono_ms() + (expires_ms - clock_wall_ms());
	out->token = cstr_empty(token) ? NULL : mem_strdup(token);
	out->cert_pem = cstr_empty(cert) ? NULL : mem_strdup(cert);
	out->key_pem = cstr_empty(key) ? NULL : mem_strdup(key);
	return true;
}

bool exec_reply_read(Str output, const char *version, ExecSecrets *out, int64_t *out_due_ms,
		     Error *err)
{
	/* What the parser says could quote the output. */
	autoerror Error cause = {0};
	autojson json_t *reply = json_parse(output.ptr, output.len, EXEC_OUTPUT_MAX, &cause);
	return reply ? read_status(reply, version, out, out_due_ms, err)
		     : err_set(err, ERR_INVALID, "its output is not JSON");
}
