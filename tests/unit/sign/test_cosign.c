/* Payloads and bundles signed here, with every part changed once. The real cosign's are in
 * tests/e2e/test_oci_verify.py. */
#include "../cmocka_all.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/buf.h"
#include "base/mem.h"
#include "data/base64.h"
#include "sign/cosign.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PAYLOAD(type, digest)                                                                      \
	"{\"critical\": {\"type\": \"" type                                                        \
	"\", \"image\": {\"docker-manifest-digest\": \"" digest "\"}}}"
#define KIND "cosign container image signature"

typedef struct {
	EVP_PKEY *secret;
	PublicKey *key;
} Pair;

static void pair_new(Pair *out, EVP_PKEY *take_secret)
{
	autoerror Error err = {0};
	char *text;
	BIO *bio = BIO_new(BIO_s_mem());
	assert_non_null(take_secret);
	assert_int_equal(PEM_write_bio_PUBKEY(bio, take_secret), 1);
	long len = BIO_get_mem_data(bio, &text);
	out->secret = take_secret;
	out->key = public_key_of_pem(str_sized(text, (size_t)len), &err);
	assert_non_null(out->key);
	BIO_free(bio);
}

static void pair_dispose(Pair *pair)
{
	EVP_PKEY_free(pair->secret);
	public_key_free(pair->key);
}
#define autopair __attribute__((cleanup(pair_dispose)))

/* In base64, as it stands everywhere. */
static char *sign(const Pair *pair, Str message)
{
	unsigned char out[1024];
	size_t len = sizeof(out);
	const EVP_MD *hash =
		EVP_PKEY_get_base_id(pair->secret) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, hash, NULL, pair->secret), 1);
	assert_int_equal(
		EVP_DigestSign(ctx, out, &len, (const unsigned char *)message.ptr, message.len), 1);
	EVP_MD_CTX_free(ctx);
	return base64_encode(out, len);
}

static void S57_payloads_by_each_kind_of_key(void **state)
{
	(void)state;
	EVP_PKEY *const secrets[] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-521"), EVP_RSA_gen(2048),
				     EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
	const Str payload = STR(PAYLOAD(KIND, DIGEST));
	for (size_t i = 0; i < COUNT(secrets); i++) {
		autoerror Error err = {0};
		autopair Pair pair = {0}, other = {0};
		pair_new(&pair, secrets[i]);
		pair_new(&other, EVP_EC_gen("P-256"));
		autofree char *signature = sign(&pair, payload);
		PublicKey *const both[] = {other.key, pair.key};
		if (!cosign_verify_payload(payload, signature, DIGEST, &(CosignKeys){both, 2},
					   &err))
			fail_msg("%zu: %s", i, err_text(&err));
		assert_false(cosign_verify_payload(payload, signature, DIGEST,
						   &(CosignKeys){both, 1}, &err));
		assert_int_equal(err.code, ERR_FORBIDDEN);
	}
}

