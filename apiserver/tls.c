/* A self-signed CA and a server certificate with OpenSSL. */
#include "tls.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

enum { PEM_MAX = 64 * 1024, YEARS_S = 10 * 365 * 24 * 3600 };

typedef struct {
	EVP_PKEY *key;
	X509 *cert;
} Pair;

static void pair_dispose(Pair *pair)
{
	EVP_PKEY_free(pair->key);
	X509_free(pair->cert);
}
#define autopair __attribute__((cleanup(pair_dispose)))

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool done = extension && X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
	return done;
}

static bool fill(X509 *cert, EVP_PKEY *key, const char *name)
{
	unsigned char serial[8];
	RAND_bytes(serial, sizeof(serial));
	serial[0] &= 0x7f;
	BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
	BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	X509_set_version(cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), YEARS_S);
	X509_set_pubkey(cert, key);
	return X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
					  (const unsigned char *)name, -1, -1, 0) == 1;
}

static bool make_ca(Pair *ca)
{
	ca->key = EVP_EC_gen("P-256");
	ca->cert = X509_new();
	return ca->key && fill(ca->cert, ca->key, "sluice-ca") &&
	       X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert)) &&
	       add_extension(ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE") &&
	       add_extension(ca->cert, ca->cert, NID_key_usage,
			     "critical,keyCertSign,digitalSignature") &&
	       add_extension(ca->cert, ca->cert, NID_subject_key_identifier, "hash") &&
	       X509_sign(ca->cert, ca->key, EVP_sha256()) > 0;
}

static bool make_server(const Pair *ca, const char *names, Pair *server)
{
	server->key = EVP_EC_gen("P-256");
	server->cert = X509_new();
	return server->key && fill(server->cert, server->key, "sluice-apiserver") &&
	       X509_set_issuer_name(server->cert, X509_get_subject_name(ca->cert)) &&
	       add_extension(server->cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(server->cert, ca->cert, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(server->cert, ca->cert, NID_ext_key_usage, "serverAuth") &&
	       add_extension(server->cert, ca->cert, NID_subject_alt_name, names) &&
	       X509_sign(server->cert, ca->key, EVP_sha256()) > 0;
}

static bool write_pem(const char *dir, const char *name, X509 *cert, EVP_PKEY *key, Error *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool done = cert ? PEM_write_bio_X509(bio, cert) == 1
			 : PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
	char *text = NULL;
	long len = BIO_get_mem_data(bio, &text);
	autofree char *path = path_join(dir, name);
	if (done)
		done = file_write_atomic(path, text, (size_t)len, cert ? 0644 : 0600, err);
	else
		err_set(err, ERR_INTERNAL, "cannot write %s", name);
	BIO_free(bio);
	return done;
}

static bool make_files(const char *dir, const char *host, Error *err)
{
	autopair Pair ca = {0};
	autopair Pair server = {0};
	bool address = host[strspn(host, "0123456789.")] == '\0' || strchr(host, ':');
	autofree char *names = mem_printf("DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,"
					  "DNS:kubernetes.default.svc,IP:127.0.0.1,IP:::1,%s:%s",
					  address ? "IP" : "DNS", host);
	if (!make_ca(&ca) || !make_server(&ca, names, &server))
		return err_set(err, ERR_INTERNAL, "cannot make certificates");
	return write_pem(dir, "ca.crt", ca.cert, NULL, err) &&
	       write_pem(dir, "ca.key", NULL, ca.key, err) &&
	       write_pem(dir, "server.crt", server.cert, NULL, err) &&
	       write_pem(dir, "server.key", NULL, server.key, err);
}

static char *read_pem(const char *dir, const char *name, Error *err)
{
	autobuf Buf text = {0};
	autofree char *path = path_join(dir, name);
	if (!file_read(path, PEM_MAX, &text, err))
		return NULL;
	return buf_steal(&text);
}

void tls_files_dispose(TlsFiles *files)
{
	free(files->ca_pem);
	free(files->cert_pem);
	if (files->key_pem)
		mem_wipe(files->key_pem, strlen(files->key_pem));
	free(files->key_pem);
	*files = (TlsFiles){0};
}

/* Whether a certificate that is there is for this host: the server may have been given another
 * address since. */
static bool is_for(const char *path, const char *host)
{
	autobuf Buf text = {0};
	autoerror Error err = {0};
	if (!file_read(path, PEM_MAX, &text, &err))
		return false;
	BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	bool matches = cert && (X509_check_ip_asc(cert, host, 0) == 1 ||
				X509_check_host(cert, host, 0, 0, NULL) == 1);
	X509_free(cert);
	BIO_free(bio);
	return matches;
}

bool tls_files_load(const char *dir, const char *host, TlsFiles *out, Error *err)
{
	autofree char *path = path_join(dir, "server.crt");
	if (!is_for(path, host) && !make_files(dir, host, err))
		return false;
	TlsFiles files = {0};
	files.ca_pem = read_pem(dir, "ca.crt", err);
	files.cert_pem = files.ca_pem ? read_pem(dir, "server.crt", err) : NULL;
	files.key_pem = files.cert_pem ? read_pem(dir, "server.key", err) : NULL;
	if (!files.key_pem) {
		tls_files_dispose(&files);
		return false;
	}
	*out = files;
	return true;
}
