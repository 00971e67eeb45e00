#include "helm/context.h"

#include "base/mem.h"
#include "base/path.h"
#include "gotmpl/objects.h"

const char helm_default_kube_version[] = "v1.36.0";

/* The API groups that client-go of that version knows. */
static const char *const default_api_versions[] = {
	"v1",
	"admissionregistration.k8s.io/v1",
	"admissionregistration.k8s.io/v1alpha1",
	"admissionregistration.k8s.io/v1beta1",
	"internal.apiserver.k8s.io/v1alpha1",
	"apps/v1",
	"apps/v1beta1",
	"apps/v1beta2",
	"authentication.k8s.io/v1",
	"authentication.k8s.io/v1alpha1",
	"authentication.k8s.io/v1beta1",
	"authorization.k8s.io/v1",
	"authorization.k8s.io/v1beta1",
	"autoscaling/v1",
	"autoscaling/v2",
	"batch/v1",
	"batch/v1beta1",
	"certificates.k8s.io/v1",
	"certificates.k8s.io/v1beta1",
	"certificates.k8s.io/v1alpha1",
	"coordination.k8s.io/v1alpha2",
	"coordination.k8s.io/v1beta1",
	"coordination.k8s.io/v1",
	"discovery.k8s.io/v1",
	"discovery.k8s.io/v1beta1",
	"events.k8s.io/v1",
	"events.k8s.io/v1beta1",
	"extensions/v1beta1",
	"flowcontrol.apiserver.k8s.io/v1",
	"flowcontrol.apiserver.k8s.io/v1beta1",
	"flowcontrol.apiserver.k8s.io/v1beta2",
	"flowcontrol.apiserver.k8s.io/v1beta3",
	"networking.k8s.io/v1",
	"networking.k8s.io/v1beta1",
	"node.k8s.io/v1",
	"node.k8s.io/v1alpha1",
	"node.k8s.io/v1beta1",
	"policy/v1",
	"policy/v1beta1",
	"rbac.authorization.k8s.io/v1",
	"rbac.authorization.k8s.io/v1beta1",
	"rbac.authorization.k8s.io/v1alpha1",
	"resource.k8s.io/v1",
	"resource.k8s.io/v1beta2",
	"resource.k8s.io/v1beta1",
	"resource.k8s.io/v1alpha3",
	"scheduling.k8s.io/v1alpha2",
	"scheduling.k8s.io/v1beta1",
	"scheduling.k8s.io/v1",
	"storage.k8s.io/v1beta1",
	"storage.k8s.io/v1",
	"storage.k8s.io/v1alpha1",
	"storagemigration.k8s.io/v1beta1",
	"apiextensions.k8s.io/v1beta1",
	"apiextensions.k8s.io/v1",
};

typedef struct {
	Arena *arena;
	GoValue release, capabilities;
	HelmTemplate *items;
	size_t len, cap;
} Builder;

static void put_text(Arena *arena, GoMap *map, const char *key, const char *text)
{
	go_map_put(arena, map, str_of(key), go_cstr(text));
}

/* A list of strings or maps as []interface {}, never nil. */
static GoValue list_of(Arena *arena, json_t *list, GoValue (*item)(Arena *arena, json_t *value))
{
	json_t *value;
	size_t index;
	GoList *items = go_list_new(arena, GO_LIST, json_array_size(list));
	json_array_foreach(list, index, value) items->items[index] = item(arena, value);
	return go_list(items);
}

static GoValue text_item(Arena *arena, json_t *value)
{
	return go_from_json(arena, value);
}

static GoValue text_map_of(Arena *arena, json_t *map)
{
	const char *key;
	json_t *value;
	if (!map)
		return go_zero(GO_STRING_MAP);
	GoMap *texts = go_map_new(arena, GO_STRING_MAP);
	json_object_foreach(map, key, value)
		go_map_put(arena, texts, str_of(key), go_cstr(json_string_value(value)));
	return go_map(texts);
}

static void put_texts(Arena *arena, GoMap *map, const json_t *source, const char *const rows[][2],
		      size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_text(arena, map, rows[i][0], json_text_or(source, rows[i][1], ""));
}

static GoValue maintainer_of(Arena *arena, json_t *source)
{
	static const char *const texts[][2] = {
		{"Name", "name"}, {"Email", "email"}, {"URL", "url"}};
	GoMap *map = go_map_new(arena, GO_MAP);
	put_texts(arena, map, source, texts, COUNT(texts));
	return go_map(map);
}

static GoValue import_of(Arena *arena, json_t *source)
{
	GoMap *map = go_map_new(arena, GO_STRING_MAP);
	if (json_is_string(source)) {
		put_text(arena, map, "child",
			 arena_printf(arena, "exports.%s", json_string_value(source)));
		put_text(arena, map, "parent", ".");
	} else {
		put_text(arena, map, "child", json_text_or(source, "child", "<nil>"));
		put_text(arena, map, "parent", json_text_or(source, "parent", "<nil>"));
	}
	return go_map(map);
}

