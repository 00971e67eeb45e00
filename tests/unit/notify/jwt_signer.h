/* Keys that sign tokens, and their public halves as JWKs. */
#ifndef TEST_JWT_SIGNER_H
#define TEST_JWT_SIGNER_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/mem.h"
#include "data/base64.h"
#include "data/json.h"

typedef struct {
	const char *algorithm, *digest, *curve, *group;
	size_t half;
	EVP_PKEY *key;
	json_t *jwk;
} Signer;

static inline void signer_put_number(json_t *jwk, const char *name, EVP_PKEY *key,
				     const char *param, size_t len)
{
	BIGNUM *number = NULL;
	EVP_PKEY_get_bn_param(key, param, &number);
	size_t bytes = len ? len : (size_t)BN_num_bytes(number);
	autofree unsigned char *raw = mem_zalloc(1, bytes);
	BN_bn2binpad(number, raw, (int)bytes);
	autofree char *text = base64url_encode(raw, bytes);
	json_put_text(jwk, name, text);
	BN_free(number);
}

static inline void signer_make_key(Signer *signer)
{
	if (signer->half) {
		signer->key = EVP_EC_gen(signer->group);
		signer->jwk = json_pack("{s:s,s:s}", "kty", "EC", "crv", signer->curve);
		signer_put_number(signer->jwk, "x", signer->key, OSSL_PKEY_PARAM_EC_PUB_X,
				  signer->half);
		signer_put_number(signer->jwk, "y", signer->key, OSSL_PKEY_PARAM_EC_PUB_Y,
				  signer->half);
	} else if (signer->digest) {
		signer->key = EVP_RSA_gen(2048);
		signer->jwk = json_pack("{s:s}", "kty", "RSA");
		signer_put_number(signer->jwk, "n", signer->key, OSSL_PKEY_PARAM_RSA_N, 0);
		signer_put_number(signer->jwk, "e", signer->key, OSSL_PKEY_PARAM_RSA_E, 0);
	} else {
		unsigned char raw[32];
		size_t len = sizeof(raw);
		signer->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		EVP_PKEY_get_raw_public_key(signer->key, raw, &len);
		autofree char *x = base64url_encode(raw, len);
		signer->jwk = json_pack("{s:s,s:s,s:s}", "kty", "OKP", "crv", "Ed25519", "x", x);
	}
}

/* One of RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA. */
static inline Signer signer_make(const char *algorithm, const char *kid)
{
	static const struct {
		const char *tail, *digest, *curve, *group;
		size_t half;
	} rows[] = {{"256", "SHA256", "P-256", "P-256", 32},
		    {"384", "SHA384", "P-384", "P-384", 48},
		    {"512", "SHA512", "P-521", "P-521", 66}};
	Signer signer = {.algorithm = algorithm};
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (strcmp(algorithm + 2, rows[i].tail) != 0)
			continue;
		signer.digest = rows[i].digest;
		if (algorithm[0] == 'E') {
			signer.curve = rows[i].curve;
			signer.group = rows[i].group;
			signer.half = rows[i].half;
		}
	}
	signer_make_key(&signer);
	json_put_text(signer.jwk, "kid", kid);
	return signer;
}

static inline void signer_dispose(Signer *signer)
{
	EVP_PKEY_free(signer->key);
	json_decref(signer->jwk);
}

static inline void signer_raw_pair(const Signer *signer, Buf *signature)
{
	const unsigned char *der = (unsigned char *)signature->ptr;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)signature->len);
	autofree unsigned char *raw = mem_zalloc(2, signer->half);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, (int)signer->half);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + signer->half, (int)signer->half);
	ECDSA_SIG_free(pair);
	buf_clear(signature);
	buf_append(signature, raw, 2 * signer->half);
}

/* A token with `algorithm` in its header, whatever the key is. Owned. */
static inline char *signer_token_as(const Signer *signer, const char *algorithm,
				    const json_t *claims)
{
	autojson json_t *head = json_pack("{s:s}", "alg", algorithm);
	json_put_text(head, "kid", json_text(signer->jwk, "kid"));
	autofree char *head_text = json_dump(head), *body_text = json_dump(claims);
	autofree char *a = base64url_encode(head_text, strlen(head_text));
	autofree char *b = base64url_encode(body_text, strlen(body_text));
	autofree char *text = mem_printf("%s.%s", a, b);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	EVP_DigestSignInit_ex(context, &options, signer->digest, NULL, NULL, signer->key, NULL);
	if (signer->algorithm[0] == 'P') {
		EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
	}
	autobuf Buf signature = {0};
	size_t len = 1024;
	buf_reserve(&signature, len);
	EVP_DigestSign(context, (unsigned char *)signature.ptr, &len, (unsigned char *)text,
		       strlen(text));
	signature.len = len;
	EVP_MD_CTX_free(context);
	if (signer->half)
		signer_raw_pair(signer, &signature);
	autofree char *c = base64url_encode(signature.ptr, signature.len);
	return mem_printf("%s.%s", text, c);
}

static inline char *signer_token(const Signer *signer, const json_t *claims)
{
	return signer_token_as(signer, signer->algorithm, claims);
}

#endif
