/* The collector's steps. Each reads anew, so that a lost race is only work for the next change. */
#include <string.h>

#include "base/mem.h"
#include "collector_internal.h"
#include "crd.h"
#include "object.h"
#include "write.h"

void subject_dispose(Subject *subject)
{
	if (subject->resource)
		resource_unref(subject->resource);
	json_decref(subject->live);
}

/* The stored version's resource. */
static Resource *resource_of(Collector *collector, const char *store_key)
{
	Vec resources = {0};
	catalog_list_stored(collector->server->catalog, &resources);
	Resource *found = NULL;
	for (size_t i = 0; i < resources.len && !found; i++) {
		Resource *resource = resources.items[i];
		if (strcmp(resource->store_key, store_key) == 0)
			found = resource_ref(resource);
	}
	catalog_list_free(&resources);
	return found;
}

bool collector_subject(Collector *collector, const char *store_key, const char *ns,
		       const char *name, Subject *out)
{
	StoreKey key = {store_key, ns, name};
	autoerror Error ignored = {0};
	autojson json_t *live = store_get(collector->server->store, &key, &ignored);
	if (!live)
		return false;
	Resource *resource = resource_of(collector, store_key);
	if (!resource)
		return false;
	*out = (Subject){resource, steal(&live)};
	return true;
}

bool collector_delete(Collector *collector, Subject *subject, const char *policy)
{
	autoinner Request request = {0};
	write_inner_request(collector->server, subject->resource, object_ns(subject->live),
			    object_name(subject->live), &request);
	autojson json_t *options =
		json_pack("{s:{s:s}}", "preconditions", "uid", object_meta(subject->live, "uid"));
	json_put_text(options, "propagationPolicy", policy);
	autojson json_t *out = NULL;
	autostatus Status status = {0};
	return write_delete(&request, subject->live, options, &out, &status);
}

bool collector_update(Collector *collector, Subject *subject, const char *subresource,
		      json_t *object)
{
	autoinner Request request = {0};
	write_inner_request(collector->server, subject->resource, object_ns(subject->live),
			    object_name(subject->live), &request);
	free(request.path.subresource);
	request.path.subresource = mem_strdup(subresource);
	autowritten Written written = {0};
	autostatus Status status = {0};
	return write_update(&request, subject->live, object, true, &written, &status);
}

/* Whether the owner that a reference names is there; unknown kinds count as there. */
static bool owner_exists(Collector *collector, const json_t *owner, const char *ns)
{
	Str group, version;
	if (!str_cut(str_of(json_text_or(owner, "apiVersion", "")), '/', &group, &version))
		group = STR("");
	autofree char *group_text = str_dup(group);
	autoresource Resource *resource = catalog_find_kind(collector->server->catalog, group_text,
							    NULL, json_text_or(owner, "kind", ""));
	if (!resource)
		return true;
	bool namespaced = resource_has(resource, KIND_NAMESPACED);
	StoreKey key = {resource->store_key, namespaced ? ns : "", json_text_or(owner, "name", "")};
	autoerror Error err = {0};
	autojson json_t *live = store_get(collector->server->store, &key, &err);
	if (!live)
		return err.code != ERR_NOT_FOUND;
	return cstr_eq(object_meta(live, "uid"), json_text(owner, "uid"));
}

static void set_owners(json_t *object, json_t *take_owners)
{
	json_t *meta = json_map(object, "metadata");
	if (json_array_size(take_owners) == 0)
		json_object_del(meta, "ownerReferences");
	else
		json_object_set(meta, "ownerReferences", take_owners);
	json_decref(take_owners);
}

void collector_check_owners(Collector *collector, const char *store_key, const char *ns,
			    const char *name)
{
	autosubject Subject subject = {0};
	if (!collector_subject(collector, store_key, ns, name, &subject))
		return;
	json_t *owners = json_list(json_map(subject.live, "metadata"), "ownerReferences");
	json_t *kept = json_array();
	for (size_t i = 0; i < json_array_size(owners); i++)
		if (owner_exists(collector, json_array_get(owners, i), ns))
			json_array_append(kept, json_array_get(owners, i));
	size_t alive = json_array_size(kept);
	if (alive == json_array_size(owners) || object_is_deleting(subject.live)) {
		json_decref(kept);
		return;
	}
	if (alive == 0) {
		json_decref(kept);
		collector_delete(collector, &subject, "Background");
		return;
	}
	autojson json_t *next = json_deep_copy(subject.live);
	set_owners(next, kept);
	collector_update(collector, &subject, "", next);
}

/* The keys of an owner's dependents as an owned copy: the index changes under way. */
static json_t *dependents_of(Collector *collector, const char *uid)
{
	json_t *keys = json_array();
	const Map *set = map_get(collector->dependents, uid);
	size_t at = 0;
	const char *key;
	void *value;
	while (set && map_next(set, &at, &key, &value))
		json_array_append_new(keys, json_string(key));
	return keys;
}

typedef void DependentStep(Collector *collector, const char *store_key, const char *ns,
			   const char *name);

static void each_dependent(Collector *collector, const char *uid, DependentStep *step)
{
	autojson json_t *keys = dependents_of(collector, uid);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		Str resource, ns, name, rest;
		str_cut(str_of(json_string_value(json_array_get(keys, i))), '|', &resource, &rest);
		str_cut(rest, '|', &ns, &name);
		autofree char *resource_text = str_dup(resource);
		autofree char *ns_text = str_dup(ns);
		autofree char *name_text = str_dup(name);
		step(collector, resource_text, ns_text, name_text);
	}
}

void collector_owner_gone(Collector *collector, const char *uid)
{
	each_dependent(collector, uid, collector_check_owners);
}

