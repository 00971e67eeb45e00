#include "helm/head.h"

#include <strings.h>

#include "base/mem.h"
#include "data/yaml.h"
#include "helm/scalar.h"

enum { MANIFEST_MAX = 64 << 20 };

const char *const head_names[HEAD_COUNT] = {
	[HEAD_API_VERSION] = "apiVersion",
	[HEAD_KIND] = "kind",
	[HEAD_NAME] = "name",
	[HEAD_HOOK] = "helm.sh/hook",
	[HEAD_WEIGHT] = "helm.sh/hook-weight",
	[HEAD_DELETE_POLICY] = "helm.sh/hook-delete-policy",
	[HEAD_LOG_POLICY] = "helm.sh/hook-output-log-policy",
};

static bool wrong(const char *what, Error *err)
{
	return err_set(err, ERR_INVALID,
		       "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal %s",
		       what);
}

/* A member as encoding/json finds it: exactly, else by its letters whatever their case, of which
 * the last in the order of bytes wins. */
static json_t *member(const json_t *map, const char *name)
{
	json_t *found = json_object_get(map, name), *value;
	const char *key, *last = "";
	if (found)
		return found;
	json_object_foreach(json_borrow(map), key, value)
	{
		if (strcasecmp(key, name) != 0 || strcmp(key, last) < 0)
			continue;
		last = key;
		found = value;
	}
	return found;
}

static bool no_map(const json_t *value)
{
	return value && !json_is_object(value) && !json_is_null(value);
}

static bool check_texts(const json_t *annotations)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(annotations), key,
			    value) if (json_is_object(value) || json_is_array(value)) return false;
	return true;
}

static bool read_field(Arena *arena, const json_t *value, HeadText *out)
{
	autobuf Buf text = {0};
	if (!value)
		return true;
	if (!helm_scalar_text(value, &text))
		return false;
	*out = (HeadText){true,
			  str_sized(arena_strndup(arena, buf_text(&text), text.len), text.len)};
	return true;
}

static bool read_tree(Arena *arena, const json_t *tree, HelmHead *out, Error *err)
{
	const json_t *metadata = member(tree, "metadata");
	const json_t *annotations = member(metadata, "annotations");
	if (no_map(tree))
		return wrong("the document: an object is expected", err);
	if (no_map(metadata))
		return wrong("metadata: an object is expected", err);
	if (no_map(annotations) || !check_texts(annotations))
		return wrong("annotations: an object of texts is expected", err);
	for (size_t i = 0; i < HEAD_COUNT; i++) {
		const json_t *value =
			i >= HEAD_HOOK ? json_object_get(annotations, head_names[i])
				       : member(i == HEAD_NAME ? metadata : tree, head_names[i]);
		if (!read_field(arena, value, &out->fields[i]))
			return wrong("apiVersion, kind or name: a string is expected", err);
	}
	return true;
}

bool helm_head_parse(Arena *arena, Str text, HelmHead *out, Error *err)
{
	*out = (HelmHead){0};
	autojson json_t *tree = yaml_parse_old(text.ptr, text.len, MANIFEST_MAX, "yaml", err);
	if (!tree)
		return err_wrap(err, "error converting YAML to JSON");
	return read_tree(arena, tree, out, err);
}

bool helm_head_read(Arena *arena, Str text, HelmHead *out, Error *err)
{
	return helm_head_scan(text, out) || helm_head_parse(arena, text, out, err);
}
