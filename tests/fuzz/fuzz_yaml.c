/* YAML in, JSON, YAML out and in again: no crash, and what is written reads back the same. */
#include <stdint.h>
#include <stdlib.h>

#include "data/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autoerror Error err = {0};
	autoyaml YamlStream stream = {0};
	if (!yaml_parse_all((const char *)bytes, size, 1 << 16, "fuzz", &stream, &err))
		return 0;
	for (size_t i = 0; i < stream.len; i++) {
		autobuf Buf text = {0};
		yaml_emit(stream.items[i].value, &text);
		autoerror Error back_err = {0};
		autojson json_t *back =
			yaml_parse(buf_text(&text), text.len, 1 << 26, "back", &back_err);
		if (back && !json_same(back, stream.items[i].value))
			abort();
		yaml_line_of((const char *)bytes, size, i, "/a/0");
	}
	return 0;
}
