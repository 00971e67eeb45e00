/* Ignore rules: the first line is a path, the rest a .sourceignore. No crash, no long run. */
#include <stdint.h>

#include "archive/ignore.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT_BYTES = 1 << 14 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str path, rules_text;
	if (size > MAX_INPUT_BYTES)
		return 0;
	str_cut(str_sized((const char *)data, size), '\n', &path, &rules_text);
	autofree char *name = str_dup(path);
	autoignore IgnoreRules *rules = ignore_new();
	ignore_add_file(rules, "", rules_text);
	ignore_add_file(rules, "a/b", rules_text);
	ignore_finish(rules);
	/* VCS rules hold unless a rule says otherwise; here only that both answers come. */
	ignore_matches(rules, name, true);
	ignore_matches(rules, name, false);
	return 0;
}
