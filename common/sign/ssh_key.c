#include "sign/ssh_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/base64.h"

enum { ED25519_KEY = 32, ED25519_SIGNATURE = 64, RSA_MIN_BITS = 1024, RSA_MAX_BITS = 16384 };
enum { MAX_EC_NUMBER = 67 /* P-521's 66 bytes and a zero for the sign */ };

typedef enum { KEY_ED25519, KEY_ECDSA, KEY_RSA } KeyKind;

/* One row a type. A security key signs SHA256(application), flags, counter, SHA256(message). */
typedef struct {
	const char *type;
	KeyKind kind;
	bool on_device;
	const char *curve, *group; /* the SSH name and OpenSSL's */
	const char *digest;
} KeyType;

static const KeyType key_types[] = {
	{"ssh-ed25519", KEY_ED25519, false, NULL, NULL, NULL},
	{"sk-ssh-ed25519@openssh.com", KEY_ED25519, true, NULL, NULL, NULL},
	{"ecdsa-sha2-nistp256", KEY_ECDSA, false, "nistp256", "prime256v1", "SHA256"},
	{"ecdsa-sha2-nistp384", KEY_ECDSA, false, "nistp384", "secp384r1", "SHA384"},
	{"ecdsa-sha2-nistp521", KEY_ECDSA, false, "nistp521", "secp521r1", "SHA512"},
	{"sk-ecdsa-sha2-nistp256@openssh.com", KEY_ECDSA, true, "nistp256", "prime256v1", "SHA256"},
	{"ssh-rsa", KEY_RSA, false, NULL, NULL, NULL},
};

/* --- wire format --- */

bool ssh_take_u32(Str *rest, uint32_t *out)
{
	const unsigned char *at = (const unsigned char *)rest->ptr;
	if (rest->len < 4)
		return false;
	*out = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	*rest = str_slice(*rest, 4, rest->len);
	return true;
}

bool ssh_take_string(Str *rest, Str *out)
{
	Str after = *rest;
	uint32_t len;
	if (!ssh_take_u32(&after, &len) || len > after.len)
		return false;
	*out = str_slice(after, 0, len);
	*rest = str_slice(after, len, after.len);
	return true;
}

void ssh_put_string(Buf *out, Str value)
{
	size_t len = value.len;
	const char prefix[] = {(char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len};
	buf_append(out, prefix, sizeof(prefix));
	buf_add(out, value);
}

/* --- keys --- */

static void auto_pkey(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}
#define autopkey __attribute__((cleanup(auto_pkey)))

typedef struct {
	const KeyType *type;
	EVP_PKEY *key;
	Str application; /* of a security key; in the blob */
} PublicKey;

static void public_key_dispose(PublicKey *key)
{
	EVP_PKEY_free(key->key);
}
#define autopublickey __attribute__((cleanup(public_key_dispose)))

static const KeyType *find_type(Str type)
{
	for (size_t i = 0; i < COUNT(key_types); i++)
		if (str_eq(type, str_of(key_types[i].type)))
			return &key_types[i];
	return NULL;
}

bool ssh_key_type_is_known(Str type)
{
	return find_type(type) != NULL;
}

static EVP_PKEY *key_of_params(const char *algorithm, OSSL_PARAM *params)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *rsa_key(Str e, Str n)
{
	EVP_PKEY *key = NULL;
	BIGNUM *be = BN_bin2bn((const unsigned char *)e.ptr, (int)e.len, NULL);
	BIGNUM *bn = BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	if (be && bn && build && BN_num_bits(bn) >= RSA_MIN_BITS &&
	    BN_num_bits(bn) <= RSA_MAX_BITS && BN_num_bits(be) <= 64 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params)
		key = key_of_params("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(be);
	BN_free(bn);
	return key;
}

static EVP_PKEY *ec_key(const char *group, Str point)
{
	char name[16];
	size_t len = strlen(group);
	memcpy(name, group, len + 1);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, len),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						  (void *)(uintptr_t)point.ptr, point.len),
		OSSL_PARAM_construct_end(),
	};
	return key_of_params("EC", params);
}

static EVP_PKEY *ed25519_key(Str raw)
{
	if (raw.len != ED25519_KEY)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)raw.ptr,
					   raw.len);
}

