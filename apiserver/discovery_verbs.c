/* The verbs' table. */
#include "discovery_verbs.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static json_t *split(const char *text, char separator)
{
	json_t *list = json_array();
	Str rest = str_of(text);
	Str piece;
	while (str_next(&rest, separator, &piece))
		json_array_append_new(list, json_stringn(piece.ptr, piece.len));
	return list;
}

json_t *discovery_verbs(const Resource *resource)
{
	if (resource_has(resource, KIND_CREATE_ONLY))
		return split("create", ',');
	if (resource_has(resource, KIND_READ_ONLY))
		return split("get,list", ',');
	if (resource_has(resource, KIND_NO_COLLECTION))
		return split("create,delete,get,list,patch,update,watch", ',');
	return split("create,delete,deletecollection,get,list,patch,update,watch", ',');
}

/* Subresources that answer with another kind. */
static const struct {
	const char *name, *group, *version, *kind;
} other_kinds[] = {
	{"scale", "autoscaling", "v1", "Scale"},
	{"eviction", "policy", "v1", "Eviction"},
	{"binding", "", "v1", "Binding"},
	{"token", "authentication.k8s.io", "v1", "TokenRequest"},
	{"exec", "", "v1", "PodExecOptions"},
	{"attach", "", "v1", "PodAttachOptions"},
	{"portforward", "", "v1", "PodPortForwardOptions"},
};

static json_t *subresource(const Resource *resource, Str name, const char *verbs)
{
	json_t *out = json_object();
	json_object_set_new(out, "name", json_stringn(name.ptr, name.len));
	const char *group = resource->group;
	const char *version = resource->version;
	const char *kind = resource->kind;
	for (size_t i = 0; i < COUNT(other_kinds); i++) {
		if (!str_eq(name, str_of(other_kinds[i].name)))
			continue;
		group = other_kinds[i].group;
		version = other_kinds[i].version;
		kind = other_kinds[i].kind;
	}
	json_put_text(out, "group", group);
	json_put_text(out, "version", version);
	json_put_text(out, "kind", kind);
	json_object_set_new(out, "verbs", split(verbs, '+'));
	return out;
}

json_t *discovery_subresources(const Resource *resource)
{
	json_t *list = json_array();
	if (resource_has(resource, KIND_SCALE))
		json_array_append_new(list,
				      subresource(resource, STR("scale"), "get+patch+update"));
	if (resource_has(resource, KIND_STATUS))
		json_array_append_new(list,
				      subresource(resource, STR("status"), "get+patch+update"));
	Str rest = str_of(resource->subresources);
	Str piece, name, verbs;
	while (str_next(&rest, ',', &piece)) {
		str_cut(piece, ':', &name, &verbs);
		autofree char *text = str_dup(verbs);
		json_array_append_new(list, subresource(resource, name, text));
	}
	return list;
}

static bool contains(const json_t *verbs, const char *verb)
{
	for (size_t i = 0; i < json_array_size(verbs); i++)
		if (cstr_eq(json_string_value(json_array_get(verbs, i)), verb))
			return true;
	return false;
}

bool discovery_serves(const Resource *resource, const char *name, const char *verb)
{
	if (!*name) {
		autojson json_t *verbs = discovery_verbs(resource);
		return contains(verbs, verb);
	}
	autojson json_t *parts = discovery_subresources(resource);
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *part = json_array_get(parts, i);
		if (cstr_eq(json_text(part, "name"), name))
			return contains(json_list(part, "verbs"), verb);
	}
	return false;
}
