/* Tables: ages as kubectl prints them, cells of built-in and custom kinds; field selectors. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crd.h"
#include "fields.h"
#include "table.h"

static json_t *parse(const char *text)
{
	autoerror Error err = {0};
	json_t *value = json_parse(text, strlen(text), 65536, &err);
	assert_non_null(value);
	return value;
}

static void ages(void **state)
{
	(void)state;
	static const struct {
		int64_t seconds;
		const char *age;
	} rows[] = {
		{0, "0s"},
		{119, "119s"},
		{120, "2m"},
		{192, "3m12s"},
		{600, "10m"},
		{7200, "120m"},
		{10800, "3h"},
		{11460, "3h11m"},
		{86400, "24h"},
		{172800, "2d"},
		{180000, "2d2h"},
		{86400LL * 30, "30d"},
		{86400LL * 800, "2y70d"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *age = table_age("1970-01-01T00:00:00Z", rows[i].seconds * 1000);
		assert_string_equal(age, rows[i].age);
	}
	autofree char *none = table_age(NULL, 0);
	assert_string_equal(none, "<unknown>");
	autofree char *bad = table_age("yesterday", 0);
	assert_string_equal(bad, "<unknown>");
}

static void assert_cells(Resource *resource, const char *object_text, const char *expected)
{
	autojson json_t *object = parse(object_text);
	autojson json_t *cells = table_cells(resource, object);
	autojson json_t *columns = table_columns(resource);
	assert_int_equal(json_array_size(cells), json_array_size(columns));
	autofree char *text = json_dump(cells);
	assert_string_equal(text, expected);
}

static void builtin_cells(void **state)
{
	(void)state;
	Catalog *catalog = catalog_new();
	autoresource Resource *deployments = catalog_find(catalog, "apps", "v1", "deployments");
	assert_cells(deployments,
		     "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"replicas\":3,\"selector\":{"
		     "\"matchLabels\":"
		     "{\"a\":\"b\"}},\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\","
		     "\"image\":\"i\"}]}}},"
		     "\"status\":{\"readyReplicas\":1,\"updatedReplicas\":2}}",
		     "[\"d\",\"1/3\",2,0,\"<unknown>\",\"c\",\"i\",\"a=b\"]");
	autoresource Resource *services = catalog_find(catalog, "", "v1", "services");
	assert_cells(
		services,
		"{\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":\"NodePort\",\"clusterIP\":\"10."
		"0.0.1\","
		"\"ports\":[{\"port\":80,\"nodePort\":30080},{\"port\":53,\"protocol\":\"UDP\"}]}}",
		"[\"s\",\"NodePort\",\"10.0.0.1\",\"<none>\",\"80:30080/TCP,53/UDP\",\"<unknown>\","
		"\"<none>\"]");
	autoresource Resource *maps = catalog_find(catalog, "", "v1", "configmaps");
	assert_cells(maps, "{\"metadata\":{\"name\":\"m\"},\"data\":{\"a\":\"\",\"b\":\"\"}}",
		     "[\"m\",2,\"<unknown>\"]");
	assert_null(catalog_find(catalog, "apps", "v2", "deployments"));
	catalog_free(catalog);
}

static const char crd_text[] =
	"{\"metadata\":{\"name\":\"ts.e.io\"},\"spec\":{\"group\":\"e.io\",\"scope\":"
	"\"Namespaced\","
	"\"names\":{\"plural\":\"ts\",\"kind\":\"T\"},\"versions\":[{\"name\":\"v1\",\"served\":"
	"true,"
	"\"storage\":true,\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\"}},"
	"\"additionalPrinterColumns\":[{\"name\":\"Ready\",\"type\":\"string\",\"jsonPath\":"
	"\".status.conditions[?(@.type==\\\"Ready\\\")].status\"},{\"name\":\"N\",\"type\":"
	"\"integer\","
	"\"jsonPath\":\".spec.n\"}],\"selectableFields\":[{\"jsonPath\":\".spec.n\"}]},"
	"{\"name\":\"v0\",\"served\":false,\"storage\":false}]}}";

static void A79_custom_cells_and_crd_names(void **state)
{
	(void)state;
	autojson json_t *crd = parse(crd_text);
	Catalog *catalog = catalog_new();
	crd_prepare(catalog, crd);
	catalog_free(catalog);
	autofielderrors FieldErrors errors = {0};
	crd_validate(crd, NULL, &errors);
	/* v0 has no schema. */
	assert_int_equal(json_array_size(errors.causes), 1);
	assert_string_equal(json_text_at(crd, "spec", "names", "singular", NULL), "t");
	assert_string_equal(json_text_at(crd, "spec", "names", "listKind", NULL), "TList");
	Vec made = {0};
	crd_resources(crd, &made);
	assert_int_equal(made.len, 1);
	Resource *resource = made.items[0];
	assert_string_equal(resource->definition, "io.e.v1.T");
	assert_string_equal(resource->key, "ts.e.io");
	assert_cells(resource,
		     "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"n\":4},\"status\":{\"conditions\":"
		     "[{\"type\":"
		     "\"Other\",\"status\":\"?\"},{\"type\":\"Ready\",\"status\":\"True\"}]}}",
		     "[\"x\",\"True\",4]");
	assert_cells(resource, "{\"metadata\":{\"name\":\"x\"}}", "[\"x\",null,null]");
	autostatus Status status = {0};
	FieldSelector *selector =
		field_selector_parse(resource, "spec.n=4,metadata.name!=y", &status);
	assert_non_null(selector);
	autojson json_t *yes = parse("{\"metadata\":{\"name\":\"x\"},\"spec\":{\"n\":4}}");
	autojson json_t *no = parse("{\"metadata\":{\"name\":\"y\"},\"spec\":{\"n\":4}}");
	assert_true(field_selector_matches(selector, yes));
	assert_false(field_selector_matches(selector, no));
	field_selector_free(selector);
	assert_null(field_selector_parse(resource, "spec.other=1", &status));
	assert_int_equal(status.code, 400);
	catalog_list_free(&made);
}

static void A79_cells_have_the_columns_type(void **state)
{
	(void)state;
	autojson json_t *columns = parse(
		"[{\"name\":\"N\",\"type\":\"string\",\"jsonPath\":\".spec.n\"},"
		"{\"name\":\"M\",\"type\":\"string\",\"jsonPath\":\".spec.m\"},"
		"{\"name\":\"B\",\"type\":\"boolean\",\"jsonPath\":\".spec.b\",\"priority\":1},"
		"{\"name\":\"D\",\"type\":\"date\",\"jsonPath\":\".spec.d\"}]");
	Resource resource = {.flags = KIND_CUSTOM, .columns = columns};
	char now[CLOCK_TEXT_SIZE];
	clock_format(clock_wall_ms() - 40LL * 86400 * 1000, now);
	autofree char *object = mem_printf("{\"metadata\":{\"name\":\"x\"},\"spec\":{\"n\":4,\"m\":"
					   "{\"a\":[1]},\"b\":true,\"d\":\"%s\"}}",
					   now);
	assert_cells(&resource, object, "[\"x\",\"4\",\"{\\\"a\\\":[1]}\",true,\"40d\"]");
	autojson json_t *shown = table_columns(&resource);
	assert_int_equal(json_int(json_array_get(shown, 2), "priority", -1), 0);
	assert_int_equal(json_int(json_array_get(shown, 3), "priority", -1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ages),
		cmocka_unit_test(builtin_cells),
		cmocka_unit_test(A79_custom_cells_and_crd_names),
		cmocka_unit_test(A79_cells_have_the_columns_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
