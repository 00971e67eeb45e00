/* Bundles and payloads of any bytes: no crash, and nothing is verified that nobody signed. */
#include <stdint.h>
#include <stdlib.h>

#include "sign/cosign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static PublicKey *some_key(void)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
				  "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
				  "-----END PUBLIC KEY-----\n";
	autoerror Error err = {0};
	return public_key_of_pem(str_of(pem), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char digest[] =
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	autoerror Error first = {0}, second = {0}, third = {0};
	autopublickey PublicKey *key = some_key();
	const CosignKeys keys = {&key, 1};
	const Str text = str_sized((const char *)data, size);
	autopublickey PublicKey *read UNUSED = public_key_of_pem(text, &third);
	if (cosign_verify_bundle(text, digest, &keys, &first) ||
	    cosign_verify_payload(text, "AAAA", digest, &keys, &second))
		abort();
	return 0;
}
