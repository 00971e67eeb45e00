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

/* Files edited elsewhere come with CRLF or without the last line feed. */
char *git_ssh_key_text(const char *text)
{
	autobuf Buf out = {0};
	Str rest = str_trim(str_of(text)), line;
	buf_reserve(&out, rest.len + 1); /* what a move leaves behind would not be wiped */
	while (str_next(&rest, '\n', &line)) {
		buf_add(&out, str_trim(line));
		buf_putc(&out, '\n');
	}
	return buf_steal(&out);
}

ssh_key git_ssh_key_parse(const char *text, const char *passphrase, Error *err)
{
	Asker asker = {.passphrase = passphrase};
	ssh_key key = NULL;
	autosecrettext char *clean = git_ssh_key_text(text);
	int code = ssh_pki_import_privkey_base64(clean, NULL, give_passphrase, &asker, &key);
	if (code == SSH_OK)
		return key;
	if (asker.asked && cstr_empty(passphrase)) {
		err_set(err, ERR_INVALID,
			"SSH identity key is encrypted but no 'password' field was provided in the "
			"secret");
		err_reason(err, "AuthenticationFailed");
		return NULL;
	}
	return err_null(err, ERR_INVALID, "%s",
			asker.asked ? "the password does not open the ssh identity"
				    : "the ssh identity is not a private key that can be used");
}
