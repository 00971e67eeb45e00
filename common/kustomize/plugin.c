#include "kustomize/plugin.h"

#include "base/mem.h"
#include "data/written.h"
#include "kustomize/generate.h"
#include "kustomize/hash.h"
#include "kustomize/kustomization.h"
#include "kustomize/load.h"
#include "kustomize/metadata.h"
#include "kustomize/transform.h"

/* Objects of apiVersion `builtin` that configure a transformer or generator (B99, B100). */

typedef bool (*PluginRun)(const KTarget *target, KAccumulator *acc, const json_t *config,
			  Error *err);

typedef struct {
	const char *kind;
	PluginRun run;
} Plugin;

/* The config's own fieldSpecs; there are no defaults for plugins. */
static bool read_specs(const KTarget *target, const json_t *config, Vec *out, KSpecs *specs,
		       Error *err)
{
	*specs = (KSpecs){.added = out};
	return kconfig_read_specs(json_list(config, "fieldSpecs"), target->build->arena, out, err);
}

static bool run_pairs(const KTarget *target, KAccumulator *acc, const json_t *config,
		      const char *field, Error *err)
{
	autovec Vec list = {0};
	KSpecs specs;
	return read_specs(target, config, &list, &specs, err) &&
	       pairs_apply(acc->set, json_map(config, field), &specs, err);
}

static bool run_annotations(const KTarget *target, KAccumulator *acc, const json_t *config,
			    Error *err)
{
	return run_pairs(target, acc, config, "annotations", err);
}

static bool run_labels(const KTarget *target, KAccumulator *acc, const json_t *config, Error *err)
{
	return run_pairs(target, acc, config, "labels", err);
}

static bool run_namespace(const KTarget *target, KAccumulator *acc, const json_t *config,
			  Error *err)
{
	static const char *const modes[] = {"", "defaultOnly", "allServiceAccounts", "none"};
	autovec Vec list = {0};
	KSpecs specs;
	KNamespace ns = {.name = json_text_at(config, "metadata", "namespace", NULL),
			 .subjects = json_text(config, "setRoleBindingSubjects"),
			 .unset_only = json_flag(config, "unsetOnly", false)};
	bool known = false;
	for (size_t i = 0; i < COUNT(modes); i++)
		known = known || cstr_eq(ns.subjects ? ns.subjects : "", modes[i]);
	if (!known)
		return err_set(err, ERR_INVALID, "invalid value \"%s\" for setRoleBindingSubjects",
			       ns.subjects);
	return read_specs(target, config, &list, &specs, err) &&
	       (cstr_empty(ns.name) || namespace_apply(acc->set, &ns, &specs, err));
}

static bool run_affixes(const KTarget *target, KAccumulator *acc, const json_t *config, Error *err)
{
	autovec Vec list = {0};
	KSpecs specs;
	if (!json_list(config, "fieldSpecs"))
		return err_set(err, ERR_INVALID, "fieldSpecs is not expected to be nil");
	return read_specs(target, config, &list, &specs, err) &&
	       prefix_apply(acc->set, json_text_or(config, "prefix", ""), &specs, err) &&
	       suffix_apply(acc->set, json_text_or(config, "suffix", ""), &specs, err);
}

static bool run_image(const KTarget *target, KAccumulator *acc, const json_t *config, Error *err)
{
	autovec Vec list = {0};
	KSpecs specs;
	return read_specs(target, config, &list, &specs, err) &&
	       images_apply(acc->set, json_map(config, "imageTag"), &specs, err);
}

static bool run_replica(const KTarget *target, KAccumulator *acc, const json_t *config, Error *err)
{
	autovec Vec list = {0};
	KSpecs specs;
	return read_specs(target, config, &list, &specs, err) &&
	       replicas_apply(acc->set, json_map(config, "replica"), &specs, err);
}

static bool run_patch(const KTarget *target, KAccumulator *acc, const json_t *config, Error *err)
{
	autofree char *where = mem_printf("%s/%s: patches", target->dir, target->file);
	return patch_apply(target, acc->set, config, where, err);
}

static bool run_json_patch(const KTarget *target, KAccumulator *acc, const json_t *config,
			   Error *err)
{
	autojson json_t *entry = json_object();
	json_put_text(entry, "path", json_text(config, "path"));
	json_put_text(entry, "patch", json_text(config, "jsonOp"));
	if (json_map(config, "target"))
		json_object_set(entry, "target", json_map(config, "target"));
	autofree char *where = mem_printf("%s/%s: patchesJson6902", target->dir, target->file);
	return patch_json_apply(target, acc->set, entry, where, err);
}

