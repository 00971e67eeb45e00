/* status.inventory: what a release has in the cluster (H95). */
#include "internal.h"

#include "data/yaml.h"
#include "delivery/inventory.h"

enum { MANIFEST_MAX = 100 << 20 };

static void add_entry(json_t *entries, json_t *object)
{
	autofree char *id = inventory_id(object);
	json_t *entry = json_object();
	json_put_text(entry, "id", id);
	json_put_text(entry, "v", api_version_only(object_api_version(object)));
	json_array_append_new(entries, entry);
}

/* Objects of namespaced kinds that name no namespace are the release's (manifests leave it out). */
static void complete_namespace(KubeClient *client, const char *ns, json_t *object)
{
	autoerror Error ignored = {0};
	KubeResource resource;
	if (*object_namespace(object))
		return;
	if (kube_resource(client, object_api_version(object), object_kind(object), &resource,
			  &ignored) &&
	    resource.namespaced)
		json_put_text(json_make_at(object, "metadata", NULL), "namespace", ns);
}

json_t *manifest_objects(KubeClient *client, const HelmRecord *record, Error *err)
{
	const char *manifest = helm_record_manifest(record);
	autoyaml YamlStream stream = {0};
	if (!yaml_parse_objects(manifest, strlen(manifest), MANIFEST_MAX, "manifest", &stream, err))
		return NULL;
	json_t *objects = json_array();
	for (size_t i = 0; i < stream.len; i++) {
		json_t *object = stream.items[i].value;
		json_t *items = json_list(object, "items");
		bool is_list = items && cstr_ends(object_kind(object), "List");
		if (is_list)
			json_array_extend(objects, items);
		else if (json_is_object(object))
			json_array_append(objects, object);
	}
	size_t at;
	json_t *object;
	json_array_foreach(objects, at, object)
	{
		complete_namespace(client, helm_record_namespace(record), object);
	}
	return objects;
}

static void add_crds(json_t *entries, const HelmChart *chart)
{
	for (size_t i = 0; i < chart->files.len; i++) {
		const HelmFile *file = chart->files.items[i];
		autoyaml YamlStream stream = {0};
		autoerror Error ignored = {0};
		if (!cstr_starts(file->name, "crds/") ||
		    !yaml_parse_objects(file->data.ptr, file->data.len, MANIFEST_MAX, file->name,
					&stream, &ignored))
			continue;
		for (size_t k = 0; k < stream.len; k++)
			if (json_is_object(stream.items[k].value))
				add_entry(entries, stream.items[k].value);
	}
	for (size_t i = 0; i < chart->charts.len; i++)
		add_crds(entries, chart->charts.items[i]);
}

bool inventory_note(json_t *status, KubeClient *client, const HelmRecord *record,
		    const HelmChart *chart, Error *err)
{
	autojson json_t *objects = manifest_objects(client, record, err);
	if (!objects)
		return err_wrap(err, "failed to parse manifest");
	json_t *entries = json_array();
	size_t i;
	json_t *object;
	json_array_foreach(objects, i, object)
	{
		if (!object_annotation(object, "helm.sh/hook"))
			add_entry(entries, object);
	}
	if (chart)
		add_crds(entries, chart);
	json_object_set_new(status, "inventory", json_pack("{s:o}", "entries", entries));
	return true;
}
