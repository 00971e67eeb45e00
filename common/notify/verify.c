/* Signatures of webhooks (N79, N80, N83). */
#include "notify/verify.h"

#include <ctype.h>
#include <string.h>

bool verify_token(const char *given, const char *expected)
{
	return given && expected && digest_equal(given, expected);
}

bool verify_signature_hex(DigestAlgo algo, const char *hex, Str key, Str body, Error *err)
{
	unsigned char raw[DIGEST_MAX_BYTES];
	char want[2 * DIGEST_MAX_BYTES + 1], given[2 * DIGEST_MAX_BYTES + 1];
	size_t len = digest_hmac(algo, key.ptr, key.len, body.ptr, body.len, raw);
	hex_encode(raw, len, want);
	if (strlen(hex) != 2 * len)
		return err_set(err, ERR_UNAUTHORIZED, "the signature has a wrong length");
	for (size_t i = 0; i <= 2 * len; i++)
		given[i] = (char)tolower((unsigned char)hex[i]);
	return digest_equal(given, want) ||
	       err_set(err, ERR_UNAUTHORIZED, "the signature does not match");
}

bool verify_signature_header(const char *header, Str key, Str body, Error *err)
{
	static const struct {
		Str prefix;
		DigestAlgo algo;
	} rows[] = {
		{STR("sha256="), DIGEST_SHA256},
		{STR("sha1="), DIGEST_SHA1},
		{STR("sha512="), DIGEST_SHA512},
	};
	if (cstr_empty(header))
		return err_set(err, ERR_UNAUTHORIZED, "the signature is missing");
	for (size_t i = 0; i < COUNT(rows); i++)
		if (str_starts(str_of(header), rows[i].prefix))
			return verify_signature_hex(rows[i].algo, header + rows[i].prefix.len, key,
						    body, err);
	return err_set(err, ERR_UNAUTHORIZED, "the signature is of an unknown kind");
}
