#include "helm/manifest.h"

#include <strings.h>

#include "base/mem.h"
#include "base/path.h"
#include "data/yaml.h"

enum { MANIFEST_MAX = 64 << 20 };

static const char *const install_order[] = {
	"PriorityClass",
	"Namespace",
	"NetworkPolicy",
	"ResourceQuota",
	"LimitRange",
	"PodSecurityPolicy",
	"PodDisruptionBudget",
	"ServiceAccount",
	"Secret",
	"SecretList",
	"ConfigMap",
	"StorageClass",
	"PersistentVolume",
	"PersistentVolumeClaim",
	"CustomResourceDefinition",
	"ClusterRole",
	"ClusterRoleList",
	"ClusterRoleBinding",
	"ClusterRoleBindingList",
	"Role",
	"RoleList",
	"RoleBinding",
	"RoleBindingList",
	"Service",
	"DaemonSet",
	"Pod",
	"ReplicationController",
	"ReplicaSet",
	"Deployment",
	"HorizontalPodAutoscaler",
	"StatefulSet",
	"Job",
	"CronJob",
	"IngressClass",
	"Ingress",
	"APIService",
	"MutatingWebhookConfiguration",
	"ValidatingWebhookConfiguration",
};

static const char *const hook_events[] = {
	"pre-install",	"post-install", "pre-delete",	 "post-delete", "pre-upgrade",
	"post-upgrade", "pre-rollback", "post-rollback", "test",	"test-success",
};

void helm_manifests_dispose(HelmManifests *manifests)
{
	vec_dispose(&manifests->objects);
	vec_dispose(&manifests->hooks);
	free(manifests->notes);
	*manifests = (HelmManifests){0};
}

static bool is_blank(char byte)
{
	return byte == ' ' || (byte >= 9 && byte <= 13);
}

/* RE2's \s, which has no vertical tab. */
static bool is_space(char byte)
{
	return is_blank(byte) && byte != 11;
}

static Str trim_left(Str text)
{
	while (text.len > 0 && is_blank(text.ptr[0]))
		text = str_slice(text, 1, text.len);
	return text;
}

static bool is_all_blank(Str text)
{
	return trim_left(text).len == 0;
}

static void push_text(Arena *arena, Str text, Vec *out)
{
	if (is_all_blank(text))
		return;
	Str *kept = arena_alloc(arena, sizeof(*kept));
	*kept = trim_left(text);
	vec_push(out, kept);
}

/* "---" at the start of the text or of a line, with all blanks and empty lines around it: another
 * one right behind it is no separator. */
static bool find_separator(Str text, size_t from, size_t *start, size_t *end)
{
	for (size_t at = from; at + 3 <= text.len; at++) {
		bool fits = memcmp(text.ptr + at, "---", 3) == 0 &&
			    (at == 0 || (at > from && text.ptr[at - 1] == '\n'));
		if (!fits)
			continue;
		*start = at;
		while (*start > from && is_space(text.ptr[*start - 1]))
			(*start)--;
		*end = at + 3;
		while (*end < text.len && is_space(text.ptr[*end]))
			(*end)++;
		return true;
	}
	return false;
}

void helm_manifest_split(Arena *arena, Str text, Vec *out_texts)
{
	size_t from = 0, start, end;
	text = trim_left(text);
	while (find_separator(text, from, &start, &end)) {
		push_text(arena, str_slice(text, from, start), out_texts);
		from = end;
	}
	push_text(arena, str_slice(text, from, text.len), out_texts);
}

static bool is_event(Str word)
{
	for (size_t i = 0; i < COUNT(hook_events); i++)
		if (word.len == strlen(hook_events[i]) &&
		    strncasecmp(word.ptr, hook_events[i], word.len) == 0)
			return true;
	return false;
}

static bool knows_events(const char *events)
{
	Str word, rest = str_of(events);
	bool known = rest.len > 0;
	while (known && str_next(&rest, ',', &word))
		known = is_event(str_trim(word));
	return known;
}

static int weight_of(const char *text)
{
	unsigned long long number;
	bool negative = text && *text == '-';
	if (!text)
		return 0;
	text += *text == '-' || *text == '+';
	if (!str_to_u64(str_of(text), &number) || number > INT32_MAX)
		return 0;
	return negative ? -(int)number : (int)number;
}

static void drop_json(void *tree)
{
	json_decref(tree);
}

static bool wrong_head(const char *path, const char *what, Error *err)
{
	return err_set(
		err, ERR_INVALID,
		"YAML parse error on %s: error unmarshaling JSON: while decoding JSON: json: "
		"cannot unmarshal %s",
		path, what);
}

