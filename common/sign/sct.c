#include "sign/sct.h"

#include <openssl/ct.h>
#include <openssl/x509v3.h>

#include "base/buf.h"

enum { SCT_MAX = 32, SIGNATURE_TYPE = 0, ENTRY_PRECERT = 1 };

static void put_number(Buf *out, uint64_t value, int bytes)
{
	while (bytes-- > 0)
		buf_putc(out, (char)(value >> (8 * bytes)));
}

/* The part of the leaf that was signed, without the list of timestamps. */
static bool put_precertificate(const X509 *leaf, Buf *out)
{
	autox509 X509 *copy = X509_dup(leaf);
	unsigned char *der = NULL;
	int at = copy ? X509_get_ext_by_NID(copy, NID_ct_precert_scts, -1) : -1;
	if (at < 0)
		return false;
	X509_EXTENSION_free(X509_delete_ext(copy, at));
	int len = i2d_re_X509_tbs(copy, &der);
	if (len > 0) {
		put_number(out, (uint64_t)len, 3);
		buf_append(out, der, (size_t)len);
	}
	OPENSSL_free(der);
	return len > 0;
}

static bool put_issuer(const X509 *issuer, Buf *out, Error *err)
{
	unsigned char id[PUBLIC_KEY_ID];
	autopublickey PublicKey *key = certificate_key(issuer, err);
	if (!key)
		return false;
	public_key_id(key, id);
	buf_append(out, id, sizeof(id));
	return true;
}

/* What a timestamp signs (RFC 6962 3.2). */
static void put_signed(const SCT *sct, Str entry, Buf *out)
{
	unsigned char *extensions;
	size_t len = SCT_get0_extensions(sct, &extensions);
	put_number(out, SCT_VERSION_V1, 1);
	put_number(out, SIGNATURE_TYPE, 1);
	put_number(out, SCT_get_timestamp(sct), 8);
	put_number(out, ENTRY_PRECERT, 2);
	buf_add(out, entry);
	put_number(out, len, 2);
	buf_append(out, extensions, len);
}

static bool is_good(const SCT *sct, Str entry, const TrustedLogs *logs)
{
	unsigned char *id, *signature;
	size_t id_len = SCT_get0_log_id(sct, &id);
	size_t len = SCT_get0_signature(sct, &signature);
	const TrustedLog *log = trusted_logs_find(logs, str_sized((const char *)id, id_len));
	autobuf Buf covered = {0};
	if (!log || SCT_get_version(sct) != SCT_VERSION_V1 ||
	    SCT_get_timestamp(sct) > (uint64_t)INT64_MAX ||
	    !trust_period_has(&log->period, (int64_t)SCT_get_timestamp(sct)))
		return false;
	put_signed(sct, entry, &covered);
	return public_key_verify(log->key, buf_str(&covered),
				 str_sized((const char *)signature, len));
}

bool sct_verify(X509 *leaf, X509 *issuer, const TrustedLogs *logs, Error *err)
{
	autobuf Buf entry = {0};
	if (!put_issuer(issuer, &entry, err))
		return false;
	if (!put_precertificate(leaf, &entry))
		return err_set(err, ERR_FORBIDDEN, "certificate without a timestamp of a log");
	STACK_OF(SCT) *list = X509_get_ext_d2i(leaf, NID_ct_precert_scts, NULL, NULL);
	bool ok = false;
	for (int i = 0; !ok && i < sk_SCT_num(list) && i < SCT_MAX; i++)
		ok = is_good(sk_SCT_value(list, i), buf_str(&entry), logs);
	SCT_LIST_free(list);
	return ok ? true
		  : err_set(err, ERR_FORBIDDEN,
			    "no timestamp of the certificate is a trusted log's");
}
