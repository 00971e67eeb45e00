/* Signatures that ssh-keygen made; and one of a security key, which needs no hardware to check. */
#include "../cmocka_all.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "../git/fixture.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/base64.h"
#include "sign/ssh_key.h"
#include "sign/sshsig.h"

static const char payload[] = "tree 0\n\nmessage\n";

static char *key_dir(void)
{
	char *dir = temp_dir();
	write_file(dir, "payload", payload);
	return dir;
}

static void make_key(const char *dir, const char *name, const char *options)
{
	free(shell(dir, "ssh-keygen -q -N '' -C ann@example.test -f %s %s", name, options));
}

static char *sign(const char *dir, const char *name, const char *options)
{
	return shell(dir, "ssh-keygen -Y sign -q -f %s %s < payload", name, options);
}

static bool verify(const char *signature, const char *text, const char *keys, char **out_key,
		   Error *err)
{
	Str files[] = {str_of("# nobody\n"), str_of(keys)};
	return sshsig_verify(str_of(signature), str_of(text), "git", files, 2, out_key, err);
}

static void is_refused(const char *signature, const char *text, const char *keys, const char *says)
{
	autoerror Error err = {0};
	char *key = NULL;
	assert_false(verify(signature, text, keys, &key, &err));
	assert_null(key);
	if (!strstr(err_text(&err), says))
		fail_msg("\"%s\" does not say \"%s\"", err_text(&err), says);
}

static void S39_signatures_of_each_key_type_pass(void **state)
{
	static const char *const rows[][2] = {
		{"-t ed25519", "-n git"},      {"-t ecdsa -b 256", "-n git"},
		{"-t ecdsa -b 384", "-n git"}, {"-t ecdsa -b 521", "-n git -O hashalg=sha256"},
		{"-t rsa -b 2048", "-n git"},
	};
	(void)state;
	autotempdir char *dir = key_dir();
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autofree char *name = mem_printf("k%zu", i);
		autofree char *public_name = mem_printf("%s.pub", name);
		make_key(dir, name, rows[i][0]);
		autofree char *signature = sign(dir, name, rows[i][1]);
		autofree char *keys = read_file(dir, public_name);
		autofree char *print = shell(dir, "ssh-keygen -l -f %s | cut -d' ' -f2", name);
		autofree char *key = NULL;
		if (!verify(signature, payload, keys, &key, &err))
			fail_msg("%s: %s", rows[i][0], err_text(&err));
		assert_string_equal(key, print);
		is_refused(signature, "tree 1\n", keys, "does not fit");
	}
}

static void S39_lines_may_have_options_and_comments(void **state)
{
	(void)state;
	autotempdir char *dir = key_dir();
	make_key(dir, "ann", "-t ed25519");
	make_key(dir, "bob", "-t ecdsa");
	autofree char *signature = sign(dir, "ann", "-n git");
	autofree char *ann = read_file(dir, "ann.pub"), *bob = read_file(dir, "bob.pub");
	autofree char *keys = mem_printf("# team\r\n\n%scommand=\"a \\\" b\",no-pty %s", bob, ann);
	autofree char *key = NULL;
	autoerror Error err = {0};
	if (!verify(signature, payload, keys, &key, &err))
		fail_msg("%s", err_text(&err));
}

static void S40_other_keys_namespaces_and_rubbish_are_refused(void **state)
{
	(void)state;
	autotempdir char *dir = key_dir();
	make_key(dir, "ann", "-t ed25519");
	make_key(dir, "bob", "-t ed25519");
	autofree char *signature = sign(dir, "ann", "-n git");
	autofree char *ann = read_file(dir, "ann.pub"), *bob = read_file(dir, "bob.pub");
	is_refused(signature, payload, bob, "no matching key");
	autofree char *of_file = sign(dir, "ann", "-n file");
	is_refused(of_file, payload, ann, "namespace git");
	is_refused("-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n",
		   payload, ann, "version");
	is_refused("-----BEGIN SSH SIGNATURE-----\nAAAA\n", payload, ann, "without an end");
	/* One bad line spoils its file, as the mistake should be seen; other files count. */
	autofree char *spoilt = mem_printf("rubbish\n%s", ann);
	is_refused(signature, payload, spoilt, "no matching key");
	autoerror Error err = {0};
	char *key = NULL;
	Str only = str_of(spoilt);
	assert_false(
		sshsig_verify(str_of(signature), str_of(payload), "git", &only, 1, &key, &err));
	assert_non_null(strstr(err_text(&err), "line 1: no SSH public key"));
}

