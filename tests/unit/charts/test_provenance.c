/* What of a provenance file is signed, and what it says of files. */
#include "../cmocka_all.h"

#include "base/mem.h"
#include "charts/provenance.h"

#define HEAD "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
#define TAIL "-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n"

static void what_is_signed(void **state)
{
	(void)state;
	autoprovenance Provenance provenance = {0};
	autoerror Error err = {0};
	Str text = STR("in front\n" HEAD "name: a \t\n- -----x\r\n\nlast\n" TAIL);
	assert_true(provenance_parse(text, &provenance, &err));
	assert_string_equal(buf_text(&provenance.plain), "name: a \t\n-----x\n\nlast\n");
	assert_string_equal(buf_text(&provenance.canonical), "name: a\r\n-----x\r\n\r\nlast");
	assert_true(str_eq(provenance.signature, STR(TAIL)));
}

static void what_is_no_signed_text(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"text",
		HEAD,
		HEAD "a\n",
		TAIL,
		"-----BEGIN PGP SIGNED MESSAGE-----",
		"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n" TAIL};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		autoprovenance Provenance provenance = {0};
		autoerror Error err = {0};
		assert_false(provenance_parse(str_of(texts[i]), &provenance, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
	autofree char *large = mem_zalloc(PROVENANCE_MAX + 1, 1);
	autoprovenance Provenance provenance = {0};
	autoerror Error err = {0};
	assert_false(provenance_parse(str_sized(large, PROVENANCE_MAX + 1), &provenance, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

static void digests_of_files(void **state)
{
	(void)state;
	static const struct {
		const char *text, *digest, *error;
	} rows[] = {
		{HEAD "name: a\n...\nfiles:\n  a.tgz: sha256:1\n" TAIL, "sha256:1", NULL},
		{HEAD "name: a\n...\nfiles: {b.tgz: x}\n" TAIL, NULL, "does not contain a SHA"},
		{HEAD "name: a\n...\nfiles: text\n" TAIL, NULL, "does not contain a SHA"},
		{HEAD "name: a\n...\nfiles: [\n" TAIL, NULL, "yaml"},
		{HEAD "name: a\nfiles:\n  a.tgz: sha256:1\n" TAIL, NULL, "at least two parts"},
		/* Only the part behind the first separator counts. */
		{HEAD "a: b\n...\nc: d\n...\nfiles: {a.tgz: x}\n" TAIL, NULL, "does not contain"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		autoprovenance Provenance provenance = {0};
		autoerror Error err = {0};
		assert_true(provenance_parse(str_of(rows[i].text), &provenance, &err));
		autofree char *digest = provenance_digest(&provenance, "a.tgz", &err);
		if (rows[i].digest)
			assert_string_equal(digest, rows[i].digest);
		else
			assert_non_null(strstr(err_text(&err), rows[i].error));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed),
		cmocka_unit_test(what_is_no_signed_text),
		cmocka_unit_test(digests_of_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
