#include "release_spec.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/digest.h"
#include "data/duration.h"

enum { DEFAULT_TIMEOUT_MS = 300000, DEFAULT_INTERVAL_MS = 60000 };
enum { NAME_MAX_BYTES = 53, NAME_KEPT = 40, NAME_HASH = 12 };

char *release_name_shorten(const char *name)
{
	char hex[DIGEST_TEXT_SIZE];
	if (strlen(name) <= NAME_MAX_BYTES)
		return mem_strdup(name);
	digest_hex(DIGEST_SHA256, name, strlen(name), hex);
	return mem_printf("%.*s-%.*s", NAME_KEPT, name, NAME_HASH, hex);
}

static const char *text_or(const json_t *object, const char *key, const char *fallback)
{
	const char *text = json_text(object, key);
	return cstr_empty(text) ? fallback : text;
}

static char *full_name(const json_t *spec, const char *name)
{
	const char *release = json_text(spec, "releaseName");
	const char *target = json_text(spec, "targetNamespace");
	if (!cstr_empty(release))
		return mem_strdup(release);
	return cstr_empty(target) ? mem_strdup(name) : mem_printf("%s-%s", target, name);
}

static DriftMode drift_mode(const json_t *spec)
{
	const char *mode = json_text_at(spec, "driftDetection", "mode", NULL);
	return cstr_eq(mode, "enabled") ? DRIFT_ENABLED
	       : cstr_eq(mode, "warn")	? DRIFT_WARN
					: DRIFT_DISABLED;
}

/* The object that the chart's artifact is of: a generated HelmChart, or what chartRef names. */
static void parse_source(ReleaseSpec *out)
{
	const json_t *chart = json_map(out->spec, "chart"), *ref = json_map(out->spec, "chartRef");
	const json_t *template_ref = json_at(chart, "spec", "sourceRef", NULL);
	out->has_template = chart && !ref;
	if (out->has_template) {
		out->source_kind = "HelmChart";
		out->source_ns = text_or(template_ref, "namespace", out->ns);
		out->source_name = mem_printf("%s-%s", out->ns, out->name);
		return;
	}
	out->source_kind = json_text_or(ref, "kind", "");
	out->source_ns = text_or(ref, "namespace", out->ns);
	out->source_name = mem_strdup(json_text_or(ref, "name", ""));
}

void release_spec_parse(const json_t *object, ReleaseSpec *out)
{
	const json_t *spec = json_map(object, "spec");
	const char *ns = object_namespace(object);
	*out = (ReleaseSpec){
		.ns = ns,
		.name = object_name(object),
		.generation = object_generation(object),
		.spec = spec,
		.install = json_map(spec, "install"),
		.upgrade = json_map(spec, "upgrade"),
		.test = json_map(spec, "test"),
		.rollback = json_map(spec, "rollback"),
		.uninstall = json_map(spec, "uninstall"),
		.interval_ms = duration_ms_or(json_text(spec, "interval"), DEFAULT_INTERVAL_MS),
		.timeout_ms = duration_ms_or(json_text(spec, "timeout"), DEFAULT_TIMEOUT_MS),
		.full_name = full_name(spec, object_name(object)),
		.release_ns = text_or(spec, "targetNamespace", ns),
		.storage_ns = text_or(spec, "storageNamespace", ns),
		.drift_mode = drift_mode(spec),
	};
	out->release = release_name_shorten(out->full_name);
	out->tests = json_flag(out->test, "enable", false);
	out->ignore_test_failures = json_flag(out->test, "ignoreFailures", false);
	parse_source(out);
}

void release_spec_dispose(ReleaseSpec *spec)
{
	free(spec->source_name);
	free(spec->full_name);
	free(spec->release);
	*spec = (ReleaseSpec){0};
}

int64_t release_action_timeout(const ReleaseSpec *spec, const json_t *action)
{
	return duration_ms_or(json_text(action, "timeout"), spec->timeout_ms);
}

HelmPostRenderStrategy release_post_render_strategy(const ReleaseSpec *spec, bool helm3_defaults)
{
	const char *name = json_text(spec->spec, "postRenderStrategy");
	if (cstr_eq(name, "nohooks") || (cstr_empty(name) && helm3_defaults))
		return HELM_POSTRENDER_NOHOOKS;
	return cstr_eq(name, "separate") ? HELM_POSTRENDER_SEPARATE : HELM_POSTRENDER_COMBINED;
}
