/* What the kinds of log entries are about (the schemas in Rekor's pkg/types). */
#include "sign/dsse.h"
#include "sign/rekor.h"

void rekor_body_dispose(RekorBody *body)
{
	buf_dispose(&body->signature);
	buf_dispose(&body->key);
}

typedef struct {
	const char *kind, *version;
	bool is_envelope;
	bool (*read)(const json_t *spec, RekorBody *out, Error *err);
} RekorKind;

static bool take(const char *base64, Buf *out, const char *what, Error *err)
{
	return dsse_decode(base64, REKOR_MAX_BODY, out, err) || err_wrap(err, "%s", what);
}

static void take_hash(const json_t *hash, RekorBody *out)
{
	out->hash = json_text(hash, "value");
	out->algorithm = json_text(hash, "algorithm");
}

static bool read_record(const json_t *spec, RekorBody *out, Error *err)
{
	const json_t *signature = json_map(spec, "signature");
	take_hash(json_at(spec, "data", "hash", NULL), out);
	return take(json_text(signature, "content"), &out->signature, "logged signature", err) &&
	       take(json_text_at(signature, "publicKey", "content", NULL), &out->key, "logged key",
		    err);
}

/* Logs hold an envelope with one signature; of more only the first would be compared. */
static const json_t *only_signature(const json_t *envelope, Error *err)
{
	const json_t *list = json_list(envelope, "signatures");
	if (json_array_size(list) == 1)
		return json_array_get(list, 0);
	return err_null(err, ERR_INVALID, "the log entry has %zu signatures",
			json_array_size(list));
}

static bool read_dsse(const json_t *spec, RekorBody *out, Error *err)
{
	const json_t *item = only_signature(spec, err);
	take_hash(json_map(spec, "payloadHash"), out);
	return item &&
	       take(json_text(item, "signature"), &out->signature, "logged signature", err) &&
	       take(json_text(item, "verifier"), &out->key, "logged key", err);
}

/* Its signature is in base64 twice. */
static bool read_intoto(const json_t *spec, RekorBody *out, Error *err)
{
	const json_t *content = json_map(spec, "content");
	const json_t *item = only_signature(json_map(content, "envelope"), err);
	autobuf Buf inner = {0};
	take_hash(json_map(content, "payloadHash"), out);
	return item && take(json_text(item, "sig"), &inner, "logged signature", err) &&
	       take(buf_text(&inner), &out->signature, "logged signature", err) &&
	       take(json_text(item, "publicKey"), &out->key, "logged key", err);
}

static const RekorKind kinds[] = {
	{"hashedrekord", "0.0.1", false, read_record},
	{"dsse", "0.0.1", true, read_dsse},
	{"intoto", "0.0.2", true, read_intoto},
};

bool rekor_body_read(const RekorEntry *entry, RekorBody *out, Error *err)
{
	const char *kind = json_text_or(entry->parsed, "kind", "");
	const char *version = json_text_or(entry->parsed, "apiVersion", "");
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (!cstr_eq(kinds[i].kind, kind) || !cstr_eq(kinds[i].version, version))
			continue;
		out->is_envelope = kinds[i].is_envelope;
		if (!kinds[i].read(json_map(entry->parsed, "spec"), out, err))
			return false;
		return out->hash && out->algorithm
			       ? true
			       : err_set(err, ERR_INVALID, "the log entry has no hash");
	}
	return err_set(err, ERR_UNSUPPORTED, "log entry of kind %.40s %.20s", kind, version);
}
