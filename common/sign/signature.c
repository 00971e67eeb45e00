#include "sign/signature.h"

#include "sign/armor.h"
#include "sign/openpgp.h"
#include "sign/sshsig.h"

const char *signature_type(Str signature)
{
	static const struct {
		const char *label, *type;
	} rows[] = {
		{"PGP SIGNATURE", "openpgp"},
		{"SSH SIGNATURE", "ssh"},
		{"SIGNED MESSAGE", "x509"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (armor_is(signature, rows[i].label))
			return rows[i].type;
	return signature.len ? "unknown" : "empty";
}

bool signature_verify(Str signature, Str payload, const SignKeys *keys, char **out_key, Error *err)
{
	const char *type = signature_type(signature);
	if (cstr_eq(type, "openpgp")) {
		if (keys->keyring_count == 0)
			return err_set(err, ERR_INVALID,
				       "PGP signature detected but no PGP public keys found in "
				       "secret (keys with .asc suffix)");
		return openpgp_verify(signature, payload, keys->keyrings, keys->keyring_count,
				      out_key, err);
	}
	if (!cstr_eq(type, "ssh"))
		return err_set(err, ERR_UNSUPPORTED, "unsupported signature type: %s", type);
	if (keys->authorized_count == 0)
		return err_set(err, ERR_INVALID,
			       "SSH signature detected but no SSH public keys found in secret "
			       "(keys with .sshpub suffix)");
	return sshsig_verify(signature, payload, "git", keys->authorized, keys->authorized_count,
			     out_key, err);
}
