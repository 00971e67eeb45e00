#include "postrender.h"

#include "action.h"
#include "base/mem.h"
#include "data/yaml.h"
#include "kustomize/kustomize.h"
#include "kustomize/set.h"

/* What a kustomize build of rendered objects sees: one file. */
#define INPUT_FILE "helm-output.yaml"

static KustomizeNode input_stat(void *arg, const char *path)
{
	(void)arg;
	return cstr_eq(path, ".")	   ? KUSTOMIZE_DIR
	       : cstr_eq(path, INPUT_FILE) ? KUSTOMIZE_FILE
					   : KUSTOMIZE_NONE;
}

static bool input_read(void *arg, const char *path, Buf *out, Error *err)
{
	const Buf *text = arg;
	if (!cstr_eq(path, INPUT_FILE))
		return err_set(err, ERR_NOT_FOUND, "%s: no such file", path);
	buf_add(out, buf_str(text));
	return true;
}

static bool input_list(void *arg, const char *path, Vec *out, Error *err)
{
	(void)arg;
	(void)path;
	(void)err;
	vec_push(out, mem_strdup(INPUT_FILE));
	return true;
}

static void emit_all(const json_t *objects, Buf *out)
{
	size_t i;
	json_t *object;
	json_array_foreach(json_borrow(objects), i, object)
	{
		if (i)
			buf_puts(out, "---\n");
		yaml_emit(object, out);
	}
}

static json_t *root_of(const json_t *kustomize)
{
	json_t *root = json_pack("{s:s,s:s,s:[s]}", "apiVersion", "kustomize.config.k8s.io/v1beta1",
				 "kind", "Kustomization", "resources", INPUT_FILE);
	static const char *const fields[] = {"patches", "images"};
	for (size_t i = 0; i < COUNT(fields); i++) {
		json_t *list = json_list(kustomize, fields[i]);
		if (json_array_size(list))
			json_object_set(root, fields[i], list);
	}
	return root;
}

/* One entry of spec.postRenderers; *objects is an owned reference that is replaced. */
static bool build(const json_t *kustomize, json_t **objects, Error *err)
{
	autobuf Buf text = {0};
	autokustomizeresult KustomizeResult result = {0};
	KustomizeFiles files = {
		.arg = &text, .stat = input_stat, .read = input_read, .list = input_list};
	autojson json_t *root = root_of(kustomize);
	emit_all(*objects, &text);
	if (!kustomize_build(".", &(KustomizeOptions){.files = &files, .root = root}, &result, err))
		return false;
	json_t *built = json_array();
	for (size_t i = 0; i < result.len; i++)
		json_array_append(built, result.items[i].object);
	json_decref(*objects);
	*objects = built;
	return true;
}

static void put_all(json_t *object, const char *field, const json_t *values)
{
	if (json_object_size(values))
		json_object_update(json_make_at(object, "metadata", field, NULL),
				   json_borrow(values));
}

/* What the origin says wins over what is common (H77). */
static void label(const ReleaseSpec *spec, json_t *object)
{
	const json_t *common = json_map(spec->spec, "commonMetadata");
	put_all(object, "labels", json_map(common, "labels"));
	put_all(object, "annotations", json_map(common, "annotations"));
	json_t *labels = json_make_at(object, "metadata", "labels", NULL);
	json_put_text(labels, HR_OWNER_NAME, spec->name);
	json_put_text(labels, HR_OWNER_NAMESPACE, spec->ns);
}

bool release_post_render(void *context, json_t *objects, json_t **out, Error *err)
{
	const ReleaseSpec *spec = context;
	autojson json_t *current = json_incref(objects);
	autokset KSet *set = kset_new(); /* refuses what is there twice (H78) */
	const json_t *renderers = json_list(spec->spec, "postRenderers");
	for (size_t i = 0; i < json_array_size(renderers); i++) {
		const json_t *kustomize = json_map(json_array_get(renderers, i), "kustomize");
		if (kustomize && !build(kustomize, &current, err))
			return err_wrap(err, "spec.postRenderers[%zu]", i);
	}
	size_t at;
	json_t *object;
	json_array_foreach(current, at, object)
	{
		autokresource KResource *resource = kresource_new(json_incref(object), "", 0);
		if (!kset_add(set, resource, err))
			return action_name_file(err, json_text_at(object, "metadata", "annotations",
								  HELM_FILENAME_ANNOTATION, NULL));
		steal(&resource);
		label(spec, object);
	}
	*out = steal(&current);
	return true;
}
