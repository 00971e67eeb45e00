/* Provenance files as repositories serve them: no crash; what was taken has a signature, and no
 * line of what is signed ends in a blank. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "charts/provenance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoerror Error err = {0};
	autoprovenance Provenance provenance = {0};
	Str text = str_sized((const char *)data, size);
	if (!provenance_parse(text, &provenance, &err)) {
		if (!err_is_set(&err) || provenance.plain.len)
			abort();
		return 0;
	}
	if (provenance.signature.len == 0 || provenance.signature.len > size)
		abort();
	Str signed_text = buf_str(&provenance.canonical);
	if (str_find(signed_text, STR(" \r\n")) >= 0 || str_find(signed_text, STR("\t\r\n")) >= 0)
		abort();
	autofree char *digest = provenance_digest(&provenance, "chart-1.0.0.tgz", &err);
	if (!digest == !err_is_set(&err))
		abort();
	return 0;
}
