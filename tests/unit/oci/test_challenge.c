/* WWW-Authenticate headers as registries send them, and as nobody should. */
#include "../cmocka_all.h"

#include "base/str.h"
#include "oci/challenge.h"

static void S54_challenges(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		ChallengeKind kind;
		const char *realm, *service, *scope;
	} rows[] = {
		{"Bearer "
		 "realm=\"https://a.test/token\",service=\"s\",scope=\"repository:a/b:pull\"",
		 CHALLENGE_BEARER, "https://a.test/token", "s", "repository:a/b:pull"},
		{"bearer  realm = \"x\" , service=y", CHALLENGE_BEARER, "x", "y", NULL},
		{"Basic realm=\"Registry \\\"Realm\\\"\"", CHALLENGE_BASIC, "Registry \"Realm\"",
		 NULL, NULL},
		{"Basic", CHALLENGE_BASIC, NULL, NULL, NULL},
		{"Negotiate, Basic realm=\"x\"", CHALLENGE_BASIC, "x", NULL, NULL},
		{"Digest realm=\"d\", nonce=\"Bearer realm=1\", Bearer realm=\"b\"",
		 CHALLENGE_BEARER, "b", NULL, NULL},
		{"Bearer realm=\"a\", realm=\"b\"", CHALLENGE_BEARER, "a", NULL, NULL},
		{"Bearer scope=\"a:b:pull,push\", realm=\"r\"", CHALLENGE_BEARER, "r", NULL,
		 "a:b:pull,push"},
		{"Bearer realm=\"\"", CHALLENGE_BEARER, "", NULL, NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autochallenge Challenge got = {0};
		if (!challenge_parse(str_of(rows[i].header), &got))
			fail_msg("refused: %s", rows[i].header);
		assert_int_equal(got.kind, rows[i].kind);
		if (!cstr_eq(got.realm, rows[i].realm) || !cstr_eq(got.service, rows[i].service) ||
		    !cstr_eq(got.scope, rows[i].scope))
			fail_msg("%s: %s %s %s", rows[i].header, got.realm, got.service, got.scope);
	}
}

static void S54_no_challenge_that_we_know(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",	  " ",	 "Digest realm=\"x\"",	     "Negotiate", "\"Basic",
		"=Basic", ",,,", "Digest x=\"unended, Basic"};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autochallenge Challenge got = {0};
		if (challenge_parse(str_of(rows[i]), &got))
			fail_msg("taken: %s", rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S54_challenges),
		cmocka_unit_test(S54_no_challenge_that_we_know),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
