#include "sops/age.h"

#include <openssl/crypto.h>
#include <string.h>

#include "sops/age_internal.h"
#include "base/mem.h"
#include "data/base64.h"
#include "data/digest.h"

/*
 * The file: "age-encryption.org/v1", stanzas "-> TYPE ARGUMENTS" with a body in base64 of 64
 * columns, "--- MAC"; then 16 bytes of nonce and the payload in sealed chunks of 64 KiB, of which
 * the last is marked, so that a cut is noticed.
 */

enum {
	CHUNK = 64 * 1024,
	TAG_SIZE = 16,
	NONCE_SIZE = 16,
	COLUMNS = 64,
	MAX_STANZAS = 1000,
	TYPE_SHOWN = 40
};

typedef struct {
	unsigned char key[AGE_FILE_KEY_SIZE];
	bool found;
	Str unknown; /* the type of the first recipient that is none of ours; empty: none is */
	Str header;  /* up to and with the "---" that the MAC covers */
	Str mac;     /* as text */
	Str payload;
} File;

static bool malformed(Error *err, const char *what)
{
	return err_set(err, ERR_INVALID, "malformed age file: %s", what);
}

/* Base64 without padding, which age insists on. */
static bool decode_raw(Str text, Buf *out)
{
	autoerror Error ignored = {0};
	autobuf Buf padded = {0};
	if (str_find_char(text, '=') >= 0 || str_find_char(text, '\r') >= 0 || text.len % 4 == 1)
		return false;
	buf_add(&padded, text);
	while (padded.len % 4)
		buf_putc(&padded, '=');
	return base64_decode(buf_text(&padded), padded.len, out, &ignored);
}

static bool next_line(Str *rest, Str *line)
{
	return str_find_char(*rest, '\n') >= 0 && str_next(rest, '\n', line);
}

/* The body behind a stanza's first line: full lines, then a short one, which may be empty. */
static bool read_body(Str *rest, Buf *out, Error *err)
{
	Str line;
	do {
		if (!next_line(rest, &line) || line.len > COLUMNS || !decode_raw(line, out))
			return malformed(err, "a stanza's body");
	} while (line.len == COLUMNS);
	return true;
}

/* Anything but what age itself throws in, so that readers skip what they do not know. */
static void note_unknown(File *file, Str type)
{
	bool printable = type.len > 0;
	for (size_t i = 0; i < type.len; i++)
		printable = printable && type.ptr[i] > ' ' && type.ptr[i] < 0x7f;
	if (printable && !file->unknown.len && !str_ends(type, STR("-grease")))
		file->unknown = str_slice(type, 0, type.len < TYPE_SHOWN ? type.len : TYPE_SHOWN);
}

static void try_stanza(File *file, const AgeIdentities *identities, Str arguments, Str body)
{
	autobuf Buf ephemeral = {0};
	Str type, share;
	bool has_share = str_cut(arguments, ' ', &type, &share);
	if (!str_eq(has_share ? type : arguments, STR("X25519"))) {
		note_unknown(file, has_share ? type : arguments);
		return;
	}
	if (file->found || !has_share)
		return;
	if (!decode_raw(share, &ephemeral) || ephemeral.len != AGE_KEY_SIZE ||
	    body.len != AGE_FILE_KEY_SIZE + TAG_SIZE)
		return;
	for (size_t i = 0; i < identities->len && !file->found; i++)
		file->found = age_unwrap(identities->keys[i], buf_str(&ephemeral), body, file->key);
}

static bool read_header(File *file, const AgeIdentities *identities, Str text, Error *err)
{
	Str rest = text, line;
	if (!next_line(&rest, &line) || !str_eq(line, STR("age-encryption.org/v1")))
		return malformed(err, "no version that is known");
	for (size_t count = 0; next_line(&rest, &line); count++) {
		if (str_starts(line, STR("--- "))) {
			file->header = str_sized(text.ptr, (size_t)(line.ptr - text.ptr) + 3);
			file->mac = str_slice(line, 4, line.len);
			file->payload = rest;
			return true;
		}
		autobuf Buf body = {0};
		if (!str_starts(line, STR("-> ")) || count >= MAX_STANZAS)
			return malformed(err, "its header");
		if (!read_body(&rest, &body, err))
			return false;
		try_stanza(file, identities, str_slice(line, 3, line.len), buf_str(&body));
	}
	return malformed(err, "its header has no end");
}

