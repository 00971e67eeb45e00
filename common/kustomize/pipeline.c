#include "kustomize/accumulate.h"

#include "base/mem.h"
#include "kustomize/metadata.h"
#include "kustomize/plugin.h"
#include "kustomize/transform.h"

/* The transformers of one kustomization in their fixed order (facts 3, step 5). */

/* One step: reads its own fields of the spec. `plugin` is what buildMetadata calls it. */
typedef struct {
	const char *field;
	const char *plugin;
	bool (*run)(const KTarget *target, KAccumulator *acc, const char *plugin, Error *err);
} Step;

/* An entry of a step is over: upstream drops emptied objects, then notes who touched the set. False
 * when the build's time is up. */
static bool done(const KTarget *target, KAccumulator *acc, const char *plugin, Error *err)
{
	metadata_transformed(target, plugin, acc->set);
	kset_drop_empty(acc->set);
	return kbuild_check_time(target->build, err);
}

static bool run_merges(const KTarget *target, KAccumulator *acc, const char *plugin, Error *err)
{
	const json_t *list = json_list(target->spec, "patchesStrategicMerge");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!kbuild_check_time(target->build, err) ||
		    !patch_merge_apply(target, acc->set, json_string_value(json_array_get(list, i)),
				       err))
			return false;
	return json_array_size(list) == 0 || done(target, acc, plugin, err);
}

static bool run_patches(const KTarget *target, KAccumulator *acc, const char *plugin, Error *err)
{
	const json_t *list = json_list(target->spec, "patches");
	for (size_t i = 0; i < json_array_size(list); i++) {
		autofree char *where = ktarget_entry_name(target, "patches",
							  target->build->options->own_patches, i);
		if (!patch_apply(target, acc->set, json_array_get(list, i), where, err) ||
		    !done(target, acc, plugin, err))
			return false;
	}
	return true;
}

static bool run_namespace(const KTarget *target, KAccumulator *acc, const char *plugin, Error *err)
{
	KNamespace ns = {.name = json_text(target->spec, "namespace")};
	KSpecs specs = kaccumulator_specs(acc, K_NAMESPACE);
	if (cstr_empty(ns.name))
		return true;
	return namespace_apply(acc->set, &ns, &specs, err) && done(target, acc, plugin, err);
}

static bool run_prefix(const KTarget *target, KAccumulator *acc, const char *plugin, Error *err)
{
	const char *prefix = json_text(target->spec, "namePrefix");
	KSpecs specs = kaccumulator_specs(acc, K_NAME_PREFIX);
	if (cstr_empty(prefix))
		return true;
	return prefix_apply(acc->set, prefix, &specs, err) && done(target, acc, plugin, err);
}

static bool run_suffix(const KTarget *target, KAccumulator *acc, const char *plugin, Error *err)
{
	const char *suffix = json_text(target->spec, "nameSuffix");
	KSpecs specs = kaccumulator_specs(acc, K_NAME_SUFFIX);
	if (cstr_empty(suffix))
		return true;
	return suffix_apply(acc->set, suffix, &specs, err) && done(target, acc, plugin, err);
}

static bool add_all(Vec *into, const KSpecs *specs, Error *err)
{
	for (size_t i = 0; i < kspecs_len(specs); i++)
		if (!kconfig_add_spec(into, kspecs_at(specs, i), err))
			return false;
	return true;
}

/* The fields of one `labels` entry: its own, the configured, and by its flags templates or
 * selectors too (B83). */
static bool label_specs(const KTarget *target, const KAccumulator *acc, const json_t *label,
			Vec *out, Error *err)
{
	static const FieldSpec own = {.path = "metadata/labels", .create = true};
	KSpecs configured = kaccumulator_specs(acc, K_LABELS);
	if (!kconfig_read_specs(json_list(label, "fields"), target->build->arena, out, err) ||
	    !add_all(out, &configured, err))
		return false;
	bool selectors = json_flag(label, "includeSelectors", false);
	if (selectors || json_flag(label, "includeTemplates", false)) {
		KSpecs more =
			kaccumulator_specs(acc, selectors ? K_COMMON_LABELS : K_TEMPLATE_LABELS);
		if (!add_all(out, &more, err))
			return false;
	}
	return selectors || kconfig_add_spec(out, &own, err);
}

