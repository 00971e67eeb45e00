/*
 * Fields that kubectl and other tools own pass to our own Apply entry, so that what a manifest
 * drops leaves the cluster (facts 6.3 "Cleanup", K57-K59).
 */
#include "apply.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "data/jsonpatch.h"
#include "kube/fieldset.h"

static const char *const stale_annotations[] = {
	"kubectl.kubernetes.io/last-applied-configuration",
	KS_GROUP "/checksum",
	"fluxcd.io/sync-checksum",
};

static bool has_value(const json_t *object, const char *key, const char *value)
{
	const char *label = object_label(object, key), *annotation = object_annotation(object, key);
	return (label && strcasecmp(label, value) == 0) ||
	       (annotation && strcasecmp(annotation, value) == 0);
}

bool object_only_created(const json_t *object)
{
	return has_value(object, KS_GROUP "/ssa", "IfNotPresent");
}

bool object_is_forced(const json_t *object)
{
	return has_value(object, KS_GROUP "/force", "enabled");
}

static bool has_stale_annotation(const json_t *object)
{
	for (size_t i = 0; i < COUNT(stale_annotations); i++)
		if (object_annotation(object, stale_annotations[i]))
			return true;
	return false;
}

bool apply_needs_takeover(const json_t *desired, const json_t *reply)
{
	FieldsetSummary summary;
	if (has_value(desired, KS_GROUP "/ssa", "Merge"))
		return false;
	fieldset_summary(reply, KS_FIELD_MANAGER, &summary);
	return summary.kubectl_wrote || has_stale_annotation(reply);
}

static json_t *takeover_patch(const ApplyRun *apply, const json_t *live)
{
	const Vec *override = &apply->context->flags->override_managers;
	autovec Vec prefixes = {0};
	static const char kubectl[] = "kubectl";
	vec_push(&prefixes, (void *)(uintptr_t)kubectl);
	for (size_t i = 0; i < override->len; i++)
		vec_push(&prefixes, override->items[i]);
	vec_push(&prefixes, NULL);
	json_t *patch = fieldset_takeover_patch(live, KS_FIELD_MANAGER,
						(const char *const *)prefixes.items);
	for (size_t i = 0; i < COUNT(stale_annotations); i++) {
		if (!object_annotation(live, stale_annotations[i]))
			continue;
		autobuf Buf path = {0};
		buf_puts(&path, "/metadata/annotations");
		jsonpointer_push(&path, stale_annotations[i]);
		if (!patch)
			patch = json_array();
		json_array_append_new(
			patch, json_pack("{s:s,s:s}", "op", "remove", "path", buf_text(&path)));
	}
	return patch;
}

bool apply_takeover(const ApplyRun *apply, const Item *item, Error *err)
{
	const json_t *object = item->object;
	autojson json_t *live =
		kube_get(apply->client, object_api_version(object), object_kind(object),
			 object_namespace(object), object_name(object), err);
	if (!live)
		return false;
	autojson json_t *patch = takeover_patch(apply, live);
	if (!patch)
		return true;
	autojson json_t *done = kube_do(apply->client,
					&(KubeRequest){.verb = KUBE_JSON_PATCH,
						       .api_version = object_api_version(object),
						       .kind = object_kind(object),
						       .ns = object_namespace(object),
						       .name = object_name(object),
						       .body = patch,
						       .field_manager = KS_FIELD_MANAGER},
					err);
	return done != NULL;
}
