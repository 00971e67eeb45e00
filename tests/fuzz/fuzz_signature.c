/*
 * Signatures as commits bring them and keys as Secrets hold them: the first byte chooses the
 * parser. gpgv is not run; its input is framed by what is tested here. No crash, no long run.
 */
#include <stdint.h>
#include <stdlib.h>

#include "sign/armor.h"
#include "sign/openpgp.h"
#include "sign/ssh_key.h"
#include "sign/sshsig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A key that was seen may be one that the signature claims. */
static bool try_key(void *arg, Str key_blob)
{
	const Str *text = arg;
	autoerror Error err = {0};
	bool ok = ssh_key_verify(key_blob, *text, STR("message"), &err);
	if (ok == err_is_set(&err))
		abort();
	free(ssh_key_fingerprint(key_blob));
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	Str text = str_sized((const char *)data + 1, size - 1), rest = text;
	autoerror Error err = {0};
	autobuf Buf out = {0};
	autofree char *key = NULL;
	bool ok, found = false;
	switch (data[0] % 5) {
	case 0:
		ok = sshsig_verify(text, STR("tree 0\n"), "git", &text, 1, &key, &err);
		break;
	case 1:
		ok = armor_decode(&rest, "PGP SIGNATURE", &out, &err);
		break;
	case 2:
		ok = openpgp_check_packets(text, UINT64_MAX, &err);
		break;
	case 3:
		ok = ssh_authorized_keys_each(text, try_key, &text, &found, &err);
		break;
	default:
		ok = ssh_key_verify(text, text, STR("message"), &err);
		break;
	}
	if (ok == err_is_set(&err) || (key && !ok))
		abort();
	return 0;
}
