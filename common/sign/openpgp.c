#include "sign/openpgp.h"

#include "base/mem.h"
#include "sign/armor.h"
#include "sign/gpgv.h"

enum { MAX_KEYRING_BYTES = 16 << 20, MAX_SIGNATURE_BYTES = 1 << 20 };
enum { TAG_SIGNATURE = 2, KEY_ID = 16, FINGERPRINT = 40 };

static const char signature_label[] = "PGP SIGNATURE";
static const char keys_label[] = "PGP PUBLIC KEY BLOCK";
static const uint64_t signature_tags = 1ull << TAG_SIGNATURE;

/* Public keys and subkeys, user ids and attributes, signatures, trust, marker, padding. */
static const uint64_t key_tags = 1ull << 6 | 1ull << 14 | 1ull << 13 | 1ull << 17 |
				 1ull << TAG_SIGNATURE | 1ull << 12 | 1ull << 10 | 1ull << 21;

/* --- keys --- */

/* Appends the packets of one entry, all of it or nothing. */
static bool add_keyring(Str armored, Buf *out, Error *err)
{
	autobuf Buf packets = {0};
	autoerror Error end = {0};
	if (armored.len > MAX_KEYRING_BYTES)
		return err_set(err, ERR_LIMIT, "key ring of more than %d bytes", MAX_KEYRING_BYTES);
	while (armor_decode(&armored, keys_label, &packets, &end))
		;
	if (end.code != ERR_NOT_FOUND)
		return err_move(err, &end);
	if (packets.len == 0)
		return err_set(err, ERR_INVALID, "no armored data found");
	if (!openpgp_check_packets(buf_str(&packets), key_tags, err))
		return false;
	return buf_append_limited(out, packets.ptr, packets.len, MAX_KEYRING_BYTES, err);
}

/* All that can be read. The first error counts when that is nothing. */
static bool collect_keys(const Str *keyrings, size_t count, Buf *out, Error *err)
{
	autoerror Error first = {0};
	for (size_t i = 0; i < count; i++) {
		autoerror Error why = {0};
		if (!add_keyring(keyrings[i], out, &why) && !err_is_set(&first))
			err_move(&first, &why);
	}
	if (out->len)
		return true;
	if (!err_is_set(&first))
		return err_set(err, ERR_INVALID, "no OpenPGP public keys");
	err_move(err, &first);
	return err_wrap(err, "unable to read armored key ring");
}

/* --- what gpgv says --- */

typedef struct {
	int good, bad;
	char key[KEY_ID + 1];
	bool weak;
} Verdict;

/*
 * VALIDSIG FPR DATE TIME EXPIRE VERSION RESERVED ALGO HASH CLASS PRIMARY-FPR. Signatures over
 * documents have class 00 or 01; digests 1 to 3 are MD5, SHA-1 and RIPEMD-160, with which a
 * colliding commit could be made.
 */
static void take_valid(Verdict *verdict, Str fields)
{
	enum { HASH = 7, CLASS = 8, PRIMARY = 9 };
	Str field;
	verdict->weak = true;
	for (int i = 0; str_next(&fields, ' ', &field); i++) {
		unsigned long long hash;
		if (i == HASH)
			verdict->weak = !str_to_u64(field, &hash) || hash <= 3;
		if (i == CLASS && !str_eq(field, STR("00")) && !str_eq(field, STR("01")))
			verdict->weak = true;
		if (i == PRIMARY && field.len == FINGERPRINT)
			memcpy(verdict->key, field.ptr + FINGERPRINT - KEY_ID, KEY_ID);
	}
}

static Verdict read_status(Str text)
{
	static const char *const refusals[] = {"BADSIG",    "ERRSIG",	 "EXPSIG", "EXPKEYSIG",
					       "REVKEYSIG", "NO_PUBKEY", "NODATA"};
	Verdict verdict = {0};
	Str line, mark, word;
	while (str_next(&text, '\n', &line)) {
		str_cut(line, ' ', &mark, &line);
		str_cut(line, ' ', &word, &line);
		if (!str_eq(mark, STR("[GNUPG:]")))
			continue;
		if (str_eq(word, STR("GOODSIG")))
			verdict.good++;
		if (str_eq(word, STR("VALIDSIG")))
			take_valid(&verdict, line);
		for (size_t i = 0; i < COUNT(refusals); i++)
			verdict.bad += str_eq(word, str_of(refusals[i]));
	}
	return verdict;
}

/* --- */

static bool decode_signature(Str armored, Buf *out, Error *err)
{
	if (armored.len > MAX_SIGNATURE_BYTES)
		return err_set(err, ERR_LIMIT, "signature of more than %d bytes",
			       MAX_SIGNATURE_BYTES);
	return armor_decode(&armored, signature_label, out, err) &&
	       openpgp_check_packets(buf_str(out), signature_tags, err);
}

bool openpgp_verify(Str signature, Str payload, const Str *keyrings, size_t keyring_count,
		    char **out_key, Error *err)
{
	autobuf Buf packets = {0}, keys = {0}, status = {0};
	if (!decode_signature(signature, &packets, err))
		return err_wrap(err, "unable to read OpenPGP signature");
	if (!collect_keys(keyrings, keyring_count, &keys, err) ||
	    !gpgv_run(buf_str(&keys), buf_str(&packets), payload, &status, err))
		return false;
	Verdict verdict = read_status(buf_str(&status));
	/* As git: a second signature would make it a matter of taste which one counts. */
	if (verdict.good == 1 && !verdict.bad && verdict.key[0] && !verdict.weak) {
		*out_key = mem_strdup(verdict.key);
		return true;
	}
	bool is_weak = verdict.good == 1 && !verdict.bad && verdict.weak;
	return err_set(err, ERR_FORBIDDEN,
		       "unable to verify payload with any of the given key "
		       "rings: %s",
		       is_weak ? "its digest is too weak" : "no matching key");
}
