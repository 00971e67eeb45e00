/*
 * Fields that kubectl and other tools own pass to our own Apply entry, so that what a manifest
 * drops leaves the cluster (facts 6.3 "Cleanup", K57-K59).
 */
#include "apply.h"

#include "base/mem.h"
#include "data/jsonpatch.h"
#include "kube/fieldset.h"

static const char *const stale_annotations[] = {
	"kubectl.kubernetes.io/last-applied-configuration",
	KS_GROUP "/checksum",
	"fluxcd.io/sync-checksum",
};

bool object_is_exempt(const json_t *object)
{
	return object_says(object, KS_GROUP "/ssa", "Ignore") ||
	       object_says(object, KS_GROUP "/reconcile", "disabled");
}

bool object_is_merged(const json_t *object)
{
	return object_says(object, KS_GROUP "/ssa", "Merge");
}

bool object_only_created(const json_t *object)
{
	return object_says(object, KS_GROUP "/ssa", "IfNotPresent");
}

static bool has_key(const json_t *object, const char *key)
{
	return object_label(object, key) || object_annotation(object, key);
}

bool object_has_policy(const json_t *object)
{
	return has_key(object, KS_GROUP "/ssa") || has_key(object, KS_GROUP "/reconcile");
}

bool object_is_forced(const json_t *object)
{
	return object_says(object, KS_GROUP "/force", "enabled");
}

static const char stale_label[] = "fluxcd.io/sync-gc-mark";

static bool has_stale_annotation(const json_t *object)
{
	for (size_t i = 0; i < COUNT(stale_annotations); i++)
		if (object_annotation(object, stale_annotations[i]))
			return true;
	return object_label(object, stale_label) != NULL;
}

bool apply_needs_takeover(const ApplyRun *apply, const json_t *desired, const json_t *reply)
{
	FieldsetSummary summary;
	if (object_is_merged(desired) || object_is_merged(reply))
		return false;
	fieldset_summary(reply, KS_FIELD_MANAGER, apply->overridden, &summary);
	return summary.to_take_over || has_stale_annotation(reply);
}

void apply_drop_left(const ApplyRun *apply, json_t *object, const json_t *reply)
{
	fieldset_drop_left(object, reply, KS_FIELD_MANAGER, apply->overridden);
	json_t *annotations = json_at(object, "metadata", "annotations", NULL);
	for (size_t i = 0; i < COUNT(stale_annotations); i++)
		json_object_del(annotations, stale_annotations[i]);
	json_object_del(json_at(object, "metadata", "labels", NULL), stale_label);
}

static void remove_key(json_t **patch, const char *map, const char *key)
{
	autobuf Buf path = {0};
	buf_puts(&path, map);
	jsonpointer_push(&path, key);
	if (!*patch)
		*patch = json_array();
	json_array_append_new(*patch,
			      json_pack("{s:s,s:s}", "op", "remove", "path", buf_text(&path)));
}

static json_t *takeover_patch(const ApplyRun *apply, const json_t *live)
{
	json_t *patch = fieldset_takeover_patch(live, KS_FIELD_MANAGER, apply->overridden);
	for (size_t i = 0; i < COUNT(stale_annotations); i++)
		if (object_annotation(live, stale_annotations[i]))
			remove_key(&patch, "/metadata/annotations", stale_annotations[i]);
	if (object_label(live, stale_label))
		remove_key(&patch, "/metadata/labels", stale_label);
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
