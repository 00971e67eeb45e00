#include "../cmocka_all.h"

#include "jwt_signer.h"
#include "notify/jwt.h"

#define NOW_S 1700000000

static const JwtRules rules = {
	.issuer = "https://issuer.test", .audience = "us", .now_ms = NOW_S * 1000LL};

static json_t *good_claims(void)
{
	return json_pack("{s:s,s:s,s:I}", "iss", "https://issuer.test", "aud", "us", "exp",
			 (json_int_t)NOW_S + 60);
}

static json_t *set_of(const Signer *signer)
{
	return json_pack("{s:[O]}", "keys", signer->jwk);
}

static ErrorCode verify(const char *token, const json_t *keys)
{
	autoerror Error err = {0};
	autojson json_t *claims = jwt_verify(token, keys, &rules, &err);
	assert_true(!claims == err_is_set(&err));
	return err.code;
}

static void N87_every_algorithm_verifies(void **state)
{
	(void)state;
	static const char *const names[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
					    "PS512", "ES256", "ES384", "ES512", "EdDSA"};
	autojson json_t *claims = good_claims();
	for (size_t i = 0; i < COUNT(names); i++) {
		__attribute__((cleanup(signer_dispose))) Signer signer = signer_make(names[i], "a");
		__attribute__((cleanup(signer_dispose))) Signer other = signer_make(names[i], "a");
		autojson json_t *keys = set_of(&signer), *others = set_of(&other);
		autofree char *token = signer_token(&signer, claims);
		assert_int_equal(verify(token, keys), ERR_NONE);
		assert_int_equal(verify(token, others), ERR_UNAUTHORIZED);
		char *dot = strchr(token, '.');
		dot[1] ^= 1; /* one bit of the payload */
		assert_int_not_equal(verify(token, keys), ERR_NONE);
	}
}

static void N87_algorithm_must_be_the_keys_own(void **state)
{
	(void)state;
	autojson json_t *claims = good_claims();
	__attribute__((cleanup(signer_dispose))) Signer rsa = signer_make("RS256", "a");
	__attribute__((cleanup(signer_dispose))) Signer ec = signer_make("ES256", "a");
	autojson json_t *rsa_keys = set_of(&rsa), *ec_keys = set_of(&ec);
	static const char *const wrong[] = {"none",  "None",  "",      "HS256",
					    "ES256", "PS256", "RS384", "EdDSA"};
	for (size_t i = 0; i < COUNT(wrong); i++) {
		autofree char *token = signer_token_as(&rsa, wrong[i], claims);
		assert_int_not_equal(verify(token, rsa_keys), ERR_NONE);
	}
	autofree char *token = signer_token(&rsa, claims);
	assert_int_equal(verify(token, ec_keys), ERR_UNAUTHORIZED);
	/* A key for encryption, or for another algorithm. */
	json_put_text(rsa.jwk, "use", "enc");
	assert_int_equal(verify(token, rsa_keys), ERR_UNAUTHORIZED);
	json_put_text(rsa.jwk, "use", "sig");
	json_put_text(rsa.jwk, "alg", "RS512");
	assert_int_equal(verify(token, rsa_keys), ERR_UNAUTHORIZED);
	json_put_text(rsa.jwk, "alg", "RS256");
	assert_int_equal(verify(token, rsa_keys), ERR_NONE);
}

static void N87_key_ids(void **state)
{
	(void)state;
	autojson json_t *claims = good_claims();
	__attribute__((cleanup(signer_dispose))) Signer a = signer_make("ES256", "a");
	__attribute__((cleanup(signer_dispose))) Signer b = signer_make("ES256", "b");
	autojson json_t *both = json_pack("{s:[O,O]}", "keys", a.jwk, b.jwk);
	autojson json_t *only_a = set_of(&a), *empty = json_pack("{s:[]}", "keys");
	autofree char *of_b = signer_token(&b, claims);
	assert_int_equal(verify(of_b, both), ERR_NONE);
	/* Not found, so that the caller may look for a fresh set. */
	assert_int_equal(verify(of_b, only_a), ERR_NOT_FOUND);
	assert_int_equal(verify(of_b, empty), ERR_NOT_FOUND);
	json_object_del(b.jwk, "kid");
	autofree char *nameless = signer_token(&b, claims);
	assert_int_equal(verify(nameless, both), ERR_NONE);
}

