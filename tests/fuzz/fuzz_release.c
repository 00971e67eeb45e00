/* A release's record, as a Secret holds it, or as its JSON: no crash, and what is read is written
 * and read again as it was. */
#include <stdint.h>
#include <stdlib.h>

#include "helm/digest.h"
#include "helm/hooks.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use(const HelmRecord *record)
{
	char digest[DIGEST_TEXT_SIZE];
	autovec Vec hooks = {0};
	autoerror Error err = {0};
	autobuf Buf text = {0};
	helm_record_digest(record, NULL, DIGEST_SHA256, digest);
	autohelmrecord HelmRecord *copy = helm_record_copy(record);
	helm_hooks_select(json_list(helm_record_tree(copy), "hooks"), "test", &hooks);
	if (!helm_record_encode(record, &text, &err))
		return;
	autohelmrecord HelmRecord *again = helm_record_decode(buf_text(&text), text.len, &err);
	if (!again || !json_same(helm_record_tree(record), helm_record_tree(again)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autoerror Error err = {0}, json_err = {0};
	autohelmrecord HelmRecord *stored = helm_record_decode((const char *)bytes, size, &err);
	if (stored)
		use(stored);
	json_t *tree = json_parse((const char *)bytes, size, 1 << 20, &json_err);
	autohelmrecord HelmRecord *plain = tree ? helm_record_new(tree, &json_err) : NULL;
	if (plain)
		use(plain);
	return 0;
}
