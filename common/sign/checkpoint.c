#include "sign/checkpoint.h"

#include "data/base64.h"

enum { KEY_HASH = 4 };

#define SIGNATURE_LINE "\xe2\x80\x94 " /* an em dash */

static bool malformed(Error *err, const char *what)
{
	return err_set(err, ERR_INVALID, "malformed checkpoint: %s", what);
}

/* The signed text, with its line end, and the lines of signatures. */
static bool split(Str note, Str *text, Str *signatures, Error *err)
{
	if (note.len > CHECKPOINT_MAX)
		return malformed(err, "too long");
	for (size_t at = note.len; at >= 2; at--)
		if (note.ptr[at - 1] == '\n' && note.ptr[at - 2] == '\n') {
			*text = str_slice(note, 0, at - 1);
			*signatures = str_slice(note, at, note.len);
			return signatures->len > 0 ? true : malformed(err, "no signature");
		}
	return malformed(err, "no signature");
}

bool checkpoint_parse(Str note, Checkpoint *out, Error *err)
{
	Str text, signatures, size, root;
	autobuf Buf hash = {0};
	unsigned long long number;
	if (!split(note, &text, &signatures, err))
		return false;
	str_cut(text, '\n', &out->origin, &text);
	str_cut(text, '\n', &size, &text);
	str_cut(text, '\n', &root, &text);
	if (out->origin.len == 0 || !str_to_u64(size, &number))
		return malformed(err, "no origin or size");
	if (!base64_decode(root.ptr, root.len, &hash, err))
		return err_wrap(err, "root hash of the checkpoint");
	if (hash.len != MERKLE_HASH)
		return malformed(err, "its hash is not one of SHA-256");
	out->size = number;
	memcpy(out->root, hash.ptr, MERKLE_HASH);
	return true;
}

bool checkpoint_has_tree_id(const Checkpoint *checkpoint)
{
	Str origin = checkpoint->origin;
	size_t digits = origin.len;
	while (digits > 0 && origin.ptr[digits - 1] >= '0' && origin.ptr[digits - 1] <= '9')
		digits--;
	return digits < origin.len && str_ends(str_slice(origin, 0, digits), STR(" - "));
}

/* Takes a line "— NAME BASE64" off *rest: four bytes that name the key, and the signature. */
static bool next_signature(Str *rest, Str *name, Buf *out, Error *err)
{
	Str line;
	buf_clear(out);
	str_cut(*rest, '\n', &line, rest);
	if (!str_starts(line, STR(SIGNATURE_LINE)))
		return malformed(err, "a line is no signature");
	line = str_slice(line, sizeof(SIGNATURE_LINE) - 1, line.len);
	if (!str_cut(line, ' ', name, &line) || !base64_decode(line.ptr, line.len, out, err))
		return err_is_set(err) ? false : malformed(err, "a line is no signature");
	return out->len > KEY_HASH ? true : malformed(err, "a signature is too short");
}

static bool is_signed(Str text, const Buf *signature, const PublicKey *key)
{
	unsigned char id[PUBLIC_KEY_ID];
	public_key_id(key, id);
	Str bytes = str_slice(buf_str(signature), KEY_HASH, signature->len);
	return memcmp(signature->ptr, id, KEY_HASH) == 0 && public_key_verify(key, text, bytes);
}

bool checkpoint_verify_all(Str note, const PublicKey *key, Error *err)
{
	Str text, rest, name;
	autobuf Buf signature = {0};
	if (!split(note, &text, &rest, err))
		return false;
	for (size_t i = 0; rest.len > 0; i++) {
		if (i >= CHECKPOINT_MAX_SIGNATURES)
			return err_set(err, ERR_LIMIT, "checkpoint with too many signatures");
		if (!next_signature(&rest, &name, &signature, err))
			return false;
		if (!is_signed(text, &signature, key))
			return err_set(err, ERR_FORBIDDEN, "checkpoint not signed by the log");
	}
	return true;
}

bool checkpoint_verify_origin(Str note, const char *origin, const PublicKey *key, Error *err)
{
	Str text, rest, name, first;
	autobuf Buf signature = {0};
	if (!split(note, &text, &rest, err))
		return false;
	str_cut(text, '\n', &first, &name);
	if (!str_eq(first, str_of(origin)))
		return err_set(err, ERR_FORBIDDEN, "checkpoint of another log than %.100s", origin);
	for (size_t i = 0; rest.len > 0 && i < CHECKPOINT_MAX_SIGNATURES; i++) {
		if (!next_signature(&rest, &name, &signature, err))
			return false;
		if (str_eq(name, str_of(origin)) && is_signed(text, &signature, key))
			return true;
	}
	return err_set(err, ERR_FORBIDDEN, "checkpoint not signed by the log");
}
