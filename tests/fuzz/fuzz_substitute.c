/* ${...} in any text, with variables of the input's own: no crash, output within its limit, and a
 * text without `$` comes out as it went in. Input: lines NAME=VALUE, an empty line, the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	enum { MAX_INPUT = 1 << 16, MAX_OUTPUT = 1 << 22, MAX_MS = 10000 };
	if (size < 1 || size > MAX_INPUT)
		return 0;
	autofree char *input = mem_strndup((const char *)bytes + 1, size - 1);
	automap Map *values = map_new(free);
	Str rest = str_of(input), line, name, value;
	while (str_cut(rest, '\n', &line, &rest) && line.len) {
		str_cut(line, '=', &name, &value);
		autofree char *key = str_dup(name);
		if (substitute_valid_name(key))
			map_put(values, key, str_dup(value));
	}
	autofree char *text = str_dup(rest);
	SubstituteVars vars = {.values = values,
			       .strict = bytes[0] & 1,
			       .max_bytes = MAX_OUTPUT,
			       .max_ms = MAX_MS,
			       .until_ms = clock_mono_ms() + MAX_MS};
	autobuf Buf out = {0};
	autoerror Error err = {0};
	bool ok = substitute_expand(text, &vars, &out, &err);
	if (ok == err_is_set(&err) || (!strchr(text, '$') && strcmp(buf_text(&out), text) != 0))
		abort();
	if (out.len > MAX_OUTPUT || vars.used > MAX_OUTPUT)
		abort();
	return 0;
}
