/*
 * TLS identity on OpenSSL. System roots: SSL_CERT_FILE and SSL_CERT_DIR as in Go, then a directory
 * of hashed names (OpenSSL reads from it only what a chain needs), then the distributions' bundle
 * files.
 */
#include "net/tls.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

struct TlsIdentity {
	X509_STORE *roots; /* NULL: the system's */
	X509 *cert;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	char *server_name;
};

/* --- roots --- */

static bool has_hashed_names(const char *path)
{
	DIR *dir = opendir(path);
	if (!dir)
		return false;
	bool found = false;
	for (const struct dirent *e; !found && (e = readdir(dir));)
		found = strlen(e->d_name) == 10 && cstr_ends(e->d_name, ".0");
	closedir(dir);
	return found;
}

static bool add_bundle_file(X509_STORE *store, const char *path)
{
	return access(path, R_OK) == 0 && X509_STORE_load_file(store, path) == 1;
}

static bool add_system_roots(X509_STORE *store)
{
	static const char *const dirs[] = {"/etc/ssl/certs", "/etc/pki/tls/certs"};
	static const char *const files[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"/etc/ssl/ca-bundle.pem",
		"/etc/ssl/cert.pem",
	};
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	if (!cstr_empty(file) || !cstr_empty(dir)) {
		bool from_file = !cstr_empty(file) && add_bundle_file(store, file);
		bool from_dir = !cstr_empty(dir) && X509_STORE_load_path(store, dir) == 1;
		return from_file || from_dir;
	}
	for (size_t i = 0; i < COUNT(dirs); i++)
		if (has_hashed_names(dirs[i]))
			return X509_STORE_load_path(store, dirs[i]) == 1;
	for (size_t i = 0; i < COUNT(files); i++)
		if (add_bundle_file(store, files[i]))
			return true;
	return false;
}

static X509_STORE *new_system_roots(void)
{
	X509_STORE *store = X509_STORE_new();
	if (!store)
		abort(); /* memory is out */
	add_system_roots(store);
	ERR_clear_error();
	return store;
}

/* Of the whole process. Read once: a machine's change of roots needs a restart, as in Go. */
static X509_STORE *system_roots(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static X509_STORE *roots; /* guarded by lock */
	pthread_mutex_lock(&lock);
	if (!roots)
		roots = new_system_roots();
	X509_STORE *found = roots;
	pthread_mutex_unlock(&lock);
	return found;
}

static BIO *bio_of(const char *pem)
{
	size_t len = strlen(pem);
	return BIO_new_mem_buf(pem, len > INT_MAX ? INT_MAX : (int)len);
}

static int no_passphrase(char *out, int size, int for_writing, void *arg)
{
	(void)out, (void)size, (void)for_writing, (void)arg;
	return 0;
}

/* Adds each certificate of the text, and returns how many there were. */
static int add_pem_roots(X509_STORE *store, const char *pem)
{
	BIO *bio = bio_of(pem);
	int count = 0;
	for (X509 *cert; (cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)); count++) {
		X509_STORE_add_cert(store, cert);
		X509_free(cert);
	}
	BIO_free(bio);
	return count;
}

static bool load_roots(TlsIdentity *identity, const TlsConfig *config, Error *err)
{
	if (!config->ca_pem)
		return true;
	identity->roots = X509_STORE_new();
	if (add_pem_roots(identity->roots, config->ca_pem) == 0)
		return err_set(err, ERR_INVALID, "CA: no PEM certificate in the text");
	/* A machine without roots is no error: the text has some. */
	if (config->add_system_roots)
		add_system_roots(identity->roots);
	return true;
}

/* --- own certificate --- */

static bool load_chain(TlsIdentity *identity, const char *pem, Error *err)
{
	BIO *bio = bio_of(pem);
	identity->cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	identity->chain = sk_X509_new_null();
	for (X509 *more;
	     identity->cert && (more = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL));)
		sk_X509_push(identity->chain, more);
	BIO_free(bio);
	if (!identity->cert)
		return err_set(err, ERR_INVALID,
			       "client certificate: no PEM certificate in the text");
	return true;
}

static bool load_key(TlsIdentity *identity, const char *pem, Error *err)
{
	BIO *bio = bio_of(pem);
	identity->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (!identity->key)
		return err_set(err, ERR_INVALID, "client key: no usable PEM key in the text");
	if (X509_check_private_key(identity->cert, identity->key) != 1)
		return err_set(err, ERR_INVALID, "client key: not that of the client certificate");
	return true;
}

static bool load(TlsIdentity *identity, const TlsConfig *config, Error *err)
{
	if (!config->cert_pem != !config->key_pem)
		return err_set(err, ERR_INVALID, "client certificate without key, or key without");
	identity->server_name = mem_strdup(config->server_name);
	if (!load_roots(identity, config, err))
		return false;
	return !config->cert_pem || (load_chain(identity, config->cert_pem, err) &&
				     load_key(identity, config->key_pem, err));
}

TlsIdentity *tls_identity_new(const TlsConfig *config, Error *err)
{
	TlsIdentity *identity = mem_zalloc(1, sizeof(*identity));
	bool ok = load(identity, config, err);
	ERR_clear_error();
	if (ok)
		return identity;
	tls_identity_free(identity);
	return NULL;
}

void tls_identity_free(TlsIdentity *identity)
{
	if (!identity)
		return;
	X509_STORE_free(identity->roots);
	X509_free(identity->cert);
	sk_X509_pop_free(identity->chain, X509_free);
	EVP_PKEY_free(identity->key);
	free(identity->server_name);
	free(identity);
}

/* --- a connection --- */

/* curl has no option for another SNI than the URL's host. The state machine calls this before the
 * ClientHello is built, after curl set its own name. */
static void set_server_name(const SSL *ssl, int where, int ret)
{
	(void)ret;
	if (!(where & SSL_CB_HANDSHAKE_START))
		return;
	const TlsIdentity *identity = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	union {
		const SSL *in;
		SSL *out; /* the callback's type is const for history's sake */
	} same = {.in = ssl};
	SSL_set_tlsext_host_name(same.out, identity->server_name);
}

static bool apply_server_name(TlsIdentity *identity, SSL_CTX *ctx)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
	struct in6_addr address;
	if (inet_pton(AF_INET, identity->server_name, &address) == 1 ||
	    inet_pton(AF_INET6, identity->server_name, &address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, identity->server_name) == 1;
	SSL_CTX_set_app_data(ctx, identity);
	SSL_CTX_set_info_callback(ctx, set_server_name);
	return X509_VERIFY_PARAM_set1_host(param, identity->server_name, 0) == 1;
}

bool tls_identity_apply(TlsIdentity *identity, void *ssl_ctx)
{
	SSL_CTX *ctx = ssl_ctx;
	SSL_CTX_set1_cert_store(ctx, identity->roots ? identity->roots : system_roots());
	/* As Go and curl's own blobs: a certificate in the roots is an anchor, self-signed or not.
	 */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx),
				    X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	if (identity->cert &&
	    SSL_CTX_use_cert_and_key(ctx, identity->cert, identity->key, identity->chain, 1) != 1)
		return false;
	return !identity->server_name || apply_server_name(identity, ctx);
}