static bool run_merge_patch(const KTarget *target, KAccumulator *acc, const json_t *config,
			    Error *err)
{
	const json_t *paths = json_list(config, "paths");
	const char *inline_text = json_text_or(config, "patches", "");
	if (json_array_size(paths) == 0 && *inline_text == '\0')
		return err_set(err, ERR_INVALID, "empty file path and empty patch content");
	for (size_t i = 0; i < json_array_size(paths); i++)
		if (!patch_merge_apply(target, acc->set,
				       json_string_value(json_array_get(paths, i)), err))
			return false;
	return *inline_text == '\0' || patch_merge_apply(target, acc->set, inline_text, err);
}

static bool run_replacements(const KTarget *target, KAccumulator *acc, const json_t *config,
			     Error *err)
{
	const json_t *raw = json_list(config, "replacements");
	autojson json_t *list = json_array();
	for (size_t i = 0; i < json_array_size(raw); i++) {
		json_t *entry =
			kustomization_check_element(json_array_get(raw, i), "replacements", err);
		if (!entry)
			return false;
		json_array_append_new(list, entry);
	}
	return replacements_apply(target, acc->set, list, err);
}

static bool run_hash(const KTarget *target, KAccumulator *acc, const json_t *config, Error *err)
{
	(void)target;
	(void)config;
	(void)err;
	hash_names(acc->set);
	return true;
}

static bool run_value_add(const KTarget *target, KAccumulator *acc, const json_t *config,
			  Error *err)
{
	return valueadd_apply(target, acc->set, config, err);
}

static const Plugin transformers[] = {
	{"AnnotationsTransformer", run_annotations},
	{"LabelTransformer", run_labels},
	{"NamespaceTransformer", run_namespace},
	{"PrefixTransformer", run_affixes},
	{"SuffixTransformer", run_affixes},
	{"PrefixSuffixTransformer", run_affixes},
	{"ImageTagTransformer", run_image},
	{"ReplicaCountTransformer", run_replica},
	{"PatchTransformer", run_patch},
	{"PatchJson6902Transformer", run_json_patch},
	{"PatchStrategicMergeTransformer", run_merge_patch},
	{"ReplacementTransformer", run_replacements},
	{"HashTransformer", run_hash},
	{"ValueAddTransformer", run_value_add},
};

/* A generator's config is a generator entry plus apiVersion, kind and metadata; the kustomization's
 * generatorOptions do not count. */
static bool run_generator(const KTarget *target, KAccumulator *acc, const json_t *config,
			  const char *field, Error *err)
{
	autojson json_t *entry = json_copy(json_borrow(config));
	const char *name = json_text_at(config, "metadata", "name", NULL);
	const char *ns = json_text_at(config, "metadata", "namespace", NULL);
	if (cstr_empty(json_text(entry, "name")))
		json_put_text(entry, "name", name);
	if (cstr_empty(json_text(entry, "namespace")))
		json_put_text(entry, "namespace", ns);
	json_object_del(entry, "apiVersion");
	json_object_del(entry, "kind");
	json_object_del(entry, "metadata");
	autojson json_t *checked = kustomization_check_element(entry, field, err);
	autojson json_t *no_options = json_object();
	KTarget own = *target;
	own.spec = no_options;
	return checked && generate_one(&own, acc, field, checked, err);
}

static bool run_config_map(const KTarget *target, KAccumulator *acc, const json_t *config,
			   Error *err)
{
	return run_generator(target, acc, config, "configMapGenerator", err);
}

static bool run_secret(const KTarget *target, KAccumulator *acc, const json_t *config, Error *err)
{
	return run_generator(target, acc, config, "secretGenerator", err);
}

/* The ServiceAccount that a Google account stands behind. */
static bool run_iam_policy(const KTarget *target, KAccumulator *acc, const json_t *config,
			   Error *err)
{
	const char *cloud = json_text_or(config, "cloud", "");
	const json_t *account = json_map(config, "serviceAccount");
	const json_t *service = json_map(config, "kubernetesService");
	if (!cstr_eq(cloud, "gke"))
		return err_set(err, ERR_UNSUPPORTED, "cloud provider %s not supported yet", cloud);
	json_t *tree = json_pack("{s:s, s:s, s:{}}", "apiVersion", "v1", "kind", "ServiceAccount",
				 "metadata");
	KResource *res = kresource_new(tree, "", 0);
	autofree char *mail =
		mem_printf("%s@%s.iam.gserviceaccount.com", json_text_or(account, "name", ""),
			   json_text_or(account, "projectId", ""));
	json_put_text(json_make_at(tree, "metadata", "annotations", NULL),
		      "iam.gke.io/gcp-service-account", mail);
	kresource_set_name(res, json_text_or(service, "name", ""));
	kresource_set_namespace(res, json_text(service, "namespace"));
	metadata_generated(target, "IAMPolicyGenerator", res);
	return kset_add(acc->set, res, err);
}

