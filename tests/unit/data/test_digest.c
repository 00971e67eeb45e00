#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "data/digest.h"

/* The published vectors of BLAKE3: input byte i is i % 251. */
static void blake3_gives_the_published_vectors(void **state)
{
	(void)state;
	static const struct {
		size_t len;
		const char *hex;
	} rows[] = {
		{0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
		{1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
		{1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
		{2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"},
		{3073, "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3"},
		{31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"},
		{102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"},
	};
	autofree unsigned char *input = mem_alloc(102400);
	for (size_t i = 0; i < 102400; i++)
		input[i] = (unsigned char)(i % 251);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[DIGEST_TEXT_SIZE];
		digest_hex(DIGEST_BLAKE3, input, rows[i].len, text);
		assert_string_equal(text, rows[i].hex);
		autodigest Digest *digest = digest_new(DIGEST_BLAKE3);
		for (size_t at = 0; at < rows[i].len; at += 333)
			digest_update(digest, input + at,
				      rows[i].len - at < 333 ? rows[i].len - at : 333);
		digest_final(digest, text);
		assert_string_equal(text + strlen("blake3:"), rows[i].hex);
	}
	char text[DIGEST_TEXT_SIZE];
	digest_of(DIGEST_BLAKE3, "abc", 3, text);
	assert_string_equal(
		text, "blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
}

static void sha_family(void **state)
{
	(void)state;
	char text[DIGEST_TEXT_SIZE];
	digest_of(DIGEST_SHA256, "abc", 3, text);
	assert_string_equal(
		text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_of(DIGEST_SHA1, "abc", 3, text);
	assert_string_equal(text, "sha1:a9993e364706816aba3e25717850c26c9cd0d89d");
	digest_of(DIGEST_SHA512, "", 0, text);
	assert_int_equal(strlen(text), 7 + 128);
	unsigned char raw[DIGEST_MAX_BYTES];
	char hex[2 * DIGEST_MAX_BYTES + 1];
	/* RFC 4231, case 2. */
	size_t count =
		digest_hmac(DIGEST_SHA256, "Jefe", 4, "what do ya want for nothing?", 28, raw);
	hex_encode(raw, count, hex);
	assert_string_equal(hex,
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void K7_digests_are_parsed_strictly(void **state)
{
	(void)state;
	char text[DIGEST_TEXT_SIZE];
	digest_of(DIGEST_SHA256, "abc", 3, text);
	DigestAlgo algo;
	const char *hex;
	autoerror Error err = {0};
	assert_true(digest_parse(text, &algo, &hex, &err));
	assert_ptr_equal(hex, text + 7);
	assert_true(digest_parse(text + 7, &algo, &hex, &err));
	assert_int_equal(algo, DIGEST_SHA256);
	static const char *const bad[] = {"", "md5:00", "sha256:", "sha256:zz", ":", "sha512:00"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error refused = {0};
		assert_false(digest_parse(bad[i], &algo, &hex, &refused));
		assert_int_equal(refused.code, ERR_INVALID);
	}
	assert_true(digest_equal("ab", "ab"));
	assert_false(digest_equal("ab", "ac"));
	assert_false(digest_equal("ab", "abc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blake3_gives_the_published_vectors),
		cmocka_unit_test(sha_family),
		cmocka_unit_test(K7_digests_are_parsed_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
