/*
 * Fields that a built-in kind does not declare are left out (K62): a misspelled field of a
 * Deployment is dropped, one of a custom resource stays the server's error. Upstream converts each
 * object through Kubernetes' typed structs; we ask the server's own schema, and only when it has
 * refused a field, so that correct manifests cost nothing.
 */
#include "apply.h"

#include <string.h>

#include "kube/schema.h"

/* Upstream leaves these two as they are: converting them could lose rules. */
static bool is_role(const json_t *object)
{
	return cstr_eq(object_api_version(object), "rbac.authorization.k8s.io/v1") &&
	       (cstr_eq(object_kind(object), "Role") ||
		cstr_eq(object_kind(object), "ClusterRole"));
}

/* The document of the object's group-version, fetched once for a run; borrowed. */
static const json_t *document_of(const ApplyRun *apply, const char *api_version, Error *err)
{
	json_t *document = json_object_get(apply->documents, api_version);
	if (document)
		return document;
	document = kube_openapi(apply->client, api_version, err);
	if (document)
		json_object_set_new(apply->documents, api_version, document);
	return document;
}

bool apply_leave_out_undeclared(const ApplyRun *apply, Item *item, const Error *refusal)
{
	const char *api_version = object_api_version(item->object);
	if (!strstr(err_text(refusal), "field not declared in schema") ||
	    !kube_is_builtin(api_version) || is_role(item->object))
		return false;
	autoerror Error ignored = {0}; /* then the refusal stands */
	const json_t *document = document_of(apply, api_version, &ignored);
	autojson json_t *pruned = document ? json_deep_copy(item->object) : NULL;
	if (!pruned || !schema_prune(document, pruned) || json_equal(pruned, item->object))
		return false;
	json_decref(item->object);
	item->object = steal(&pruned);
	return true;
}
