/* Documents that went through a post-renderer: what is written again reads as the same object with
 * the annotation, and taking that away again gives no error. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/json.h"
#include "data/yaml.h"
#include "data/yaml_restyle.h"

enum { LIMIT = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char name[] = "example.com/path";
	autoerror Error err = {0}, again = {0};
	autobuf Buf out = {0}, back = {0};
	autoyaml YamlStream before = {0}, after = {0};
	Str text = str_sized((const char *)data, size);
	if (!yaml_parse_objects(text.ptr, text.len, LIMIT, "in", &before, &err) || !before.len ||
	    !json_is_object(before.items[0].value))
		return 0;
	if (!yaml_restyle(text, name, "a/b.yaml", &out, &err))
		return 0;
	/* Limits may bite behind it: what was short is longer in its usual form. */
	if (!yaml_parse_objects(buf_text(&out), out.len, 64 * LIMIT, "out", &after, &again))
		return 0;
	const json_t *annotations = json_at(after.items[0].value, "metadata", "annotations", NULL);
	if (!cstr_eq(json_text(annotations, name), "a/b.yaml"))
		abort();
	if (!yaml_restyle(buf_str(&out), name, NULL, &back, &err))
		abort();
	return 0;
}
