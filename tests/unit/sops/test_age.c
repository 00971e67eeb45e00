#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "data/base64.h"
#include "sops/age.h"

/* Made by the real age for this test: two recipients, armoured. */
static const char armored[] = "-----BEGIN AGE ENCRYPTED FILE-----\n"
			      "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBmSmcwb2R0VHNnSXhyREdF\n"
			      "aktjaGhEM01DMXJncXhSK0orVXE1aG5kR0NFCm8vQmp3ZEE3R0NPVkFlVW14UThx\n"
			      "TXdEaXZ1dFRLamxhMm8wK000eHpmVVUKLT4gWDI1NTE5IEtXN1J6bXlCV1dnMGZ5\n"
			      "SVh4eFhsUlRvNDNPV3VuTmdodlVZNkdlWXlta3MKNlhCaTY2RGd6R0YxUmxPV3Z0\n"
			      "bVpLYkpqYjlvSzUwa0V2UmQxK3hYWE45dwotLS0gTXhSeUJZaWZaY3VJZW9DSGNH\n"
			      "cHN0SFZxOVB3MWdvc203bEhETHJPZzl5RQoe0PQSyTOyGstV+TJDNUdjDHKyTOGH\n"
			      "aiW6YgdTs6P9qihC1nmHFU23ZXmjMprGONIUhPEykxD+yEk7z14/\n"
			      "-----END AGE ENCRYPTED FILE-----\n";
static const char one[] =
	"AGE-SECRET-KEY-140T75X5LZAVZ9Y89RV27LW9N9T7Q4V0Y3Y7ELE7EL3RTE0D3P87QTMVKKW";
static const char two[] =
	"AGE-SECRET-KEY-1WNMS4XRXGUK2A4JEF47MQKFZNK5G4C7F9NMFNGNGUFP5G8XNM3QQCW226Y";
static const char plain[] = "an age file of the unit tests";

static AgeIdentities *identities_of(const char *text)
{
	autoerror Error err = {0};
	AgeIdentities *identities = age_identities_new();
	assert_true(age_identities_add(identities, str_of(text), &err));
	return identities;
}

static ErrorCode open_with(const AgeIdentities *identities, Str file, Buf *out)
{
	autoerror Error err = {0};
	bool ok = age_decrypt(identities, file, out, &err);
	assert_true(ok == !err_is_set(&err));
	return err.code;
}

/* The file without its armour. */
static void binary_of(Buf *out)
{
	autoerror Error err = {0};
	const char *from = strchr(armored, '\n') + 1, *to = strstr(armored, "-----END");
	assert_true(base64_decode(from, (size_t)(to - from), out, &err));
}

static void K40_any_recipient_opens_both_forms(void **state)
{
	(void)state;
	autobuf Buf binary = {0};
	binary_of(&binary);
	static const char *const keys[] = {one, two};
	for (size_t i = 0; i < COUNT(keys); i++) {
		autoageidentities AgeIdentities *identities = identities_of(keys[i]);
		autobuf Buf out = {0};
		assert_int_equal(open_with(identities, str_of(armored), &out), ERR_NONE);
		assert_string_equal(buf_text(&out), plain);
		buf_clear(&out);
		assert_int_equal(open_with(identities, buf_str(&binary), &out), ERR_NONE);
		assert_string_equal(buf_text(&out), plain);
	}
}

static void K41_no_byte_can_be_changed(void **state)
{
	(void)state;
	autobuf Buf binary = {0};
	binary_of(&binary);
	autoageidentities AgeIdentities *identities = identities_of(one);
	for (size_t at = 0; at < binary.len; at++) {
		autobuf Buf out = {0};
		binary.ptr[at] ^= 1;
		assert_int_not_equal(open_with(identities, buf_str(&binary), &out), ERR_NONE);
		assert_int_equal(out.len, 0);
		binary.ptr[at] ^= 1;
	}
}

static void K41_a_cut_is_noticed(void **state)
{
	(void)state;
	autobuf Buf binary = {0};
	binary_of(&binary);
	autoageidentities AgeIdentities *identities = identities_of(one);
	for (size_t len = 0; len < binary.len; len++) {
		autobuf Buf out = {0};
		Str cut = str_slice(buf_str(&binary), 0, len);
		assert_int_not_equal(open_with(identities, cut, &out), ERR_NONE);
	}
	for (size_t len = 0; len + 2 < strlen(armored); len++) {
		autobuf Buf out = {0};
		Str cut = str_sized(armored, len);
		assert_int_not_equal(open_with(identities, cut, &out), ERR_NONE);
	}
}

