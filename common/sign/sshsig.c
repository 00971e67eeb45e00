#include "sign/sshsig.h"

#include "base/mem.h"
#include "data/digest.h"
#include "sign/armor.h"
#include "sign/ssh_key.h"

enum { MAX_SIGNATURE_BYTES = 1 << 20, VERSION = 1 };

static const char magic[] = "SSHSIG";

/* The parts of a signature; views into its bytes. */
typedef struct {
	Str key, ns, reserved, hash, signature;
} Parts;

static bool parse(Str blob, Parts *out, Error *err)
{
	uint32_t version = 0;
	Str head = str_of(magic);
	if (!str_starts(blob, head))
		return err_set(err, ERR_INVALID, "not an SSH signature");
	blob = str_slice(blob, head.len, blob.len);
	if (!ssh_take_u32(&blob, &version) || version != VERSION)
		return err_set(err, ERR_INVALID, "SSH signature of version %u", version);
	if (ssh_take_string(&blob, &out->key) && ssh_take_string(&blob, &out->ns) &&
	    ssh_take_string(&blob, &out->reserved) && ssh_take_string(&blob, &out->hash) &&
	    ssh_take_string(&blob, &out->signature) && blob.len == 0)
		return true;
	return err_set(err, ERR_INVALID, "SSH signature cut short or too long");
}

/* "MAGIC namespace reserved hash H(payload)": the bytes that the key signed. */
static bool signed_bytes(const Parts *parts, Str payload, Buf *out, Error *err)
{
	static const struct {
		const char *name;
		DigestAlgo algo;
	} rows[] = {{"sha256", DIGEST_SHA256}, {"sha512", DIGEST_SHA512}};
	size_t row = 0;
	while (row < COUNT(rows) && !str_eq(parts->hash, str_of(rows[row].name)))
		row++;
	if (row == COUNT(rows))
		return err_set(err, ERR_UNSUPPORTED,
			       "SSH signature with a digest other than sha256 and sha512");
	unsigned char raw[DIGEST_MAX_BYTES];
	autodigest Digest *digest = digest_new(rows[row].algo);
	digest_update(digest, payload.ptr, payload.len);
	size_t len = digest_final_raw(digest, raw);
	buf_puts(out, magic);
	ssh_put_string(out, parts->ns);
	ssh_put_string(out, parts->reserved);
	ssh_put_string(out, parts->hash);
	ssh_put_string(out, str_sized((const char *)raw, len));
	return true;
}

static bool is_same(void *arg, Str key_blob)
{
	const Str *wanted = arg;
	return str_eq(*wanted, key_blob);
}

/* Whether the key that signed is among the given ones. */
static bool is_authorized(Str key, const Str *authorized, size_t count, Error *err)
{
	autoerror Error first = {0};
	bool any_read = false, found = false;
	for (size_t i = 0; i < count && !found; i++) {
		autoerror Error why = {0};
		if (ssh_authorized_keys_each(authorized[i], is_same, &key, &found, &why))
			any_read = true;
		else if (!err_is_set(&first))
			err_move(&first, &why);
	}
	if (found)
		return true;
	if (any_read || !err_is_set(&first))
		return err_set(err, ERR_FORBIDDEN,
			       "unable to verify payload with any of the given authorized keys: "
			       "no matching key");
	err_move(err, &first);
	return err_wrap(err, "unable to parse authorized keys");
}

bool sshsig_verify(Str signature, Str payload, const char *ns, const Str *authorized,
		   size_t authorized_count, char **out_key, Error *err)
{
	autobuf Buf blob = {0}, bytes = {0};
	Parts parts = {0};
	if (signature.len > MAX_SIGNATURE_BYTES)
		return err_set(err, ERR_LIMIT, "signature of more than %d bytes",
			       MAX_SIGNATURE_BYTES);
	if (!armor_decode(&signature, "SSH SIGNATURE", &blob, err) ||
	    !parse(buf_str(&blob), &parts, err))
		return err_wrap(err, "unable to read SSH signature");
	if (!is_authorized(parts.key, authorized, authorized_count, err))
		return false;
	/* The namespace keeps a signature of a file or a mail from passing for a commit's. */
	if (!str_eq(parts.ns, str_of(ns)))
		return err_set(err, ERR_FORBIDDEN, "the SSH signature is not for namespace %s", ns);
	if (!signed_bytes(&parts, payload, &bytes, err))
		return false;
	if (!ssh_key_verify(parts.key, parts.signature, buf_str(&bytes), err))
		return err_wrap(err, "unable to verify payload");
	*out_key = ssh_key_fingerprint(parts.key);
	return true;
}
