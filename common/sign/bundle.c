#include "sign/bundle.h"

#include "sign/dsse.h"

void sigstore_bundle_dispose(SigstoreBundle *bundle)
{
	json_decref(bundle->root);
	buf_dispose(&bundle->payload);
	buf_dispose(&bundle->signature);
}

static int version_of(const char *media_type)
{
	static const char *const types[][2] = {
		{COSIGN_BUNDLE_TYPE_PREFIX "+json;version=0.1",
		 COSIGN_BUNDLE_TYPE_PREFIX ".v0.1+json"},
		{COSIGN_BUNDLE_TYPE_PREFIX "+json;version=0.2",
		 COSIGN_BUNDLE_TYPE_PREFIX ".v0.2+json"},
		{COSIGN_BUNDLE_TYPE_PREFIX "+json;version=0.3",
		 COSIGN_BUNDLE_TYPE_PREFIX ".v0.3+json"},
	};
	for (size_t i = 0; i < COUNT(types); i++)
		if (cstr_eq(media_type, types[i][0]) || cstr_eq(media_type, types[i][1]))
			return (int)i + 1;
	return 0;
}

static bool read_envelope(const json_t *envelope, SigstoreBundle *out, Error *err)
{
	const json_t *list = json_list(envelope, "signatures");
	out->type = json_text_or(envelope, "payloadType", "");
	if (!envelope)
		return err_set(err, ERR_UNSUPPORTED, "bundle without a DSSE envelope");
	if (json_array_size(list) != 1)
		return err_set(err, ERR_INVALID, "envelope with %zu signatures",
			       json_array_size(list));
	if (!dsse_decode(json_text(envelope, "payload"), DSSE_MAX_PAYLOAD, &out->payload, err))
		return err_wrap(err, "payload of the envelope");
	return dsse_decode(json_text(json_array_get(list, 0), "sig"), DSSE_MAX_SIGNATURE,
			   &out->signature, err) ||
	       err_wrap(err, "signature of the envelope");
}

bool sigstore_bundle_read(Str text, SigstoreBundle *out, Error *err)
{
	out->root = json_parse(text.ptr, text.len, COSIGN_MAX_BUNDLE, err);
	if (!out->root)
		return err_wrap(err, "bundle");
	out->version = version_of(json_text(out->root, "mediaType"));
	out->material = json_map(out->root, "verificationMaterial");
	if (out->version == 0)
		return err_set(err, ERR_UNSUPPORTED, "not a sigstore bundle of a known version");
	return read_envelope(json_map(out->root, "dsseEnvelope"), out, err);
}

bool sigstore_bundle_signed(const SigstoreBundle *bundle, const CosignKeys *keys,
			    const char *digest, Error *err)
{
	autobuf Buf covered = {0};
	dsse_covered(bundle->type, buf_str(&bundle->payload), &covered);
	if (!cosign_keys_signed(keys, buf_str(&covered), buf_str(&bundle->signature)))
		return err_set(err, ERR_FORBIDDEN, "no trusted key verifies the bundle");
	if (!cstr_eq(bundle->type, DSSE_STATEMENT_TYPE))
		return err_set(err, ERR_UNSUPPORTED, "envelope of type %.100s", bundle->type);
	return dsse_statement_names(buf_str(&bundle->payload), digest, err);
}
