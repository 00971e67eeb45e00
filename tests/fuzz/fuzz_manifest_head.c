/* A rendered manifest: what the scanner of heads takes, the parser takes, with the same head. */
#include <stdint.h>
#include <stdlib.h>

#include "helm/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autoarena Arena *arena = arena_new();
	autoerror Error err = {0};
	HelmHead scanned, parsed;
	Str text = str_sized((const char *)bytes, size);
	bool sure = helm_head_scan(text, &scanned);
	bool valid = helm_head_parse(arena, text, &parsed, &err);
	if (!sure)
		return 0;
	if (!valid)
		abort();
	for (size_t i = 0; i < HEAD_COUNT; i++)
		if (scanned.fields[i].found != parsed.fields[i].found ||
		    !str_eq(scanned.fields[i].text, parsed.fields[i].text))
			abort();
	return 0;
}
