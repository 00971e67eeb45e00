/* A template and values, separated by a NUL: parsed and run within tight limits, no crash. */
#include <stdint.h>
#include <string.h>

#include "data/json.h"
#include "gotmpl/gotmpl.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const GotmplLimits limits = {
		.output_bytes = 1 << 16, .memory_bytes = 16 << 20, .steps = 20000, .time_ms = 1000};
	const uint8_t *end = size ? memchr(bytes, '\0', size) : NULL;
	size_t len = end ? (size_t)(end - bytes) : size;
	autoerror Error err = {0};
	autoerror Error json_err = {0};
	autojson json_t *values =
		end ? json_parse((const char *)end + 1, size - len - 1, 1 << 16, &json_err) : NULL;
	autogotmpl GotmplSet *set = gotmpl_new();
	if (!gotmpl_parse(set, "fuzz", str_sized((const char *)bytes, len), &err))
		return 0;
	autoarena Arena *arena = arena_new();
	autobuf Buf out = {0};
	GoRun *run = gotmpl_run_new(set, arena, &limits);
	(void)!gotmpl_execute(run, "fuzz", go_from_json(arena, values), &out, &err);
	return 0;
}
