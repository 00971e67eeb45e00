/* Admission. */
#include "admission.h"

#include <string.h>

#include "base/mem.h"
#include "object.h"
#include "server.h"

/* Enough of a Resource for the text of a refusal. */
static bool namespace_missing(Status *status, const char *name)
{
	char plural[] = "namespaces";
	char group[] = "";
	const Resource namespaces = {.key = plural, .plural = plural, .group = group};
	return status_not_found(status, &namespaces, name);
}

bool admission_namespace(Request *request, const json_t *object, Status *status)
{
	if (!resource_has(request->resource, KIND_NAMESPACED))
		return true;
	autoerror Error err = {0};
	StoreKey key = {"namespaces", "", request->path.ns};
	autojson json_t *ns = store_get(request->server->store, &key, &err);
	if (!ns)
		return err.code == ERR_NOT_FOUND ? namespace_missing(status, key.name)
						 : status_internal(status, &err);
	if (!object_is_deleting(ns))
		return true;
	autofree char *why = mem_printf(
		"unable to create new content in namespace %s because it is being terminated",
		key.name);
	status_forbidden(status, request->resource, object_name(object), why);
	autofree char *cause = mem_printf("namespace %s is being terminated", key.name);
	status_cause(status, "NamespaceTerminating", cause, "metadata.namespace");
	return false;
}

bool admission_create(Request *request, const json_t *object, Status *status)
{
	return request->http ? auth_check_escalation(request, object, status) : true;
}

bool admission_update(Request *request, const json_t *object, Status *status)
{
	return request->http ? auth_check_escalation(request, object, status) : true;
}

bool admission_delete(Request *request, const json_t *live, Status *status)
{
	static const char *const kept[] = {"default", "kube-system", "kube-public"};
	if (strcmp(request->resource->key, "namespaces") != 0)
		return true;
	for (size_t i = 0; i < COUNT(kept); i++)
		if (strcmp(kept[i], object_name(live)) == 0)
			return status_forbidden(status, request->resource, kept[i],
						"this namespace may not be deleted");
	return true;
}
