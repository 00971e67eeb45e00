/* Trusted roots of any bytes: no crash, no leak; what is read is complete. */
#include <stdint.h>
#include <stdlib.h>

#include "sign/trusted_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoerror Error err = {0};
	autotrustedroot TrustedRoot *root =
		trusted_root_parse(str_sized((const char *)data, size), &err);
	if (!root == !err_is_set(&err))
		abort();
	for (size_t i = 0; root && i < root->authorities.count; i++)
		if (root->authorities.items[i].roots.len != 1)
			abort();
	for (size_t i = 0; root && i < root->tlogs.count; i++)
		if (!root->tlogs.items[i].key)
			abort();
	return 0;
}
