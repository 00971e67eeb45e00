/* CBOR of any bytes: no crash, what is taken is inside; a head that is written reads the same. */
#include <stdint.h>
#include <stdlib.h>

#include "sign/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_head(const CborItem *item)
{
	autoerror Error err = {0};
	autobuf Buf out = {0};
	CborItem again;
	cbor_put(&out, item->kind, item->number);
	buf_add(&out, item->bytes);
	Str rest = buf_str(&out);
	if (!cbor_next(&rest, &again, &err) || rest.len || again.kind != item->kind ||
	    again.number != item->number)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoerror Error err = {0}, skip_err = {0};
	const Str text = str_sized((const char *)data, size);
	Str rest = text, whole = text, taken;
	CborItem item;
	while (rest.len && cbor_next(&rest, &item, &err))
		check_head(&item);
	if (cbor_skip(&whole, &taken, &skip_err) && taken.len + whole.len != text.len)
		abort();
	return 0;
}
