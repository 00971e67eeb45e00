#include <openssl/x509v3.h>

#include "sign/notation_internal.h"

/* --- keys --- */

static const struct {
	int type, bits;
	const char *name;
} algorithms[] = {
	{EVP_PKEY_RSA, 2048, "PS256"}, {EVP_PKEY_RSA, 3072, "PS384"}, {EVP_PKEY_RSA, 4096, "PS512"},
	{EVP_PKEY_EC, 256, "ES256"},   {EVP_PKEY_EC, 384, "ES384"},   {EVP_PKEY_EC, 521, "ES512"},
};

const JoseAlgorithm *notation_key_algorithm(const X509 *certificate)
{
	const EVP_PKEY *key = X509_get0_pubkey(certificate);
	for (size_t i = 0; key && i < COUNT(algorithms); i++)
		if (EVP_PKEY_get_base_id(key) == algorithms[i].type &&
		    EVP_PKEY_get_bits(key) == algorithms[i].bits)
			return jose_algorithm(algorithms[i].name);
	return NULL;
}

/* --- one certificate --- */

static bool bad(const char *what, Error *err)
{
	return err_set(err, ERR_INVALID, "certificate chain: %s", what);
}

static bool usage_is_critical(const X509 *certificate)
{
	int at = X509_get_ext_by_NID(certificate, NID_key_usage, -1);
	return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(certificate, at)) == 1;
}

static bool check_leaf(X509 *leaf, Error *err)
{
	static const uint32_t others = KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT |
				       KU_KEY_AGREEMENT | KU_KEY_CERT_SIGN | KU_CRL_SIGN |
				       KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY;
	static const uint32_t excluded =
		XKU_SSL_SERVER | XKU_SSL_CLIENT | XKU_SMIME | XKU_TIMESTAMP | XKU_OCSP_SIGN;
	uint32_t usage = X509_get_key_usage(leaf), extended = X509_get_extended_key_usage(leaf);
	if ((X509_get_extension_flags(leaf) & EXFLAG_CA) != 0)
		return bad("the signing certificate is an authority's", err);
	if (!usage_is_critical(leaf) || (usage & KU_DIGITAL_SIGNATURE) == 0 || (usage & others))
		return bad("the signing certificate is not for digital signatures alone", err);
	if (extended != UINT32_MAX && (extended & excluded) != 0)
		return bad("the signing certificate is for something else", err);
	return notation_key_algorithm(leaf)
		       ? true
		       : bad("the signing certificate has a key of another kind or size", err);
}

/* `below`: authorities between it and the signing certificate. */
static bool check_authority(X509 *authority, long below, Error *err)
{
	long length = X509_get_pathlen(authority);
	if ((X509_get_extension_flags(authority) & EXFLAG_BCONS) == 0 ||
	    (X509_get_extension_flags(authority) & EXFLAG_CA) == 0)
		return bad("a certificate that issued another is no authority's", err);
	if (length >= 0 && length < below)
		return bad("an authority may not have so many below it", err);
	if (!usage_is_critical(authority) || !(X509_get_key_usage(authority) & KU_KEY_CERT_SIGN))
		return bad("an authority's key is not for certificates", err);
	return true;
}

/* Signed by it, not with SHA-1 or weaker, and names it. */
static bool issued_by(X509 *certificate, X509 *issuer)
{
	int hash = NID_undef;
	X509_get_signature_info(certificate, &hash, NULL, NULL, NULL);
	return hash != NID_sha1 && hash != NID_md5 &&
	       X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) ==
		       0 &&
	       X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
}

/* --- all of them --- */

static bool check_link(const Vec *chain, size_t at, Error *err)
{
	X509 *certificate = chain->items[at];
	bool is_last = at + 1 == chain->len, self = issued_by(certificate, certificate);
	if (is_last && !self)
		return bad("it does not end with a self-signed certificate", err);
	if (!is_last && self)
		return bad("a certificate before the last is self-signed", err);
	if (!is_last && !issued_by(certificate, chain->items[at + 1]))
		return bad("a certificate is not issued by the next", err);
	return at == 0 ? check_leaf(certificate, err)
		       : check_authority(certificate, (long)at - 1, err);
}

bool notation_chain_check(const Vec *chain, Error *err)
{
	if (chain->len == 0)
		return bad("it is not there", err);
	for (size_t i = 0; i < chain->len; i++)
		if (!check_link(chain, i, err))
			return false;
	return true;
}

static bool is_revocable(const X509 *certificate)
{
	STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp((X509 *)(uintptr_t)certificate);
	bool found = sk_OPENSSL_STRING_num(urls) > 0 ||
		     X509_get_ext_by_NID(certificate, NID_crl_distribution_points, -1) >= 0;
	X509_email_free(urls);
	return found;
}

const X509 *notation_chain_revocable(const Vec *chain)
{
	for (size_t i = 0; i + 1 < chain->len; i++)
		if (is_revocable(chain->items[i]))
			return chain->items[i];
	return NULL;
}
