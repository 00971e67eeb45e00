/* Public keys by OpenSSL. */
#include "notify/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "data/base64.h"
#include "data/jose.h"

enum { RSA_MIN_BITS = 2048, FIELD_MAX = 1024 };

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

static EVP_PKEY *ec_key(const json_t *key, const JoseAlgorithm *algorithm)
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

static EVP_PKEY *ed_key(const json_t *key, const JoseAlgorithm *algorithm)
{
	autobuf Buf x = {0};
	if (!cstr_eq(json_text(key, "kty"), "OKP") ||
	    !cstr_eq(json_text(key, "crv"), algorithm->curve) || !field(key, "x", &x))
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (unsigned char *)x.ptr, x.len);
}

static EVP_PKEY *key_for(const json_t *key, const JoseAlgorithm *algorithm)
{
	switch (algorithm->scheme) {
	case JOSE_ECDSA:
		return ec_key(key, algorithm);
	case JOSE_EDDSA:
		return ed_key(key, algorithm);
	case JOSE_RSA_PKCS1:
	case JOSE_RSA_PSS:
		break;
	}
	return rsa_key(key);
}

bool jwk_verifies(const json_t *key, const char *algorithm, Str text, Str signature)
{
	const JoseAlgorithm *row = jose_algorithm(algorithm);
	/* A key made for encryption, or for another algorithm, is not for this. */
	if (!row || !cstr_eq(json_text_or(key, "use", "sig"), "sig") ||
	    !cstr_eq(json_text_or(key, "alg", algorithm), algorithm))
		return false;
	EVP_PKEY *public_key = key_for(key, row);
	bool good = public_key && jose_verifies(row, public_key, text, signature);
	EVP_PKEY_free(public_key);
	return good;
}
