/* Label and field selectors of a query (A56): no crash; one that parses decides the same twice. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/selector.h"
#include "fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void try_labels(const char *text, const json_t *labels)
{
	autoerror Error err = {0};
	autoselector Selector *selector = selector_parse(text, &err);
	if (!selector && !err_is_set(&err))
		abort();
	if (selector && selector_is_empty(selector) && !selector_matches(selector, labels))
		abort();
}

static void try_fields(const char *text, const json_t *object)
{
	static const Resource pods = {.key = (char *)(uintptr_t) "pods"};
	autostatus Status status = {0};
	FieldSelector *selector = field_selector_parse(&pods, text, &status);
	if (!selector && !status_is_set(&status))
		abort();
	if (selector &&
	    field_selector_matches(selector, object) != field_selector_matches(selector, object))
		abort();
	field_selector_free(selector);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autofree char *text = str_dup(str_sized((const char *)bytes, size));
	autojson json_t *object = json_pack("{s:{s:s},s:{s:s,s:s}}", "metadata", "name", "a",
					    "spec", "nodeName", "n", "restartPolicy", "Always");
	autojson json_t *labels = json_pack("{s:s,s:s}", "a", "b", "c", "d");
	try_labels(text, labels);
	try_fields(text, object);
	return 0;
}
