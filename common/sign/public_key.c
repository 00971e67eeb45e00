#include "sign/public_key.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "data/digest.h"

enum { PEM_MAX = 64 * 1024, RSA_MIN_BITS = 2048 };

struct PublicKey {
	EVP_PKEY *pkey;
};

/* A key that needs a passphrase is none of ours: nobody is asked for one. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
	(void)out, (void)size, (void)writing, (void)arg;
	return -1;
}

static bool is_good(const EVP_PKEY *pkey)
{
	int type = EVP_PKEY_get_base_id(pkey);
	return type == EVP_PKEY_EC || type == EVP_PKEY_ED25519 ||
	       (type == EVP_PKEY_RSA && EVP_PKEY_get_bits(pkey) >= RSA_MIN_BITS);
}

static PublicKey *take_key(EVP_PKEY *take_pkey, const char *form, Error *err)
{
	if (!take_pkey || !is_good(take_pkey)) {
		EVP_PKEY_free(take_pkey);
		return err_null(err, ERR_INVALID,
				"not a public key in %s (ECDSA, Ed25519, or RSA of %d bits)", form,
				RSA_MIN_BITS);
	}
	PublicKey *key = mem_zalloc(1, sizeof(*key));
	key->pkey = take_pkey;
	return key;
}

PublicKey *public_key_of_pem(Str pem, Error *err)
{
	if (pem.len > PEM_MAX)
		return err_null(err, ERR_LIMIT, "public key of more than %d bytes", PEM_MAX);
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL) : NULL;
	BIO_free(bio);
	return take_key(pkey, "PEM", err);
}

PublicKey *public_key_of_der(Str der, Error *err)
{
	const unsigned char *at = (const unsigned char *)der.ptr;
	if (der.len > PEM_MAX)
		return err_null(err, ERR_LIMIT, "public key of more than %d bytes", PEM_MAX);
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)der.len);
	if (pkey && at != (const unsigned char *)der.ptr + der.len) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return take_key(pkey, "DER", err);
}

void public_key_free(PublicKey *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

static bool verify_by(EVP_PKEY *pkey, const EVP_MD *hash, Str message, Str signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, hash, NULL, pkey) == 1 &&
		  EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
				   (const unsigned char *)message.ptr, message.len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* The hash that fits the curve (FIPS 186-5), which cosign 3 signs with; or NULL. */
static const EVP_MD *hash_of_curve(const EVP_PKEY *pkey)
{
	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_EC)
		return NULL;
	int bits = EVP_PKEY_get_bits(pkey);
	return bits > 384 ? EVP_sha512() : bits > 256 ? EVP_sha384() : NULL;
}

bool public_key_verify(const PublicKey *key, Str message, Str signature)
{
	bool pure = EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_ED25519;
	if (verify_by(key->pkey, pure ? NULL : EVP_sha256(), message, signature))
		return true;
	const EVP_MD *fitting = hash_of_curve(key->pkey);
	return fitting && verify_by(key->pkey, fitting, message, signature);
}

void public_key_id(const PublicKey *key, unsigned char out[PUBLIC_KEY_ID])
{
	unsigned char *der = NULL, raw[DIGEST_MAX_BYTES];
	int len = i2d_PUBKEY(key->pkey, &der);
	autodigest Digest *digest = digest_new(DIGEST_SHA256);
	digest_update(digest, der, len > 0 ? (size_t)len : 0);
	digest_final_raw(digest, raw);
	memcpy(out, raw, PUBLIC_KEY_ID);
	OPENSSL_free(der);
}

bool public_key_is_ecdsa(const PublicKey *key)
{
	return EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_EC;
}

EVP_PKEY *public_key_evp(const PublicKey *key)
{
	return key->pkey;
}
