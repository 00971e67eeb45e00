/* JSON in, out and in again: no crash, and the same value. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autoerror Error err = {0};
	autojson json_t *value = json_parse((const char *)bytes, size, 1 << 16, &err);
	if (!value)
		return 0;
	autofree char *text = json_dump_go(value);
	autoerror Error back_err = {0};
	autojson json_t *back = json_parse(text, strlen(text), 1 << 24, &back_err);
	if (!back || !json_same(value, back))
		abort();
	return 0;
}