static void S57_payloads_that_do_not_count(void **state)
{
	(void)state;
	static const struct {
		const char *payload, *signature; /* NULL: a good one */
	} rows[] = {
		{PAYLOAD(KIND, "sha256:ffff"), NULL},
		{PAYLOAD("another type", DIGEST), NULL},
		{"{}", NULL},
		{"[", NULL},
		{"", NULL},
		{PAYLOAD(KIND, DIGEST), ""},
		{PAYLOAD(KIND, DIGEST), "!!"},
		{PAYLOAD(KIND, DIGEST), "AAAA"},
	};
	autopair Pair pair = {0};
	pair_new(&pair, EVP_EC_gen("P-256"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autofree char *good = sign(&pair, str_of(rows[i].payload));
		const char *signature = rows[i].signature ? rows[i].signature : good;
		if (cosign_verify_payload(str_of(rows[i].payload), signature, DIGEST,
					  &(CosignKeys){&pair.key, 1}, &err))
			fail_msg("taken: %s", rows[i].payload);
	}
	autoerror Error err = {0};
	assert_false(cosign_verify_payload(STR(PAYLOAD(KIND, DIGEST)), NULL, DIGEST,
					   &(CosignKeys){&pair.key, 1}, &err));
}

typedef struct {
	const char *media, *type, *statement, *covered_type, *more, *material; /* NULL: as it
									      should be */
} Parts;

static char *make_bundle(const Pair *pair, const Parts *parts)
{
	const char *type = parts->type ? parts->type : "application/vnd.in-toto+json";
	const char *statement =
		parts->statement ? parts->statement
				 : "{\"_type\": \"https://in-toto.io/Statement/v1\", \"subject\": "
				   "[{\"digest\": {\"sha256\": \"" HEX "\"}}]}";
	const char *covered = parts->covered_type ? parts->covered_type : type;
	autofree char *pae = mem_printf("DSSEv1 %zu %s %zu %s", strlen(covered), covered,
					strlen(statement), statement);
	autofree char *signature = sign(pair, str_of(pae));
	autofree char *payload = base64_encode(statement, strlen(statement));
	return mem_printf("{\"mediaType\": \"%s\", \"dsseEnvelope\": {\"payload\": \"%s\", "
			  "\"payloadType\": \"%s\", \"signatures\": [{\"sig\": \"%s\"}%s]}, "
			  "\"verificationMaterial\": {\"%s\": {\"hint\": \"x\"}}}",
			  parts->media ? parts->media
				       : "application/vnd.dev.sigstore.bundle.v0.3+json",
			  payload, type, signature, parts->more ? parts->more : "",
			  parts->material ? parts->material : "publicKey");
}

static void S57_bundles(void **state)
{
	(void)state;
	static const struct {
		Parts parts;
		bool good;
	} rows[] = {
		{{0}, true},
		{{.media = "application/json"}, false},
		{{.media = "application/vnd.dev.sigstore.bundle.v0.4+json"}, false},
		{{.more = ", {\"sig\": \"AAAA\"}"}, false},
		{{.material = "certificate"}, false},
		{{.type = "text/plain"}, false},
		{{.covered_type = "text/plain"}, false},
		{{.statement = "{\"_type\": \"x\", \"subject\": [{\"digest\": {\"sha256\": \"" HEX
			       "\"}}]}"},
		 false},
		{{.statement = "{\"_type\": \"https://in-toto.io/Statement/v1\", \"subject\": "
			       "[{\"digest\": {\"sha256\": \"ffff\"}}]}"},
		 false},
		{{.statement = "{\"_type\": \"https://in-toto.io/Statement/v1\"}"}, false},
		{{.statement = "no JSON"}, false},
	};
	autopair Pair pair = {0};
	pair_new(&pair, EVP_EC_gen("P-256"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autofree char *text = make_bundle(&pair, &rows[i].parts);
		bool ok = cosign_verify_bundle(str_of(text), DIGEST, &(CosignKeys){&pair.key, 1},
					       &err);
		if (ok != rows[i].good)
			fail_msg("%zu: %s", i, err_text(&err));
	}
}

static void S57_bundles_that_are_none(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"[]",
		"{}",
		"{\"mediaType\": \"application/vnd.dev.sigstore.bundle.v0.3+json\"}",
		"{\"mediaType\": \"application/vnd.dev.sigstore.bundle.v0.3+json\", "
		"\"messageSignature\": {}}",
		"{\"mediaType\": \"application/vnd.dev.sigstore.bundle.v0.3+json\", "
		"\"dsseEnvelope\": {\"payload\": 1, \"signatures\": 2}}",
	};
	autopair Pair pair = {0};
	pair_new(&pair, EVP_EC_gen("P-256"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		assert_false(cosign_verify_bundle(str_of(rows[i]), DIGEST,
						  &(CosignKeys){&pair.key, 1}, &err));
	}
}

static void S57_what_is_no_key(void **state)
{
	(void)state;
	autoerror Error err = {0};
	assert_null(public_key_of_pem(STR("junk"), &err));
	error_dispose(&err);
	EVP_PKEY *const weak[] = {EVP_RSA_gen(1024), EVP_PKEY_Q_keygen(NULL, NULL, "X25519")};
	for (size_t i = 0; i < COUNT(weak); i++) {
		char *text;
		BIO *bio = BIO_new(BIO_s_mem());
		PEM_write_bio_PUBKEY(bio, weak[i]);
		long len = BIO_get_mem_data(bio, &text);
		assert_null(public_key_of_pem(str_sized(text, (size_t)len), &err));
		error_dispose(&err);
		BIO_free(bio);
		EVP_PKEY_free(weak[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S57_payloads_by_each_kind_of_key),
		cmocka_unit_test(S57_payloads_that_do_not_count),
		cmocka_unit_test(S57_bundles),
		cmocka_unit_test(S57_bundles_that_are_none),
		cmocka_unit_test(S57_what_is_no_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
