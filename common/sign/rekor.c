#include "sign/rekor.h"

#include <limits.h>

#include "base/mem.h"
#include "data/base64.h"
#include "data/digest.h"
#include "sign/dsse.h"

void rekor_entry_dispose(RekorEntry *entry)
{
	buf_dispose(&entry->body);
	buf_dispose(&entry->log_id);
	buf_dispose(&entry->promise);
	buf_dispose(&entry->proof_root);
	json_decref(entry->parsed);
	free(entry->checkpoint);
	*entry = (RekorEntry){0};
}

/* --- reading --- */

/* protobuf's JSON has int64 as text, and takes numbers, too. Absent is 0. */
static bool read_number(const json_t *object, const char *key, int64_t *out, Error *err)
{
	unsigned long long number = 0;
	const char *text = json_text(object, key);
	*out = json_int(object, key, 0);
	if (text && (!str_to_u64(str_of(text), &number) || number > LLONG_MAX))
		return err_set(err, ERR_INVALID, "%s is no number", key);
	if (text)
		*out = (int64_t)number;
	return *out >= 0 ? true : err_set(err, ERR_INVALID, "%s is negative", key);
}

static bool read_body(const char *base64, RekorEntry *out, Error *err)
{
	if (!dsse_decode(base64, REKOR_MAX_BODY, &out->body, err))
		return err_wrap(err, "body of the log entry");
	out->parsed = json_parse(out->body.ptr, out->body.len, REKOR_MAX_BODY, err);
	return out->parsed || err_wrap(err, "body of the log entry");
}

static bool read_hashes(const json_t *list, RekorEntry *out, Error *err)
{
	size_t i;
	json_t *item;
	if (json_array_size(list) > MERKLE_MAX_PROOF)
		return err_set(err, ERR_LIMIT, "inclusion proof of more than %d hashes",
			       MERKLE_MAX_PROOF);
	json_array_foreach(json_borrow(list), i, item)
	{
		autobuf Buf hash = {0};
		if (!dsse_decode(json_string_value(item), DSSE_MAX_SIGNATURE, &hash, err))
			return err_wrap(err, "inclusion proof");
		if (hash.len != MERKLE_HASH)
			return err_set(err, ERR_INVALID, "inclusion proof with another hash");
		memcpy(out->proof[out->proof_len++], hash.ptr, MERKLE_HASH);
	}
	return true;
}

static bool read_proof(const json_t *proof, RekorEntry *out, Error *err)
{
	const char *checkpoint = json_text_at(proof, "checkpoint", "envelope", NULL);
	const char *root = json_text(proof, "rootHash");
	if (!proof)
		return true;
	if (cstr_empty(checkpoint))
		return err_set(err, ERR_INVALID, "inclusion proof without a checkpoint");
	if (root && !dsse_decode(root, DSSE_MAX_SIGNATURE, &out->proof_root, err))
		return err_wrap(err, "root hash");
	out->has_proof = true;
	out->checkpoint = mem_strdup(checkpoint);
	return read_number(proof, "logIndex", &out->proof_index, err) &&
	       read_number(proof, "treeSize", &out->proof_size, err) &&
	       read_hashes(json_list(proof, "hashes"), out, err);
}

static bool check_kind(const json_t *object, const json_t *body, Error *err)
{
	const json_t *kind = json_map(object, "kindVersion");
	const char *name = json_text(body, "kind"), *version = json_text(body, "apiVersion");
	if (name && version && cstr_eq(json_text(kind, "kind"), name) &&
	    cstr_eq(json_text(kind, "version"), version))
		return true;
	return err_set(err, ERR_INVALID, "a log entry's body is of another kind than it says");
}

bool rekor_entry_parse(const json_t *object, RekorEntry *out, Error *err)
{
	const char *promise =
		json_text_at(object, "inclusionPromise", "signedEntryTimestamp", NULL);
	const char *id = json_text_at(object, "logId", "keyId", NULL);
	if (!dsse_decode(id, DSSE_MAX_SIGNATURE, &out->log_id, err))
		return err_wrap(err, "id of the log");
	if (!cstr_empty(promise) && !dsse_decode(promise, DSSE_MAX_SIGNATURE, &out->promise, err))
		return err_wrap(err, "signed entry timestamp");
	return read_number(object, "logIndex", &out->index, err) &&
	       read_number(object, "integratedTime", &out->integrated_s, err) &&
	       read_body(json_text(object, "canonicalizedBody"), out, err) &&
	       check_kind(object, out->parsed, err) &&
	       read_proof(json_map(object, "inclusionProof"), out, err);
}

static bool hex_decode(const char *text, Buf *out)
{
	size_t len = text ? strlen(text) : 0;
	if (len % 2 || len > DSSE_MAX_SIGNATURE)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		const char digits[] = {text[i], text[i + 1], 0};
		char *end;
		unsigned long byte = strtoul(digits, &end, 16);
		if (end != digits + 2 || digits[0] == '+' || digits[0] == '-' || digits[0] == ' ')
			return false;
		buf_putc(out, (char)byte);
	}
	return true;
}

bool rekor_entry_of_annotation(const char *text, RekorEntry *out, Error *err)
{
	autojson json_t *root =
		json_parse(text ? text : "", text ? strlen(text) : 0, REKOR_MAX_BODY, err);
	if (!root)
		return err_wrap(err, "log entry");
	const json_t *payload = json_map(root, "Payload");
	if (!hex_decode(json_text(payload, "logID"), &out->log_id))
		return err_set(err, ERR_INVALID, "the id of the log is not in hex");
	return (dsse_decode(json_text(root, "SignedEntryTimestamp"), DSSE_MAX_SIGNATURE,
			    &out->promise, err) ||
		err_wrap(err, "signed entry timestamp")) &&
	       read_number(payload, "logIndex", &out->index, err) &&
	       read_number(payload, "integratedTime", &out->integrated_s, err) &&
	       read_body(json_text(payload, "body"), out, err);
}
