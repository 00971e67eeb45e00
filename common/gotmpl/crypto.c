#include <crypt.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "base/rand.h"
#include "data/base64.h"
#include "data/digest.h"
#include "gotmpl/decode.h"
#include "gotmpl/functions.h"

/* Passwords and symmetric encryption. Keys are wiped after use. */

enum { KEY_BYTES = 32, IV_BYTES = 16, BCRYPT_MAX = 72, SCRYPT_BYTES = 64 };

/* bcrypt at cost 10 into the arena. */
static bool bcrypt_hash(GoCall *call, Str password, Str *out)
{
	static const char letters[] =
		"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	char setting[7 + 22 + 1] = "$2a$10$";
	if (password.len > BCRYPT_MAX) {
		*out = STR("failed to encrypt string with bcrypt: bcrypt: password length exceeds "
			   "72 bytes");
		return true;
	}
	/* 128 bits: 21 letters, and one that has but two bits left */
	for (size_t i = 0; i < 21; i++)
		setting[7 + i] = letters[rand_below(64)];
	setting[28] = letters[16 * rand_below(4)];
	struct crypt_data *data = mem_zalloc(1, sizeof(*data));
	autofree char *text = str_dup(password);
	const char *hash = crypt_rn(text, setting, data, (int)sizeof(*data));
	bool fine = hash && hash[0] == '$';
	if (fine)
		*out = call_copy(call, str_of(hash));
	mem_wipe(text, password.len);
	mem_wipe(data, sizeof(*data));
	free(data);
	return fine || call_fail(call, "bcrypt is not available");
}

static bool fn_bcrypt(GoCall *call, GoValue *out)
{
	Str hash;
	if (!bcrypt_hash(call, call->args[0].text, &hash))
		return false;
	*out = go_text(hash);
	return true;
}

static bool fn_htpasswd(GoCall *call, GoValue *out)
{
	Str user = call->args[0].text, hash;
	Arena *arena = call_arena(call);
	if (str_find_char(user, ':') >= 0) {
		*out = go_cstr(
			arena_printf(arena, "invalid username: %.*s", (int)user.len, user.ptr));
		return true;
	}
	if (!bcrypt_hash(call, call->args[1].text, &hash))
		return false;
	*out = go_cstr(
		arena_printf(arena, "%.*s:%.*s", (int)user.len, user.ptr, (int)hash.len, hash.ptr));
	return true;
}

/* ---- derivePassword: the Master Password algorithm ---- */

typedef struct {
	const char *type;
	const char *const *templates;
	size_t count;
} PasswordType;

static const char *const maximum[] = {"anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"};
static const char *const longs[] = {
	"CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv", "CvccCvcvnoCvcv",
	"CvccCvcvCvcvno", "CvcvnoCvccCvcv", "CvcvCvccnoCvcv", "CvcvCvccCvcvno", "CvcvnoCvcvCvcc",
	"CvcvCvcvnoCvcc", "CvcvCvcvCvccno", "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno",
	"CvcvnoCvccCvcc", "CvcvCvccnoCvcc", "CvcvCvccCvccno", "CvccnoCvcvCvcc", "CvccCvcvnoCvcc",
	"CvccCvcvCvccno"};
static const char *const mediums[] = {"CvcnoCvc", "CvcCvcno"};
static const char *const shorts[] = {"Cvcn"};
static const char *const basics[] = {"aaanaaan", "aannaaan", "aaannaaa"};
static const char *const pins[] = {"nnnn"};

static const PasswordType password_types[] = {
	{"maximum", maximum, COUNT(maximum)}, {"long", longs, COUNT(longs)},
	{"medium", mediums, COUNT(mediums)},  {"short", shorts, COUNT(shorts)},
	{"basic", basics, COUNT(basics)},     {"pin", pins, COUNT(pins)},
};

