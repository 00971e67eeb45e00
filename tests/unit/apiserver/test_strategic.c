/* Strategic merge patches against the keys of kube-api.md 3.6. */
#include "../cmocka_all.h"

#include <string.h>

#include "strategic.h"

#define POD "io.k8s.api.core.v1.Pod"
#define DEPLOYMENT "io.k8s.api.apps.v1.Deployment"

static json_t *parse(const char *text)
{
	autoerror Error err = {0};
	json_t *value = json_parse(text, strlen(text), 65536, &err);
	assert_non_null(value);
	return value;
}

typedef struct {
	const char *definition, *object, *patch, *expected;
} Row;

static const Row rows[] = {
	/* by name; others stay, behind those that the patch names */
	{POD, "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"1\"}]}}",
	 "{\"spec\":{\"containers\":[{\"name\":\"b\",\"image\":\"2\"}]}}",
	 "{\"spec\":{\"containers\":[{\"image\":\"2\",\"name\":\"b\"},{\"image\":\"1\",\"name\":"
	 "\"a\"}]}}"},
	/* a directive where there is nothing to merge with takes its map along */
	{POD, "{\"metadata\":{}}",
	 "{\"metadata\":{\"labels\":{\"$patch\":\"delete\",\"b\":\"2\"}}}", "{\"metadata\":{}}"},
	/* an item with `replace` leaves its list to the others */
	{POD, "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
	 "{\"spec\":{\"containers\":[{\"name\":\"a\",\"$patch\":\"replace\"},{\"name\":\"c\"}]}}",
	 "{\"spec\":{\"containers\":[{\"name\":\"c\"}]}}"},
	/* A31: $patch delete */
	{POD,
	 "{\"spec\":{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"X\"},{\"name\":\"Y\"}]}]}"
	 "}",
	 "{\"spec\":{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"X\",\"$patch\":"
	 "\"delete\"}]}]}}",
	 "{\"spec\":{\"containers\":[{\"env\":[{\"name\":\"Y\"}],\"name\":\"a\"}]}}"},
	/* $patch replace of a list and of a map */
	{POD, "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}",
	 "{\"spec\":{\"containers\":[{\"$patch\":\"replace\"},{\"name\":\"c\"}]}}",
	 "{\"spec\":{\"containers\":[{\"name\":\"c\"}]}}"},
	{POD, "{\"metadata\":{\"labels\":{\"a\":\"1\"}}}",
	 "{\"metadata\":{\"labels\":{\"$patch\":\"replace\",\"b\":\"2\"}}}",
	 "{\"metadata\":{\"labels\":{\"b\":\"2\"}}}"},
	/* lists without a strategy are replaced */
	{POD, "{\"spec\":{\"tolerations\":[{\"key\":\"a\"}]}}",
	 "{\"spec\":{\"tolerations\":[{\"key\":\"b\"}]}}",
	 "{\"spec\":{\"tolerations\":[{\"key\":\"b\"}]}}"},
	/* null removes */
	{POD, "{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"}}}",
	 "{\"metadata\":{\"labels\":{\"a\":null}}}", "{\"metadata\":{\"labels\":{\"b\":\"2\"}}}"},
	/* $retainKeys */
	{DEPLOYMENT,
	 "{\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":1}}}"
	 "}",
	 "{\"spec\":{\"strategy\":{\"$retainKeys\":[\"type\"],\"type\":\"Recreate\"}}}",
	 "{\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}"},
	/* sets of scalars merge; $deleteFromPrimitiveList */
	{POD, "{\"metadata\":{\"finalizers\":[\"a/b\",\"c/d\"]}}",
	 "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a/b\"],\"finalizers\":[\"e/"
	 "f\"]}}",
	 "{\"metadata\":{\"finalizers\":[\"e/f\",\"c/d\"]}}"},
	/* $setElementOrder */
	{POD, "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}",
	 "{\"spec\":{\"$setElementOrder/"
	 "containers\":[{\"name\":\"b\"},{\"name\":\"a\"}],\"containers\":"
	 "[{\"name\":\"b\",\"image\":\"x\"}]}}",
	 "{\"spec\":{\"containers\":[{\"image\":\"x\",\"name\":\"b\"},{\"name\":\"a\"}]}}"},
};

static void patches(void **state)
{
	(void)state;
	Definitions *definitions = definitions_new();
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *object = parse(rows[i].object);
		autojson json_t *patch = parse(rows[i].patch);
		autostatus Status status = {0};
		assert_true(
			strategic_apply(definitions, rows[i].definition, object, patch, &status));
		autofree char *found = json_dump_sorted(object);
		assert_string_equal(found, rows[i].expected);
	}
	definitions_free(definitions);
}

static void malformed(void **state)
{
	(void)state;
	static const struct {
		const char *patch;
		int code;
	} bad[] = {
		{"{\"spec\":{\"containers\":[{\"image\":\"no name\"}]}}", 500},
		{"{\"spec\":{\"containers\":[1]}}", 400},
		{"{\"metadata\":{\"$patch\":\"explode\"}}", 500},
	};
	Definitions *definitions = definitions_new();
	for (size_t i = 0; i < COUNT(bad); i++) {
		autojson json_t *object =
			parse("{\"metadata\":{},\"spec\":{\"containers\":[{\"name\":\"a\"}]}}");
		autojson json_t *patch = parse(bad[i].patch);
		autostatus Status status = {0};
		assert_false(strategic_apply(definitions, POD, object, patch, &status));
		assert_int_equal(status.code, bad[i].code);
	}
	definitions_free(definitions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(patches), cmocka_unit_test(malformed)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
