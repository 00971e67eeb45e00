#include "data/jose.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/buf.h"

static const JoseAlgorithm algorithms[] = {
	{"RS256", JOSE_RSA_PKCS1, "SHA256", NULL, NULL, 0},
	{"RS384", JOSE_RSA_PKCS1, "SHA384", NULL, NULL, 0},
	{"RS512", JOSE_RSA_PKCS1, "SHA512", NULL, NULL, 0},
	{"PS256", JOSE_RSA_PSS, "SHA256", NULL, NULL, 0},
	{"PS384", JOSE_RSA_PSS, "SHA384", NULL, NULL, 0},
	{"PS512", JOSE_RSA_PSS, "SHA512", NULL, NULL, 0},
	{"ES256", JOSE_ECDSA, "SHA256", "P-256", "prime256v1", 32},
	{"ES384", JOSE_ECDSA, "SHA384", "P-384", "secp384r1", 48},
	{"ES512", JOSE_ECDSA, "SHA512", "P-521", "secp521r1", 66},
	{"EdDSA", JOSE_EDDSA, NULL, "Ed25519", NULL, 0},
};

const JoseAlgorithm *jose_algorithm(const char *name)
{
	for (size_t i = 0; i < COUNT(algorithms); i++)
		if (cstr_eq(algorithms[i].name, name))
			return &algorithms[i];
	return NULL;
}

/* JWS has r and s side by side (RFC 7518 3.4), OpenSSL wants DER. */
static bool to_der(const JoseAlgorithm *algorithm, Str signature, Buf *out)
{
	if (signature.len != 2 * algorithm->half)
		return false;
	const unsigned char *raw = (const unsigned char *)signature.ptr;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, (int)algorithm->half, NULL);
	BIGNUM *s = BN_bin2bn(raw + algorithm->half, (int)algorithm->half, NULL);
	ECDSA_SIG_set0(pair, r, s);
	unsigned char *der = NULL;
	int len = i2d_ECDSA_SIG(pair, &der);
	if (len > 0)
		buf_append(out, der, (size_t)len);
	OPENSSL_free(der);
	ECDSA_SIG_free(pair);
	return len > 0;
}

static bool check(EVP_PKEY *key, const JoseAlgorithm *algorithm, Str text, Str signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	bool good = EVP_DigestVerifyInit_ex(context, &options, algorithm->digest, NULL, NULL, key,
					    NULL) == 1;
	if (good && algorithm->scheme == JOSE_RSA_PSS)
		good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
	good = good &&
	       EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
				(const unsigned char *)text.ptr, text.len) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

bool jose_verifies(const JoseAlgorithm *algorithm, EVP_PKEY *key, Str text, Str signature)
{
	autobuf Buf der = {0};
	if (algorithm->scheme != JOSE_ECDSA)
		return check(key, algorithm, text, signature);
	return to_der(algorithm, signature, &der) && check(key, algorithm, text, buf_str(&der));
}
