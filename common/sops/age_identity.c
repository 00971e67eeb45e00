#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "sops/age_internal.h"
#include "base/mem.h"
#include "sops/bech32.h"

/* age's keys and the few primitives it stands on, all of them OpenSSL's. */

AgeIdentities *age_identities_new(void)
{
	return mem_zalloc(1, sizeof(AgeIdentities));
}

void age_identities_free(AgeIdentities *identities)
{
	if (!identities)
		return;
	if (identities->keys)
		mem_wipe(identities->keys, identities->len * AGE_KEY_SIZE);
	free(identities->keys);
	free(identities);
}

size_t age_identities_count(const AgeIdentities *identities)
{
	return identities->len;
}

/* Not by realloc, which would leave the keys behind. */
static void push_key(AgeIdentities *identities, const char *key)
{
	unsigned char(*keys)[AGE_KEY_SIZE] = mem_alloc((identities->len + 1) * AGE_KEY_SIZE);
	if (identities->keys) {
		memcpy(keys, identities->keys, identities->len * AGE_KEY_SIZE);
		mem_wipe(identities->keys, identities->len * AGE_KEY_SIZE);
	}
	free(identities->keys);
	memcpy(keys[identities->len++], key, AGE_KEY_SIZE);
	identities->keys = keys;
}

static bool add_line(AgeIdentities *identities, Str line, size_t number, Error *err)
{
	if (str_starts(line, STR("AGE-SECRET-KEY-PQ-1")))
		return err_set(err, ERR_UNSUPPORTED,
			       "line %zu: post-quantum age identities are not supported by this "
			       "version",
			       number);
	if (str_starts(line, STR("AGE-PLUGIN-")))
		return err_set(err, ERR_UNSUPPORTED, "line %zu: age plugins are not supported",
			       number);
	autosecretbuf Buf key = {0};
	if (!bech32_decode(line, "age-secret-key-", &key) || key.len != AGE_KEY_SIZE)
		return err_set(err, ERR_INVALID, "line %zu is no age identity", number);
	if (identities->len >= AGE_MAX_IDENTITIES)
		return err_set(err, ERR_LIMIT, "more than %d age identities", AGE_MAX_IDENTITIES);
	push_key(identities, key.ptr);
	return true;
}

bool age_identities_add(AgeIdentities *identities, Str text, Error *err)
{
	Str line;
	for (size_t number = 1; str_next(&text, '\n', &line); number++) {
		if (str_ends(line, STR("\r")))
			line = str_slice(line, 0, line.len - 1);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		if (!add_line(identities, line, number, err))
			return false;
	}
	return true;
}

bool age_hkdf(Str secret, Str salt, const char *info, unsigned char out[AGE_KEY_SIZE])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	char digest[] = "SHA256";
	OSSL_PARAM params[5], *at = params;
	*at++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	*at++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret.ptr,
						  secret.len);
	*at++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info,
						  strlen(info));
	if (salt.len)
		*at++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
							  (void *)(uintptr_t)salt.ptr, salt.len);
	*at = OSSL_PARAM_construct_end();
	bool ok = ctx && EVP_KDF_derive(ctx, out, AGE_KEY_SIZE, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

enum { TAG_SIZE = 16 };

static bool run_open(EVP_CIPHER_CTX *ctx, const unsigned char *key, const unsigned char *nonce,
		     Str sealed, unsigned char *out)
{
	size_t len = sealed.len - TAG_SIZE;
	unsigned char tag[TAG_SIZE];
	int done = 0;
	memcpy(tag, sealed.ptr + len, TAG_SIZE);
	return EVP_DecryptInit_ex(ctx, EVP_chacha20_poly1305(), NULL, key, nonce) == 1 &&
	       EVP_DecryptUpdate(ctx, out, &done, (const unsigned char *)sealed.ptr, (int)len) ==
		       1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
	       EVP_DecryptFinal_ex(ctx, out + done, &done) == 1;
}

bool age_open(const unsigned char key[AGE_KEY_SIZE], const unsigned char nonce[12], Str sealed,
	      unsigned char *out)
{
	if (sealed.len < TAG_SIZE)
		return false;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx && run_open(ctx, key, nonce, sealed, out);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* The shared secret and our own public key. */
static bool exchange(EVP_PKEY *own, EVP_PKEY *peer, unsigned char shared[AGE_KEY_SIZE],
		     unsigned char public_key[AGE_KEY_SIZE])
{
	size_t shared_len = AGE_KEY_SIZE, public_len = AGE_KEY_SIZE;
	EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	/* OpenSSL refuses a result of all zeros, as RFC 7748 6.1 and age want. */
	bool ok = ctx && peer && EVP_PKEY_derive_init(ctx) == 1 &&
		  EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
		  EVP_PKEY_derive(ctx, shared, &shared_len) == 1 && shared_len == AGE_KEY_SIZE &&
		  EVP_PKEY_get_raw_public_key(own, public_key, &public_len) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

bool age_unwrap(const unsigned char key[AGE_KEY_SIZE], Str ephemeral, Str body,
		unsigned char out[AGE_FILE_KEY_SIZE])
{
	static const unsigned char nonce[12] = {0};
	unsigned char shared[AGE_KEY_SIZE], wrap[AGE_KEY_SIZE];
	unsigned char salt[2 * AGE_KEY_SIZE];
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, key, AGE_KEY_SIZE);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(
		EVP_PKEY_X25519, NULL, (const unsigned char *)ephemeral.ptr, AGE_KEY_SIZE);
	memcpy(salt, ephemeral.ptr, AGE_KEY_SIZE);
	bool ok = exchange(own, peer, shared, salt + AGE_KEY_SIZE) &&
		  age_hkdf(str_sized((const char *)shared, sizeof(shared)),
			   str_sized((const char *)salt, sizeof(salt)),
			   "age-encryption.org/v1/X25519", wrap) &&
		  age_open(wrap, nonce, body, out);
	EVP_PKEY_free(own);
	EVP_PKEY_free(peer);
	mem_wipe(shared, sizeof(shared));
	mem_wipe(wrap, sizeof(wrap));
	return ok;
}