static bool parse_key(Str blob, PublicKey *out, Error *err)
{
	Str name, a = {0}, b = {0};
	autopkey EVP_PKEY *key = NULL;
	const KeyType *type = ssh_take_string(&blob, &name) ? find_type(name) : NULL;
	if (!type)
		return err_set(err, ERR_INVALID, "SSH key of an unknown type");
	bool ok = ssh_take_string(&blob, &a);
	if (type->kind != KEY_ED25519)
		ok = ok && ssh_take_string(&blob, &b);
	if (ok && type->kind == KEY_RSA)
		key = rsa_key(a, b);
	else if (ok && type->kind == KEY_ED25519)
		key = ed25519_key(a);
	else if (ok && str_eq(a, str_of(type->curve)))
		key = ec_key(type->group, b);
	if (ok && type->on_device)
		ok = ssh_take_string(&blob, &out->application);
	if (!ok || !key || blob.len)
		return err_set(err, ERR_INVALID, "bad %s key", type->type);
	out->type = type;
	out->key = steal(&key);
	return true;
}

/* --- signatures --- */

/* mpints r and s as the DER that OpenSSL wants; owned, length in *out_len. */
static unsigned char *ecdsa_der(Str blob, int *out_len)
{
	Str r, s;
	if (!ssh_take_string(&blob, &r) || !ssh_take_string(&blob, &s) || blob.len ||
	    r.len > MAX_EC_NUMBER || s.len > MAX_EC_NUMBER)
		return NULL;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *br = BN_bin2bn((const unsigned char *)r.ptr, (int)r.len, NULL);
	BIGNUM *bs = BN_bin2bn((const unsigned char *)s.ptr, (int)s.len, NULL);
	unsigned char *der = NULL;
	if (!sig || !br || !bs || ECDSA_SIG_set0(sig, br, bs) != 1) {
		BN_free(br);
		BN_free(bs);
		ECDSA_SIG_free(sig);
		return NULL;
	}
	*out_len = i2d_ECDSA_SIG(sig, &der);
	ECDSA_SIG_free(sig);
	return der;
}

static bool digest_verify(EVP_PKEY *key, const char *digest, Str signature, Str message)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL) == 1 &&
		  EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
				   (const unsigned char *)message.ptr, message.len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static bool verify_ecdsa(const PublicKey *key, Str signature, Str message)
{
	int len = 0;
	unsigned char *der = ecdsa_der(signature, &len);
	bool ok = der && len > 0 &&
		  digest_verify(key->key, key->type->digest,
				str_sized((const char *)der, (size_t)len), message);
	OPENSSL_free(der);
	return ok;
}

/* RFC 8332: the signature's name says the digest; SHA-1 is not among them. */
static bool verify_rsa(const PublicKey *key, Str name, Str signature, Str message)
{
	const char *digest = NULL;
	if (str_eq(name, STR("rsa-sha2-256")))
		digest = "SHA256";
	if (str_eq(name, STR("rsa-sha2-512")))
		digest = "SHA512";
	return digest && digest_verify(key->key, digest, signature, message);
}

/* What the device really signed; `tail` is flags and counter. */
static void device_message(const PublicKey *key, Str tail, Str message, Buf *out)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	SHA256((const unsigned char *)key->application.ptr, key->application.len, hash);
	buf_append(out, hash, sizeof(hash));
	buf_add(out, tail);
	SHA256((const unsigned char *)message.ptr, message.len, hash);
	buf_append(out, hash, sizeof(hash));
}

bool ssh_key_verify(Str key_blob, Str signature_blob, Str message, Error *err)
{
	enum { DEVICE_TAIL = 5 };
	autopublickey PublicKey key = {0};
	autobuf Buf device = {0};
	Str name, signature, rest = signature_blob;
	if (!parse_key(key_blob, &key, err))
		return false;
	if (!ssh_take_string(&rest, &name) || !ssh_take_string(&rest, &signature) ||
	    rest.len != (key.type->on_device ? (size_t)DEVICE_TAIL : 0))
		return err_set(err, ERR_INVALID, "bad SSH signature");
	if (key.type->on_device) {
		device_message(&key, rest, message, &device);
		message = buf_str(&device);
	}
	bool same = str_eq(name, str_of(key.type->type)), ok = false;
	switch (key.type->kind) {
	case KEY_ED25519:
		ok = same && signature.len == ED25519_SIGNATURE &&
		     digest_verify(key.key, NULL, signature, message);
		break;
	case KEY_ECDSA:
		ok = same && verify_ecdsa(&key, signature, message);
		break;
	case KEY_RSA:
		ok = verify_rsa(&key, name, signature, message);
		break;
	}
	return ok || err_set(err, ERR_FORBIDDEN, "the signature does not fit the key");
}

char *ssh_key_fingerprint(Str key_blob)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	SHA256((const unsigned char *)key_blob.ptr, key_blob.len, hash);
	autofree char *text = base64_encode(hash, sizeof(hash));
	return mem_printf("SHA256:%.*s", (int)strcspn(text, "="), text);
}