static void K40_identity_files(void **state)
{
	(void)state;
	autofree char *text = mem_printf("# created: now\r\n\n%s\r\n#x\n%s", one, two);
	autoageidentities AgeIdentities *both = identities_of(text);
	assert_int_equal(age_identities_count(both), 2);
	autoageidentities AgeIdentities *none = identities_of("# nothing\n\n");
	autobuf Buf out = {0};
	assert_int_equal(open_with(none, str_of(armored), &out), ERR_UNAUTHORIZED);
}

/* Recipients that only newer ages or plugins know are named, as far as what they say can be shown.
 */
static void K48_recipients_of_other_types(void **state)
{
	(void)state;
	static const struct {
		const char *stanza;
		ErrorCode code;
		const char *said;
	} rows[] = {
		{"mlkem768x25519 AAAA", ERR_UNSUPPORTED, "type mlkem768x25519 are not supported"},
		{"piv-p256 AAAA BBBB", ERR_UNSUPPORTED, "type piv-p256 are"},
		{"alone", ERR_UNSUPPORTED, "type alone are"},
		{"x-grease AAAA", ERR_UNAUTHORIZED, "any of the recipients"},
		{"evil\x1b[2J AAAA", ERR_UNAUTHORIZED, "any of the recipients"},
		{"X25519", ERR_UNAUTHORIZED, "any of the recipients"},
		{"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddtoolong x", ERR_UNSUPPORTED,
		 "ccccccccccdddddddddd are"},
	};
	autoageidentities AgeIdentities *identities = identities_of(one);
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autobuf Buf out = {0};
		autofree char *file =
			mem_printf("age-encryption.org/v1\n-> %s\n\n--- AAAA\n", rows[i].stanza);
		assert_false(age_decrypt(identities, str_of(file), &out, &err));
		assert_int_equal(err.code, rows[i].code);
		assert_non_null(strstr(err_text(&err), rows[i].said));
	}
}

static void K48_what_is_no_identity(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		ErrorCode code;
	} rows[] = {
		{"AGE-SECRET-KEY-PQ-1QQQQ", ERR_UNSUPPORTED},
		{"AGE-PLUGIN-YUBIKEY-1QQQ", ERR_UNSUPPORTED},
		{"AGE-SECRET-KEY-1", ERR_INVALID},
		{"age17zp469aemu7jjjzdvpdgfvmrj2fgjyfjsqf0885el0hjc7f9xd9sh5f2sw", ERR_INVALID},
		{" AGE-SECRET-KEY-1", ERR_INVALID},
		{"nonsense", ERR_INVALID},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autoageidentities AgeIdentities *identities = age_identities_new();
		autofree char *text = mem_printf("\n%s", rows[i].text);
		assert_false(age_identities_add(identities, str_of(text), &err));
		assert_int_equal(err.code, rows[i].code);
		assert_non_null(strstr(err_text(&err), "line 2"));
		assert_null(strstr(err_text(&err), rows[i].text));
	}
}

/* Bech32's checksum finds any one wrong letter; upper and lower case do not mix. */
static void K48_a_mistyped_identity(void **state)
{
	(void)state;
	for (size_t at = 0; at < strlen(one); at++) {
		autoerror Error err = {0};
		autoageidentities AgeIdentities *identities = age_identities_new();
		autofree char *text = mem_strdup(one);
		text[at] = text[at] == 'Q' ? 'P' : 'Q';
		assert_false(age_identities_add(identities, str_of(text), &err));
		text[at] = (char)(one[at] | 0x20);
		if (one[at] >= 'A' && one[at] <= 'Z') {
			error_dispose(&err);
			assert_false(age_identities_add(identities, str_of(text), &err));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(K40_any_recipient_opens_both_forms),
		cmocka_unit_test(K41_no_byte_can_be_changed),
		cmocka_unit_test(K41_a_cut_is_noticed),
		cmocka_unit_test(K40_identity_files),
		cmocka_unit_test(K48_recipients_of_other_types),
		cmocka_unit_test(K48_what_is_no_identity),
		cmocka_unit_test(K48_a_mistyped_identity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
