#include "identity/workload.h"

#include "base/mem.h"
#include "kube/service_account.h"

Cloud *workload_cloud_new(Manager *manager)
{
	CloudConfig config = {.loop = manager_loop(manager)};
	config.cache_max = manager_token_cache(manager, &config.cache_max_ms);
	Cloud *cloud = cloud_new(&config);
	metrics_add_tokens(manager_metrics(manager), cloud_tokens(cloud));
	return cloud;
}

void workload_identity_dispose(WorkloadIdentity *identity)
{
	json_decref(identity->object);
	*identity = (WorkloadIdentity){0};
}

static const char *annotation(void *arg, const char *key)
{
	const WorkloadIdentity *identity = arg;
	return json_text_at(identity->object, "metadata", "annotations", key, NULL);
}

static char *token(void *arg, const char *audience, Error *err)
{
	const WorkloadIdentity *identity = arg;
	autojson json_t *audiences = json_pack("[s]", audience);
	return service_account_token(run_client(identity->run), identity->account.ns,
				     identity->account.name, audiences, NULL, err);
}

bool workload_identity(Run *run, const char *name, WorkloadIdentity *out,
		       const CloudAccount **out_account, Error *err)
{
	*out_account = NULL;
	if (cstr_empty(name))
		return true;
	json_t *object =
		kube_get(run_client(run), "v1", "ServiceAccount", run_namespace(run), name, err);
	if (!object)
		return err_wrap(err, "failed to get service account '%s/%s'", run_namespace(run),
				name);
	*out = (WorkloadIdentity){.run = run,
				  .object = object,
				  .account = {.ns = run_namespace(run),
					      .name = name,
					      .annotation = annotation,
					      .token = token,
					      .arg = out}};
	*out_account = &out->account;
	return true;
}
