/* postBuild: variables from ConfigMaps, Secrets and spec, expanded in each built object (facts 4).
 */
#include "internal.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/yaml.h"
#include "kube/secret.h"

enum { OBJECT_MAX = 32 << 20 };

static bool put_value(Map *values, const char *name, Str value, Error *err)
{
	if (!substitute_valid_name(name))
		return err_set(err, ERR_INVALID, "invalid variable name '%s'", name);
	/* Newlines would break out of the YAML scalar that the variable stands in (K37). */
	Buf clean = {0};
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] != '\n' && value.ptr[i] != '\r' && value.ptr[i] != '\0')
			buf_putc(&clean, value.ptr[i]);
	map_put(values, name, buf_steal(&clean));
	return true;
}

static bool load_reference(const Kustomization *ks, KubeClient *client, const json_t *reference,
			   Map *values, Error *err)
{
	const char *kind = json_text_or(reference, "kind", "");
	const char *name = json_text_or(reference, "name", "");
	autojson json_t *object = kube_get(client, "v1", kind, ks->ns, name, err);
	if (!object && err->code == ERR_NOT_FOUND && json_flag(reference, "optional", false)) {
		error_dispose(err);
		return true;
	}
	if (!object)
		return err_wrap(err, "substitute from '%s/%s' error", kind, name);
	/* The server leaves kind out of nothing, but a reply in a list form might. */
	json_put_text(object, "kind", kind);
	autosecret Secret *secret = secret_of_object(object, err);
	if (!secret)
		return false;
	size_t at = 0;
	const char *key;
	Str value;
	while (secret_next(secret, &at, &key, &value))
		if (!put_value(values, key, value, err))
			return err_wrap(err, "%s/%s", kind, name);
	return true;
}

static bool load_values(const Kustomization *ks, KubeClient *client, const json_t *post_build,
			Map *values, Error *err)
{
	size_t i;
	json_t *reference;
	json_array_foreach(json_list(post_build, "substituteFrom"), i, reference)
	{
		if (client && !load_reference(ks, client, reference, values, err))
			return false;
	}
	const char *name;
	json_t *value;
	json_object_foreach(json_map(post_build, "substitute"), name, value)
	{
		Str text = str_of(json_string_value(value));
		if (!put_value(values, name, text, err))
			return err_wrap(err, "spec.postBuild.substitute");
	}
	return true;
}

static bool is_disabled(const json_t *object)
{
	static const char *const key = KS_GROUP "/substitute";
	return cstr_eq(object_label(object, key), "disabled") ||
	       cstr_eq(object_annotation(object, key), "disabled");
}

static bool expand_object(KustomizeResource *resource, SubstituteVars *vars, Error *err)
{
	autobuf Buf text = {0}, expanded = {0};
	yaml_emit(resource->object, &text);
	if (!memchr(buf_text(&text), '$', text.len))
		return true;
	if (!substitute_expand(buf_text(&text), vars, &expanded, err))
		return false;
	json_t *object = yaml_parse(buf_text(&expanded), expanded.len, OBJECT_MAX,
				    "the object after substitution", err);
	if (!object)
		return false;
	json_decref(resource->object);
	resource->object = object;
	return true;
}

bool postbuild_substitute(const Kustomization *ks, const PostBuildInput *input,
			  KustomizeResult *result, Error *err)
{
	const json_t *post_build = json_map(ks->spec, "postBuild");
	if (!post_build)
		return true;
	automap Map *values = map_new(free);
	if (!load_values(ks, input->client, post_build, values, err))
		return err_reason(err, "BuildFailed");
	bool always = cstr_eq(json_text(post_build, "substituteStrategy"), "Always");
	if (!always && !map_len(values))
		return true;
	SubstituteVars vars = {.values = values,
			       .strict = input->strict,
			       .max_bytes = input->limits.max_bytes,
			       .max_ms = input->limits.max_ms,
			       .until_ms = clock_mono_ms() + input->limits.max_ms};
	for (size_t i = 0; i < result->len; i++) {
		if (is_disabled(result->items[i].object))
			continue;
		const KustomizeResource *resource = &result->items[i];
		autofree char *id = object_id(resource->object);
		autofree char *place = place_text(resource->file, resource->line);
		if (!expand_object(&result->items[i], &vars, err)) {
			err_wrap(err, "post build failed for '%s'%s", id, place);
			return err_reason(err, "BuildFailed");
		}
	}
	return true;
}
