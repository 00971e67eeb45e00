/* The client's certificate on a libmicrohttpd connection: verified against client_ca_pem by GnuTLS,
 * read by OpenSSL, whose names are bytes and no text to be taken apart again: what stands in one
 * member can never pass for another. */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "net/httpd_internal.h"

#include "base/mem.h"
#include "data/digest.h"

static void free_cert(X509 **cert)
{
	X509_free(*cert);
}

/* NULL for a value that is no text, or one that a C string would cut short; owned. */
static char *text_of(const X509_NAME_ENTRY *entry)
{
	unsigned char *bytes = NULL;
	int len = ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(entry));
	bool whole = len >= 0 && !memchr(bytes, 0, (size_t)len);
	char *text = whole ? mem_strndup((const char *)bytes, (size_t)len) : NULL;
	OPENSSL_free(bytes);
	return text;
}

static bool read_subject(const X509_NAME *subject, HttpdClient *client)
{
	for (int i = 0; i < X509_NAME_entry_count(subject); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, i);
		int member = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
		if (member != NID_commonName && member != NID_organizationName)
			continue;
		char *text = text_of(entry);
		if (!text)
			return false;
		if (member == NID_organizationName) {
			vec_push(&client->organizations, text);
			continue;
		}
		free(client->name);
		client->name = text;
	}
	return true;
}

static bool read_client(const gnutls_datum_t *der, HttpdClient *client)
{
	const unsigned char *bytes = der->data;
	__attribute__((cleanup(free_cert))) X509 *cert = d2i_X509(NULL, &bytes, (long)der->size);
	if (!cert || !read_subject(X509_get_subject_name(cert), client))
		return false;
	char hex[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, der->data, der->size, hex);
	client->sha256 = mem_strdup(hex);
	return true;
}

static bool is_trusted(gnutls_session_t session)
{
	unsigned status = 0;
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
					 .data = (unsigned char[]){GNUTLS_KP_TLS_WWW_CLIENT}};
	return gnutls_certificate_verify_peers(session, &purpose, 1, &status) >= 0 && status == 0;
}

HttpdClient *httpd_tls_client(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (!info || !info->tls_session)
		return NULL;
	gnutls_session_t session = info->tls_session;
	unsigned count = 0;
	const gnutls_datum_t *certs = gnutls_certificate_get_peers(session, &count);
	if (!certs || count == 0)
		return NULL;
	HttpdClient *client = mem_zalloc(1, sizeof(*client));
	if (is_trusted(session) && read_client(&certs[0], client))
		return client;
	httpd_client_free(client);
	client = mem_zalloc(1, sizeof(*client));
	client->refused = true;
	return client;
}

void httpd_client_free(HttpdClient *client)
{
	if (!client)
		return;
	free(client->name);
	free(client->sha256);
	vec_dispose_with(&client->organizations, free);
	free(client);
}
