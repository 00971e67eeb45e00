/* Patches on a Deployment, the patch and the object separated by a zero byte: JSON, merge and
 * strategic (A27..A31). No crash; a refusal says why. */
#include <stdint.h>
#include <stdlib.h>

#include "data/jsonpatch.h"
#include "pair.h"
#include "schema.h"
#include "strategic.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char deployment[] = "io.k8s.api.apps.v1.Deployment";

static void try_strategic(Definitions *definitions, const json_t *object, const json_t *patch)
{
	autojson json_t *target = json_deep_copy(object);
	autostatus Status status = {0};
	bool done = strategic_apply(definitions, deployment, target, patch, &status);
	if (done == status_is_set(&status))
		abort();
	autojson json_t *schema = schema_builtin_ref(deployment);
	autobreach TypeBreach breach = {0};
	if (done && schema_decode(definitions, schema, target, &breach))
		schema_default(definitions, schema, target);
}

static void try_json(const json_t *object, const json_t *patch)
{
	autojson json_t *target = json_deep_copy(object);
	autoerror Error err = {0};
	if (!jsonpatch_apply(&target, patch, true, &err) && !err_is_set(&err))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autojson json_t *patch = NULL, *object = NULL;
	if (!read_pair(bytes, size, &patch, &object))
		return 0;
	Definitions *definitions = definitions_new();
	if (json_is_array(patch))
		try_json(object, patch);
	if (json_is_object(patch) && json_is_object(object)) {
		try_strategic(definitions, object, patch);
		autojson json_t *merged = json_deep_copy(object);
		json_merge_patch(&merged, patch);
	}
	definitions_free(definitions);
	return 0;
}
