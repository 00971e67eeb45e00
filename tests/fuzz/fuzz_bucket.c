/* A page of a bucket's listing, or STS's reply, of any service: no crash, and keys that can be
 * shown and asked for. The first byte says whose it is. */
#include <stdint.h>
#include <stdlib.h>

#include "cloud/aws.h"
#include "cloud/bucket.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_page(const BucketPage *page)
{
	for (size_t i = 0; i < page->objects.len; i++) {
		const BucketObject *object = page->objects.items[i];
		if (!object->key || !*object->key || object->size < -1)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static bool (*const parsers[])(Str body, BucketPage * out, Error * err) = {
		s3_parse_page, gcs_parse_page, azure_parse_page};
	if (size == 0)
		return 0;
	Str body = str_sized((const char *)bytes + 1, size - 1);
	size_t which = bytes[0] % (COUNT(parsers) + 1);
	autoerror Error err = {0};
	autobucketpage BucketPage page = {0};
	autocredential Credential credential = {0};
	bool ok = which < COUNT(parsers) ? parsers[which](body, &page, &err)
					 : aws_sts_parse(body, &credential, &err);
	if (ok == err_is_set(&err))
		abort();
	check_page(&page);
	return 0;
}