/* What sorting needs of a document. */
static bool read_head(Arena *arena, const json_t *tree, HelmManifest *manifest, Error *err)
{
	json_t *metadata = json_object_get(tree, "metadata");
	json_t *kind = json_object_get(tree, "kind"), *name = json_object_get(metadata, "name");
	json_t *annotations = json_object_get(metadata, "annotations");
	if (metadata && !json_is_object(metadata) && !json_is_null(metadata))
		return wrong_head(manifest->path, "metadata: an object is expected", err);
	if (annotations && !json_is_object(annotations) && !json_is_null(annotations))
		return wrong_head(manifest->path, "annotations: an object is expected", err);
	if (json_is_object(kind) || json_is_array(kind) || json_is_object(name) ||
	    json_is_array(name))
		return wrong_head(manifest->path, "kind or name: a string is expected", err);
	manifest->kind = arena_strdup(arena, json_is_string(kind) ? json_string_value(kind) : "");
	manifest->name = arena_strdup(arena, json_is_string(name) ? json_string_value(name) : "");
	const char *hook = json_text(annotations, "helm.sh/hook");
	if (json_is_object(annotations) && json_object_get(annotations, "helm.sh/hook")) {
		manifest->events = arena_strdup(arena, hook ? hook : "");
		manifest->annotations = annotations;
		manifest->weight = weight_of(json_text(annotations, "helm.sh/hook-weight"));
	}
	return true;
}

static bool add_document(Arena *arena, const char *path, Str text, HelmManifests *out, Error *err)
{
	HelmManifest *manifest = arena_alloc(arena, sizeof(*manifest));
	manifest->path = path;
	manifest->text = text;
	json_t *tree = yaml_parse_old(text.ptr, text.len, MANIFEST_MAX, "yaml", err);
	if (!tree)
		return err_wrap(err, "YAML parse error on %s: error converting YAML to JSON", path);
	arena_defer(arena, drop_json, tree);
	if (!json_is_object(tree) && !json_is_null(tree))
		return wrong_head(path, "the document: an object is expected", err);
	if (!read_head(arena, tree, manifest, err))
		return false;
	manifest->order = out->objects.len + out->hooks.len;
	if (!manifest->events)
		vec_push(&out->objects, manifest);
	else if (knows_events(manifest->events))
		vec_push(&out->hooks, manifest);
	return true;
}

static size_t rank_of(const char *kind)
{
	for (size_t i = 0; i < COUNT(install_order); i++)
		if (strcmp(install_order[i], kind) == 0)
			return i;
	return COUNT(install_order);
}

static int compare_kinds(const void *a, const void *b)
{
	const HelmManifest *first = a, *second = b;
	size_t first_rank = rank_of(first->kind), second_rank = rank_of(second->kind);
	if (first_rank != second_rank)
		return first_rank < second_rank ? -1 : 1;
	if (first_rank == COUNT(install_order))
		return strcmp(first->kind, second->kind);
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const HelmTemplate *)a)->name, ((const HelmTemplate *)b)->name);
}

static bool add_template(Arena *arena, const HelmTemplate *template, const char *root,
			 HelmManifests *out, Error *err)
{
	autovec Vec texts = {0};
	Str output = str_sized(template->output, template->output_len);
	if (cstr_ends(template->name, "NOTES.txt")) {
		autofree char *own = mem_printf("%s/templates/NOTES.txt", root);
		if (strcmp(template->name, own) == 0) {
			free(out->notes);
			out->notes = str_dup(output);
		}
		return true;
	}
	helm_manifest_split(arena, output, &texts);
	for (size_t i = 0; i < texts.len; i++)
		if (!add_document(arena, template->name, *(Str *)texts.items[i], out, err))
			return false;
	return true;
}

bool helm_manifests_read(Arena *arena, const HelmTemplate *templates, size_t count,
			 const char *root, HelmManifests *out, Error *err)
{
	autovec Vec sorted = {0};
	automanifests HelmManifests result = {0};
	for (size_t i = 0; i < count; i++)
		if (templates[i].output)
			vec_push(&sorted, (void *)(uintptr_t)&templates[i]);
	vec_sort(&sorted, compare_paths);
	for (size_t i = 0; i < sorted.len; i++)
		if (!add_template(arena, sorted.items[i], root, &result, err))
			return false;
	vec_sort(&result.objects, compare_kinds);
	vec_sort(&result.hooks, compare_kinds);
	*out = result;
	result = (HelmManifests){0};
	return true;
}
