/*
 * ServiceAccount tokens: JWTs signed ES256 (RFC 7518 3.4) with the server's own key. A token counts
 * only while its account exists with the same uid (A8).
 */
#include "auth_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "data/base64.h"
#include "object.h"
#include "server.h"

enum { TOKEN_MAX = 16 * 1024, COORDINATE = 32 };

static const char issuer[] = "https://kubernetes.default.svc";

static EVP_PKEY *read_key(const Buf *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->ptr, (int)pem->len);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	return key;
}

static EVP_PKEY *make_key(const char *file, Error *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	bool done = key && bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	long len = done ? BIO_get_mem_data(bio, &text) : 0;
	if (done)
		done = file_write_atomic(file, text, (size_t)len, 0600, err);
	else
		err_set(err, ERR_INTERNAL, "cannot make a key");
	BIO_free(bio);
	if (done)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

EVP_PKEY *auth_key_load(const char *file, Error *err)
{
	autobuf Buf pem = {0};
	autoerror Error read_err = {0};
	if (!file_read(file, TOKEN_MAX, &pem, &read_err)) {
		if (read_err.code == ERR_NOT_FOUND)
			return make_key(file, err);
		err_move(err, &read_err);
		return NULL;
	}
	EVP_PKEY *key = read_key(&pem);
	mem_wipe(pem.ptr, pem.len);
	if (!key)
		err_set(err, ERR_INVALID, "%s holds no private key", file);
	return key;
}

/* DER to r || s. */
static bool raw_signature(const unsigned char *der, size_t len, unsigned char out[2 * COORDINATE])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	if (!sig)
		return false;
	bool done = BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, COORDINATE) == COORDINATE &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + COORDINATE, COORDINATE) == COORDINATE;
	ECDSA_SIG_free(sig);
	return done;
}

static bool sign(EVP_PKEY *key, const char *text, unsigned char out[2 * COORDINATE])
{
	unsigned char der[128];
	size_t len = sizeof(der);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done =
		EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		EVP_DigestSign(context, der, &len, (const unsigned char *)text, strlen(text)) == 1;
	EVP_MD_CTX_free(context);
	return done && raw_signature(der, len, out);
}

static bool verify(EVP_PKEY *key, Str text, const Buf *raw)
{
	if (raw->len != 2 * COORDINATE)
		return false;
	const unsigned char *bytes = (const unsigned char *)raw->ptr;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	ECDSA_SIG_set0(sig, BN_bin2bn(bytes, COORDINATE, NULL),
		       BN_bin2bn(bytes + COORDINATE, COORDINATE, NULL));
	unsigned char *der = NULL;
	int len = i2d_ECDSA_SIG(sig, &der);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = len > 0 && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestVerify(context, der, (size_t)len, (const unsigned char *)text.ptr,
				     text.len) == 1;
	EVP_MD_CTX_free(context);
	OPENSSL_free(der);
	return done;
}

char *auth_issue(ApiServer *server, const json_t *account, const json_t *audiences, int64_t seconds,
		 int64_t *out_expires_ms)
{
	int64_t now = clock_wall_ms() / 1000;
	autofree char *subject =
		mem_printf("system:serviceaccount:%s:%s", object_ns(account), object_name(account));
	autojson json_t *claims =
		json_pack("{s:O,s:I,s:I,s:I,s:s,s:s,s:{s:s,s:{s:s,s:s}}}", "aud",
			  (json_t *)(uintptr_t)audiences, "exp", (json_int_t)(now + seconds), "iat",
			  (json_int_t)now, "nbf", (json_int_t)now, "iss", issuer, "sub", subject,
			  "kubernetes.io", "namespace", object_ns(account), "serviceaccount",
			  "name", object_name(account), "uid", object_meta(account, "uid"));
	static const char head[] = "{\"alg\":\"ES256\",\"kid\":\"sluice\",\"typ\":\"JWT\"}";
	autofree char *head_text = base64url_encode(head, strlen(head));
	autofree char *body = json_dump(claims);
	autofree char *body_text = base64url_encode(body, strlen(body));
	autofree char *signed_text = mem_printf("%s.%s", head_text, body_text);
	unsigned char raw[2 * COORDINATE];
	if (!sign(server->auth->key, signed_text, raw))
		return NULL;
	autofree char *signature = base64url_encode(raw, sizeof(raw));
	*out_expires_ms = (now + seconds) * 1000;
	return mem_printf("%s.%s", signed_text, signature);
}

static json_t *verified_claims(const Auth *auth, const char *token)
{
	Str head, body, rest, signature;
	autobuf Buf raw = {0};
	autobuf Buf text = {0};
	autoerror Error ignored = {0};
	if (strlen(token) > TOKEN_MAX || !str_cut(str_of(token), '.', &head, &rest) ||
	    !str_cut(rest, '.', &body, &signature))
		return NULL;
	size_t signed_len = head.len + 1 + body.len;
	if (!base64url_decode(signature.ptr, signature.len, &raw, &ignored) ||
	    !verify(auth->key, str_sized(token, signed_len), &raw) ||
	    !base64url_decode(body.ptr, body.len, &text, &ignored))
		return NULL;
	return json_parse(buf_text(&text), text.len, TOKEN_MAX, &ignored);
}

bool auth_jwt_user(ApiServer *server, const char *token, User *out)
{
	autojson json_t *claims = verified_claims(server->auth, token);
	int64_t now = clock_wall_ms() / 1000;
	if (!claims || !cstr_eq(json_text(claims, "iss"), issuer) ||
	    json_int(claims, "exp", 0) <= now)
		return false;
	const json_t *about = json_map(claims, "kubernetes.io");
	const char *ns = json_text_or(about, "namespace", "");
	const json_t *account = json_map(about, "serviceaccount");
	autoerror Error ignored = {0};
	StoreKey key = {"serviceaccounts", ns, json_text_or(account, "name", "")};
	autojson json_t *live = store_get(server->store, &key, &ignored);
	if (!live || !cstr_eq(object_meta(live, "uid"), json_text(account, "uid")))
		return false;
	out->name = mem_strdup(json_text_or(claims, "sub", ""));
	out->uid = mem_strdup(object_meta(live, "uid"));
	auth_add_account_groups(out, ns);
	return true;
}

static char *coordinate(const EVP_PKEY *key, const char *name)
{
	BIGNUM *number = NULL;
	unsigned char bytes[COORDINATE];
	if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
		return mem_strdup("");
	BN_bn2binpad(number, bytes, COORDINATE);
	BN_free(number);
	return base64url_encode(bytes, sizeof(bytes));
}

json_t *auth_jwks(const Auth *auth)
{
	autofree char *x = coordinate(auth->key, OSSL_PKEY_PARAM_EC_PUB_X);
	autofree char *y = coordinate(auth->key, OSSL_PKEY_PARAM_EC_PUB_Y);
	return json_pack("{s:[{s:s,s:s,s:s,s:s,s:s,s:s,s:s}]}", "keys", "use", "sig", "kty", "EC",
			 "kid", "sluice", "crv", "P-256", "alg", "ES256", "x", x, "y", y);
}
