/* Certificates for tests, made with OpenSSL: a CA, and leaves signed by it. All PEM, owned. */
#ifndef TEST_PKI_H
#define TEST_PKI_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/mem.h"

typedef struct {
	EVP_PKEY *key;
	X509 *cert;
	char *cert_pem, *key_pem;
} Identity;

static inline void pki_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

static inline char *pki_text(BIO *bio)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	char *text = mem_strndup(bytes, (size_t)len);
	BIO_free(bio);
	return text;
}

/* With `issuer` NULL a CA. `names` is "O", "a", "CN", "b", ..., NULL; `san` may be NULL. */
static inline Identity pki_make(const Identity *issuer, const char *const *names, const char *san)
{
	static long serial = 1;
	Identity out = {.key = EVP_EC_gen("P-256"), .cert = X509_new()};
	X509_set_version(out.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(out.cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(out.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(out.cert), 3600);
	X509_set_pubkey(out.cert, out.key);
	X509_NAME *name = X509_get_subject_name(out.cert);
	for (; names[0]; names += 2)
		X509_NAME_add_entry_by_txt(name, names[0], MBSTRING_UTF8,
					   (const unsigned char *)names[1], -1, -1, 0);
	X509 *signer = issuer ? issuer->cert : out.cert;
	X509_set_issuer_name(out.cert, X509_get_subject_name(signer));
	pki_extension(out.cert, signer, NID_basic_constraints,
		      issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
	if (san)
		pki_extension(out.cert, signer, NID_subject_alt_name, san);
	X509_sign(out.cert, issuer ? issuer->key : out.key, EVP_sha256());
	BIO *cert = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(cert, out.cert);
	PEM_write_bio_PrivateKey(key, out.key, NULL, NULL, 0, NULL, NULL);
	out.cert_pem = pki_text(cert);
	out.key_pem = pki_text(key);
	return out;
}

static inline void pki_dispose(Identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->cert);
	free(identity->cert_pem);
	free(identity->key_pem);
}

#endif
