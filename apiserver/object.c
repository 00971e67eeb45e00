/* Metadata rules of kube-api.md 2.1. */
#include "object.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "names.h"

enum { GENERATE_BASE_MAX = 58, ANNOTATIONS_MAX = 256 * 1024 };

const char *object_meta(const json_t *object, const char *name)
{
	return json_text_or(json_map(object, "metadata"), name, "");
}

const char *object_name(const json_t *object)
{
	return object_meta(object, "name");
}

const char *object_ns(const json_t *object)
{
	return object_meta(object, "namespace");
}

const json_t *object_at(const json_t *object, const char *path)
{
	Str rest = str_of(path);
	Str piece;
	while (object && str_next(&rest, '.', &piece)) {
		autofree char *key = str_dup(piece);
		object = json_object_get(object, key);
	}
	return object;
}

bool object_is_deleting(const json_t *object)
{
	return *object_meta(object, "deletionTimestamp") != '\0';
}

static json_t *finalizers_of(const json_t *object)
{
	return json_list(json_map(object, "metadata"), "finalizers");
}

size_t object_finalizer_count(const json_t *object)
{
	return json_array_size(finalizers_of(object));
}

bool object_has_finalizer(const json_t *object, const char *finalizer)
{
	json_t *list = finalizers_of(object);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (cstr_eq(json_string_value(json_array_get(list, i)), finalizer))
			return true;
	return false;
}

void object_set_finalizer(json_t *object, const char *finalizer, bool present)
{
	if (object_has_finalizer(object, finalizer) == present)
		return;
	json_t *meta = json_make_at(object, "metadata", NULL);
	json_t *list = json_array();
	json_t *old = finalizers_of(object);
	for (size_t i = 0; i < json_array_size(old); i++)
		if (!cstr_eq(json_string_value(json_array_get(old, i)), finalizer))
			json_array_append(list, json_array_get(old, i));
	if (present)
		json_array_append_new(list, json_string(finalizer));
	if (json_array_size(list) == 0) {
		json_decref(list);
		json_object_del(meta, "finalizers");
		return;
	}
	json_object_set_new(meta, "finalizers", list);
}

char *object_now(void)
{
	char text[CLOCK_TEXT_SIZE];
	clock_format(clock_wall_ms(), text);
	return mem_strdup(text);
}

static void generate_name(json_t *meta)
{
	const char *base = json_text_or(meta, "generateName", "");
	if (!*base || *json_text_or(meta, "name", ""))
		return;
	char suffix[6];
	rand_name(suffix, 5);
	autofree char *name = mem_printf("%.*s%s", GENERATE_BASE_MAX, base, suffix);
	json_put_text(meta, "name", name);
}

void object_init_meta(const Resource *resource, json_t *object)
{
	json_t *meta = json_make_at(object, "metadata", NULL);
	static const char *const dropped[] = {"selfLink", "resourceVersion", "deletionTimestamp",
					      "deletionGracePeriodSeconds"};
	for (size_t i = 0; i < COUNT(dropped); i++)
		json_object_del(meta, dropped[i]);
	generate_name(meta);
	if (!resource_has(resource, KIND_NAMESPACED))
		json_object_del(meta, "namespace");
	char uid[37];
	rand_uuid(uid);
	json_put_text(meta, "uid", uid);
	autofree char *now = object_now();
	json_put_text(meta, "creationTimestamp", now);
	if (resource_has(resource, KIND_GENERATION))
		json_object_set_new(meta, "generation", json_integer(1));
}

void object_keep_meta(json_t *object, const json_t *live)
{
	static const char *const kept[] = {"name",
					   "namespace",
					   "uid",
					   "creationTimestamp",
					   "deletionTimestamp",
					   "deletionGracePeriodSeconds",
					   "generation",
					   "generateName",
					   "resourceVersion"};
	json_t *meta = json_make_at(object, "metadata", NULL);
	const json_t *old = json_map(live, "metadata");
	for (size_t i = 0; i < COUNT(kept); i++) {
		json_t *value = json_object_get(old, kept[i]);
		if (value)
			json_object_set(meta, kept[i], value);
		else
			json_object_del(meta, kept[i]);
	}
	json_object_del(meta, "selfLink");
}

