/* Signatures that GnuPG made, against keys in Secrets' form. */
#include "../cmocka_all.h"

#include "../git/fixture.h"
#include "base/mem.h"
#include "base/str.h"
#include "sign/openpgp.h"

/* gpg in DIR/gnupg; DIR/payload is what gets signed. */
static char *gpg_dir(void)
{
	char *dir = temp_dir();
	free(shell(dir, "mkdir -m 700 gnupg && printf 'tree 0\\n\\nmessage\\n' > payload"));
	return dir;
}

static char *gpg(const char *dir, const char *args)
{
	return shell(dir,
		     "gpg --homedir gnupg --batch --quiet --no-tty --pinentry-mode loopback "
		     "--passphrase '' --yes %s 2>gpg.log",
		     args);
}

static void end_gpg(char **dir)
{
	free(shell(*dir, "gpgconf --homedir gnupg --kill gpg-agent"));
	dir_auto_remove(dir);
}
#define autogpgdir __attribute__((cleanup(end_gpg)))

/* A key for that algorithm and its export as DIR/NAME.asc; its id, owned. */
static char *make_key(const char *dir, const char *name, const char *algorithm, const char *options)
{
	autofree char *make = mem_printf("%s --quick-generate-key '%s <%s@example.test>' %s sign",
					 options, name, name, algorithm);
	autofree char *export = mem_printf(
		"--armor --output %s.asc --export '=%s <%s@example.test>'", name, name, name);
	free(gpg(dir, make));
	free(gpg(dir, export));
	return shell(dir,
		     "gpg --homedir gnupg --with-colons --list-keys '=%s <%s@example.test>' "
		     "2>/dev/null | awk -F: '$1 == \"pub\" {print $5; exit}'",
		     name, name);
}

static char *sign(const char *dir, const char *name, const char *options)
{
	autofree char *args = mem_printf("--armor --local-user '=%s <%s@example.test>' %s "
					 "--detach-sign --output signature payload",
					 name, name, options);
	free(gpg(dir, args));
	return read_file(dir, "signature");
}

static bool verify(const char *signature, const char *payload, const char *const *keys,
		   char **out_key, Error *err)
{
	Str rings[8];
	size_t count = 0;
	for (; keys[count]; count++)
		rings[count] = str_of(keys[count]);
	return openpgp_verify(str_of(signature), str_of(payload), rings, count, out_key, err);
}

static void is_refused(const char *signature, const char *payload, const char *keys,
		       const char *text)
{
	autoerror Error err = {0};
	char *key = NULL;
	assert_false(verify(signature, payload, (const char *const[]){keys, NULL}, &key, &err));
	assert_null(key);
	if (!strstr(err_text(&err), text))
		fail_msg("\"%s\" does not say \"%s\"", err_text(&err), text);
}

static void S39_signatures_of_each_algorithm_pass(void **state)
{
	static const char *const algorithms[] = {"rsa2048", "ed25519", "nistp384",
						 "brainpoolP256r1"};
	(void)state;
	autogpgdir char *dir = gpg_dir();
	autofree char *payload = read_file(dir, "payload");
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		autoerror Error err = {0};
		autofree char *name = mem_printf("k%zu", i);
		autofree char *file = mem_printf("%s.asc", name);
		autofree char *id = make_key(dir, name, algorithms[i], "");
		autofree char *signature = sign(dir, name, "");
		autofree char *keys = read_file(dir, file);
		autofree char *key = NULL;
		if (!verify(signature, payload, (const char *const[]){keys, NULL}, &key, &err))
			fail_msg("%s: %s", algorithms[i], err_text(&err));
		assert_string_equal(key, id);
	}
}

static void S40_changed_payload_and_foreign_key_are_refused(void **state)
{
	(void)state;
	autogpgdir char *dir = gpg_dir();
	autofree char *payload = read_file(dir, "payload");
	free(make_key(dir, "ann", "ed25519", ""));
	free(make_key(dir, "bob", "ed25519", ""));
	autofree char *signature = sign(dir, "ann", "");
	autofree char *ann = read_file(dir, "ann.asc"), *bob = read_file(dir, "bob.asc");
	is_refused(signature, "tree 0\n\nmessage?\n", ann, "no matching key");
	is_refused(signature, payload, bob, "no matching key");
	is_refused(signature, payload, "no key at all", "unable to read armored key ring");
	is_refused("-----BEGIN PGP SIGNATURE-----\n\n!!!!\n-----END PGP SIGNATURE-----\n", payload,
		   ann, "unable to read OpenPGP signature");
	/* One that cannot be read does not hide those that can. */
	autoerror Error err = {0};
	autofree char *key = NULL;
	const char *const keys[] = {"rubbish", bob, ann, NULL};
	assert_true(verify(signature, payload, keys, &key, &err));
}

