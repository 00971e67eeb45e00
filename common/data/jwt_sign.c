#include "data/jwt_sign.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/mem.h"
#include "data/base64.h"

/* No key is asked for a passphrase on a terminal. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)strlen(pem));
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (key && !EVP_PKEY_is_a(key, "RSA")) {
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

static bool sign(EVP_PKEY *key, const char *text, Buf *out)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t len = (size_t)EVP_PKEY_get_size(key);
	buf_reserve(out, len);
	bool good = EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
		    EVP_DigestSign(context, (unsigned char *)out->ptr, &len,
				   (const unsigned char *)text, strlen(text)) == 1;
	EVP_MD_CTX_free(context);
	out->len = good ? len : 0;
	return good;
}

static char *encoded(const json_t *value)
{
	autofree char *text = json_dump(value);
	return base64url_encode(text, strlen(text));
}

char *jwt_sign_rs256_with(const char *private_key_pem, const json_t *header, const json_t *claims,
			  Error *err)
{
	EVP_PKEY *key = read_key(private_key_pem);
	if (!key)
		return err_null(err, ERR_INVALID, "could not parse the private key");
	autojson json_t *full = json_pack("{s:s,s:s}", "alg", "RS256", "typ", "JWT");
	json_object_update(full, json_borrow(header));
	autofree char *head = encoded(full), *body = encoded(claims);
	autofree char *text = mem_printf("%s.%s", head, body);
	autobuf Buf raw = {0};
	bool good = sign(key, text, &raw);
	EVP_PKEY_free(key);
	if (!good)
		return err_null(err, ERR_INVALID, "could not sign with the private key");
	autofree char *signature = base64url_encode(raw.ptr, raw.len);
	return mem_printf("%s.%s", text, signature);
}

char *jwt_sign_rs256(const char *private_key_pem, const char *kid, const json_t *claims, Error *err)
{
	autojson json_t *header = json_object();
	json_put_text(header, "kid", kid);
	return jwt_sign_rs256_with(private_key_pem, header, claims, err);
}
