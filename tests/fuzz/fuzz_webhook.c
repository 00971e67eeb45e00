/* What strangers send to the webhook server: tokens, signatures, CDEvents, keys. No crash; and
 * nothing that was not signed by our key passes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "notify/jwt.h"
#include "notify/nkey.h"
#include "notify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void as_token(const char *text)
{
	/* A small valid EC key, whose private half nobody has written down. */
	autojson json_t *keys =
		json_pack("{s:[{s:s,s:s,s:s,s:s}]}", "keys", "kty", "EC", "crv", "P-256", "x",
			  "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "y",
			  "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU");
	JwtRules rules = {.audience = "us", .now_ms = 1};
	autoerror Error err = {0};
	autojson json_t *claims = jwt_verify(text, keys, &rules, &err);
	if (claims)
		abort();
}

/* A key set may come from a hostile issuer. */
static void as_keys(const char *text, size_t size)
{
	autoerror Error parse = {0}, err = {0};
	autojson json_t *key = json_parse(text, size, 1 << 16, &parse);
	if (!key)
		return;
	autojson json_t *keys = json_pack("{s:[O]}", "keys", key);
	JwtRules rules = {.audience = "us", .now_ms = 1};
	autojson json_t *claims = jwt_verify("eyJhbGciOiJSUzI1NiJ9.e30.AAAA", keys, &rules, &err);
	if (claims)
		abort();
}

static void as_cdevent(const char *text, size_t size)
{
	autoerror Error parse = {0}, err = {0};
	autojson json_t *event = json_parse(text, size, 1 << 16, &parse);
	if (event && !verify_cdevent(event, &err) && !err_is_set(&err))
		abort();
}

static void as_signature(const char *text)
{
	autoerror Error header = {0}, hex = {0};
	if (verify_signature_header(text, STR("key"), STR("body"), &header) &&
	    !cstr_starts(text, "sha"))
		abort();
	if (verify_signature_hex(DIGEST_SHA1, text, STR("key"), STR("body"), &hex) &&
	    strlen(text) != 40)
		abort();
}

static void as_seed(const char *text)
{
	autofree char *public_key = NULL;
	autofree char *signature = NULL;
	autoerror Error err = {0};
	if (nkey_sign(str_of(text), "nonce", &public_key, &signature, &err) != !err_is_set(&err))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (!size)
		return 0;
	autofree char *text = mem_strndup((const char *)bytes + 1, size - 1);
	switch (bytes[0] % 5) {
	case 0:
		as_token(text);
		break;
	case 1:
		as_keys(text, strlen(text));
		break;
	case 2:
		as_cdevent(text, strlen(text));
		break;
	case 3:
		as_signature(text);
		break;
	default:
		as_seed(text);
		break;
	}
	return 0;
}