static GoValue dependency_of(Arena *arena, json_t *source)
{
	static const char *const texts[][2] = {{"Name", "name"},
					       {"Version", "version"},
					       {"Repository", "repository"},
					       {"Condition", "condition"},
					       {"Alias", "alias"}};
	GoMap *map = go_map_new(arena, GO_MAP);
	put_texts(arena, map, source, texts, COUNT(texts));
	go_map_put(arena, map, STR("Tags"), list_of(arena, json_list(source, "tags"), text_item));
	go_map_put(arena, map, STR("Enabled"), go_bool(json_flag(source, "enabled", false)));
	go_map_put(arena, map, STR("ImportValues"),
		   list_of(arena, json_list(source, "import-values"), import_of));
	return go_map(map);
}

static GoValue chart_of(Arena *arena, const HelmChart *chart)
{
	static const char *const texts[][2] = {{"Name", "name"},
					       {"Home", "home"},
					       {"Version", "version"},
					       {"Description", "description"},
					       {"Icon", "icon"},
					       {"APIVersion", "apiVersion"},
					       {"Condition", "condition"},
					       {"Tags", "tags"},
					       {"AppVersion", "appVersion"},
					       {"KubeVersion", "kubeVersion"},
					       {"Type", "type"}};
	const json_t *metadata = chart->metadata;
	GoMap *map = go_map_new(arena, GO_MAP);
	put_texts(arena, map, metadata, texts, COUNT(texts));
	go_map_put(arena, map, STR("Sources"),
		   list_of(arena, json_list(metadata, "sources"), text_item));
	go_map_put(arena, map, STR("Keywords"),
		   list_of(arena, json_list(metadata, "keywords"), text_item));
	go_map_put(arena, map, STR("Maintainers"),
		   list_of(arena, json_list(metadata, "maintainers"), maintainer_of));
	go_map_put(arena, map, STR("Dependencies"),
		   list_of(arena, json_list(metadata, "dependencies"), dependency_of));
	go_map_put(arena, map, STR("Annotations"),
		   text_map_of(arena, json_map(metadata, "annotations")));
	go_map_put(arena, map, STR("Deprecated"),
		   go_bool(json_flag(metadata, "deprecated", false)));
	go_map_put(arena, map, STR("IsRoot"), go_bool(!chart->parent));
	return go_map(map);
}

static GoValue files_of(Arena *arena, const HelmChart *chart)
{
	GoMap *map = go_map_new(arena, GO_FILES);
	for (size_t i = 0; i < chart->files.len; i++) {
		const HelmFile *file = chart->files.items[i];
		go_map_put(arena, map, str_of(file->name),
			   (GoValue){.type = GO_BYTES, .text = file->data});
	}
	return go_map(map);
}

static GoValue release_of(Arena *arena, const HelmRelease *release)
{
	GoMap *map = go_map_new(arena, GO_MAP);
	put_text(arena, map, "Name", release->name);
	put_text(arena, map, "Namespace", release->ns);
	put_text(arena, map, "Service", "Helm");
	go_map_put(arena, map, STR("Revision"), go_int(release->revision));
	go_map_put(arena, map, STR("IsUpgrade"), go_bool(release->is_upgrade));
	go_map_put(arena, map, STR("IsInstall"), go_bool(!release->is_upgrade));
	return go_map(map);
}

/* ---- capabilities ---- */

/* The digits at the start. */
static Str take_digits(Str *text)
{
	size_t len = 0;
	while (len < text->len && text->ptr[len] >= '0' && text->ptr[len] <= '9')
		len++;
	Str digits = str_slice(*text, 0, len);
	*text = str_slice(*text, len, text->len);
	return digits;
}

/* Major, minor and patch; what follows does not count. */
static bool read_parts(const char *version, Str parts[3])
{
	Str rest = str_trim(str_of(version));
	if (str_starts(rest, STR("v")))
		rest = str_slice(rest, 1, rest.len);
	parts[2] = STR("0");
	for (int i = 0; i < 3; i++) {
		if (i > 0 && !str_starts(rest, STR(".")))
			return i == 2;
		rest = str_slice(rest, i > 0, rest.len);
		parts[i] = take_digits(&rest);
		if (parts[i].len == 0 || parts[i].len > 10)
			return false;
	}
	return true;
}

char *helm_kube_version_normal(const char *version, Error *err)
{
	Str parts[3];
	if (!read_parts(version, parts))
		return err_null(err, ERR_INVALID,
				"invalid kube version '%s': could not parse \"%s\" as version",
				version, version);
	return mem_printf("v%.*s.%.*s.%.*s", (int)parts[0].len, parts[0].ptr, (int)parts[1].len,
			  parts[1].ptr, (int)parts[2].len, parts[2].ptr);
}

