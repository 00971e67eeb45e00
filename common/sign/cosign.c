#include "sign/cosign.h"

#include "base/buf.h"
#include "data/digest.h"
#include "data/json.h"
#include "sign/bundle.h"
#include "sign/dsse.h"

#define PAYLOAD_KIND "cosign container image signature"

bool cosign_keys_signed(const CosignKeys *keys, Str message, Str signature)
{
	for (size_t i = 0; i < keys->count; i++)
		if (public_key_verify(keys->items[i], message, signature))
			return true;
	return false;
}

/* --- "*.sig" tags --- */

bool cosign_check_claims(Str payload, const char *digest, Error *err)
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
	if (!dsse_decode(signature_base64, DSSE_MAX_SIGNATURE, &signature, err))
		return err_wrap(err, "signature");
	if (!cosign_keys_signed(keys, payload, buf_str(&signature)))
		return err_set(err, ERR_FORBIDDEN, "no key verifies the signature");
	return cosign_check_claims(payload, digest, err);
}

/* --- bundles --- */

bool cosign_verify_bundle(Str text, const char *digest, const CosignKeys *keys, Error *err)
{
	autosigstorebundle SigstoreBundle bundle = {0};
	if (!sigstore_bundle_read(text, &bundle, err))
		return false;
	/* A certificate's bundle is for its identity to be judged by, not for the key in it. */
	if (!json_map(bundle.material, "publicKey"))
		return err_set(err, ERR_FORBIDDEN, "the bundle is not signed with a key");
	return sigstore_bundle_signed(&bundle, keys, digest, err);
}