static void S40_every_cut_and_flipped_signature_is_refused(void **state)
{
	(void)state;
	autotempdir char *dir = key_dir();
	make_key(dir, "ann", "-t ed25519");
	autofree char *signature = sign(dir, "ann", "-n git");
	autofree char *ann = read_file(dir, "ann.pub");
	const char *body = strchr(signature, '\n') + 1, *end = strstr(body, "\n-----END");
	autobuf Buf raw = {0};
	autoerror Error err = {0};
	assert_true(base64_decode(body, (size_t)(end - body), &raw, &err));
	for (size_t i = 0; i < raw.len * 2; i++) {
		autobuf Buf changed = {0};
		buf_append(&changed, raw.ptr, i < raw.len ? i : raw.len);
		if (i >= raw.len)
			changed.ptr[i - raw.len] ^= 0x40;
		autofree char *text = base64_encode(buf_text(&changed), changed.len);
		autofree char *armored = mem_printf("-----BEGIN SSH SIGNATURE-----\n%s\n"
						    "-----END SSH SIGNATURE-----\n",
						    text);
		is_refused(armored, payload, ann, "");
	}
}

/* --- a security key --- */

/* What the device signs with (PROTOCOL.u2f). */
static void device_sign(EVP_PKEY *pkey, Str message, Buf *out)
{
	static const char tail[] = {1, 0, 0, 0, 7}; /* touched; counter */
	unsigned char hash[SHA256_DIGEST_LENGTH], raw[64];
	size_t len = sizeof(raw);
	autobuf Buf bytes = {0};
	SHA256((const unsigned char *)"ssh:", 4, hash);
	buf_append(&bytes, hash, sizeof(hash));
	buf_append(&bytes, tail, sizeof(tail));
	SHA256((const unsigned char *)message.ptr, message.len, hash);
	buf_append(&bytes, hash, sizeof(hash));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey), 1);
	assert_int_equal(EVP_DigestSign(ctx, raw, &len, (unsigned char *)bytes.ptr, bytes.len), 1);
	EVP_MD_CTX_free(ctx);
	ssh_put_string(out, STR("sk-ssh-ed25519@openssh.com"));
	ssh_put_string(out, str_sized((char *)raw, len));
	buf_append(out, tail, sizeof(tail));
}

static void S39_security_keys_pass(void **state)
{
	(void)state;
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	unsigned char raw[32], hash[SHA512_DIGEST_LENGTH];
	size_t len = sizeof(raw);
	autobuf Buf blob = {0}, message = {0}, signature = {0}, sig = {0};
	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, raw, &len), 1);
	ssh_put_string(&blob, STR("sk-ssh-ed25519@openssh.com"));
	ssh_put_string(&blob, str_sized((char *)raw, len));
	ssh_put_string(&blob, STR("ssh:"));
	SHA512((const unsigned char *)payload, strlen(payload), hash);
	buf_puts(&message, "SSHSIG");
	ssh_put_string(&message, STR("git"));
	ssh_put_string(&message, STR(""));
	ssh_put_string(&message, STR("sha512"));
	ssh_put_string(&message, str_sized((char *)hash, sizeof(hash)));
	device_sign(pkey, buf_str(&message), &signature);
	buf_append(&sig, "SSHSIG\0\0\0\1", 10);
	ssh_put_string(&sig, buf_str(&blob));
	ssh_put_string(&sig, STR("git"));
	ssh_put_string(&sig, STR(""));
	ssh_put_string(&sig, STR("sha512"));
	ssh_put_string(&sig, buf_str(&signature));
	autofree char *encoded = base64_encode(sig.ptr, sig.len);
	autofree char *armored = mem_printf("-----BEGIN SSH SIGNATURE-----\n%s\n"
					    "-----END SSH SIGNATURE-----\n",
					    encoded);
	autofree char *key_text = base64_encode(blob.ptr, blob.len);
	autofree char *keys = mem_printf("sk-ssh-ed25519@openssh.com %s me\n", key_text);
	autofree char *key = NULL;
	autoerror Error err = {0};
	if (!verify(armored, payload, keys, &key, &err))
		fail_msg("%s", err_text(&err));
	is_refused(armored, "tree 1\n", keys, "does not fit");
	EVP_PKEY_free(pkey);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S39_signatures_of_each_key_type_pass),
		cmocka_unit_test(S39_security_keys_pass),
		cmocka_unit_test(S39_lines_may_have_options_and_comments),
		cmocka_unit_test(S40_other_keys_namespaces_and_rubbish_are_refused),
		cmocka_unit_test(S40_every_cut_and_flipped_signature_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
