/*
 * A CustomResourceDefinition and, after a zero byte, an object of it: no crash in the rules for the
 * one, in schemas and their CEL rules compiled, nor in pruning, defaults and validation of the
 * other by any schema that passed. What is pruned once is pruned.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "crd.h"
#include "pair.h"
#include "schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void validate(const Resource *resource, const json_t *given)
{
	Definitions *definitions = definitions_new();
	autojson json_t *object = json_deep_copy(given);
	if (resource->schema) {
		schema_prune(definitions, resource->schema, object, NULL);
		autojson json_t *again = json_array();
		schema_prune(definitions, resource->schema, object, again);
		if (json_array_size(again))
			abort();
		schema_default(definitions, resource->schema, object);
	}
	autofielderrors FieldErrors errors = {0};
	crd_validate_object(resource, object, NULL, &errors);
	crd_validate_object(resource, object, given, &errors);
	definitions_free(definitions);
}

/* As a write does before it looks at a definition: members have their types (write.c). */
static bool decode(json_t *crd)
{
	static const char name[] =
		"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition";
	Definitions *definitions = definitions_new();
	autojson json_t *schema = schema_builtin_ref(name);
	autobreach TypeBreach breach = {0};
	schema_prune(definitions, schema, crd, NULL);
	bool ok = schema_decode(definitions, schema, crd, &breach);
	if (ok)
		schema_default(definitions, schema, crd);
	definitions_free(definitions);
	return ok && json_map(crd, "metadata") && json_map(crd, "spec");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autojson json_t *crd = NULL, *object = NULL;
	if (!read_pair(bytes, size, &crd, &object) || !json_is_object(crd) ||
	    !json_is_object(object))
		return 0;
	autofielderrors FieldErrors errors = {0};
	if (!decode(crd))
		return 0;
	Catalog *catalog = catalog_new();
	crd_prepare(catalog, crd);
	catalog_free(catalog);
	crd_validate(crd, NULL, &errors);
	if (errors.causes)
		return 0;
	autovec Vec resources = {0};
	crd_resources(crd, &resources);
	for (size_t i = 0; i < resources.len; i++) {
		validate(resources.items[i], object);
		resource_unref(resources.items[i]);
	}
	return 0;
}
