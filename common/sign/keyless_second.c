/* Entries of Rekor's second version, hashedrekord 0.0.2: what must be logged follows from the
 * bundle, to the byte. */
#include "base/mem.h"
#include "data/base64.h"
#include "data/digest.h"
#include "sign/dsse.h"
#include "sign/keyless_internal.h"

#include <openssl/evp.h>

typedef struct {
	int type, bits;
	const char *details;
	DigestAlgo hash;
	const char *hash_name;
} KeyKind;

/* sigstore's algorithm registry: the one that a key has by default. Ed25519 hashes beforehand,
 * which a signature over an envelope does not. */
static const KeyKind kinds[] = {
	{EVP_PKEY_EC, 256, "PKIX_ECDSA_P256_SHA_256", DIGEST_SHA256, "SHA2_256"},
	{EVP_PKEY_EC, 384, "PKIX_ECDSA_P384_SHA_384", DIGEST_SHA384, "SHA2_384"},
	{EVP_PKEY_EC, 521, "PKIX_ECDSA_P521_SHA_512", DIGEST_SHA512, "SHA2_512"},
	{EVP_PKEY_RSA, 2048, "PKIX_RSA_PKCS1V15_2048_SHA256", DIGEST_SHA256, "SHA2_256"},
	{EVP_PKEY_RSA, 3072, "PKIX_RSA_PKCS1V15_3072_SHA256", DIGEST_SHA256, "SHA2_256"},
	{EVP_PKEY_RSA, 4096, "PKIX_RSA_PKCS1V15_4096_SHA256", DIGEST_SHA256, "SHA2_256"},
};

static const KeyKind *kind_of(const X509 *leaf)
{
	const EVP_PKEY *key = X509_get0_pubkey(leaf);
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (EVP_PKEY_get_base_id(key) == kinds[i].type &&
		    EVP_PKEY_get_bits(key) == kinds[i].bits)
			return &kinds[i];
	return NULL;
}

static char *digest_base64(DigestAlgo algo, Str bytes)
{
	unsigned char raw[DIGEST_MAX_BYTES];
	autodigest Digest *digest = digest_new(algo);
	digest_update(digest, bytes.ptr, bytes.len);
	return base64_encode(raw, digest_final_raw(digest, raw));
}

static char *certificate_base64(const X509 *leaf)
{
	unsigned char *der = NULL;
	int len = i2d_X509(leaf, &der);
	char *text = base64_encode(der, len > 0 ? (size_t)len : 0);
	OPENSSL_free(der);
	return text;
}

bool keyless_check_second(const RekorEntry *entry, const X509 *leaf, const Buf *signature,
			  const char *type, const Buf *payload, Error *err)
{
	const KeyKind *kind = kind_of(leaf);
	autobuf Buf covered = {0}, wanted = {0};
	if (!kind)
		return err_set(err, ERR_UNSUPPORTED, "a key of a kind that the log does not take");
	dsse_covered(type, buf_str(payload), &covered);
	autofree char *hash = digest_base64(kind->hash, buf_str(&covered));
	autofree char *signed_by = certificate_base64(leaf);
	autofree char *content = base64_encode(signature->ptr, signature->len);
	buf_printf(&wanted,
		   "{\"apiVersion\":\"0.0.2\",\"kind\":\"hashedrekord\",\"spec\":{"
		   "\"hashedRekordV002\":{\"data\":{\"algorithm\":\"%s\",\"digest\":\"%s\"},"
		   "\"signature\":{\"content\":\"%s\",\"verifier\":{\"keyDetails\":\"%s\","
		   "\"x509Certificate\":{\"rawBytes\":\"%s\"}}}}}}",
		   kind->hash_name, hash, content, kind->details, signed_by);
	if (!str_eq(buf_str(&wanted), buf_str(&entry->body)))
		return err_set(err, ERR_FORBIDDEN, "the log entry is about another signature");
	return true;
}
