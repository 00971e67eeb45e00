/* The client's certificate on a libmicrohttpd connection: verified against client_ca_pem by GnuTLS.
 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "net/httpd_internal.h"

#include "base/mem.h"

static void deinit_cert(gnutls_x509_crt_t *cert)
{
	if (*cert)
		gnutls_x509_crt_deinit(*cert);
}

static char *subject_of(const gnutls_datum_t *der)
{
	__attribute__((cleanup(deinit_cert))) gnutls_x509_crt_t cert = NULL;
	if (gnutls_x509_crt_init(&cert) < 0 ||
	    gnutls_x509_crt_import(cert, der, GNUTLS_X509_FMT_DER) < 0)
		return NULL;
	gnutls_datum_t text = {0};
	if (gnutls_x509_crt_get_dn3(cert, &text, 0) < 0)
		return NULL;
	char *subject = mem_strndup((const char *)text.data, text.size);
	gnutls_free(text.data);
	return subject;
}

bool httpd_tls_subject(struct MHD_Connection *connection, char **out_subject)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (!info || !info->tls_session)
		return true;
	gnutls_session_t session = info->tls_session;
	unsigned count = 0, status = 0;
	const gnutls_datum_t *certs = gnutls_certificate_get_peers(session, &count);
	if (!certs || count == 0)
		return true;
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
					 .data = (unsigned char[]){GNUTLS_KP_TLS_WWW_CLIENT}};
	if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 || status != 0)
		return false;
	*out_subject = subject_of(&certs[0]);
	return *out_subject != NULL;
}