static bool check_mac(const File *file, Error *err)
{
	unsigned char key[AGE_KEY_SIZE], mac[DIGEST_MAX_BYTES];
	autobuf Buf given = {0};
	Str file_key = str_sized((const char *)file->key, AGE_FILE_KEY_SIZE);
	bool ok = age_hkdf(file_key, STR(""), "header", key);
	size_t len = ok ? digest_hmac(DIGEST_SHA256, key, sizeof(key), file->header.ptr,
				      file->header.len, mac)
			: 0;
	mem_wipe(key, sizeof(key));
	if (!ok || !decode_raw(file->mac, &given) || given.len != len ||
	    CRYPTO_memcmp(given.ptr, mac, len) != 0)
		return err_set(err, ERR_INVALID, "the age file's header was changed");
	return true;
}

static bool open_payload(const File *file, const unsigned char key[AGE_KEY_SIZE], Buf *out,
			 Error *err)
{
	unsigned char nonce[12] = {0};
	Str rest = str_slice(file->payload, NONCE_SIZE, file->payload.len);
	for (unsigned index = 0;; index++) {
		size_t take = rest.len > CHUNK + TAG_SIZE ? CHUNK + TAG_SIZE : rest.len;
		bool last = take == rest.len;
		nonce[9] = (unsigned char)(index >> 8);
		nonce[10] = (unsigned char)index;
		nonce[11] = last;
		buf_reserve(out, take);
		bool empty = take == TAG_SIZE && index > 0;
		if (empty || !age_open(key, nonce, str_slice(rest, 0, take),
				       (unsigned char *)out->ptr + out->len))
			return err_set(err, ERR_INVALID, "the age file was changed or cut");
		out->len += take - TAG_SIZE;
		out->ptr[out->len] = '\0';
		if (last)
			return true;
		rest = str_slice(rest, take, rest.len);
	}
}

static bool no_match(const File *file, Error *err)
{
	if (!file->unknown.len)
		return err_set(err, ERR_UNAUTHORIZED, "no identity matched any of the recipients");
	return err_set(err, ERR_UNSUPPORTED,
		       "no identity matched any of the recipients; those of type %.*s are not "
		       "supported by this version, X25519 ones are",
		       (int)file->unknown.len, file->unknown.ptr);
}

static bool decrypt_file(File *file, const AgeIdentities *identities, Str text, Buf *out,
			 Error *err)
{
	unsigned char key[AGE_KEY_SIZE];
	if (!read_header(file, identities, text, err))
		return false;
	if (!file->found)
		return no_match(file, err);
	if (!check_mac(file, err))
		return false;
	if (file->payload.len < NONCE_SIZE)
		return malformed(err, "it ends behind its header");
	bool ok = age_hkdf(str_sized((const char *)file->key, AGE_FILE_KEY_SIZE),
			   str_slice(file->payload, 0, NONCE_SIZE), "payload", key) &&
		  open_payload(file, key, out, err);
	mem_wipe(key, sizeof(key));
	return ok;
}

static bool unarmor(Str text, Buf *out, Error *err)
{
	static const char tail[] = "-----END AGE ENCRYPTED FILE-----";
	Str line;
	bool last = false;
	str_next(&text, '\n', &line);
	while (str_next(&text, '\n', &line)) {
		line = str_trim(line);
		autoerror Error ignored = {0};
		if (str_eq(line, str_of(tail)))
			return str_trim(text).len == 0 || malformed(err, "text behind its armour");
		if (last || line.len > COLUMNS || line.len == 0 ||
		    !base64_decode(line.ptr, line.len, out, &ignored))
			return malformed(err, "its armour");
		last = line.len < COLUMNS;
	}
	return malformed(err, "its armour has no end");
}

bool age_decrypt(const AgeIdentities *identities, Str file_text, Buf *out, Error *err)
{
	File file = {0};
	autobuf Buf binary = {0};
	autosecretbuf Buf plain = {0};
	if (file_text.len > AGE_MAX_FILE)
		return err_set(err, ERR_LIMIT, "an age file over %d bytes", AGE_MAX_FILE);
	Str text = str_trim(file_text);
	bool armored = str_starts(text, STR("-----BEGIN AGE ENCRYPTED FILE-----"));
	if (armored && !unarmor(text, &binary, err))
		return false;
	bool ok = decrypt_file(&file, identities, armored ? buf_str(&binary) : file_text, &plain,
			       err);
	mem_wipe(&file, sizeof(file));
	if (ok)
		buf_add(out, buf_str(&plain));
	return ok;
}

static bool decrypt_data_key(void *arg, const json_t *key, Buf *out, Error *err)
{
	const AgeIdentities *identities = arg;
	if (identities->len == 0)
		return err_set(err, ERR_UNAUTHORIZED, "there is no age identity");
	return age_decrypt(identities, str_of(json_text(key, "enc")), out, err);
}

SopsKeyService age_key_service(const AgeIdentities *identities)
{
	return (SopsKeyService){"age", decrypt_data_key, (void *)(uintptr_t)identities};
}
