/*
 * Expands one JSON case a line, {"text", "vars", "strict"}, and prints one JSON answer a line as
 * tests/oracles/envsubst does: {"value": base64} or {"error": text}.
 */
#include "../json_lines.h"

#include "base/clock.h"
#include "data/base64.h"
#include "internal.h"

static json_t *answer(json_t *request)
{
	enum { MAX_BYTES = 1 << 24, MAX_MS = 10000 };
	automap Map *values = map_new(NULL);
	const char *name;
	json_t *value;
	json_object_foreach(json_map(request, "vars"), name, value)
		map_put(values, name, (char *)(uintptr_t)json_string_value(value));
	SubstituteVars vars = {.values = values,
			       .strict = json_flag(request, "strict", false),
			       .max_bytes = MAX_BYTES,
			       .max_ms = MAX_MS,
			       .until_ms = clock_mono_ms() + MAX_MS};
	autobuf Buf out = {0};
	autoerror Error err = {0};
	if (!substitute_expand(json_text_or(request, "text", ""), &vars, &out, &err))
		return json_pack("{s:s}", "error", err_text(&err));
	autofree char *encoded = base64_encode(buf_text(&out), out.len);
	return json_pack("{s:s}", "value", encoded);
}

int main(void)
{
	return json_lines_serve(answer);
}
