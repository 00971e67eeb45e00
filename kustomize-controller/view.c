/* A Kustomization's fields with their defaults (facts 1). */
#include "internal.h"

#include "data/duration.h"

enum { TIMEOUT_FLOOR_MS = 30000 };

void kustomization_parse(const json_t *object, Kustomization *out)
{
	const char *ns = object_namespace(object);
	const json_t *spec = json_map(object, "spec"), *ref = json_map(spec, "sourceRef");
	int64_t interval = duration_ms_or(json_text(spec, "interval"), 60000);
	int64_t timeout = duration_ms_or(json_text(spec, "timeout"), interval - 30000);
	*out = (Kustomization){
		.ns = ns,
		.name = object_name(object),
		.spec = spec,
		.interval_ms = interval,
		.retry_ms = duration_ms_or(json_text(spec, "retryInterval"), interval),
		.timeout_ms = timeout < TIMEOUT_FLOOR_MS ? TIMEOUT_FLOOR_MS : timeout,
		.source_kind = json_text_or(ref, "kind", ""),
		.source_ns = json_text_or(ref, "namespace", ns),
		.source_name = json_text_or(ref, "name", ""),
		.path = json_text_or(spec, "path", "./"),
		.target_namespace = json_text(spec, "targetNamespace"),
		.name_prefix = json_text(spec, "namePrefix"),
		.name_suffix = json_text(spec, "nameSuffix"),
		.service_account = json_text(spec, "serviceAccountName"),
		.deletion_policy = json_text_or(spec, "deletionPolicy", "MirrorPrune"),
		.prune = json_flag(spec, "prune", false),
		.wait = json_flag(spec, "wait", false),
		.force = json_flag(spec, "force", false),
		.ignore_missing_components = json_flag(spec, "ignoreMissingComponents", false),
	};
}