static void S40_expired_and_revoked_keys_are_refused(void **state)
{
	(void)state;
	autogpgdir char *dir = gpg_dir();
	autofree char *payload = read_file(dir, "payload");
	static const char past[] = "--faked-system-time 20200101T000000";
	autofree char *make = mem_printf("%s --quick-generate-key 'old <old@example.test>' ed25519 "
					 "sign 1d",
					 past);
	free(gpg(dir, make));
	free(gpg(dir, "--armor --output old.asc --export '=old <old@example.test>'"));
	autofree char *old_signature = sign(dir, "old", past);
	autofree char *old = read_file(dir, "old.asc");
	is_refused(old_signature, payload, old, "no matching key");

	free(make_key(dir, "lost", "ed25519", ""));
	autofree char *signature = sign(dir, "lost", "");
	free(shell(dir, "sed 's/^:-----BEGIN/-----BEGIN/' gnupg/openpgp-revocs.d/"
			"$(gpg --homedir gnupg --with-colons --list-keys lost@example.test "
			"2>/dev/null | awk -F: '$1 == \"fpr\" {print $10; exit}').rev > lost.rev"));
	free(gpg(dir, "--import lost.rev"));
	free(gpg(dir, "--armor --output lost.asc --export '=lost <lost@example.test>'"));
	autofree char *lost = read_file(dir, "lost.asc");
	is_refused(signature, payload, lost, "no matching key");
}

static void S40_weak_digests_are_refused(void **state)
{
	(void)state;
	autogpgdir char *dir = gpg_dir();
	autofree char *payload = read_file(dir, "payload");
	free(make_key(dir, "ann", "rsa2048", ""));
	autofree char *signature = sign(dir, "ann", "--digest-algo SHA1");
	autofree char *ann = read_file(dir, "ann.asc");
	is_refused(signature, payload, ann, "digest is too weak");
}

/* A message that carries its own text would verify whatever the commit says. */
static void S40_signature_must_be_detached(void **state)
{
	(void)state;
	autogpgdir char *dir = gpg_dir();
	autofree char *payload = read_file(dir, "payload");
	free(make_key(dir, "ann", "ed25519", ""));
	free(gpg(dir, "--armor --local-user ann@example.test --compress-algo none --sign "
		      "--output message payload"));
	autofree char *message = shell(dir, "sed 's/PGP MESSAGE/PGP SIGNATURE/' message");
	autofree char *ann = read_file(dir, "ann.asc");
	is_refused(message, "tree 1\n\nother\n", ann, "OpenPGP packet of type");
	is_refused(message, payload, ann, "OpenPGP packet of type");
}

static void S40_secret_keys_are_no_key_ring(void **state)
{
	(void)state;
	autogpgdir char *dir = gpg_dir();
	autofree char *payload = read_file(dir, "payload");
	free(make_key(dir, "ann", "ed25519", ""));
	autofree char *signature = sign(dir, "ann", "");
	free(gpg(dir, "--armor --output secret.asc --export-secret-keys ann@example.test"));
	autofree char *secret = shell(dir, "sed 's/PRIVATE KEY/PUBLIC KEY/' secret.asc");
	is_refused(signature, payload, secret, "OpenPGP packet of type 5");
}

static void S39_subkey_gives_the_primary_keys_id(void **state)
{
	(void)state;
	autogpgdir char *dir = gpg_dir();
	autofree char *payload = read_file(dir, "payload");
	autofree char *id = make_key(dir, "ann", "ed25519", "");
	free(gpg(dir, "--quick-add-key $(gpg --homedir gnupg --with-colons --list-keys 2>/dev/null "
		      "| awk -F: '$1 == \"fpr\" {print $10; exit}') ed25519 sign"));
	free(gpg(dir, "--armor --output ann.asc --export ann@example.test"));
	autofree char *signature = sign(dir, "ann", "");
	autofree char *ann = read_file(dir, "ann.asc"), *key = NULL;
	autoerror Error err = {0};
	assert_true(verify(signature, payload, (const char *const[]){ann, NULL}, &key, &err));
	assert_string_equal(key, id);
	autofree char *by = shell(dir, "gpg --homedir gnupg --verify signature payload 2>&1 "
				       "| awk '/using/ {print substr($NF, length($NF) - 15)}'");
	assert_string_not_equal(by, id);
}

static void packets_are_framed_strictly(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool ok;
	} rows[] = {
		{"\x88\x01x", 3, true},	      /* old format, one byte of length */
		{"\x89\0\x01x", 4, true},     /* two */
		{"\x8a\0\0\0\x01x", 6, true}, /* four */
		{"\x8bx", 2, false},	      /* to the end */
		{"\xc2\x01x", 3, true},	      /* new format */
		{"\xc2\xff\0\0\0\x01x", 7, true},
		{"\xc2\xe1xx", 4, false}, /* partial */
		{"\xc2\x05x", 3, false},  /* cut short */
		{"\xc2", 1, false},
		{"\xc2\xff\xff\xff\xff\xffx", 7, false},
		{"\x08\x01x", 3, false}, /* no packet */
		{"\xc6\x01x", 3, false}, /* a key */
		{"", 0, false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		if (openpgp_check_packets(str_sized(rows[i].bytes, rows[i].len), 1u << 2, &err) !=
		    rows[i].ok)
			fail_msg("row %zu: %s", i, err_text(&err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S39_signatures_of_each_algorithm_pass),
		cmocka_unit_test(S39_subkey_gives_the_primary_keys_id),
		cmocka_unit_test(S40_changed_payload_and_foreign_key_are_refused),
		cmocka_unit_test(S40_expired_and_revoked_keys_are_refused),
		cmocka_unit_test(S40_weak_digests_are_refused),
		cmocka_unit_test(S40_signature_must_be_detached),
		cmocka_unit_test(S40_secret_keys_are_no_key_ring),
		cmocka_unit_test(packets_are_framed_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
