/* Image references: tables of what Go's name package takes and refuses. */
#include "../cmocka_all.h"

#include "base/mem.h"
#include "base/str.h"
#include "oci/reference.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void S48_good_references(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host, *repository, *tag, *digest;
	} rows[] = {
		{"debian", OCI_DEFAULT_HOST, "library/debian", NULL, NULL},
		{"docker.io/debian:12", OCI_DEFAULT_HOST, "library/debian", "12", NULL},
		{"stefan/podinfo", OCI_DEFAULT_HOST, "stefan/podinfo", NULL, NULL},
		{"ghcr.io/a/b/c:v1.0.0", "ghcr.io", "a/b/c", "v1.0.0", NULL},
		{"r.test:5000/ab", "r.test:5000", "ab", NULL, NULL},
		{"[::1]:5000/ab:x", "[::1]:5000", "ab", "x", NULL},
		{"r.test/ab@sha256:" HEX64, "r.test", "ab", NULL, "sha256:" HEX64},
		{"r.test/ab:t@sha256:" HEX64, "r.test", "ab", "t", "sha256:" HEX64},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autoocireference OciReference got = {0};
		if (!oci_reference_parse(rows[i].text, &got, &err))
			fail_msg("%s: %s", rows[i].text, err_text(&err));
		assert_string_equal(got.host, rows[i].host);
		assert_string_equal(got.repository, rows[i].repository);
		assert_true(cstr_eq(got.tag, rows[i].tag));
		assert_true(cstr_eq(got.digest, rows[i].digest));
	}
}

static void S50_bad_references(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"a",
		"r.test/",
		"r.test/a",
		"r.test/UPPER",
		"r.test/a b",
		"r.test/../../v2/x",
		"r.test/a/./b",
		"r.test/a//b",
		"r.test/ab/",
		"user:pw@r.test/ab",
		"r.test/ab:",
		"r.test/ab:bad tag",
		"r.test/ab@sha256:short",
		"r.test/ab@md5:" HEX64,
		"r.test/ab@sha256:" HEX64 "@sha256:" HEX64,
		"r.test?x/ab",
		"r.test#x/ab",
		"r.test:99999/ab",
		"r.%00test/ab",
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autoocireference OciReference got = {0};
		if (oci_reference_parse(rows[i], &got, &err))
			fail_msg("taken: %s", rows[i]);
		assert_int_equal(err.code, ERR_INVALID);
		assert_null(got.host);
	}
}

static void S50_a_login_before_the_host_is_not_told(void **state)
{
	(void)state;
	static const char *const rows[] = {"ann:hunter2@r.test/ab", "ann:hunter2@r.test",
					   "ann:x/hunter2@r.test/ab", "ann:x/hunter2/y@r.test/ab"};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autoocireference OciReference got = {0};
		assert_false(oci_repository_parse(rows[i], &got, &err));
		if (strstr(err_text(&err), "hunter2"))
			fail_msg("%s: %s", rows[i], err_text(&err));
	}
}

static void text_is_the_reference_again(void **state)
{
	(void)state;
	static const char *const rows[] = {"r.test/ab", "r.test/ab:x", "r.test:5000/ab:x",
					   ("r.test/ab@sha256:" HEX64)};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autoocireference OciReference got = {0};
		assert_true(oci_reference_parse(rows[i], &got, &err));
		autofree char *text = oci_reference_text(&got);
		assert_string_equal(text, rows[i]);
	}
}

static void S56_local_hosts(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		bool local;
	} rows[] = {
		{"localhost:5000", true}, {"x.localhost", true},     {"127.0.0.1:80", true},
		{"[::1]:80", true},	  {"10.1.2.3", true},	     {"172.16.0.1:5000", true},
		{"172.32.0.1", false},	  {"192.168.255.255", true}, {"192.169.0.1", false},
		{"ghcr.io", false},	  {"127.0.0.1.test", false}, {"localhost.test", false},
		{"11.0.0.1", false},	  {"notlocalhost", false},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (oci_host_is_local(rows[i].host) != rows[i].local)
			fail_msg("%s", rows[i].host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S48_good_references),
		cmocka_unit_test(S50_bad_references),
		cmocka_unit_test(S50_a_login_before_the_host_is_not_told),
		cmocka_unit_test(text_is_the_reference_again),
		cmocka_unit_test(S56_local_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
