#include "sign/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void free_certificate(void *certificate)
{
	X509_free(certificate);
}

void certificates_dispose(Vec *certificates)
{
	vec_dispose_with(certificates, free_certificate);
}

X509 *certificate_of_der(Str der, Error *err)
{
	const unsigned char *at = (const unsigned char *)der.ptr;
	if (der.len == 0 || der.len > CERTIFICATE_MAX)
		return err_null(err, ERR_INVALID, "no certificate, or one of more than %d bytes",
				CERTIFICATE_MAX);
	X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
	if (certificate && at == (const unsigned char *)der.ptr + der.len)
		return certificate;
	X509_free(certificate);
	return err_null(err, ERR_INVALID, "not a certificate in DER");
}

static bool push_block(const char *name, Str der, Vec *out, Error *err)
{
	if (!cstr_eq(name, PEM_STRING_X509))
		return err_set(err, ERR_INVALID, "a PEM block is not a certificate");
	if (out->len >= CERTIFICATE_MAX_CHAIN)
		return err_set(err, ERR_LIMIT, "more than %d certificates", CERTIFICATE_MAX_CHAIN);
	X509 *certificate = certificate_of_der(der, err);
	if (certificate)
		vec_push(out, certificate);
	return certificate;
}

bool certificates_of_pem(Str pem, Vec *out, Error *err)
{
	size_t before = out->len;
	if (pem.len > (size_t)CERTIFICATE_MAX * CERTIFICATE_MAX_CHAIN)
		return err_set(err, ERR_LIMIT, "certificates of too many bytes");
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	char *name, *header;
	unsigned char *bytes;
	long len;
	bool ok = true;
	while (ok && PEM_read_bio(bio, &name, &header, &bytes, &len) == 1) {
		ok = push_block(name, str_sized((const char *)bytes, (size_t)len), out, err);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(bytes);
	}
	BIO_free(bio);
	if (ok && out->len == before)
		return err_set(err, ERR_INVALID, "no certificate in PEM");
	return ok;
}

PublicKey *certificate_key(const X509 *certificate, Error *err)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	PublicKey *key = NULL;
	if (len > 0)
		key = public_key_of_der(str_sized((const char *)der, (size_t)len), err);
	else
		err_set(err, ERR_INVALID, "certificate without a key");
	OPENSSL_free(der);
	return key;
}

bool certificate_equal(const X509 *a, const X509 *b)
{
	return X509_cmp(a, b) == 0;
}

bool certificate_allows(X509 *certificate, uint32_t usage)
{
	uint32_t allowed = X509_get_extended_key_usage(certificate);
	return allowed == UINT32_MAX || (allowed & (usage | XKU_ANYEKU)) != 0;
}

bool certificate_valid_at(const X509 *certificate, int64_t time_s)
{
	/* An equal time counts as earlier, which for the end is one too early. */
	time_t at = (time_t)time_s, before = at - 1;
	return X509_cmp_time(X509_get0_notBefore(certificate), &at) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(certificate), &before) > 0;
}

bool certificate_time(const ASN1_TIME *time, int64_t *out_s)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days, seconds;
	bool ok = epoch && time && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
	ASN1_TIME_free(epoch);
	if (ok)
		*out_s = (int64_t)days * 86400 + seconds;
	return ok;
}

int64_t certificate_start(const X509 *certificate)
{
	int64_t start_s;
	return certificate_time(X509_get0_notBefore(certificate), &start_s) ? start_s : INT64_MAX;
}

/* --- paths --- */

static STACK_OF(X509) * stack_of(const Vec *certificates)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	for (size_t i = 0; certificates && i < certificates->len; i++)
		sk_X509_push(stack, certificates->items[i]);
	return stack;
}

static bool usage_fits(STACK_OF(X509) * chain, uint32_t usage)
{
	for (int i = 0; usage && i < sk_X509_num(chain); i++)
		if (!certificate_allows(sk_X509_value(chain, i), usage))
			return false;
	return true;
}

static void append_chain(STACK_OF(X509) * chain, Vec *out)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509_up_ref(sk_X509_value(chain, i));
		vec_push(out, sk_X509_value(chain, i));
	}
}

static void set_rules(X509_STORE_CTX *ctx, int64_t time_s)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)time_s);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_depth(param, CERTIFICATE_MAX_CHAIN);
	X509_VERIFY_PARAM_set_auth_level(param, 2);
}

bool certificate_verify(X509 *leaf, const CertificateTrust *trust, Vec *out_chain, Error *err)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *roots = stack_of(trust->roots), *others = stack_of(trust->intermediates);
	X509_STORE *store = X509_STORE_new();
	bool ok = false;
	if (X509_STORE_CTX_init(ctx, store, leaf, others) == 1) {
		X509_STORE_CTX_set0_trusted_stack(ctx, roots);
		set_rules(ctx, trust->time_s);
		ok = X509_verify_cert(ctx) == 1;
	}
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	if (!ok)
		err_set(err, ERR_FORBIDDEN, "certificate not trusted: %s",
			X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	else if (!usage_fits(chain, trust->usage))
		ok = err_set(err, ERR_FORBIDDEN, "certificate not trusted: its use is another");
	else if (out_chain)
		append_chain(chain, out_chain);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_free(roots);
	sk_X509_free(others);
	return ok;
}