static const Plugin generators[] = {
	{"ConfigMapGenerator", run_config_map},
	{"SecretGenerator", run_secret},
	{"IAMPolicyGenerator", run_iam_policy},
};

static const Plugin *find_plugin(const Plugin *plugins, size_t count, const KResource *config,
				 Error *err)
{
	autofree char *text = kresource_text(config);
	if (!cstr_eq(kresource_api_version(config), "builtin"))
		return err_null(err, ERR_UNSUPPORTED,
				"external plugins disabled; unable to load external plugin '%s'",
				text);
	for (size_t i = 0; i < count; i++)
		if (cstr_eq(plugins[i].kind, kresource_kind(config)))
			return &plugins[i];
	return err_null(err, ERR_UNSUPPORTED, "builtin plugin '%s' is not supported", text);
}

/* An entry is inline YAML when it reads as objects, else a path of a file or directory, which goes
 * to `paths`: inline ones come first, whatever their places (as upstream). */
static bool load_entry(const KTarget *target, const char *entry, KAccumulator *into, json_t *paths,
		       Error *err)
{
	autoerror Error not_inline = {0};
	autokresources Vec objects = {0};
	if (!kload_resources_text(target, str_of(entry), "inline plugin", &objects, &not_inline)) {
		json_array_append_new(paths, json_string(entry));
		return true;
	}
	for (size_t i = 0; i < objects.len; i++) {
		metadata_from_file(target, target->file, objects.items[i]);
		if (!kset_add(into->set, objects.items[i], err))
			return false;
		objects.items[i] = NULL;
	}
	return true;
}

typedef struct {
	const char *field;
	const Plugin *plugins;
	size_t count;
	bool records; /* transformers note their work on the set */
} Stage;

static const Stage generator_stage = {"generators", generators, COUNT(generators), false};
static const Stage transformer_stage = {"transformers", transformers, COUNT(transformers), true};
static const Stage validator_stage = {"validators", transformers, COUNT(transformers), false};

static bool run_one(const Stage *stage, const KTarget *target, KAccumulator *acc, KResource *config,
		    Error *err)
{
	written_settle(&config->tree);
	const Plugin *plugin = find_plugin(stage->plugins, stage->count, config, err);
	if (!plugin)
		return false;
	size_t before = acc->set->items.len;
	if (!plugin->run(target, acc, config->tree, err))
		return err_wrap(err, "%s %s", kresource_kind(config), kresource_name(config));
	if (stage->records)
		metadata_plugin(target, config, acc->set);
	else
		metadata_plugin_generated(config, acc->set, before);
	kset_drop_empty(acc->set);
	return true;
}

static bool run_stage(const Stage *stage, const KTarget *target, KAccumulator *acc, Error *err)
{
	const json_t *entries = json_list(target->spec, stage->field);
	if (json_array_size(entries) == 0)
		return true;
	autokaccumulator KAccumulator *configs = kaccumulator_new();
	autojson json_t *paths = json_array();
	bool ok = true;
	for (size_t i = 0; ok && i < json_array_size(entries); i++)
		ok = load_entry(target, json_string_value(json_array_get(entries, i)), configs,
				paths, err);
	ok = ok && ktarget_resources(target, configs, paths, NULL, err);
	for (size_t i = 0; ok && i < configs->set->items.len; i++)
		ok = run_one(stage, target, acc, kset_at(configs->set, i), err);
	return ok || err_wrap(err, "%s/%s: %s", target->dir, target->file, stage->field);
}

bool plugin_generators(const KTarget *target, KAccumulator *acc, Error *err)
{
	return run_stage(&generator_stage, target, acc, err);
}

bool plugin_transformers(const KTarget *target, KAccumulator *acc, Error *err)
{
	return run_stage(&transformer_stage, target, acc, err);
}

static json_t *snapshot(const KSet *set)
{
	json_t *all = json_array();
	for (size_t i = 0; i < set->items.len; i++)
		json_array_append_new(all, json_deep_copy(kset_at(set, i)->tree));
	return all;
}

bool plugin_validators(const KTarget *target, KAccumulator *acc, Error *err)
{
	if (json_array_size(json_list(target->spec, "validators")) == 0)
		return true;
	autojson json_t *before = snapshot(acc->set);
	/* Upstream finds each object by its id again. */
	if (!kset_check_all(acc->set, err))
		return err_wrap(err, "%s/%s: validators", target->dir, target->file);
	if (!run_stage(&validator_stage, target, acc, err))
		return false;
	autojson json_t *after = snapshot(acc->set);
	return json_same(before, after) ||
	       err_set(err, ERR_INVALID, "%s/%s: validator shouldn't modify the resource map",
		       target->dir, target->file);
}