static bool run_labels(const KTarget *target, KAccumulator *acc, const char *plugin, Error *err)
{
	const json_t *list = json_list(target->spec, "labels");
	const json_t *common = json_map(target->spec, "commonLabels");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *label = json_array_get(list, i);
		autovec Vec added = {0};
		if (!label_specs(target, acc, label, &added, err))
			return err_wrap(err, "failed to merge labels");
		KSpecs specs = {.added = &added};
		if (!pairs_apply(acc->set, json_map(label, "pairs"), &specs, err) ||
		    !done(target, acc, plugin, err))
			return false;
	}
	if (json_array_size(list) == 0 && json_object_size(common) == 0)
		return true;
	KSpecs specs = kaccumulator_specs(acc, K_COMMON_LABELS);
	return pairs_apply(acc->set, common, &specs, err) && done(target, acc, plugin, err);
}

static bool run_annotations(const KTarget *target, KAccumulator *acc, const char *plugin,
			    Error *err)
{
	const json_t *pairs = json_map(target->spec, "commonAnnotations");
	KSpecs specs = kaccumulator_specs(acc, K_COMMON_ANNOTATIONS);
	if (json_object_size(pairs) == 0)
		return true;
	return pairs_apply(acc->set, pairs, &specs, err) && done(target, acc, plugin, err);
}

static bool run_json_patches(const KTarget *target, KAccumulator *acc, const char *plugin,
			     Error *err)
{
	const json_t *list = json_list(target->spec, "patchesJson6902");
	for (size_t i = 0; i < json_array_size(list); i++) {
		autofree char *where =
			mem_printf("%s/%s: patchesJson6902[%zu]", target->dir, target->file, i);
		if (!patch_json_apply(target, acc->set, json_array_get(list, i), where, err) ||
		    !done(target, acc, plugin, err))
			return false;
	}
	return true;
}

static bool run_replicas(const KTarget *target, KAccumulator *acc, const char *plugin, Error *err)
{
	const json_t *list = json_list(target->spec, "replicas");
	KSpecs specs = kaccumulator_specs(acc, K_REPLICAS);
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!replicas_apply(acc->set, json_array_get(list, i), &specs, err) ||
		    !done(target, acc, plugin, err))
			return false;
	}
	return true;
}

static bool run_images(const KTarget *target, KAccumulator *acc, const char *plugin, Error *err)
{
	const json_t *list = json_list(target->spec, "images");
	KSpecs specs = kaccumulator_specs(acc, K_IMAGES);
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!images_apply(acc->set, json_array_get(list, i), &specs, err) ||
		    !done(target, acc, plugin, err))
			return false;
	}
	return true;
}

static bool run_replacements(const KTarget *target, KAccumulator *acc, const char *plugin,
			     Error *err)
{
	const json_t *list = json_list(target->spec, "replacements");
	if (json_array_size(list) == 0)
		return true;
	return replacements_apply(target, acc->set, list, err) && done(target, acc, plugin, err);
}

static const Step steps[] = {
	{"patchesStrategicMerge", "PatchStrategicMergeTransformer", run_merges},
	{"patches", "PatchTransformer", run_patches},
	{"namespace", "NamespaceTransformer", run_namespace},
	{"namePrefix", "PrefixTransformer", run_prefix},
	{"nameSuffix", "SuffixTransformer", run_suffix},
	{"labels", "LabelTransformer", run_labels},
	{"commonAnnotations", "AnnotationsTransformer", run_annotations},
	{"patchesJson6902", "PatchJson6902Transformer", run_json_patches},
	{"replicas", "ReplicaCountTransformer", run_replicas},
	{"images", "ImageTagTransformer", run_images},
	{"replacements", "ReplacementTransformer", run_replacements},
};

/* Whether an error says already whose fault it is: the file's, or what the caller added to it. */
static bool is_placed(const KTarget *target, const char *file, const Error *err)
{
	const char *added = target->build->options->added;
	return cstr_starts(err_text(err), file) ||
	       (added && !target->parent && cstr_starts(err_text(err), added));
}

bool pipeline_transform(const KTarget *target, KAccumulator *acc, Error *err)
{
	autofree char *where = mem_printf("%s/%s", target->dir, target->file);
	for (size_t i = 0; i < COUNT(steps); i++) {
		/* No field of the file took the time that was up before. */
		if (!kbuild_check_time(target->build, err))
			return err_wrap(err, "%s", where);
		if (steps[i].run(target, acc, steps[i].plugin, err))
			continue;
		return is_placed(target, where, err)
			       ? false
			       : err_wrap(err, "%s: %s", where, steps[i].field);
	}
	return plugin_transformers(target, acc, err);
}
