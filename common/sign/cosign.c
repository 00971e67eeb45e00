#include "sign/cosign.h"

#include "base/buf.h"
#include "data/base64.h"
#include "data/digest.h"
#include "data/json.h"

enum { SIGNATURE_MAX = 16 * 1024, MAX_SIGNATURES = 16 };

#define PAYLOAD_KIND "cosign container image signature"
#define STATEMENT_TYPE "application/vnd.in-toto+json"
#define STATEMENT_PREFIX "https://in-toto.io/Statement/"

static bool any_key_signed(const CosignKeys *keys, Str message, Str signature)
{
	for (size_t i = 0; i < keys->count; i++)
		if (public_key_verify(keys->items[i], message, signature))
			return true;
	return false;
}

/* Base64 of at most `limit` bytes; false also for NULL. */
static bool decode(const char *text, size_t limit, Buf *out, Error *err)
{
	size_t len = text ? strlen(text) : 0;
	if (len == 0 || len > limit)
		return err_set(err, ERR_INVALID, "no base64, or too long a one");
	return base64_decode(text, len, out, err);
}

/* --- "*.sig" tags --- */

static bool check_claims(Str payload, const char *digest, Error *err)
{
	autojson json_t *root = json_parse(payload.ptr, payload.len, COSIGN_MAX_PAYLOAD, err);
	if (!root)
		return err_wrap(err, "signature payload");
	const json_t *critical = json_map(root, "critical");
	const char *named = json_text_at(critical, "image", "docker-manifest-digest", NULL);
	if (!cstr_eq(json_text(critical, "type"), PAYLOAD_KIND))
		return err_set(err, ERR_INVALID, "signature payload is of another type");
	if (!named || !digest_equal(named, digest))
		return err_set(err, ERR_FORBIDDEN, "the signature is for another image than %s",
			       digest);
	return true;
}

bool cosign_verify_payload(Str payload, const char *signature_base64, const char *digest,
			   const CosignKeys *keys, Error *err)
{
	autobuf Buf signature = {0};
	if (payload.len > COSIGN_MAX_PAYLOAD)
		return err_set(err, ERR_LIMIT, "signature payload of more than %d bytes",
			       COSIGN_MAX_PAYLOAD);
	if (!decode(signature_base64, SIGNATURE_MAX, &signature, err))
		return err_wrap(err, "signature");
	if (!any_key_signed(keys, payload, buf_str(&signature)))
		return err_set(err, ERR_FORBIDDEN, "no key verifies the signature");
	return check_claims(payload, digest, err);
}

/* --- bundles --- */

/* What a DSSE signature covers (DSSE protocol, "PAE"). */
static void pre_authentication(const char *type, Str payload, Buf *out)
{
	buf_printf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, payload.len);
	buf_add(out, payload);
}

static bool envelope_is_signed(const json_t *envelope, Str covered, const CosignKeys *keys)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(envelope, "signatures"), i, item)
	{
		autoerror Error ignored = {0};
		autobuf Buf signature = {0};
		if (i >= MAX_SIGNATURES)
			return false;
		if (decode(json_text(item, "sig"), SIGNATURE_MAX, &signature, &ignored) &&
		    any_key_signed(keys, covered, buf_str(&signature)))
			return true;
	}
	return false;
}

/* Whether one of the statement's subjects has the image's digest. */
static bool check_statement(Str text, const char *digest, Error *err)
{
	autojson json_t *root = json_parse(text.ptr, text.len, COSIGN_MAX_BUNDLE, err);
	if (!root)
		return err_wrap(err, "statement");
	if (!cstr_starts(json_text_or(root, "_type", ""), STATEMENT_PREFIX))
		return err_set(err, ERR_INVALID, "the envelope holds no in-toto statement");
	Str algorithm, hex;
	str_cut(str_of(digest), ':', &algorithm, &hex);
	autofree char *name = str_dup(algorithm);
	size_t i;
	json_t *subject;
	json_array_foreach(json_list(root, "subject"), i, subject)
	{
		const char *named = json_text_at(subject, "digest", name, NULL);
		if (named && digest_equal(named, hex.ptr))
			return true;
	}
	return err_set(err, ERR_FORBIDDEN, "the statement is about another image than %s", digest);
}

bool cosign_verify_bundle(Str bundle, const char *digest, const CosignKeys *keys, Error *err)
{
	autojson json_t *root = json_parse(bundle.ptr, bundle.len, COSIGN_MAX_BUNDLE, err);
	if (!root)
		return err_wrap(err, "bundle");
	if (!cstr_starts(json_text_or(root, "mediaType", ""), COSIGN_BUNDLE_TYPE_PREFIX))
		return err_set(err, ERR_INVALID, "not a sigstore bundle");
	const json_t *envelope = json_map(root, "dsseEnvelope");
	if (!envelope)
		return err_set(err, ERR_UNSUPPORTED, "bundle without a DSSE envelope");
	const char *type = json_text_or(envelope, "payloadType", "");
	autobuf Buf payload = {0}, covered = {0};
	if (!decode(json_text(envelope, "payload"), COSIGN_MAX_BUNDLE, &payload, err))
		return err_wrap(err, "payload of the envelope");
	pre_authentication(type, buf_str(&payload), &covered);
	if (!envelope_is_signed(envelope, buf_str(&covered), keys))
		return err_set(err, ERR_FORBIDDEN, "no key verifies the bundle");
	if (!cstr_eq(type, STATEMENT_TYPE))
		return err_set(err, ERR_UNSUPPORTED, "envelope of type %.100s", type);
	return check_statement(buf_str(&payload), digest, err);
}