static void delete_dependent(Collector *collector, const char *store_key, const char *ns,
			     const char *name)
{
	autosubject Subject subject = {0};
	if (collector_subject(collector, store_key, ns, name, &subject) &&
	    !object_is_deleting(subject.live))
		collector_delete(collector, &subject, "Foreground");
}

static bool blocks(const json_t *dependent, const char *uid)
{
	json_t *owners = json_list(json_map(dependent, "metadata"), "ownerReferences");
	for (size_t i = 0; i < json_array_size(owners); i++) {
		const json_t *owner = json_array_get(owners, i);
		if (cstr_eq(json_text(owner, "uid"), uid))
			return json_flag(owner, "blockOwnerDeletion", false);
	}
	return false;
}

static bool any_blocking(Collector *collector, const char *uid)
{
	autojson json_t *keys = dependents_of(collector, uid);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		Str resource, ns, name, rest;
		str_cut(str_of(json_string_value(json_array_get(keys, i))), '|', &resource, &rest);
		str_cut(rest, '|', &ns, &name);
		autofree char *resource_text = str_dup(resource);
		autofree char *ns_text = str_dup(ns);
		autofree char *name_text = str_dup(name);
		autosubject Subject subject = {0};
		if (collector_subject(collector, resource_text, ns_text, name_text, &subject) &&
		    blocks(subject.live, uid))
			return true;
	}
	return false;
}

static void drop_finalizer(Collector *collector, const char *store_key, const char *ns,
			   const char *name, const char *finalizer)
{
	for (int tries = 0; tries < 5; tries++) {
		autosubject Subject subject = {0};
		if (!collector_subject(collector, store_key, ns, name, &subject) ||
		    !object_has_finalizer(subject.live, finalizer))
			return;
		autojson json_t *next = json_deep_copy(subject.live);
		object_set_finalizer(next, finalizer, false);
		if (collector_update(collector, &subject, "", next))
			return;
	}
}

void collector_foreground(Collector *collector, const char *store_key, const char *ns,
			  const char *name)
{
	autosubject Subject subject = {0};
	if (!collector_subject(collector, store_key, ns, name, &subject) ||
	    !object_is_deleting(subject.live) ||
	    !object_has_finalizer(subject.live, "foregroundDeletion"))
		return;
	const char *uid = object_meta(subject.live, "uid");
	each_dependent(collector, uid, delete_dependent);
	if (!any_blocking(collector, uid))
		drop_finalizer(collector, store_key, ns, name, "foregroundDeletion");
}

static bool strip_owner(Collector *collector, const char *store_key, const char *ns,
			const char *name, const char *uid)
{
	autosubject Subject subject = {0};
	if (!collector_subject(collector, store_key, ns, name, &subject))
		return true;
	json_t *owners = json_list(json_map(subject.live, "metadata"), "ownerReferences");
	json_t *kept = json_array();
	for (size_t i = 0; i < json_array_size(owners); i++)
		if (!cstr_eq(json_text(json_array_get(owners, i), "uid"), uid))
			json_array_append(kept, json_array_get(owners, i));
	autojson json_t *next = json_deep_copy(subject.live);
	set_owners(next, kept);
	return collector_update(collector, &subject, "", next);
}

void collector_orphan(Collector *collector, const char *store_key, const char *ns, const char *name)
{
	autosubject Subject subject = {0};
	if (!collector_subject(collector, store_key, ns, name, &subject) ||
	    !object_has_finalizer(subject.live, "orphan"))
		return;
	const char *uid = object_meta(subject.live, "uid");
	autojson json_t *keys = dependents_of(collector, uid);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		Str resource, item_ns, item_name, rest;
		str_cut(str_of(json_string_value(json_array_get(keys, i))), '|', &resource, &rest);
		str_cut(rest, '|', &item_ns, &item_name);
		autofree char *resource_text = str_dup(resource);
		autofree char *ns_text = str_dup(item_ns);
		autofree char *name_text = str_dup(item_name);
		for (int tries = 0; tries < 5; tries++)
			if (strip_owner(collector, resource_text, ns_text, name_text, uid))
				break;
	}
	drop_finalizer(collector, store_key, ns, name, "orphan");
}

static bool collect_name(void *arg, const char *ns, const char *name, const char *text, size_t len)
{
	(void)text;
	(void)len;
	json_array_append_new(arg, json_pack("[s,s]", ns, name));
	return true;
}

size_t collector_delete_all(Collector *collector, const char *store_key, const char *ns)
{
	autojson json_t *found = json_array();
	autoerror Error ignored = {0};
	StoreQuery query = {.resource = store_key, .ns = ns};
	if (!store_list(collector->server->store, &query, collect_name, found, NULL, &ignored))
		return 1;
	for (size_t i = 0; i < json_array_size(found); i++) {
		const json_t *item = json_array_get(found, i);
		autosubject Subject subject = {0};
		if (collector_subject(collector, store_key,
				      json_string_value(json_array_get(item, 0)),
				      json_string_value(json_array_get(item, 1)), &subject) &&
		    !object_is_deleting(subject.live))
			collector_delete(collector, &subject, "Background");
	}
	size_t left = 0;
	uint64_t count = 0;
	if (json_array_size(found) > 0 &&
	    store_count(collector->server->store, &query, &count, &ignored))
		left = (size_t)count;
	return left;
}

bool collector_end_kind(Collector *collector, const char *crd)
{
	autosubject Subject subject = {0};
	if (!collector_subject(collector, CRD_KEY, "", crd, &subject) ||
	    !object_is_deleting(subject.live)) {
		return true;
	}
	if (collector_delete_all(collector, crd, NULL) > 0)
		return false;
	drop_finalizer(collector, CRD_KEY, "", crd, CRD_CLEANUP);
	hub_end_resource(collector->server->hub, crd);
	return true;
}