/* What the generation counts, as a copy with the rest taken out. */
static json_t *counted_part(const Resource *resource, const json_t *object)
{
	if (!resource_has(resource, KIND_CUSTOM)) {
		json_t *spec = json_object_get(object, "spec");
		json_t *part = json_object();
		if (spec)
			json_object_set(part, "spec", spec);
		json_t *hooks = json_object_get(object, "webhooks");
		if (hooks)
			json_object_set(part, "webhooks", hooks);
		bool deployment = strcmp(resource->key, "deployments.apps") == 0;
		json_t *notes = json_at(object, "metadata", "annotations", NULL);
		if (deployment && notes)
			json_object_set(part, "annotations", notes);
		return part;
	}
	json_t *part = json_copy((json_t *)(uintptr_t)object);
	json_object_del(part, "metadata");
	if (resource_has(resource, KIND_STATUS))
		json_object_del(part, "status");
	return part;
}

void object_bump_generation(const Resource *resource, json_t *object, const json_t *live)
{
	if (!resource_has(resource, KIND_GENERATION))
		return;
	autojson json_t *before = counted_part(resource, live);
	autojson json_t *after = counted_part(resource, object);
	int64_t generation = json_int(json_map(live, "metadata"), "generation", 1);
	if (!json_same(before, after))
		generation++;
	json_object_set_new(json_make_at(object, "metadata", NULL), "generation",
			    json_integer(generation));
}

void object_mark_deleting(const Resource *resource, json_t *object)
{
	if (object_is_deleting(object))
		return;
	json_t *meta = json_make_at(object, "metadata", NULL);
	autofree char *now = object_now();
	json_put_text(meta, "deletionTimestamp", now);
	/* A Namespace is never asked how long it may take. */
	if (strcmp(resource->key, "namespaces") != 0)
		json_object_set_new(meta, "deletionGracePeriodSeconds", json_integer(0));
	if (resource_has(resource, KIND_GENERATION))
		json_object_set_new(meta, "generation",
				    json_integer(json_int(meta, "generation", 1) + 1));
}

static void check_name(const Resource *resource, const char *name, const char *path,
		       FieldErrors *errors)
{
	if (resource_has(resource, KIND_ANY_NAME)) {
		if (strchr(name, '/') || strchr(name, '%') || strcmp(name, ".") == 0 ||
		    strcmp(name, "..") == 0)
			field_error(errors, "Invalid value", path,
				    "\"%s\": may not contain '/' or '%%'", name);
		return;
	}
	if (strcmp(resource->key, "services") == 0)
		name_check_word(name, false, path, errors);
	else if (resource_has(resource, KIND_LABEL_NAME))
		name_check_label(name, path, errors);
	else
		name_check_subdomain(name, path, errors);
}

/* What names begin with may end as a name may not: with a dash. */
static void validate_base(const Resource *resource, const char *base, FieldErrors *errors)
{
	static const char path[] = "metadata.generateName";
	autofielderrors FieldErrors masked = {0};
	size_t len = strlen(base);
	bool dash = len > 1 && base[len - 1] == '-';
	autofree char *name = dash ? mem_printf("%.*sa", (int)len - 2, base) : mem_strdup(base);
	check_name(resource, name, path, &masked);
	if (masked.causes)
		check_name(resource, base, path, errors);
}

static void validate_name(const Resource *resource, const json_t *meta, FieldErrors *errors)
{
	const char *name = json_text_or(meta, "name", "");
	const char *base = json_text_or(meta, "generateName", "");
	if (*base)
		validate_base(resource, base, errors);
	if (!*name)
		field_error(errors, "Required value", "metadata.name",
			    "name or generateName is required");
	else
		check_name(resource, name, "metadata.name", errors);
}

static void validate_annotations(const json_t *meta, FieldErrors *errors)
{
	size_t total = 0;
	const char *key;
	json_t *value;
	json_t *notes = json_map(meta, "annotations");
	json_object_foreach(notes, key, value)
	{
		total += strlen(key) + json_string_length(value);
		if (!name_is_qualified(key))
			field_error(errors, "Invalid value", "metadata.annotations", "\"%s\": %s",
				    key, name_qualified_text(key));
		if (!json_is_string(value))
			field_error(errors, "Invalid value", "metadata.annotations",
				    "\"%s\": must be a string", key);
	}
	if (total > ANNOTATIONS_MAX)
		field_error(errors, "Too long", "metadata.annotations",
			    "may not be more than 262144 bytes");
}

