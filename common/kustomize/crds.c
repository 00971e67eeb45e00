#include "kustomize/crds.h"

#include "base/mem.h"
#include "kustomize/load.h"

/*
 * An OpenAPI file names types "a.b/v1.Kind" or "a.b.Kind" with properties; hints in properties make
 * field specs for the kinds that have an apiVersion, kind and metadata of their own. References
 * between types are followed to a bounded depth.
 */

enum { DEPTH_MAX = 30 };

#define HINT "x-kubernetes-"

typedef struct {
	const json_t *types;
	KConfig *config;
	Arena *arena;
	const char *kind; /* of the type being walked; of the arena */
	Error *err;
} Reader;

static bool walk(const Reader *reader, const json_t *properties, const char *path, int depth);

static bool add_category(const Reader *reader, KCategory category, const char *path)
{
	FieldSpec *spec = arena_alloc(reader->arena, sizeof(*spec));
	*spec = (FieldSpec){.kind = reader->kind, .path = path};
	return kconfig_add_spec(&reader->config->specs[category], spec, reader->err);
}

/* "v1" of "v1", "apps/v1": group and version of a referred kind. */
static bool add_reference(const Reader *reader, const json_t *property, const char *path)
{
	const char *kind = json_text(property, HINT "object-ref-kind");
	const char *version = json_text(property, HINT "object-ref-api-version");
	const char *key = json_text_or(property, HINT "object-ref-name-key", "name");
	if (!kind || !version)
		return true;
	Str group = kgroup_of(version), plain = kversion_of(version);
	KBackRef *ref = kconfig_back_ref(
		reader->config,
		group.len ? arena_strndup(reader->arena, group.ptr, group.len) : NULL,
		arena_strndup(reader->arena, plain.ptr, plain.len),
		arena_strdup(reader->arena, kind));
	FieldSpec *spec = arena_alloc(reader->arena, sizeof(*spec));
	*spec = (FieldSpec){.kind = reader->kind,
			    .path = arena_printf(reader->arena, "%s/%s", path, key)};
	return kconfig_add_spec(&ref->referrers, spec, reader->err);
}

static bool read_hints(const Reader *reader, const json_t *property, const char *path)
{
	if (json_object_get(property, HINT "annotation") &&
	    !add_category(reader, K_COMMON_ANNOTATIONS, path))
		return false;
	if (json_object_get(property, HINT "label-selector") &&
	    !add_category(reader, K_COMMON_LABELS, path))
		return false;
	if (json_object_get(property, HINT "identity") &&
	    !add_category(reader, K_NAME_PREFIX, path))
		return false;
	return add_reference(reader, property, path);
}

static const json_t *referred(const Reader *reader, const json_t *property)
{
	static const char prefix[] = "#/definitions/";
	const char *ref = json_text(property, "$ref");
	if (!ref)
		return property;
	if (cstr_starts(ref, prefix))
		ref += sizeof(prefix) - 1;
	return json_object_get(reader->types, ref);
}

/* kube-openapi wraps a type in "Schema"; others do not. */
static const json_t *properties_of(const json_t *type)
{
	const json_t *schema = json_map(type, "Schema");
	return json_map(schema ? schema : type, "properties");
}

static bool walk(const Reader *reader, const json_t *properties, const char *path, int depth)
{
	if (depth > DEPTH_MAX)
		return true;
	const char *name;
	json_t *property;
	json_object_foreach(json_borrow(properties), name, property)
	{
		const char *at = *path ? arena_printf(reader->arena, "%s/%s", path, name)
				       : arena_strdup(reader->arena, name);
		if (!read_hints(reader, property, at))
			return false;
		const json_t *type = referred(reader, property);
		if (properties_of(type) && !walk(reader, properties_of(type), at, depth + 1))
			return false;
	}
	return true;
}

/* The kind at the end of a type's name. */
static const char *kind_of(const char *type_name)
{
	const char *dot = strrchr(type_name, '.');
	return dot ? dot + 1 : type_name;
}

static bool read_types(const json_t *types, KConfig *config, Arena *arena, Error *err)
{
	const char *name;
	json_t *type;
	json_object_foreach(json_borrow(types), name, type)
	{
		const json_t *properties = properties_of(type);
		if (!json_object_get(properties, "kind") ||
		    !json_object_get(properties, "apiVersion") ||
		    !json_object_get(properties, "metadata"))
			continue;
		Reader reader = {types, config, arena, arena_strdup(arena, kind_of(name)), err};
		if (!walk(&reader, properties, "", 0))
			return false;
	}
	return true;
}

bool crds_read(const KTarget *target, KConfig *config, Error *err)
{
	const json_t *paths = json_list(target->spec, "crds");
	for (size_t i = 0; i < json_array_size(paths); i++) {
		const char *path = json_string_value(json_array_get(paths, i));
		autojson json_t *document = kload_document(target, path, err);
		if (!document)
			return err_wrap(err, "loading CRDs: %s", path);
		const json_t *definitions = json_map(document, "definitions");
		if (!read_types(definitions ? definitions : document, config, target->build->arena,
				err))
			return err_wrap(err, "loading CRDs: %s", path);
	}
	return true;
}
