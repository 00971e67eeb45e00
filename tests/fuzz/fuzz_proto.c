/* Protobuf bodies of built-in kinds (A85): no crash; what is read is an object that names its kind,
 * and the decoder of JSON bodies takes or refuses it without a crash. */
#include <stdint.h>
#include <stdlib.h>

#include "proto.h"
#include "schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	Definitions *definitions = definitions_new();
	autoerror Error err = {0};
	autojson json_t *object = proto_decode(definitions, bytes, size, &err);
	if (object && (!json_text(object, "kind") || !json_text(object, "apiVersion")))
		abort();
	autojson json_t *schema = schema_builtin_ref("io.k8s.api.apps.v1.Deployment");
	autobreach TypeBreach breach = {0};
	if (object && !schema_decode(definitions, schema, object, &breach) && !breach.want &&
	    !breach.text)
		abort();
	definitions_free(definitions);
	return 0;
}
