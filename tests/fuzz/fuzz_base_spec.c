/* A remote base's entry: no crash; what is parsed is cloned over http(s) only and its path stays in
 * the repository (B104). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "bases/bases.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autofree char *entry = mem_strndup((const char *)bytes, size);
	autobasespec BaseSpec spec = {0};
	autoerror Error err = {0};
	if (!base_spec_parse(entry, &spec, &err))
		return 0;
	if (!(cstr_starts(spec.url, "http://") || cstr_starts(spec.url, "https://")) ||
	    cstr_starts(spec.path, "../") || cstr_eq(spec.path, "..") || spec.timeout_ms <= 0)
		abort();
	return 0;
}
