#include "sign/rfc3161.h"

#include <openssl/ts.h>

#include "sign/certificate.h"

enum { STATUS_GRANTED = 0, STATUS_GRANTED_WITH_MODS = 1, MILLIS_PER_SECOND = 1000 };

/* What is verified, and by what. */
typedef struct {
	PKCS7 *token;
	TS_TST_INFO *info;
	int64_t time_s;
	Str message;
} Token;

/* SHA-1 and what is no digest of ours are not trusted. */
static bool hash_fits(TS_TST_INFO *info)
{
	const ASN1_OBJECT *object;
	X509_ALGOR_get0(&object, NULL, NULL,
			TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(info)));
	int nid = OBJ_obj2nid(object);
	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

static bool token_read(PKCS7 *token, Str message, Token *out, Error *err)
{
	TS_TST_INFO *info = token ? PKCS7_to_TS_TST_INFO(token) : NULL;
	*out = (Token){.token = token, .info = info, .message = message};
	if (info && certificate_time(TS_TST_INFO_get_time(info), &out->time_s) && hash_fits(info))
		return true;
	TS_TST_INFO_free(info);
	out->info = NULL;
	return err_set(err, ERR_INVALID, "timestamp without a time or a usable hash");
}

static void token_dispose(Token *token)
{
	TS_TST_INFO_free(token->info);
}
#define autotoken __attribute__((cleanup(token_dispose)))

/* --- signatures --- */

/* One root at a time: of two with the same name OpenSSL would try only the first. */
static X509_STORE *store_of(X509 *root, int64_t time_s)
{
	X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
	X509_STORE_add_cert(store, root);
	X509_VERIFY_PARAM_set_time(param, (time_t)time_s);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_auth_level(param, 2);
	return store;
}

/* A stack that owns its references. */
static STACK_OF(X509) * certificates_of(const TrustedAuthority *authority)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	const Vec *parts[] = {&authority->leaf, &authority->intermediates};
	for (size_t p = 0; p < COUNT(parts); p++)
		for (size_t i = 0; i < parts[p]->len; i++) {
			X509_up_ref(parts[p]->items[i]);
			sk_X509_push(stack, parts[p]->items[i]);
		}
	return stack;
}

static bool is_signed(const Token *token, X509 *root, STACK_OF(X509) * take_certificates)
{
	TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
	TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_SIGNATURE | TS_VFY_DATA);
	TS_VERIFY_CTX_set_store(ctx, store_of(root, token->time_s));
	TS_VERIFY_CTX_set_certs(ctx, take_certificates);
	TS_VERIFY_CTX_set_data(ctx, BIO_new_mem_buf(token->message.ptr, (int)token->message.len));
	bool ok = TS_RESP_verify_token(ctx, token->token) == 1;
	TS_VERIFY_CTX_free(ctx);
	return ok;
}

/* With a leaf that is named, nobody else may have signed. */
static bool signer_fits(PKCS7 *token, const TrustedAuthority *authority)
{
	if (authority->leaf.len == 0)
		return true;
	STACK_OF(X509) *known = certificates_of(authority);
	STACK_OF(X509) *signers = PKCS7_get0_signers(token, known, 0);
	bool fits = sk_X509_num(signers) == 1 &&
		    certificate_equal(sk_X509_value(signers, 0), authority->leaf.items[0]);
	sk_X509_free(signers);
	sk_X509_pop_free(known, X509_free);
	return fits;
}

static bool check_limits(Str token, Str message, Error *err)
{
	if (token.len == 0 || token.len > RFC3161_MAX || message.len > RFC3161_MAX)
		return err_set(err, ERR_LIMIT, "no timestamp, or one of more than %d bytes",
			       RFC3161_MAX);
	return true;
}

/* --- responses --- */

static bool verify_response(TS_RESP *response, Str message, const TrustedAuthorities *authorities,
			    int64_t *out_time_s, Error *err)
{
	autotoken Token token = {0};
	int64_t status =
		ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(response)));
	if (status != STATUS_GRANTED && status != STATUS_GRANTED_WITH_MODS)
		return err_set(err, ERR_FORBIDDEN, "the timestamp was not granted");
	if (!token_read(TS_RESP_get_token(response), message, &token, err))
		return false;
	for (size_t i = 0; i < authorities->count; i++) {
		const TrustedAuthority *authority = &authorities->items[i];
		if (!trust_period_has(&authority->period, token.time_s * MILLIS_PER_SECOND) ||
		    authority->roots.len == 0 ||
		    !is_signed(&token, authority->roots.items[0], certificates_of(authority)) ||
		    !signer_fits(token.token, authority))
			continue;
		*out_time_s = token.time_s;
		return true;
	}
	return err_set(err, ERR_FORBIDDEN, "no trusted authority signed the timestamp");
}

bool rfc3161_verify(Str response, Str message, const TrustedAuthorities *authorities,
		    int64_t *out_time_s, Error *err)
{
	const unsigned char *at = (const unsigned char *)response.ptr;
	if (!check_limits(response, message, err))
		return false;
	TS_RESP *parsed = d2i_TS_RESP(NULL, &at, (long)response.len);
	if (!parsed)
		return err_set(err, ERR_INVALID, "not a timestamp response");
	bool ok = verify_response(parsed, message, authorities, out_time_s, err);
	TS_RESP_free(parsed);
	return ok;
}

/* --- tokens --- */

/* Whole seconds up: what is claimed in milliseconds and less counts as one. */
static int64_t accuracy_of(TS_TST_INFO *info)
{
	TS_ACCURACY *accuracy = TS_TST_INFO_get_accuracy(info);
	if (!accuracy)
		return 0;
	const ASN1_INTEGER *seconds = TS_ACCURACY_get_seconds(accuracy);
	bool more = TS_ACCURACY_get_millis(accuracy) || TS_ACCURACY_get_micros(accuracy);
	int64_t value = seconds ? ASN1_INTEGER_get(seconds) : 0;
	return value < 0 || value > INT32_MAX ? INT32_MAX : value + more;
}

static bool verify_token(PKCS7 *parsed, Str message, const Vec *roots, Rfc3161Time *out, Error *err)
{
	autotoken Token token = {0};
	if (!token_read(parsed, message, &token, err))
		return false;
	size_t at = 0;
	while (at < roots->len && !is_signed(&token, roots->items[at], sk_X509_new_null()))
		at++;
	if (at == roots->len)
		return err_set(err, ERR_FORBIDDEN, "no trusted authority signed the timestamp");
	int64_t accuracy_s = accuracy_of(token.info);
	*out = (Rfc3161Time){token.time_s - accuracy_s, token.time_s + accuracy_s};
	return true;
}

bool rfc3161_verify_token(Str token, Str message, const Vec *roots, Rfc3161Time *out, Error *err)
{
	const unsigned char *at = (const unsigned char *)token.ptr;
	if (!check_limits(token, message, err))
		return false;
	PKCS7 *parsed = d2i_PKCS7(NULL, &at, (long)token.len);
	if (!parsed || !PKCS7_type_is_signed(parsed)) {
		PKCS7_free(parsed);
		return err_set(err, ERR_INVALID, "not a timestamp token");
	}
	bool ok = verify_token(parsed, message, roots, out, err);
	PKCS7_free(parsed);
	return ok;
}
