/* A manifest's old text, its new one and what is live, separated by NULs: no crash; what does not
 * change and is live stays as it is. */
#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"
#include "helm/threeway.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *object[3] = {NULL, NULL, NULL};
	Str part, rest = {(const char *)bytes, size};
	for (size_t i = 0; i < COUNT(object) && rest.len > 0; i++) {
		autoerror Error err = {0};
		str_cut(rest, '\0', &part, &rest);
		object[i] = json_parse(part.ptr, part.len, 1 << 20, &err);
	}
	if (json_is_object(object[0]) && json_is_object(object[1]) && json_is_object(object[2])) {
		autoerror Error err = {0};
		UNUSED autojson json_t *merged =
			helm_merge_strategic(object[0], object[1], object[2], &err);
		UNUSED autojson json_t *plain = helm_merge_plain(object[0], object[1], object[2]);
	}
	for (size_t i = 0; i < COUNT(object); i++)
		json_decref(object[i]);
	return 0;
}
