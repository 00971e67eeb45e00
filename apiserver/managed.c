/* Calls common/smd with the object's schema and turns its errors into Status objects. */
#include "managed.h"

#include "base/mem.h"
#include "object.h"
#include "server.h"
#include "smd/smd.h"

static const SmdSchema *schema_of(Request *request, Status *status)
{
	autoerror Error err = {0};
	if (!request->resource->schema && !request->resource->definition)
		return NULL;
	const SmdSchema *schema = catalog_smd(request->server->catalog, request->resource, &err);
	if (!schema)
		status_internal(status, &err);
	return schema;
}

static SmdRequest smd_request(const Request *request, const char *now, bool force)
{
	/* Without /status the field is one like all others. */
	static const char *const none[] = {NULL};
	static const char *const not_labels[] = {"spec", "metadata.labels", NULL};
	const char *subresource = request->path.subresource;
	bool to_status = strcmp(subresource, "status") == 0;
	bool keeps_labels = to_status && strcmp(request->resource->key, "deployments.apps") == 0;
	return (SmdRequest){
		.manager = request->manager,
		/* What a custom kind's manager owns is told in the version that it wrote. */
		.api_version = resource_has(request->resource, KIND_CUSTOM)
				       ? request->resource->api_version
				       : request->resource->storage_version,
		.subresource = cstr_empty(subresource) ? NULL : subresource,
		.force = force,
		.now = now,
		.ignored_fields = keeps_labels					 ? not_labels
				  : resource_has(request->resource, KIND_STATUS) ? NULL
										 : none,
	};
}

bool managed_update(Request *request, const json_t *live, json_t **object, Status *status)
{
	const SmdSchema *schema = schema_of(request, status);
	if (status_is_set(status))
		return false;
	autofree char *now = object_now();
	SmdRequest smd = smd_request(request, now, false);
	SmdResult result = {0};
	autoerror Error err = {0};
	if (!smd_update(schema, live, *object, &smd, &result, &err))
		return status_set(status, 500, NULL, "%s", err_text(&err));
	json_decref(*object);
	*object = steal(&result.object);
	smd_result_dispose(&result);
	return true;
}

static void refuse(const Error *err, json_t *causes, Status *status)
{
	if (err->code == ERR_CONFLICT) {
		status_set(status, 409, "Conflict", "%s", err_text(err));
		if (causes)
			json_object_set(json_make_at(status->body, "details", NULL), "causes",
					causes);
		return;
	}
	status_set(status, 500, NULL, "%s", err_text(err));
}

json_t *managed_apply(Request *request, const json_t *live, const json_t *config, bool force,
		      bool *out_changed, Status *status)
{
	const SmdSchema *schema = schema_of(request, status);
	if (status_is_set(status))
		return NULL;
	autofree char *now = object_now();
	SmdRequest smd = smd_request(request, now, force);
	SmdResult result = {0};
	autojson json_t *causes = NULL;
	autoerror Error err = {0};
	if (!smd_apply(schema, live, config, &smd, &result, &causes, &err)) {
		refuse(&err, causes, status);
		return NULL;
	}
	*out_changed = result.changed;
	json_t *object = steal(&result.object);
	smd_result_dispose(&result);
	return object;
}
