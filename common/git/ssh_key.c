/* A private key from its text, PEM or OpenSSH, perhaps encrypted (S34). Nothing ever asks a
 * terminal. */
#include "git/remote_internal.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

typedef struct {
	const char *passphrase;
	bool asked;
} Asker;

/* libssh and OpenSSL come here for an encrypted key only. */
static int give_passphrase(const char *prompt, char *out, size_t size, int echo, int verify,
			   void *arg)
{
	(void)prompt, (void)echo, (void)verify;
	Asker *asker = arg;
	size_t len = asker->passphrase ? strlen(asker->passphrase) : 0;
	asker->asked = true;
	if (len == 0 || len >= size)
		return -1;
	memcpy(out, asker->passphrase, len + 1);
	return 0;
}

ssh_key git_ssh_key_parse(const char *text, const char *passphrase, Error *err)
{
	Asker asker = {.passphrase = passphrase};
	ssh_key key = NULL;
	/* Files edited elsewhere come with CRLF or without the last line feed. */
	autobuf Buf clean = {0};
	Str rest = str_trim(str_of(text)), line;
	while (str_next(&rest, '\n', &line)) {
		buf_add(&clean, str_trim(line));
		buf_putc(&clean, '\n');
	}
	int code = ssh_pki_import_privkey_base64(buf_text(&clean), NULL, give_passphrase, &asker,
						 &key);
	if (clean.len)
		mem_wipe(clean.ptr, clean.len);
	if (code == SSH_OK)
		return key;
	const char *why = "the ssh identity is not a private key that can be used";
	if (asker.asked)
		why = cstr_empty(passphrase) ? "the ssh identity is encrypted and needs a password"
					     : "the password does not open the ssh identity";
	err_set(err, ERR_INVALID, "%s", why);
	err_reason(err, "AuthenticationFailed");
	return NULL;
}
