/* Chart.yaml, values.yaml, the schema and a manifest, separated by NULs: no crash. */
#include <stdint.h>
#include <string.h>

#include "helm/manifest.h"
#include "helm/schema.h"
#include "helm/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	Str part[4] = {{"", 0}, {"", 0}, {"", 0}, {"", 0}}, rest = {(const char *)bytes, size};
	for (size_t i = 0; i < COUNT(part) && rest.len > 0; i++)
		str_cut(rest, '\0', &part[i], &rest);
	HelmFile files[] = {
		{"Chart.yaml", part[0]}, {"values.yaml", part[1]}, {"values.schema.json", part[2]}};
	autoarena Arena *arena = arena_new();
	autoerror Error err = {0};
	const HelmChart *chart = helm_chart_of_files(arena, files, COUNT(files), &err);
	if (chart) {
		autojson json_t *values = helm_values_coalesce(chart, NULL, false, &err);
		if (values)
			(void)!helm_schema_check(chart, values, INT64_MAX, &err);
	}
	HelmOutput output = {"c/templates/t", part[3]};
	automanifests HelmManifests manifests = {0};
	autoerror Error manifest_err = {0};
	(void)!helm_manifests_read(arena, &output, 1, &manifests, &manifest_err);
	return 0;
}
