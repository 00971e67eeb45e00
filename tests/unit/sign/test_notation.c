/* CBOR, distinguished names and trust policies by themselves. The verdicts on whole signatures are
 * compared with notation-go's in tests/differential/sign. */
#include "../cmocka_all.h"

#include "base/buf.h"
#include "sign/cbor.h"
#include "sign/notation_internal.h"

/* --- CBOR --- */

/* Examples of RFC 8949 appendix A. */
static void S59_cbor_heads(void **state)
{
	(void)state;
	static const struct {
		Str bytes;
		CborKind kind;
		uint64_t number;
	} cases[] = {
		{STR("\x00"), CBOR_UNSIGNED, 0},
		{STR("\x17"), CBOR_UNSIGNED, 23},
		{STR("\x18\x18"), CBOR_UNSIGNED, 24},
		{STR("\x19\x03\xe8"), CBOR_UNSIGNED, 1000},
		{STR("\x1a\x00\x0f\x42\x40"), CBOR_UNSIGNED, 1000000},
		{STR("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"), CBOR_UNSIGNED, UINT64_MAX},
		{STR("\x38\x63"), CBOR_NEGATIVE, 99},
		{STR("\x44\x01\x02\x03\x04"), CBOR_BYTES, 4},
		{STR("\x62\xc3\xbc"), CBOR_TEXT, 2},
		{STR("\x83\x01\x02\x03"), CBOR_ARRAY, 3},
		{STR("\xa0"), CBOR_MAP, 0},
		{STR("\xc1\x1a\x51\x4b\x67\xb0"), CBOR_TAG, 1},
		{STR("\xf5"), CBOR_SIMPLE, 21},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		autoerror Error err = {0}, skip_err = {0};
		Str rest = cases[i].bytes, whole = cases[i].bytes;
		CborItem item;
		assert_true(cbor_next(&rest, &item, &err));
		assert_int_equal(item.kind, cases[i].kind);
		assert_int_equal(item.number, cases[i].number);
		assert_true(cbor_skip(&whole, NULL, &skip_err));
		assert_int_equal(whole.len, 0);
	}
}

