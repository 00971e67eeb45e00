/*
 * Patches of all forms against an object: strategic merge, JSON 6902 as JSON or YAML, selectors
 * with regular expressions, replacements. No crash, no hang; what builds once builds the same
 * again. Input: pieces between lines "%%": fields of the kustomization, an object, the file p.yaml.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "memory_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char *piece(Str *rest, const char *before)
{
	ptrdiff_t at = str_find(*rest, STR("%%\n"));
	Str head = str_slice(*rest, 0, at < 0 ? rest->len : (size_t)at);
	*rest = at < 0 ? STR("") : str_slice(*rest, (size_t)at + 3, rest->len);
	return mem_printf("%s%.*s", before, (int)head.len, head.ptr);
}

static char *build(const MemoryFile *files)
{
	autoerror Error err = {0};
	char *text = memory_build(files, &err);
	if (!text != err_is_set(&err))
		abort();
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	enum { MAX_INPUT = 1 << 16 };
	if (size > MAX_INPUT)
		return 0;
	Str rest = {(const char *)bytes, size};
	autofree char *root = piece(&rest, "resources: [r.yaml]\n");
	autofree char *object = piece(&rest, ""), *patch = piece(&rest, "");
	const MemoryFile files[] = {
		{"kustomization.yaml", root}, {"r.yaml", object}, {"p.yaml", patch}, {0}};
	autofree char *first = build(files);
	autofree char *second = first ? build(files) : NULL;
	if (first && !cstr_eq(first, second))
		abort();
	return 0;
}