/* More than one owner that controls; the message names two. */
static void validate_controllers(const json_t *owners, FieldErrors *errors)
{
	const json_t *first = NULL;
	for (size_t i = 0; i < json_array_size(owners); i++) {
		const json_t *owner = json_array_get(owners, i);
		if (!json_flag(owner, "controller", false))
			continue;
		if (!first) {
			first = owner;
			continue;
		}
		autofree char *shown = json_dump(owners);
		field_error(errors, "Invalid value", "metadata.ownerReferences",
			    "%s: Only one reference can have Controller set to true. Found "
			    "\"true\" in references for %s/%s and %s/%s",
			    shown, json_text_or(first, "kind", ""), json_text_or(first, "name", ""),
			    json_text_or(owner, "kind", ""), json_text_or(owner, "name", ""));
		return;
	}
}

static void validate_owners(const json_t *meta, FieldErrors *errors)
{
	static const struct {
		const char *key, *text;
	} needed[] = {{"apiVersion", "version must not be empty"},
		      {"kind", "must not be empty"},
		      {"name", "must not be empty"},
		      {"uid", "must not be empty"}};
	json_t *owners = json_list(meta, "ownerReferences");
	for (size_t i = 0; i < json_array_size(owners); i++) {
		const json_t *owner = json_array_get(owners, i);
		for (size_t k = 0; k < COUNT(needed); k++) {
			autofree char *path =
				mem_printf("metadata.ownerReferences.%s", needed[k].key);
			if (cstr_empty(json_text(owner, needed[k].key)))
				field_error(errors, "Invalid value", path, "\"\": %s",
					    needed[k].text);
		}
	}
	validate_controllers(owners, errors);
}

static bool is_standard_finalizer(const char *name)
{
	return strcmp(name, "orphan") == 0 || strcmp(name, "foregroundDeletion") == 0 ||
	       strcmp(name, "kubernetes") == 0;
}

/* Only the core server's kinds are strict about finalizers without a domain. */
static bool is_core_kind(const Resource *resource)
{
	static const char *const lenient[] = {"policy", "coordination.k8s.io",
					      "apiextensions.k8s.io", "apiregistration.k8s.io"};
	for (size_t i = 0; i < COUNT(lenient); i++)
		if (strcmp(lenient[i], resource->group) == 0)
			return false;
	return !resource_has(resource, KIND_CUSTOM);
}

static void validate_finalizers(const Resource *resource, const json_t *meta, FieldErrors *errors)
{
	json_t *finalizers = json_list(meta, "finalizers");
	for (size_t i = 0; i < json_array_size(finalizers); i++) {
		const char *text = json_string_value(json_array_get(finalizers, i));
		text = text ? text : "";
		if (!name_is_qualified(text))
			field_error(errors, "Invalid value", "metadata.finalizers", "\"%s\": %s",
				    text, name_qualified_text(text));
		autofree char *path = mem_printf("metadata.finalizers[%zu]", i);
		if (is_core_kind(resource) && !strchr(text, '/') && !is_standard_finalizer(text))
			field_error(errors, "Invalid value", path,
				    "\"%s\": name is neither a standard finalizer name nor is it "
				    "fully qualified",
				    text);
	}
}

void object_validate_meta(const Resource *resource, const json_t *object, FieldErrors *errors)
{
	const json_t *meta = json_map(object, "metadata");
	validate_name(resource, json_map(object, "metadata"), errors);
	name_check_labels(json_map(meta, "labels"), "metadata.labels", errors);
	validate_annotations(meta, errors);
	validate_owners(meta, errors);
	validate_finalizers(resource, meta, errors);
}

static json_t *comparable(const json_t *object)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)object);
	json_t *meta = json_copy(json_map(copy, "metadata"));
	json_object_del(meta, "managedFields");
	json_object_del(meta, "resourceVersion");
	json_object_set_new(copy, "metadata", meta);
	return copy;
}

bool object_differs(const json_t *a, const json_t *b)
{
	autojson json_t *left = comparable(a);
	autojson json_t *right = comparable(b);
	return !json_same(left, right);
}

StoreKey object_key(const Resource *resource, const json_t *object)
{
	bool namespaced = resource_has(resource, KIND_NAMESPACED);
	return (StoreKey){resource->store_key, namespaced ? object_ns(object) : "",
			  object_name(object)};
}