static bool kube_version_of(Arena *arena, const char *version, GoValue *out, Error *err)
{
	Str parts[3];
	autofree char *normal = helm_kube_version_normal(version, err);
	if (!normal || !read_parts(version, parts))
		return false;
	GoStruct *record = go_struct_new(arena, &struct_kube_version);
	record->fields[0] =
		go_cstr(arena_printf(arena, "%s%s", *version == 'v' ? "" : "v", version));
	record->fields[1] = go_cstr(arena_strdup(arena, normal));
	record->fields[2] = go_text(str_of(arena_strndup(arena, parts[0].ptr, parts[0].len)));
	record->fields[3] = go_text(str_of(arena_strndup(arena, parts[1].ptr, parts[1].len)));
	*out = (GoValue){.type = GO_STRUCT, .record = record};
	return true;
}

static GoValue api_versions_of(Arena *arena, const HelmCapabilities *capabilities)
{
	size_t defaults = capabilities->only_api_versions ? 0 : COUNT(default_api_versions);
	size_t extra = capabilities->api_versions ? capabilities->api_versions->len : 0;
	GoList *list = go_list_new(arena, GO_VERSIONS, defaults + extra);
	for (size_t i = 0; i < defaults; i++)
		list->items[i] = go_cstr(default_api_versions[i]);
	for (size_t i = 0; i < extra; i++)
		list->items[defaults + i] = go_cstr(capabilities->api_versions->items[i]);
	return go_list(list);
}

static bool capabilities_of(Arena *arena, const HelmCapabilities *capabilities, GoValue *out,
			    Error *err)
{
	const char *version =
		capabilities->kube_version ? capabilities->kube_version : helm_default_kube_version;
	GoStruct *record = go_struct_new(arena, &struct_capabilities);
	GoStruct *helm = go_struct_new(arena, &struct_helm_version);
	if (!kube_version_of(arena, version, &record->fields[0], err))
		return false;
	helm->fields[0] = go_cstr("v4.2");
	helm->fields[1] = helm->fields[2] = go_cstr("");
	helm->fields[3] = go_cstr("go1.26.8");
	helm->fields[4] = go_cstr("v1.36");
	record->fields[1] = api_versions_of(arena, capabilities);
	record->fields[2] = (GoValue){.type = GO_STRUCT, .record = helm};
	*out = (GoValue){.type = GO_STRUCT, .record = record};
	return true;
}

/* ---- contexts ---- */

static void add_templates(Builder *b, const HelmChart *chart, GoMap *context)
{
	const char *path = helm_chart_path(b->arena, chart);
	bool library = cstr_eq(helm_chart_field(chart, "type"), "library");
	for (size_t i = 0; i < chart->templates.len; i++) {
		const HelmFile *file = chart->templates.items[i];
		if (library && path_base(file->name)[0] != '_')
			continue;
		if (b->len == b->cap) {
			b->cap = b->cap ? b->cap * 2 : 32;
			b->items = mem_realloc(b->items, b->cap * sizeof(HelmTemplate));
		}
		b->items[b->len++] = (HelmTemplate){
			.name = arena_printf(b->arena, "%s/%s", path, file->name),
			.base_path = arena_printf(b->arena, "%s/templates", path),
			.text = file->data,
			.context = context,
		};
	}
}

/* `values` is this chart's table. */
static GoMap *add_chart(Builder *b, const HelmChart *chart, GoValue values)
{
	Arena *arena = b->arena;
	GoMap *context = go_map_new(arena, GO_MAP), *subcharts = go_map_new(arena, GO_MAP);
	go_map_put(arena, context, STR("Chart"), chart_of(arena, chart));
	go_map_put(arena, context, STR("Files"), files_of(arena, chart));
	go_map_put(arena, context, STR("Release"), b->release);
	go_map_put(arena, context, STR("Capabilities"), b->capabilities);
	go_map_put(arena, context, STR("Values"), values);
	go_map_put(arena, context, STR("Subcharts"), go_map(subcharts));
	for (size_t i = 0; i < chart->charts.len; i++) {
		const HelmChart *sub = chart->charts.items[i];
		GoValue table = go_map(go_map_new(arena, GO_VALUES));
		if (go_map_get(arena, values.map, str_of(helm_chart_name(sub)), &table) &&
		    go_is_map(table))
			table.type = GO_VALUES;
		else
			table = go_map(go_map_new(arena, GO_VALUES));
		go_map_put(arena, subcharts, str_of(helm_chart_name(sub)),
			   go_map(add_chart(b, sub, table)));
	}
	add_templates(b, chart, context);
	return context;
}

bool helm_templates_of(Arena *arena, const HelmChart *chart, const json_t *values,
		       const HelmRelease *release, const HelmCapabilities *capabilities,
		       HelmTemplate **out_templates, size_t *out_count, Error *err)
{
	Builder b = {.arena = arena, .release = release_of(arena, release)};
	if (!capabilities_of(arena, capabilities, &b.capabilities, err))
		return false;
	GoValue table = go_from_json(arena, values);
	table.type = GO_VALUES;
	add_chart(&b, chart, table);
	helm_templates_sort(b.items, b.len);
	*out_templates = b.items;
	*out_count = b.len;
	return true;
}
