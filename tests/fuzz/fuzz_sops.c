/*
 * SOPS files of every format, their metadata, age files and key texts. The data key service of the
 * target takes any file's `enc` for the zero key, so that values are opened too: bytes that the
 * input seals by it are reached.
 */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "sops/age.h"
#include "sops/metadata.h"

static bool any_key(void *arg, const json_t *key, Buf *out, Error *err)
{
	static const char zeros[DATA_KEY_SIZE];
	(void)arg;
	if (!json_text(key, "enc"))
		return err_set(err, ERR_INVALID, "no enc");
	buf_append(out, zeros, sizeof(zeros));
	return true;
}

static void fuzz_file(Str text, SopsFormat in, SopsFormat out_format)
{
	const SopsKeyService service = {"age", any_key, NULL};
	autobuf Buf out = {0};
	autoerror Error err = {0};
	SopsOptions options = {.services = &service, .service_count = 1, .ignore_mac = true};
	if (sops_decrypt(text, in, out_format, &options, &out, &err))
		return;
	if (!err_is_set(&err))
		__builtin_trap();
}

static void fuzz_age(Str text)
{
	static const char identity[] =
		"AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQCZRG9W";
	autoageidentities AgeIdentities *identities = age_identities_new();
	autobuf Buf out = {0};
	autoerror Error first = {0}, second = {0}, third = {0};
	if (age_identities_add(identities, str_of(identity), &first) &&
	    age_decrypt(identities, text, &out, &second))
		return;
	if (!age_identities_add(identities, text, &third) && !err_is_set(&third))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	Str text = str_sized((const char *)data + 1, size - 1);
	unsigned pick = data[0];
	if (pick % 8 == 7)
		fuzz_age(text);
	else
		fuzz_file(text, (SopsFormat)(pick % 8 % 5), (SopsFormat)(pick / 8 % 5));
	return 0;
}
