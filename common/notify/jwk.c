/* Public keys by OpenSSL. */
#include "notify/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "data/base64.h"

enum { RSA_MIN_BITS = 2048, FIELD_MAX = 1024 };

typedef enum { RSA_PKCS1, RSA_PSS, ECDSA, EDDSA } Scheme;

typedef struct {
	const char *name;
	Scheme scheme;
	const char *digest; /* NULL: the scheme has its own */
	const char *curve;  /* ECDSA: the JWK's name */
	const char *group;  /* OpenSSL's */
	size_t half;	    /* bytes of each of the signature's two numbers */
} Algorithm;

static const Algorithm algorithms[] = {
	{"RS256", RSA_PKCS1, "SHA256", NULL, NULL, 0},
	{"RS384", RSA_PKCS1, "SHA384", NULL, NULL, 0},
	{"RS512", RSA_PKCS1, "SHA512", NULL, NULL, 0},
	{"PS256", RSA_PSS, "SHA256", NULL, NULL, 0},
	{"PS384", RSA_PSS, "SHA384", NULL, NULL, 0},
	{"PS512", RSA_PSS, "SHA512", NULL, NULL, 0},
	{"ES256", ECDSA, "SHA256", "P-256", "prime256v1", 32},
	{"ES384", ECDSA, "SHA384", "P-384", "secp384r1", 48},
	{"ES512", ECDSA, "SHA512", "P-521", "secp521r1", 66},
	{"EdDSA", EDDSA, NULL, "Ed25519", NULL, 0},
};

static bool field(const json_t *key, const char *name, Buf *out)
{
	autoerror Error ignored = {0};
	const char *text = json_text(key, name);
	return text && strlen(text) <= FIELD_MAX &&
	       base64url_decode(text, strlen(text), out, &ignored) && out->len;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	if (params && context && EVP_PKEY_fromdata_init(context) == 1 &&
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *rsa_key(const json_t *key)
{
	autobuf Buf n = {0}, e = {0};
	if (!cstr_eq(json_text(key, "kty"), "RSA") || !field(key, "n", &n) || !field(key, "e", &e))
		return NULL;
	BIGNUM *modulus = BN_bin2bn((unsigned char *)n.ptr, (int)n.len, NULL);
	BIGNUM *exponent = BN_bin2bn((unsigned char *)e.ptr, (int)e.len, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *out = NULL;
	if (BN_num_bits(modulus) >= RSA_MIN_BITS &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
		out = from_params("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(modulus);
	BN_free(exponent);
	return out;
}

static EVP_PKEY *ec_key(const json_t *key, const Algorithm *algorithm)
{
	autobuf Buf x = {0}, y = {0}, point = {0};
	if (!cstr_eq(json_text(key, "kty"), "EC") ||
	    !cstr_eq(json_text(key, "crv"), algorithm->curve) || !field(key, "x", &x) ||
	    !field(key, "y", &y) || x.len != algorithm->half || y.len != algorithm->half)
		return NULL;
	buf_putc(&point, POINT_CONVERSION_UNCOMPRESSED);
	buf_append(&point, x.ptr, x.len);
	buf_append(&point, y.ptr, y.len);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *out = NULL;
	if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, algorithm->group,
					    0) &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.ptr, point.len))
		out = from_params("EC", build);
	OSSL_PARAM_BLD_free(build);
	return out;
}

static EVP_PKEY *ed_key(const json_t *key, const Algorithm *algorithm)
{
	autobuf Buf x = {0};
	if (!cstr_eq(json_text(key, "kty"), "OKP") ||
	    !cstr_eq(json_text(key, "crv"), algorithm->curve) || !field(key, "x", &x))
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (unsigned char *)x.ptr, x.len);
}

/* JWS has r and s side by side (RFC 7518 3.4), OpenSSL wants DER. */
static bool to_der(const Algorithm *algorithm, Str signature, Buf *out)
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

static bool check(EVP_PKEY *key, const Algorithm *algorithm, Str text, Str signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	bool good = EVP_DigestVerifyInit_ex(context, &options, algorithm->digest, NULL, NULL, key,
					    NULL) == 1;
	if (good && algorithm->scheme == RSA_PSS)
		good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
	good = good &&
	       EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
				(const unsigned char *)text.ptr, text.len) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

static EVP_PKEY *key_for(const json_t *key, const Algorithm *algorithm)
{
	switch (algorithm->scheme) {
	case ECDSA:
		return ec_key(key, algorithm);
	case EDDSA:
		return ed_key(key, algorithm);
	case RSA_PKCS1:
	case RSA_PSS:
		break;
	}
	return rsa_key(key);
}

bool jwk_verifies(const json_t *key, const char *algorithm, Str text, Str signature)
{
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		const Algorithm *row = &algorithms[i];
		if (!cstr_eq(row->name, algorithm))
			continue;
		/* A key made for encryption, or for another algorithm, is not for this. */
		if (!cstr_eq(json_text_or(key, "use", "sig"), "sig") ||
		    !cstr_eq(json_text_or(key, "alg", algorithm), algorithm))
			return false;
		autobuf Buf der = {0};
		if (row->scheme == ECDSA && !to_der(row, signature, &der))
			return false;
		EVP_PKEY *public_key = key_for(key, row);
		bool good = public_key && check(public_key, row, text,
						row->scheme == ECDSA ? buf_str(&der) : signature);
		EVP_PKEY_free(public_key);
		return good;
	}
	return false;
}
