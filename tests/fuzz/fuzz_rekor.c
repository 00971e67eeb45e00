/* Log entries, annotations and checkpoints of any bytes: no crash; no promise or checkpoint counts
 * that the key did not sign. */
#include <stdint.h>
#include <stdlib.h>

#include "sign/checkpoint.h"
#include "sign/rekor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static PublicKey *some_key(void)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
				  "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
				  "-----END PUBLIC KEY-----\n";
	autoerror Error err = {0};
	return public_key_of_pem(str_of(pem), &err);
}

static void check(const RekorEntry *entry, PublicKey *key)
{
	char url[] = "https://rekor.example";
	autoerror Error first = {0}, second = {0}, third = {0};
	autorekorbody RekorBody body = {0};
	const TrustedLog log = {.key = key, .base_url = url, .period = {INT64_MIN, INT64_MAX}};
	if (rekor_check_promise(entry, &log, &first) ||
	    (entry->has_proof && rekor_check_proof(entry, &log, &second)))
		abort();
	if (rekor_body_read(entry, &body, &third) && !body.hash)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoerror Error json_err = {0}, entry_err = {0}, annotation_err = {0}, note_err = {0};
	autoerror Error all_err = {0}, origin_err = {0};
	autopublickey PublicKey *key = some_key();
	autorekorentry RekorEntry entry = {0}, annotation = {0};
	const Str text = str_sized((const char *)data, size);
	autofree char *copy = str_dup(text);
	autojson json_t *object = json_parse(text.ptr, text.len, REKOR_MAX_BODY, &json_err);
	Checkpoint checkpoint;
	if (object && rekor_entry_parse(object, &entry, &entry_err))
		check(&entry, key);
	if (rekor_entry_of_annotation(copy, &annotation, &annotation_err))
		check(&annotation, key);
	if (checkpoint_parse(text, &checkpoint, &note_err) && checkpoint.origin.len == 0)
		abort();
	if (checkpoint_verify_all(text, key, &all_err) ||
	    checkpoint_verify_origin(text, "rekor.example", key, &origin_err))
		abort();
	return 0;
}
