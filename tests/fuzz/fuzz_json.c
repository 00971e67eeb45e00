/* JSON in, out and in again: no crash, and the same value; the quick reader takes nothing that
 * jansson refuses or a YAML parser reads in another way. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/json_internal.h"
#include "data/json_twice.h"
#include "data/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *text_in = (const char *)bytes;
	autojson json_t *quick = json_quick(text_in, size, JSON_QUICK_ANY);
	autojson json_t *whole = quick ? json_loadb(text_in, size, JSON_DECODE_ANY, NULL) : NULL;
	if (quick && !json_equal(quick, whole))
		abort();
	autojson json_t *plain = json_parse_plain(text_in, size);
	autoerror Error yaml_err = {0};
	autojson json_t *yaml = plain ? yaml_parse(text_in, size, size, "fuzz", &yaml_err) : NULL;
	if (plain && !json_equal(plain, yaml))
		abort();
	autoerror Error err = {0};
	autojson json_t *value = json_parse((const char *)bytes, size, 1 << 16, &err);
	if (!value)
		return 0;
	autojson json_t *twice = json_array();
	autoerror Error noting_err = {0};
	autojson json_t *noted = json_parse_noting(text_in, size, 1 << 16, twice, &noting_err);
	autojson json_t *once =
		json_loadb(text_in, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	if (!json_equal(noted, value) || (once && json_array_size(twice) > 0))
		abort();
	autofree char *text = json_dump_go(value);
	autoerror Error back_err = {0};
	autojson json_t *back = json_parse(text, strlen(text), 1 << 24, &back_err);
	if (!back || !json_same(value, back))
		abort();
	return 0;
}
