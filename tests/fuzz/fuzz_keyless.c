/* Bundles and annotations of any bytes under a trusted root that trusts nobody: no crash, nothing
 * is verified. */
#include <stdint.h>
#include <stdlib.h>

#include "sign/keyless.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char digest[] =
	"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* Three texts, divided by NULs. */
static bool tag_is_good(Str text, const KeylessTrust *trust, Error *err)
{
	Str part;
	char *parts[3] = {0};
	for (size_t i = 0; i < COUNT(parts); i++) {
		str_cut(text, '\0', &part, &text);
		parts[i] = str_dup(part);
	}
	const KeylessSignature signature = {parts[0], parts[1], parts[2]};
	bool good = keyless_verify_payload(text, &signature, digest, trust, err);
	for (size_t i = 0; i < COUNT(parts); i++)
		free(parts[i]);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoerror Error first = {0}, second = {0};
	TrustedRoot root = {0};
	KeylessIdentities nobody = {0};
	const KeylessTrust trust = {&root, &nobody};
	const Str text = str_sized((const char *)data, size);
	if (keyless_verify_bundle(text, digest, &trust, &first) ||
	    tag_is_good(text, &trust, &second))
		abort();
	return 0;
}
