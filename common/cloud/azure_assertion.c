/*
 * A certificate with its key, as PEM or PKCS #12, to a signed assertion. RS256 with the SHA-1
 * thumbprint, which every Entra authority understands.
 */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "cloud/azure_internal.h"
#include "data/base64.h"
#include "data/jwt_sign.h"

enum { CERTIFICATE_MAX = 256 << 10, CHAIN_MAX = 16, ASSERTION_LIFE_S = 600 };

typedef struct {
	EVP_PKEY *key;
	X509 *leaf;
	STACK_OF(X509) * chain; /* without the leaf */
} Identity;

static void identity_dispose(Identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->leaf);
	sk_X509_pop_free(identity->chain, X509_free);
}
#define autoidentity __attribute__((cleanup(identity_dispose)))

/* The password, never a terminal's. */
static int give_password(char *buf, int size, int writing, void *arg)
{
	(void)writing;
	const char *password = arg;
	int len = password ? (int)strlen(password) : -1;
	if (len < 0 || len > size)
		return -1;
	memcpy(buf, password, (size_t)len);
	return len;
}

static bool fits(const Identity *identity)
{
	return identity->key && identity->leaf && EVP_PKEY_is_a(identity->key, "RSA") &&
	       X509_check_private_key(identity->leaf, identity->key) == 1;
}

static BIO *reader(Str bytes)
{
	return BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
}

static bool read_pem(Str bytes, void *password, Identity *out)
{
	BIO *keys = reader(bytes), *certificates = reader(bytes);
	out->key = PEM_read_bio_PrivateKey(keys, NULL, give_password, password);
	out->chain = sk_X509_new_null();
	X509 *one = PEM_read_bio_X509(certificates, NULL, give_password, password);
	while (one && sk_X509_num(out->chain) < CHAIN_MAX) {
		/* The leaf is the one that the key is of, wherever it stands. */
		if (!out->leaf && out->key && X509_check_private_key(one, out->key) == 1)
			out->leaf = one;
		else
			sk_X509_push(out->chain, one);
		one = PEM_read_bio_X509(certificates, NULL, give_password, password);
	}
	X509_free(one);
	BIO_free(keys);
	BIO_free(certificates);
	return fits(out);
}

static bool read_pkcs12(Str bytes, const char *password, Identity *out)
{
	const unsigned char *at = (const unsigned char *)bytes.ptr;
	PKCS12 *box = d2i_PKCS12(NULL, &at, (long)bytes.len);
	if (!box)
		return false;
	identity_dispose(out);
	*out = (Identity){0};
	bool ok = PKCS12_parse(box, password ? password : "", &out->key, &out->leaf, &out->chain) ==
		  1;
	PKCS12_free(box);
	return ok && fits(out);
}

static bool read_identity(const AzureApp *app, Identity *out, Error *err)
{
	autofree char *password = mem_strdup(app->certificate_password);
	bool ok = app->certificate.len <= CERTIFICATE_MAX &&
		  (read_pem(app->certificate, password, out) ||
		   read_pkcs12(app->certificate, password, out));
	if (password)
		mem_wipe(password, strlen(password));
	return ok ? true
		  : err_set(err, ERR_INVALID,
			    "failed to parse the client certificate: an RSA key with its "
			    "certificate is needed, as PEM or PKCS #12");
}

/* The DER of a certificate; its length, 0 on failure. */
static void append_der(X509 *certificate, Buf *out)
{
	unsigned char *der = NULL;
	int len = i2d_X509(certificate, &der);
	if (len > 0)
		buf_append(out, der, (size_t)len);
	OPENSSL_free(der);
}

static void push_certificate(json_t *list, X509 *certificate)
{
	autobuf Buf der = {0};
	append_der(certificate, &der);
	autofree char *text = base64_encode(der.ptr, der.len);
	json_array_append_new(list, json_string(text));
}

static json_t *header_of(const Identity *identity, bool send_chain)
{
	autobuf Buf der = {0};
	append_der(identity->leaf, &der);
	unsigned char hash[SHA_DIGEST_LENGTH];
	SHA1((const unsigned char *)buf_text(&der), der.len, hash);
	autofree char *thumbprint = base64url_encode(hash, sizeof(hash));
	json_t *header = json_pack("{s:s}", "x5t", thumbprint);
	if (!send_chain)
		return header;
	json_t *list = json_array();
	push_certificate(list, identity->leaf);
	for (int i = 0; i < sk_X509_num(identity->chain); i++)
		push_certificate(list, sk_X509_value(identity->chain, i));
	json_object_set_new(header, "x5c", list);
	return header;
}

/* The key as PEM; owned, a secret. */
static char *key_pem(const Identity *identity)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	if (PEM_write_bio_PrivateKey(bio, identity->key, NULL, NULL, 0, NULL, NULL) == 1) {
		char *bytes = NULL;
		long len = BIO_get_mem_data(bio, &bytes);
		text = mem_strndup(bytes, (size_t)len);
	}
	BIO_free(bio);
	return text;
}

char *azure_assertion(const AzureApp *app, const char *audience, Error *err)
{
	autoidentity Identity identity = {0};
	if (!read_identity(app, &identity, err))
		return NULL;
	char id[37];
	rand_uuid(id);
	json_int_t now_s = clock_wall_ms() / 1000;
	autojson json_t *claims = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "aud", audience, "iss",
					    app->client_id, "sub", app->client_id, "jti", id, "nbf",
					    now_s, "exp", now_s + ASSERTION_LIFE_S);
	autojson json_t *header = header_of(&identity, app->send_chain);
	autofree char *pem = key_pem(&identity);
	if (!pem)
		return err_null(err, ERR_INTERNAL, "could not write the private key");
	char *assertion = jwt_sign_rs256_with(pem, header, claims, err);
	mem_wipe(pem, strlen(pem));
	return assertion;
}
