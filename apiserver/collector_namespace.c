/*
 * The end of a namespace (A70): its Pods go first, then all else, then the finalizer. What is still
 * there, and what holds it, is told by the namespace's conditions, in the real controller's words.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector_internal.h"
#include "object.h"

/* Names with how often each was counted. */
typedef struct {
	json_t *resources;  /* "configmaps." */
	json_t *finalizers; /* "example.com/hold" */
} Remains;

static void remains_dispose(Remains *remains)
{
	json_decref(remains->resources);
	json_decref(remains->finalizers);
}

static void count(json_t *counts, const char *name, size_t more)
{
	json_int_t before = json_int(counts, name, 0);
	json_object_set_new(counts, name, json_integer(before + (json_int_t)more));
}

static bool count_finalizers(void *arg, const char *ns, const char *name, const char *text,
			     size_t len)
{
	(void)ns;
	(void)name;
	const Remains *remains = arg;
	autoerror Error ignored = {0};
	autojson json_t *object = json_parse(text, len, len, &ignored);
	json_t *finalizers = json_list(json_map(object, "metadata"), "finalizers");
	for (size_t i = 0; i < json_array_size(finalizers); i++)
		count(remains->finalizers, json_string_value(json_array_get(finalizers, i)), 1);
	return true;
}

static void delete_resource(Collector *collector, const Resource *resource, const char *ns,
			    Remains *remains)
{
	if (!resource_has(resource, KIND_NAMESPACED) || resource_has(resource, KIND_CREATE_ONLY))
		return;
	size_t left = collector_delete_all(collector, resource->store_key, ns);
	if (left == 0)
		return;
	autofree char *name = mem_printf("%s.%s", resource->plural, resource->group);
	count(remains->resources, name, left);
	autoerror Error err = {0};
	StoreQuery query = {.resource = resource->store_key, .ns = ns};
	if (!store_list(collector->server->store, &query, count_finalizers, remains, NULL, &err))
		log_error(collector->server->log, &err, "counting finalizers failed", NULL);
}

/* Pods may use all else until they are gone. */
static void delete_contents(Collector *collector, const char *ns, Remains *remains)
{
	Vec resources = {0};
	catalog_list_stored(collector->server->catalog, &resources);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < resources.len; i++) {
			const Resource *resource = resources.items[i];
			bool pods = strcmp(resource->store_key, "pods") == 0;
			if (pods == (pass == 0))
				delete_resource(collector, resource, ns, remains);
		}
		if (json_object_size(remains->resources) > 0)
			break;
	}
	catalog_list_free(&resources);
}

/* "PREFIX: NAME VERB N resource instances, ...", sorted; owned. */
static char *told(const char *prefix, const char *verb, const json_t *counts)
{
	autostrings Vec texts = {0};
	const char *name;
	json_t *number;
	json_object_foreach(json_borrow(counts), name, number)
		vec_push(&texts, mem_printf("%s %s %lld resource instances", name, verb,
					    (long long)json_integer_value(number)));
	vec_sort(&texts, vec_compare_strings);
	autobuf Buf out = {0};
	buf_puts(&out, prefix);
	for (size_t i = 0; i < texts.len; i++)
		buf_printf(&out, "%s%s", i == 0 ? ": " : ", ", (char *)texts.items[i]);
	return buf_steal(&out);
}

static json_t *condition_of(json_t *conditions, const char *type)
{
	for (size_t i = 0; i < json_array_size(conditions); i++)
		if (cstr_eq(json_text(json_array_get(conditions, i), "type"), type))
			return json_array_get(conditions, i);
	json_t *condition = json_pack("{s:s}", "type", type);
	json_array_append_new(conditions, condition);
	return condition;
}

static void set_condition(json_t *conditions, const char *type, bool holds, const char *reason,
			  const char *message)
{
	json_t *condition = condition_of(conditions, type);
	const char *value = holds ? "True" : "False";
	autofree char *now = object_now();
	if (!cstr_eq(json_text(condition, "status"), value))
		json_put_text(condition, "lastTransitionTime", now);
	json_put_text(condition, "status", value);
	json_put_text(condition, "reason", reason);
	json_put_text(condition, "message", message);
}

/* Here discovery and deletion do not fail for a reason that an operator could do away with: their
 * conditions are always the good ones. */
static void set_conditions(json_t *ns, const Remains *remains)
{
	json_t *status = json_make_at(ns, "status", NULL);
	if (!json_list(status, "conditions"))
		json_object_set_new(status, "conditions", json_array());
	json_t *conditions = json_list(status, "conditions");
	set_condition(conditions, "NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered",
		      "All resources successfully discovered");
	set_condition(conditions, "NamespaceDeletionGroupVersionParsingFailure", false,
		      "ParsedGroupVersions", "All legacy kube types successfully parsed");
	set_condition(conditions, "NamespaceDeletionContentFailure", false, "ContentDeleted",
		      "All content successfully deleted, may be waiting on finalization");
	bool left = json_object_size(remains->resources) > 0;
	autofree char *resources = told("Some resources are remaining", "has", remains->resources);
	set_condition(conditions, "NamespaceContentRemaining", left,
		      left ? "SomeResourcesRemain" : "ContentRemoved",
		      left ? resources : "All content successfully removed");
	bool held = json_object_size(remains->finalizers) > 0;
	autofree char *finalizers = told("Some content in the namespace has finalizers remaining",
					 "in", remains->finalizers);
	set_condition(conditions, "NamespaceFinalizersRemaining", held,
		      held ? "SomeFinalizersRemain" : "ContentHasNoFinalizers",
		      held ? finalizers : "All content-preserving finalizers finished");
}

/* The last step of emptying: what others hold the namespace by stays. */
static void let_go(json_t *ns)
{
	json_t *finalizers = json_at(ns, "spec", "finalizers", NULL);
	for (size_t i = json_array_size(finalizers); i > 0; i--)
		if (cstr_eq(json_string_value(json_array_get(finalizers, i - 1)), "kubernetes"))
			json_array_remove(finalizers, i - 1);
	if (json_array_size(finalizers) == 0)
		json_object_set_new(ns, "spec", json_object());
}

static bool is_held_by_us(const json_t *ns)
{
	const json_t *finalizers = json_at(ns, "spec", "finalizers", NULL);
	for (size_t i = 0; i < json_array_size(finalizers); i++)
		if (cstr_eq(json_string_value(json_array_get(finalizers, i)), "kubernetes"))
			return true;
	return false;
}

static bool tell_remains(Collector *collector, const char *ns, const Remains *remains)
{
	autosubject Subject subject = {0};
	if (!collector_subject(collector, "namespaces", "", ns, &subject))
		return true;
	autojson json_t *next = json_deep_copy(subject.live);
	set_conditions(next, remains);
	return json_equal(next, subject.live) ||
	       collector_update(collector, &subject, "status", next);
}

bool collector_empty_namespace(Collector *collector, const char *ns)
{
	autosubject Subject before = {0};
	if (!collector_subject(collector, "namespaces", "", ns, &before) ||
	    !object_is_deleting(before.live) || !is_held_by_us(before.live))
		return true;
	__attribute__((cleanup(remains_dispose))) Remains remains = {json_object(), json_object()};
	delete_contents(collector, ns, &remains);
	if (!tell_remains(collector, ns, &remains) || json_object_size(remains.resources) > 0)
		return false;
	autosubject Subject subject = {0};
	if (!collector_subject(collector, "namespaces", "", ns, &subject))
		return true;
	autojson json_t *next = json_deep_copy(subject.live);
	let_go(next);
	return collector_update(collector, &subject, "finalize", next);
}