static void S59_cbor_that_is_none(void **state)
{
	(void)state;
	static const Str bad[] = {
		STR(""),
		STR("\x18"),
		STR("\x19\x01"),
		STR("\x1c"),
		STR("\x44\x01"),
		STR("\x62\xc3\x28"),
		STR("\x9f\xff"),
		STR("\x5f\x41\x01\xff"),
		STR("\xff"),
		STR("\x5b\xff\xff\xff\xff\xff\xff\xff\xff"),
		STR("\x82\x01"),
		STR("\xa1\x01"),
		STR("\xc1"),
		STR("\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		STR("\xbb\x80\x00\x00\x00\x00\x00\x00\x00\x01"),
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error err = {0};
		Str rest = bad[i];
		assert_false(cbor_skip(&rest, NULL, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void S59_cbor_nests_so_deep(void **state)
{
	(void)state;
	autoerror Error good_err = {0}, err = {0};
	Str good = STR("\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x01");
	Str bad = STR("\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81"
		      "\x01");
	assert_true(cbor_skip(&good, NULL, &good_err));
	assert_false(cbor_skip(&bad, NULL, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

static void S59_cbor_integers(void **state)
{
	(void)state;
	int64_t out = 0;
	const CborItem minus = {.kind = CBOR_NEGATIVE, .number = 6};
	const CborItem most = {.kind = CBOR_UNSIGNED, .number = INT64_MAX};
	const CborItem more = {.kind = CBOR_UNSIGNED, .number = (uint64_t)INT64_MAX + 1};
	const CborItem text = {.kind = CBOR_TEXT, .number = 1};
	assert_true(cbor_integer(&minus, &out));
	assert_int_equal(out, -7);
	assert_true(cbor_integer(&most, &out));
	assert_false(cbor_integer(&more, &out));
	assert_false(cbor_integer(&text, &out));
}

/* --- names --- */

static void S59_names(void **state)
{
	(void)state;
	static const struct {
		const char *text, *key, *value;
	} cases[] = {
		{"C=US,ST=WA,O=Acme", "O", "Acme"},
		{" C = US , S = WA , O = Acme ", "ST", "WA"},
		{"C=US,ST=WA,O=Acme\\, Inc.", "O", "Acme, Inc."},
		{"C=US,ST=WA,O=A\\ ", "O", "A "},
		{"C=US,ST=WA,O=Z\\c3\\bcrich", "O", "Z\xc3\xbcrich"},
		{"C=US;ST=WA;O=A=B", "O", "A=B"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		autoerror Error err = {0};
		automap Map *name = notation_dn_parse(cases[i].text, &err);
		assert_non_null(name);
		assert_string_equal(map_get(name, cases[i].key), cases[i].value);
	}
}

static void S59_names_that_are_none(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"C=US",
		"C=US,ST=WA",
		"C=US,ST=WA,O=",
		"C=US,ST=WA,O=A,O=B",
		"C=US,ST=WA,S=WA,O=A",
		"C=US,ST=WA,O=A+OU=B",
		"C=US,ST=WA,O=#0c0141",
		"C=US,ST=WA,O=A,x",
		"C=US,ST=WA,O=A\\",
		"C=US,ST=WA,O=\\zA",
		"c=US,ST=WA,O=A",
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error err = {0};
		assert_null(notation_dn_parse(bad[i], &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
}

/* --- policies --- */

#define STATEMENT(name, scopes, level)                                                             \
	"{\"name\": \"" name "\", \"registryScopes\": [" scopes                                    \
	"], \"signatureVerification\": {\"level\": \"" level                                       \
	"\"}, \"trustStores\": [\"ca:x\"], \"trustedIdentities\": [\"*\"]}"
#define POLICY(statements) "{\"version\": \"1.0\", \"trustPolicies\": [" statements "]}"

static void S59_the_statement_for_a_scope(void **state)
{
	(void)state;
	static const char text[] = POLICY(STATEMENT("all", "\"*\"", "skip") ", " STATEMENT(
		"one", "\"a.b/c\", \"a.b/d\"", "strict"));
	autoerror Error err = {0}, find_err = {0};
	autonotationpolicy NotationPolicy *policy = notation_policy_parse(str_of(text), &err);
	assert_non_null(policy);
	const NotationStatement *one = notation_policy_find(policy, "a.b/d", &find_err);
	assert_string_equal(one->name, "one");
	assert_int_equal(one->actions[CHECK_EXPIRY], ACTION_ENFORCE);
	assert_string_equal(notation_policy_find(policy, "a.b/e", &find_err)->name, "all");
	assert_true(notation_statement_skips(notation_policy_find(policy, "a.b", &find_err)));
}

static void S59_no_statement_for_a_scope(void **state)
{
	(void)state;
	static const char text[] = POLICY(STATEMENT("one", "\"a.b/c\"", "audit"));
	autoerror Error err = {0}, find_err = {0};
	autonotationpolicy NotationPolicy *policy = notation_policy_parse(str_of(text), &err);
	assert_non_null(policy);
	assert_null(notation_policy_find(policy, "a.b/c/d", &find_err));
	assert_int_equal(find_err.code, ERR_NOT_FOUND);
}

static void S59_certificates_that_cannot_be_read(void **state)
{
	(void)state;
	static const char text[] = POLICY(STATEMENT("one", "\"*\"", "strict"));
	static const NotationTarget target = {"x", "sha256:00", 1};
	autoerror Error err = {0}, add_err = {0}, find_err = {0}, verify_err = {0};
	autonotationpolicy NotationPolicy *policy = notation_policy_parse(str_of(text), &err);
	autonotationstore NotationStore *store = notation_store_new();
	NotationVerdict verdict;
	assert_true(notation_store_add(store, "a.crt", STR("secret"), &add_err));
	assert_false(notation_verify(STR("{}"), "application/jose+json", &target,
				     notation_policy_find(policy, "a.b/c", &find_err), store, 0,
				     &verdict, &verify_err));
	assert_null(strstr(err_text(&verify_err), "secret"));
}

static void S59_envelopes_have_a_limit(void **state)
{
	(void)state;
	static const char text[] = POLICY(STATEMENT("one", "\"*\"", "strict"));
	static const NotationTarget target = {"x", "sha256:00", 1};
	autoerror Error err = {0}, find_err = {0}, verify_err = {0};
	autonotationpolicy NotationPolicy *policy = notation_policy_parse(str_of(text), &err);
	autonotationstore NotationStore *store = notation_store_new();
	NotationVerdict verdict;
	assert_false(notation_verify(str_sized("", NOTATION_MAX_ENVELOPE + 1), "application/cose",
				     &target, notation_policy_find(policy, "a.b/c", &find_err),
				     store, 0, &verdict, &verify_err));
	assert_int_equal(verify_err.code, ERR_LIMIT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(S59_cbor_heads),
		cmocka_unit_test(S59_cbor_that_is_none),
		cmocka_unit_test(S59_cbor_nests_so_deep),
		cmocka_unit_test(S59_cbor_integers),
		cmocka_unit_test(S59_names),
		cmocka_unit_test(S59_names_that_are_none),
		cmocka_unit_test(S59_the_statement_for_a_scope),
		cmocka_unit_test(S59_no_statement_for_a_scope),
		cmocka_unit_test(S59_certificates_that_cannot_be_read),
		cmocka_unit_test(S59_envelopes_have_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
