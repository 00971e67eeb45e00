#include "data/digest.h"
#include "gotmpl/call.h"
#include "gotmpl/functions.h"

/* Digests, in hexadecimal. */

static bool digest(GoCall *call, DigestAlgo algo, GoValue *out)
{
	char hex[DIGEST_TEXT_SIZE];
	digest_hex(algo, call->args[0].text.ptr, call->args[0].text.len, hex);
	*out = go_text(call_copy(call, str_of(hex)));
	return true;
}

static bool fn_sha1sum(GoCall *call, GoValue *out)
{
	return digest(call, DIGEST_SHA1, out);
}

static bool fn_sha256sum(GoCall *call, GoValue *out)
{
	return digest(call, DIGEST_SHA256, out);
}

static bool fn_sha512sum(GoCall *call, GoValue *out)
{
	return digest(call, DIGEST_SHA512, out);
}

const GoFn functions_digests[] = {
	{"sha1sum", "s", fn_sha1sum},
	{"sha256sum", "s", fn_sha256sum},
	{"sha512sum", "s", fn_sha512sum},
	{0},
};
