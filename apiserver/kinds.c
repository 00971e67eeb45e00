/* The Catalog: a list of counted Resources behind one lock. Small (a few hundred), so searched. */
#include "kinds.h"

#include "cel_rules.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "schema_builtin.h"

struct Catalog {
	pthread_mutex_t lock; /* guards everything below and Resource.references, .smd */
	Vec resources;	      /* of Resource *, sorted */
	Map *seen; /* CRD name -> uint64_t, its newest resourceVersion; of gone ones too */
	unsigned long generation;
	Definitions *definitions;
};

/* References are counted with atomics, because a reference outlives the catalog's lock. */
Resource *resource_ref(Resource *resource)
{
	__atomic_add_fetch(&resource->references, 1, __ATOMIC_RELAXED);
	return resource;
}

static void strings_free(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

void resource_unref(Resource *resource)
{
	if (__atomic_sub_fetch(&resource->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	char *texts[] = {
		resource->group,	   resource->version,	resource->kind,
		resource->list_kind,	   resource->plural,	resource->singular,
		resource->api_version,	   resource->key,	resource->definition,
		resource->storage_version, resource->store_key, resource->stored_definition,
		resource->deprecation};
	for (size_t i = 0; i < COUNT(texts); i++)
		free(texts[i]);
	strings_free(resource->short_names);
	strings_free(resource->categories);
	json_decref(resource->schema);
	cel_rules_free(resource->rules);
	json_decref(resource->columns);
	json_decref(resource->selectable);
	json_decref(resource->scale);
	if (resource->smd)
		smd_schema_free(resource->smd);
	free(resource);
}

Resource *resource_new(void)
{
	Resource *resource = mem_zalloc(1, sizeof(*resource));
	resource->references = 1;
	return resource;
}

static char **split_names(const char *text)
{
	char **names = mem_zalloc(8, sizeof(*names));
	Str rest = str_of(text);
	Str piece;
	for (size_t i = 0; i < 7 && str_next(&rest, ',', &piece); i++)
		names[i] = str_dup(piece);
	return names;
}

static char **builtin_categories(unsigned flags)
{
	return split_names(flags & KIND_ALL	    ? "all"
			   : flags & KIND_EXTENSION ? "api-extensions"
						    : "");
}

static char *lower(const char *text)
{
	char *out = mem_strdup(text ? text : "");
	for (char *c = out; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return out;
}

/* What kubectl and Go clients show of old kinds. */
static char *builtin_deprecation(const char *key)
{
	static const char *const rows[][2] = {
		{"componentstatuses", "v1 ComponentStatus is deprecated in v1.19+"},
		{"endpoints",
		 "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i][0], key) == 0)
			return mem_strdup(rows[i][1]);
	return NULL;
}

static Resource *builtin_resource(const KindRow *row)
{
	Resource *resource = resource_new();
	resource->group = mem_strdup(row->group);
	resource->version = mem_strdup(row->version);
	resource->kind = mem_strdup(row->kind);
	resource->list_kind = mem_printf("%sList", row->kind);
	resource->plural = mem_strdup(row->plural);
	resource->singular = lower(row->kind);
	resource->api_version = *row->group ? mem_printf("%s/%s", row->group, row->version)
					    : mem_strdup(row->version);
	resource->key = *row->group ? mem_printf("%s.%s", row->plural, row->group)
				    : mem_strdup(row->plural);
	resource->deprecation = builtin_deprecation(resource->key);
	/* events.k8s.io and core share one store. */
	bool event = strcmp(row->group, "events.k8s.io") == 0;
	resource->store_key = mem_strdup(event ? "events" : resource->key);
	bool old_scaler = strcmp(row->group, "autoscaling") == 0;
	resource->storage_version = mem_strdup(event	    ? "v1"
					       : old_scaler ? "autoscaling/v2"
							    : resource->api_version);
	resource->storage = strcmp(resource->storage_version, resource->api_version) == 0;
	resource->uniform = resource->storage;
	resource->definition = schema_builtin_name(row->group, row->version, row->kind);
	resource->stored_definition = event ? schema_builtin_name("", "v1", row->kind)
				      : old_scaler
					      ? schema_builtin_name(row->group, "v2", row->kind)
					      : mem_strdup(resource->definition);
	resource->short_names = split_names(row->short_names);
	resource->categories = builtin_categories(row->flags);
	resource->flags = row->flags;
	resource->subresources = row->subresources;
	return resource;
}

/* Of the order of versions' names: v2 before v1 before v2beta1 before v1beta1 before v1alpha1;
 * higher is before. 0 for another form. */
long resource_version_rank(const char *name)
{
	static const struct {
		const char *word;
		long rank;
	} stages[] = {{"alpha", 1}, {"beta", 2}};
	enum { STABLE = 3, STAGE = 1000000, PART = 1000 };
	char *rest;
	if (*name != 'v' || name[1] < '1' || name[1] > '9')
		return 0;
	long major = strtol(name + 1, &rest, 10);
	if (!*rest)
		return STABLE * STAGE + major * PART;
	for (size_t i = 0; i < COUNT(stages); i++)
		if (cstr_starts(rest, stages[i].word))
			return stages[i].rank * STAGE + major * PART +
			       strtol(rest + strlen(stages[i].word), NULL, 10);
	return 0;
}

static int resource_compare(const void *a, const void *b)
{
	const Resource *left = a, *right = b;
	int order = strcmp(left->group, right->group);
	long before = resource_version_rank(left->version);
	long after = resource_version_rank(right->version);
	if (order == 0)
		order = (before < after) - (before > after);
	if (order == 0)
		order = strcmp(left->version, right->version);
	return order ? order : strcmp(left->plural, right->plural);
}

bool kinds_have_group(const char *group)
{
	for (size_t i = 0; i < builtin_kind_count; i++)
		if (strcmp(builtin_kinds[i].group, group) == 0)
			return true;
	return false;
}

Catalog *catalog_new(void)
{
	Catalog *catalog = mem_zalloc(1, sizeof(*catalog));
	pthread_mutex_init(&catalog->lock, NULL);
	catalog->definitions = definitions_new();
	for (size_t i = 0; i < builtin_kind_count; i++)
		vec_push(&catalog->resources, builtin_resource(&builtin_kinds[i]));
	vec_sort(&catalog->resources, resource_compare);
	catalog->seen = map_new(free);
	return catalog;
}

void catalog_free(Catalog *catalog)
{
	catalog_list_free(&catalog->resources);
	map_free(catalog->seen);
	definitions_free(catalog->definitions);
	pthread_mutex_destroy(&catalog->lock);
	free(catalog);
}

Resource *catalog_find(Catalog *catalog, const char *group, const char *version, const char *plural)
{
	Resource *found = NULL;
	pthread_mutex_lock(&catalog->lock);
	for (size_t i = 0; i < catalog->resources.len && !found; i++) {
		Resource *resource = catalog->resources.items[i];
		if (strcmp(resource->plural, plural) == 0 && strcmp(resource->group, group) == 0 &&
		    strcmp(resource->version, version) == 0 &&
		    !resource_has(resource, KIND_UNSERVED))
			found = resource_ref(resource);
	}
	pthread_mutex_unlock(&catalog->lock);
	return found;
}

Resource *catalog_find_kind(Catalog *catalog, const char *group, const char *version,
			    const char *kind)
{
	Resource *found = NULL;
	pthread_mutex_lock(&catalog->lock);
	for (size_t i = 0; i < catalog->resources.len && !found; i++) {
		Resource *resource = catalog->resources.items[i];
		if (strcmp(resource->kind, kind) == 0 && strcmp(resource->group, group) == 0 &&
		    (!version || (strcmp(resource->version, version) == 0 &&
				  !resource_has(resource, KIND_UNSERVED))))
			found = resource_ref(resource);
	}
	pthread_mutex_unlock(&catalog->lock);
	return found;
}

/* True when this is news; notes it. */
static bool is_newer(Catalog *catalog, const char *crd_name, uint64_t rv)
{
	uint64_t *last = map_get(catalog->seen, crd_name);
	if (last && rv < *last)
		return false;
	last = mem_zalloc(1, sizeof(*last));
	*last = rv;
	map_put(catalog->seen, crd_name, last);
	return true;
}

void catalog_replace(Catalog *catalog, const char *crd_name, uint64_t rv, Vec *take_resources)
{
	pthread_mutex_lock(&catalog->lock);
	if (!is_newer(catalog, crd_name, rv)) {
		pthread_mutex_unlock(&catalog->lock);
		catalog_list_free(take_resources);
		return;
	}
	for (size_t i = catalog->resources.len; i-- > 0;) {
		const Resource *old = catalog->resources.items[i];
		if (resource_has(old, KIND_CUSTOM) && strcmp(old->key, crd_name) == 0)
			resource_unref(vec_remove(&catalog->resources, i));
	}
	for (size_t i = 0; i < take_resources->len; i++)
		vec_push(&catalog->resources, take_resources->items[i]);
	take_resources->len = 0;
	vec_sort(&catalog->resources, resource_compare);
	catalog->generation++;
	pthread_mutex_unlock(&catalog->lock);
}

void catalog_list(Catalog *catalog, Vec *out)
{
	pthread_mutex_lock(&catalog->lock);
	for (size_t i = 0; i < catalog->resources.len; i++) {
		Resource *resource = catalog->resources.items[i];
		if (!resource_has(resource, KIND_UNSERVED))
			vec_push(out, resource_ref(resource));
	}
	pthread_mutex_unlock(&catalog->lock);
}

void catalog_list_stored(Catalog *catalog, Vec *out)
{
	pthread_mutex_lock(&catalog->lock);
	for (size_t i = 0; i < catalog->resources.len; i++) {
		Resource *resource = catalog->resources.items[i];
		if (resource->storage)
			vec_push(out, resource_ref(resource));
	}
	pthread_mutex_unlock(&catalog->lock);
}

static void unref_item(void *item)
{
	resource_unref(item);
}

void catalog_list_free(Vec *resources)
{
	vec_dispose_with(resources, unref_item);
}

Definitions *catalog_definitions(Catalog *catalog)
{
	return catalog->definitions;
}

unsigned long catalog_generation(Catalog *catalog)
{
	pthread_mutex_lock(&catalog->lock);
	unsigned long generation = catalog->generation;
	pthread_mutex_unlock(&catalog->lock);
	return generation;
}

const SmdSchema *catalog_smd(Catalog *catalog, Resource *resource, Error *err)
{
	pthread_mutex_lock(&catalog->lock);
	if (!resource->smd) {
		autojson json_t *definitions = definitions_closure(
			catalog->definitions,
			resource->schema ? SCHEMA_OBJECT_META : resource->stored_definition);
		autojson json_t *schema = resource->schema
						  ? schema_with_metadata(resource->schema)
						  : schema_builtin_ref(resource->stored_definition);
		resource->smd = resource->schema ? smd_schema_new(schema, definitions, err)
						 : smd_schema_new_builtin(schema, definitions, err);
	}
	const SmdSchema *smd = resource->smd;
	pthread_mutex_unlock(&catalog->lock);
	return smd;
}
