/*
 * Decrypts for tests/differential/sops: JSON lines on stdin, one result line each on stdout. In:
 * {data: base64, in: FORMAT, out: FORMAT, age: IDENTITIES, pgp: KEYS, ignoreMac}. Out: {data:
 * base64} or {error, code}.
 */
#include <stdio.h>

#include "base/mem.h"
#include "data/base64.h"
#include "sops/age.h"
#include "sops/pgp.h"

static SopsFormat format_of(const json_t *line, const char *key)
{
	static const struct {
		const char *name;
		SopsFormat format;
	} rows[] = {
		{"yaml", SOPS_YAML},	 {"json", SOPS_JSON}, {"dotenv", SOPS_DOTENV},
		{"binary", SOPS_BINARY}, {"ini", SOPS_INI},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (cstr_eq(json_text(line, key), rows[i].name))
			return rows[i].format;
	return SOPS_BINARY;
}

static bool run(const json_t *line, Buf *out, Error *err)
{
	autoageidentities AgeIdentities *identities = age_identities_new();
	autopgpkeyring PgpKeyring *keyring = pgp_keyring_new("/tmp");
	autobuf Buf data = {0};
	Str pgp = str_of(json_text(line, "pgp"));
	const char *encoded = json_text_or(line, "data", "");
	if (!base64_decode(encoded, str_of(encoded).len, &data, err) ||
	    !age_identities_add(identities, str_of(json_text(line, "age")), err))
		return false;
	if (pgp.len && !pgp_keyring_add(keyring, pgp, err))
		return false;
	SopsKeyService services[] = {age_key_service(identities), pgp_key_service(keyring)};
	SopsOptions options = {.services = services,
			       .service_count = COUNT(services),
			       .ignore_mac = json_flag(line, "ignoreMac", false)};
	return sops_decrypt(buf_str(&data), format_of(line, "in"), format_of(line, "out"), &options,
			    out, err);
}

static json_t *answer(const json_t *line)
{
	autoerror Error err = {0};
	autobuf Buf out = {0};
	if (!run(line, &out, &err))
		return json_pack("{s:s, s:s}", "error", err_text(&err), "code",
				 err_code_name(err.code));
	autofree char *encoded = base64_encode(buf_text(&out), out.len);
	return json_pack("{s:s}", "data", encoded);
}

int main(void)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t len;
	while ((len = getline(&text, &size, stdin)) > 0) {
		autoerror Error err = {0};
		autojson json_t *line = json_parse(text, (size_t)len, 64 << 20, &err);
		autojson json_t *reply = line ? answer(line) : json_pack("{s:s}", "error", "line");
		autofree char *out = json_dump(reply);
		printf("%s\n", out);
		fflush(stdout);
	}
	free(text);
	return 0;
}
