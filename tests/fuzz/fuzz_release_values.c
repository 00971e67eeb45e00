/* spec.valuesFrom and spec.values of a HelmRelease, and what they name, all of them hostile: no
 * crash, and the result is an object. Input: the spec as JSON in one line, then the text that every
 * reference gives. */
#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"
#include "values.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static json_t *read_any(void *arg, const char *kind, const char *name, Error *err)
{
	const Str *text = arg;
	if (!*name)
		return err_null(err, ERR_NOT_FOUND, "%s without a name", kind);
	json_t *object = json_object(), *data = json_make_at(object, "data", NULL);
	json_object_set_new(data, "values.yaml", json_text_new(text->ptr, text->len));
	return object;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autoerror Error err = {0}, failure = {0};
	Str line, text;
	str_cut(str_sized((const char *)bytes, size), '\n', &line, &text);
	autojson json_t *spec = json_parse(line.ptr, line.len, 1 << 16, &err);
	if (!json_is_object(spec))
		return 0;
	autojson json_t *values = values_compose(spec, "ns", read_any, &text, &failure);
	if (values ? !json_is_object(values) : !err_is_set(&failure))
		abort();
	return 0;
}