static const char *characters_of(char class)
{
	static const struct {
		char class;
		const char *characters;
	} rows[] = {
		{'V', "AEIOU"},
		{'C', "BCDFGHJKLMNPQRSTVWXYZ"},
		{'v', "aeiou"},
		{'c', "bcdfghjklmnpqrstvwxyz"},
		{'A', "AEIOUBCDFGHJKLMNPQRSTVWXYZ"},
		{'a', "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"},
		{'n', "0123456789"},
		{'o', "@&%?,=[]_:-+*$#!'^~;()/."},
		{'x', "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].class == class)
			return rows[i].characters;
	return " ";
}

static void put_be32(Buf *out, uint32_t number)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_putc(out, (char)(number >> shift));
}

/* The seed's bytes choose a template and the characters for its classes. */
static bool derive(GoCall *call, const PasswordType *type, GoValue *out)
{
	Str password = call->args[2].text, user = call->args[3].text, site = call->args[4].text;
	autobuf Buf salt = {0};
	autobuf Buf message = {0};
	autobuf Buf result = {0};
	unsigned char key[SCRYPT_BYTES], seed[DIGEST_MAX_BYTES];
	buf_puts(&salt, "com.lyndir.masterpassword");
	buf_add(&message, buf_str(&salt));
	put_be32(&salt, (uint32_t)user.len);
	buf_add(&salt, user);
	put_be32(&message, (uint32_t)site.len);
	buf_add(&message, site);
	put_be32(&message, (uint32_t)call->args[0].natural);
	if (EVP_PBE_scrypt(password.ptr, password.len, (const unsigned char *)salt.ptr, salt.len,
			   32768, 8, 2, 64u << 20, key, sizeof(key)) != 1)
		return call_fail(call, "failed to derive password");
	digest_hmac(DIGEST_SHA256, key, sizeof(key), message.ptr, message.len, seed);
	const char *template = type->templates[seed[0] % type->count];
	for (size_t i = 0; template[i]; i++) {
		const char *characters = characters_of(template[i]);
		buf_putc(&result, characters[seed[i + 1] % strlen(characters)]);
	}
	mem_wipe(key, sizeof(key));
	mem_wipe(seed, sizeof(seed));
	return call_return_text(call, &result, out);
}

static bool fn_derive_password(GoCall *call, GoValue *out)
{
	Str type = call->args[1].text;
	for (size_t i = 0; i < COUNT(password_types); i++)
		if (str_eq(type, str_of(password_types[i].type)))
			return derive(call, &password_types[i], out);
	*out = go_cstr(arena_printf(call_arena(call), "cannot find password template %.*s",
				    (int)type.len, type.ptr));
	return true;
}

/* ---- AES-256-CBC, the key being the password itself filled up with zeros ---- */

static void auto_cipher(EVP_CIPHER_CTX **context)
{
	EVP_CIPHER_CTX_free(*context);
}
#define autocipher __attribute__((cleanup(auto_cipher)))

static void key_of(Str password, unsigned char key[KEY_BYTES])
{
	memset(key, 0, KEY_BYTES);
	memcpy(key, password.ptr, password.len < KEY_BYTES ? password.len : KEY_BYTES);
}

/* One pass over `text`; out has room for it and one block more. */
static bool run_cipher(Str password, bool encrypt, const unsigned char *iv, Str text,
		       unsigned char *out, int *out_len)
{
	unsigned char key[KEY_BYTES];
	int first = 0, last = 0;
	autocipher EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	key_of(password, key);
	bool fine = context &&
		    EVP_CipherInit_ex(context, EVP_aes_256_cbc(), NULL, key, iv, encrypt) == 1 &&
		    EVP_CIPHER_CTX_set_padding(context, encrypt) == 1 &&
		    EVP_CipherUpdate(context, out, &first, (const unsigned char *)text.ptr,
				     (int)text.len) == 1 &&
		    EVP_CipherFinal_ex(context, out + first, &last) == 1;
	mem_wipe(key, sizeof(key));
	*out_len = first + last;
	return fine;
}

static bool fn_encrypt_aes(GoCall *call, GoValue *out)
{
	Str text = call->args[1].text;
	int len;
	*out = go_cstr("");
	if (text.len == 0)
		return true;
	if (text.len > call->run->limits.output_bytes)
		return call_fail(call, "result is too large");
	autofree unsigned char *bytes = mem_alloc(text.len + 2 * IV_BYTES);
	rand_bytes(bytes, IV_BYTES);
	if (!run_cipher(call->args[0].text, true, bytes, text, bytes + IV_BYTES, &len))
		return call_fail(call, "cannot encrypt");
	autofree char *encoded = base64_encode(bytes, IV_BYTES + (size_t)len);
	*out = go_text(call_copy(call, str_of(encoded)));
	return true;
}

static bool fn_decrypt_aes(GoCall *call, GoValue *out)
{
	Str text = call->args[1].text;
	autobuf Buf bytes = {0};
	int len;
	*out = go_cstr("");
	if (text.len == 0)
		return true;
	ptrdiff_t bad = decode_base64(text, &bytes);
	if (bad >= 0)
		return call_fail(call, "illegal base64 data at input byte %td", bad);
	if (bytes.len < IV_BYTES)
		return call_fail(call,
				 "runtime error: slice bounds out of range [:16] with capacity %zu",
				 text.len / 4 * 3);
	Str body = str_slice(buf_str(&bytes), IV_BYTES, bytes.len);
	if (body.len % IV_BYTES != 0)
		return call_fail(call, "crypto/cipher: input not full blocks");
	autofree unsigned char *plain = mem_alloc(body.len + IV_BYTES);
	if (!run_cipher(call->args[0].text, false, (const unsigned char *)bytes.ptr, body, plain,
			&len))
		return call_fail(call, "cannot decrypt");
	if (len == 0)
		return call_fail(call, "runtime error: index out of range [-1]");
	if (plain[len - 1] > len)
		return call_fail(call, "runtime error: slice bounds out of range [:%d]",
				 len - plain[len - 1]);
	*out = go_text(
		call_copy(call, str_sized((const char *)plain, (size_t)(len - plain[len - 1]))));
	mem_wipe(plain, body.len);
	return true;
}

const GoFn functions_crypto[] = {
	{"bcrypt", "s", fn_bcrypt},
	{"htpasswd", "ss", fn_htpasswd},
	{"derivePassword", "ussss", fn_derive_password},
	{"encryptAES", "ss", fn_encrypt_aes},
	{"decryptAES", "ss", fn_decrypt_aes},
	{0},
};
