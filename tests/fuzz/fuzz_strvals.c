/* --set and its kin: any text, no crash. */
#include <stdint.h>

#include "helm/strvals.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const StrvalsMode modes[] = {STRVALS_TYPED, STRVALS_STRING, STRVALS_LITERAL,
					    STRVALS_JSON};
	for (size_t i = 0; i < COUNT(modes); i++) {
		StrvalsOptions options = {.mode = modes[i]};
		autojson json_t *values = json_object();
		autoerror Error err = {0};
		(void)!helm_strvals(values, str_sized((const char *)bytes, size), &options, &err);
	}
	return 0;
}
