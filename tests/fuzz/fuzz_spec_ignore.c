/* spec.ignore against a live object, a dry run's reply and a payload, all of them hostile (K68): no
 * crash, and the payload stays an object. Input: four JSON texts, one a line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "delivery/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static json_t *next_value(Str *rest)
{
	autoerror Error err = {0};
	Str line;
	str_cut(*rest, '\n', &line, rest);
	json_t *value = json_parse(line.ptr, line.len, 1 << 16, &err);
	return value ? value : json_object();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autoerror Error err = {0};
	Str rest = {(const char *)bytes, size};
	autojson json_t *rules_tree = next_value(&rest), *live = next_value(&rest);
	autojson json_t *reply = next_value(&rest), *payload = next_value(&rest);
	if (!json_is_object(payload) || !json_is_object(live) || !json_is_object(reply))
		return 0;
	autoignorerules IgnoreRules *rules = ignore_rules_new(rules_tree, "spec.ignore", &err);
	if (!rules)
		return 0;
	autojson json_t *paths = ignore_paths(rules, reply);
	ignore_has_drifted(live, reply, paths);
	ignore_settle(&payload, live, reply, paths, "kustomize-controller");
	if (!json_is_object(payload))
		abort();
	return 0;
}