static ErrorCode verify_changed(const Signer *signer, const char *key, json_t *take_value)
{
	autojson json_t *claims = good_claims(), *keys = set_of(signer);
	if (take_value)
		json_object_set_new(claims, key, take_value);
	else
		json_object_del(claims, key);
	autofree char *token = signer_token(signer, claims);
	return verify(token, keys);
}

static void N87_claims(void **state)
{
	(void)state;
	__attribute__((cleanup(signer_dispose))) Signer s = signer_make("EdDSA", "a");
	assert_int_equal(verify_changed(&s, "iss", json_string("https://other.test")),
			 ERR_UNAUTHORIZED);
	assert_int_equal(verify_changed(&s, "iss", NULL), ERR_UNAUTHORIZED);
	assert_int_equal(verify_changed(&s, "aud", json_string("them")), ERR_UNAUTHORIZED);
	assert_int_equal(verify_changed(&s, "aud", NULL), ERR_UNAUTHORIZED);
	assert_int_equal(verify_changed(&s, "aud", json_pack("[s,i]", "them", 1)),
			 ERR_UNAUTHORIZED);
	assert_int_equal(verify_changed(&s, "aud", json_pack("[s,s]", "them", "us")), ERR_NONE);
	assert_int_equal(verify_changed(&s, "exp", json_integer(NOW_S - 1)), ERR_UNAUTHORIZED);
	assert_int_equal(verify_changed(&s, "exp", json_string("never")), ERR_UNAUTHORIZED);
	assert_int_equal(verify_changed(&s, "exp", NULL), ERR_UNAUTHORIZED);
	assert_int_equal(verify_changed(&s, "exp", json_real(NOW_S + 0.5)), ERR_NONE);
	assert_int_equal(verify_changed(&s, "nbf", json_integer(NOW_S + 301)), ERR_UNAUTHORIZED);
	assert_int_equal(verify_changed(&s, "nbf", json_integer(NOW_S + 299)), ERR_NONE);
}

static void rubbish_is_no_token(void **state)
{
	(void)state;
	autojson json_t *keys = json_pack("{s:[]}", "keys");
	static const char *const rows[] = {"",
					   ".",
					   "..",
					   "a.b.c",
					   "e30.e30",
					   "e30.e30.",
					   "e30.e30.e30.",
					   "W10.W10.AA",
					   "\xff.\xff.\xff"};
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_true(verify(rows[i], keys) == ERR_UNAUTHORIZED ||
			    verify(rows[i], keys) == ERR_NOT_FOUND);
	autofree char *large = mem_zalloc(1, JWT_MAX + 2);
	memset(large, 'e', JWT_MAX + 1);
	assert_int_equal(verify(large, keys), ERR_UNAUTHORIZED);
	autoerror Error err = {0};
	autojson json_t *claims = jwt_unverified_claims("e30.eyJpc3MiOiJ4In0.AA", &err);
	assert_string_equal(json_text(claims, "iss"), "x");
}

/* Keys come from the network: none of these may be used, none may harm. */
static void damaged_keys_verify_nothing(void **state)
{
	(void)state;
	autojson json_t *claims = good_claims();
	static const char *const fields[] = {"n", "e", "kty"};
	for (size_t i = 0; i < COUNT(fields); i++) {
		__attribute__((cleanup(signer_dispose))) Signer s = signer_make("RS256", "a");
		autojson json_t *keys = set_of(&s);
		autofree char *token = signer_token(&s, claims);
		json_put_text(s.jwk, fields[i], "!!");
		assert_int_equal(verify(token, keys), ERR_UNAUTHORIZED);
		json_put_text(s.jwk, fields[i], "AQAB"); /* 17 bits */
		assert_int_equal(verify(token, keys), i == 1 ? ERR_NONE : ERR_UNAUTHORIZED);
		json_put_text(s.jwk, fields[i], NULL);
		assert_int_equal(verify(token, keys), ERR_UNAUTHORIZED);
	}
	__attribute__((cleanup(signer_dispose))) Signer ec = signer_make("ES256", "a");
	autojson json_t *keys = set_of(&ec);
	autofree char *token = signer_token(&ec, claims);
	json_put_text(ec.jwk, "x", json_text(ec.jwk, "y")); /* not on the curve */
	assert_int_equal(verify(token, keys), ERR_UNAUTHORIZED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N87_every_algorithm_verifies),
		cmocka_unit_test(N87_algorithm_must_be_the_keys_own),
		cmocka_unit_test(N87_key_ids),
		cmocka_unit_test(N87_claims),
		cmocka_unit_test(rubbish_is_no_token),
		cmocka_unit_test(damaged_keys_verify_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
