/* Identities, and the older "*.sig" tags. */
#include "sign/keyless.h"

#include <openssl/x509v3.h>

#include "base/buf.h"
#include "data/digest.h"
#include "sign/cosign.h"
#include "sign/dsse.h"
#include "sign/fulcio.h"
#include "sign/keyless_internal.h"
#include "sign/sct.h"

/* --- identities --- */

void keyless_identities_dispose(KeylessIdentities *identities)
{
	for (size_t i = 0; i < identities->count; i++) {
		regex_free(identities->items[i].issuer);
		regex_free(identities->items[i].subject);
	}
	identities->count = 0;
}

static bool compile(const char *pattern, const char *what, Regex **out, Error *err)
{
	*out = NULL;
	if (cstr_empty(pattern))
		return true;
	*out = regex_new(pattern, REGEX_SEARCH, err);
	return *out || err_wrap(err, "malformed %s in identity", what);
}

bool keyless_identities_add(KeylessIdentities *identities, const char *issuer, const char *subject,
			    Error *err)
{
	if (identities->count >= KEYLESS_MAX_IDENTITIES)
		return err_set(err, ERR_LIMIT, "more than %d identities", KEYLESS_MAX_IDENTITIES);
	KeylessIdentity *added = &identities->items[identities->count++];
	*added = (KeylessIdentity){0};
	return compile(issuer, "issuer", &added->issuer, err) &&
	       compile(subject, "subject", &added->subject, err);
}

/* --- what both forms share --- */

bool keyless_check_key(const Buf *logged, const X509 *leaf, Error *err)
{
	autocertificates Vec certificates = {0};
	if (!certificates_of_pem(buf_str(logged), &certificates, err))
		return err_wrap(err, "logged key");
	if (certificates.len != 1 || !certificate_equal(certificates.items[0], leaf))
		return err_set(err, ERR_FORBIDDEN, "the log entry is about another certificate");
	return true;
}

bool keyless_check_path(X509 *leaf, const TrustedRoot *root, int64_t time_s, Vec *out_chain,
			Error *err)
{
	if (!fulcio_verify(leaf, root, time_s, out_chain, err))
		return false;
	if (out_chain->len < 2)
		return err_set(err, ERR_FORBIDDEN, "the certificate is trusted by itself alone");
	return sct_verify(leaf, out_chain->items[1], &root->ctlogs, err);
}

/* --- "*.sig" tags --- */

static bool hash_is(const RekorBody *body, Str payload)
{
	char hex[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, payload.ptr, payload.len, hex);
	return cstr_eq(body->algorithm, "sha256") && digest_equal(body->hash, hex);
}

static bool check_entry(const RekorEntry *entry, const X509 *leaf, Str signature, Str payload,
			const TrustedRoot *root, Error *err)
{
	autorekorbody RekorBody body = {0};
	const TrustedLog *log = trusted_logs_find(&root->tlogs, buf_str(&entry->log_id));
	if (!rekor_body_read(entry, &body, err) || !keyless_check_key(&body.key, leaf, err))
		return false;
	if (body.is_envelope || !str_eq(buf_str(&body.signature), signature) ||
	    !hash_is(&body, payload))
		return err_set(err, ERR_FORBIDDEN, "the log entry is about another signature");
	if (!log)
		return err_set(err, ERR_FORBIDDEN, "the log entry is no trusted log's");
	return rekor_check_promise(entry, log, err);
}

/* The path is checked at the time the certificate was made; that all of it counted when the
 * signature was made, the log's time says. */
static bool check_certificate(X509 *leaf, int64_t time_s, const KeylessTrust *trust, Error *err)
{
	autocertificates Vec chain = {0};
	if (!keyless_check_path(leaf, trust->root, certificate_start(leaf), &chain, err))
		return false;
	for (size_t i = 0; i < chain.len; i++)
		if (!certificate_valid_at(chain.items[i], time_s))
			return err_set(err, ERR_FORBIDDEN,
				       "a certificate was not valid when it signed");
	return trust->identities->count == 0 || fulcio_identity(leaf, trust->identities, true, err);
}

bool keyless_verify_payload(Str payload, const KeylessSignature *signature, const char *digest,
			    const KeylessTrust *trust, Error *err)
{
	autocertificates Vec leaf = {0};
	autorekorentry RekorEntry entry = {0};
	autobuf Buf bytes = {0};
	if (payload.len > COSIGN_MAX_PAYLOAD)
		return err_set(err, ERR_LIMIT, "signature payload of more than %d bytes",
			       COSIGN_MAX_PAYLOAD);
	if (!signature->certificate || !signature->log_entry)
		return err_set(err, ERR_FORBIDDEN, "the signature has no %s",
			       signature->certificate ? "log entry" : "certificate");
	if (!dsse_decode(signature->signature, DSSE_MAX_SIGNATURE, &bytes, err))
		return err_wrap(err, "signature");
	if (!certificates_of_pem(str_of(signature->certificate), &leaf, err) ||
	    !rekor_entry_of_annotation(signature->log_entry, &entry, err))
		return false;
	if (leaf.len != 1)
		return err_set(err, ERR_INVALID, "signature with %zu certificates", leaf.len);
	autopublickey PublicKey *key = certificate_key(leaf.items[0], err);
	if (!key || !check_entry(&entry, leaf.items[0], buf_str(&bytes), payload, trust->root, err))
		return false;
	if (!check_certificate(leaf.items[0], entry.integrated_s, trust, err))
		return false;
	if (!public_key_verify(key, payload, buf_str(&bytes)))
		return err_set(err, ERR_FORBIDDEN, "the certificate does not verify the signature");
	return cosign_check_claims(payload, digest, err);
}
