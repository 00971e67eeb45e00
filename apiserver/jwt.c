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
#include "base/rand.h"
#include "data/base64.h"
#include "object.h"
#include "server.h"

enum { TOKEN_MAX = 16 * 1024, COORDINATE = 32 };

static const char issuer[] = AUTH_AUDIENCE;

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

/* Kinds of objects that a token may be bound to: what their claim is called, where they are. */
static const struct {
	const char *claim, *kind, *store_key;
	bool namespaced;
	bool told; /* among the user's extra */
} bound_kinds[] = {
	{"pod", "Pod", "pods", true, true},
	{"secret", "Secret", "secrets", true, false},
	{"node", "Node", "nodes", false, true},
};

static json_t *bound_object(ApiServer *server, size_t kind, const char *ns, const char *name)
{
	autoerror Error ignored = {0};
	StoreKey key = {bound_kinds[kind].store_key, bound_kinds[kind].namespaced ? ns : "", name};
	return store_get(server->store, &key, &ignored);
}

static bool no_bound_object(size_t kind, const char *name, Status *status)
{
	char *plural = (char *)(uintptr_t)bound_kinds[kind].store_key;
	char group[] = "";
	const Resource resource = {.key = plural, .plural = plural, .group = group};
	return status_not_found(status, &resource, name);
}

bool auth_bind(ApiServer *server, const char *ns, const json_t *reference, json_t **out_claims,
	       Status *status)
{
	const char *kind = json_text_or(reference, "kind", "");
	const char *name = json_text_or(reference, "name", "");
	const char *uid = json_text_or(reference, "uid", "");
	size_t at = 0;
	while (at < COUNT(bound_kinds) && strcmp(bound_kinds[at].kind, kind) != 0)
		at++;
	if (at == COUNT(bound_kinds))
		return status_bad_request(status, "cannot bind token for serviceaccount to a %s",
					  kind);
	autojson json_t *object = bound_object(server, at, ns, name);
	if (!object)
		return no_bound_object(at, name, status);
	if (*uid && strcmp(uid, object_meta(object, "uid")) != 0)
		return status_set(status, 409, "Conflict",
				  "the UID in the bound object reference (%s) does not match the "
				  "UID in record. The object might have been deleted and then "
				  "recreated",
				  uid);
	*out_claims = json_pack("{s:{s:s,s:s}}", bound_kinds[at].claim, "name", name, "uid",
				object_meta(object, "uid"));
	return true;
}

/* Whether what a token is bound to is still there. */
static bool is_bound_to_living(ApiServer *server, const json_t *about)
{
	const char *ns = json_text_or(about, "namespace", "");
	for (size_t i = 0; i < COUNT(bound_kinds); i++) {
		const json_t *claim = json_map(about, bound_kinds[i].claim);
		autojson json_t *object =
			claim ? bound_object(server, i, ns, json_text_or(claim, "name", "")) : NULL;
		if (claim &&
		    (!object || !cstr_eq(object_meta(object, "uid"), json_text(claim, "uid"))))
			return false;
	}
	return true;
}

char *auth_sign(const Auth *auth, const json_t *claims)
{
	static const char head[] = "{\"alg\":\"ES256\",\"kid\":\"sluice\",\"typ\":\"JWT\"}";
	autofree char *head_text = base64url_encode(head, strlen(head));
	autofree char *body = json_dump(claims);
	autofree char *body_text = base64url_encode(body, strlen(body));
	autofree char *signed_text = mem_printf("%s.%s", head_text, body_text);
	unsigned char raw[2 * COORDINATE];
	if (!sign(auth->key, signed_text, raw))
		return NULL;
	autofree char *signature = base64url_encode(raw, sizeof(raw));
	return mem_printf("%s.%s", signed_text, signature);
}

char *auth_issue(ApiServer *server, const json_t *account, const json_t *audiences,
		 const json_t *bound, int64_t seconds, int64_t *out_expires_ms)
{
	int64_t now = clock_wall_ms() / 1000;
	char id[37];
	rand_uuid(id);
	autofree char *subject =
		mem_printf("system:serviceaccount:%s:%s", object_ns(account), object_name(account));
	autojson json_t *claims =
		json_pack("{s:s,s:O,s:I,s:I,s:I,s:s,s:s,s:{s:s,s:{s:s,s:s}}}", "jti", id, "aud",
			  (json_t *)(uintptr_t)audiences, "exp", (json_int_t)(now + seconds), "iat",
			  (json_int_t)now, "nbf", (json_int_t)now, "iss", issuer, "sub", subject,
			  "kubernetes.io", "namespace", object_ns(account), "serviceaccount",
			  "name", object_name(account), "uid", object_meta(account, "uid"));
	if (bound)
		json_object_update(json_map(claims, "kubernetes.io"), json_borrow(bound));
	*out_expires_ms = (now + seconds) * 1000;
	return auth_sign(server->auth, claims);
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

/* Those of `wanted` that the token is meant for; owned, NULL when there are none. */
static json_t *common_audiences(const json_t *given, const json_t *wanted)
{
	autojson json_t *common = json_array();
	for (size_t i = 0; i < json_array_size(wanted); i++) {
		json_t *audience = json_array_get(wanted, i);
		bool meant = json_is_string(given) && json_equal(json_borrow(given), audience);
		for (size_t k = 0; k < json_array_size(given); k++)
			meant = meant || json_equal(json_array_get(given, k), audience);
		if (meant)
			json_array_append(common, audience);
	}
	return json_array_size(common) > 0 ? steal(&common) : NULL;
}

/* The Pod or Node that a token is bound to is told by name. */
static void add_bound_names(User *user, const json_t *about)
{
	static const char *const members[] = {"name", "uid"};
	for (size_t i = 0; i < COUNT(bound_kinds); i++) {
		const json_t *claim = json_map(about, bound_kinds[i].claim);
		for (size_t k = 0; bound_kinds[i].told && user->extra && claim && k < 2; k++) {
			autofree char *key = mem_printf("authentication.kubernetes.io/%s-%s",
							bound_kinds[i].claim, members[k]);
			json_object_set_new(user->extra, key,
					    json_pack("[s]", json_text_or(claim, members[k], "")));
		}
	}
}

bool auth_jwt_user(ApiServer *server, const char *token, const json_t *audiences, User *out,
		   json_t **out_audiences)
{
	autojson json_t *claims = verified_claims(server->auth, token);
	int64_t now = clock_wall_ms() / 1000;
	if (!claims || !cstr_eq(json_text(claims, "iss"), issuer) ||
	    json_int(claims, "exp", 0) <= now)
		return false;
	autojson json_t *common = common_audiences(json_object_get(claims, "aud"), audiences);
	const json_t *about = json_map(claims, "kubernetes.io");
	if (!common || !is_bound_to_living(server, about))
		return false;
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
	if (*json_text_or(claims, "jti", ""))
		auth_set_credential_id(out, "JTI", json_text(claims, "jti"));
	add_bound_names(out, about);
	*out_audiences = steal(&common);
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
